"""The contract between the engine and a kind of data.

A mapper turns Odoo records into documents (and, inbound, documents into records). It runs as the
connection's user, in the connection's company and that user's language, and knows no HTTP.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..adapters.errors import ValidationFailed


@dataclass(frozen=True)
class Problem:
    """One thing that is missing or wrong: ``message`` is the end of a sentence about the document
    (``line 2 'Blue mug' has no SKU``), ``hint`` says what to do about it."""

    message: str
    hint: str = ""


@dataclass(frozen=True)
class Problems:
    """A document that cannot be sent, with everything that is wrong with it at once."""

    label: str
    problems: tuple[Problem, ...]

    def as_error(self, intro):
        """:class:`ValidationFailed` with all problems in one message."""
        hints = dict.fromkeys(problem.hint for problem in self.problems if problem.hint)
        return ValidationFailed(
            f"{intro}: {'; '.join(problem.message for problem in self.problems)}.",
            hint=" ".join(hints),
        )


@dataclass(frozen=True)
class Skip:
    """A record there is nothing to send for, and why (``reason``, a sentence)."""

    reason: str
    label: str = ""


class Mapper:
    """One kind of data. Subclasses set the class attributes and implement :meth:`prepare`.

    :cvar kind: technical name of the kind of data (``inventory``)
    :cvar model: the Odoo model whose records have jobs
    :cvar resource: under which resource a record's own external id is bound
    :cvar binds: a successful push binds the record to ``Result.external_id``
    :cvar parts: resource -> model of the parts of a document that are bound by themselves
    :cvar scope: jobs of one scope and record run one after another. Empty: the record's common
        scope. State that must not wait for other kinds of data (stock) has a scope of its own
    :cvar personal: documents hold personal data, to be redacted in the log
    """

    kind = ""
    model = ""
    resource = ""
    binds = False
    parts: ClassVar[dict[str, str]] = {}
    scope = ""
    personal = True

    def __init__(self, flow):
        """:param flow: a ``commerce.flow``, in the environment the work is to be done in, but with
        all rights: its settings are no secret of the user's"""
        self.flow = flow
        self.env = flow.env(su=False)
        self.connection = flow.connection_id

    def due(self, record_ids=None):
        """Which records the flow is concerned with.

        Called in business transactions, which must not fail for it: with all rights, for what the
        connection's user may not see is found out, and said, when the document is prepared. One or
        two queries, whatever the number of records.

        :param record_ids: look among these only; ``None``: all there are
        :return: list of record ids
        """
        raise NotImplementedError

    def prepare(self, records):
        """Build the documents; all reads in bulk.

        :param records: existing records of :attr:`model`
        :return: ``{record id: Document | Problems | Skip}`` for each record
        """
        raise NotImplementedError

    def at_event(self, _record_id, prepared, _values):
        """What :meth:`prepare` gave for a record, as the record was when its job was made.

        :param values: what the job has kept of it
        """
        return prepared

    def intro(self, label):
        """How a message about ``label`` begins, for staff."""
        raise NotImplementedError


MAPPERS: dict[str, type[Mapper]] = {}


def register(mapper_class):
    """Make a kind of data known; a decorator, usable from any addon."""
    MAPPERS[mapper_class.kind] = mapper_class
    return mapper_class

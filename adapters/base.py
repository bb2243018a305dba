"""The contract between the engine and a platform.

An adapter speaks one platform's protocol. It knows no ORM and no queue: it is given settings, an
HTTP client and documents, and gives back one result per document or a typed error.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime

from .documents import Document
from .errors import SyncError


@dataclass(frozen=True)
class CredentialField:
    """A secret the platform needs. ``name`` is its key in :attr:`Settings.credentials`."""

    name: str
    label: str
    help: str = ""
    required: bool = True


@dataclass(frozen=True)
class FlowSupport:
    """What a platform can do with one kind of data.

    :param batch: documents per request at most (1: one request each)
    :param idempotent: a repeated request with the same key is recognised over there
    :param compare_and_set: a write can be made conditional on the value last seen
    :param carriers: for documents the platform has no object for (invoices): the ways to deliver
        them, as ``{technical name: label}``
    :param limits: the most the platform takes: lengths (``name``, ``sku``, ...) and counts
        (``options``, ``variants``, ``images``, ``tags``); what is not named has no limit
    """

    batch: int = 1
    idempotent: bool = False
    compare_and_set: bool = False
    carriers: dict[str, str] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Capabilities:
    """``outbound``/``inbound``: kind of data -> :class:`FlowSupport`.

    :param locations: the store keeps stock per location (then locations are mapped one by one)
    :param stock_decimals: digits after the point the store keeps of a quantity
    """

    outbound: dict[str, FlowSupport] = field(default_factory=dict)
    inbound: dict[str, FlowSupport] = field(default_factory=dict)
    locations: bool = False
    stock_decimals: int = 0


@dataclass(frozen=True)
class Settings:
    """What a connection says of itself: ``address`` without a trailing slash, ``credentials`` by
    name in clear, ``options`` the platform's own settings."""

    address: str
    credentials: dict[str, str] = field(default_factory=dict, repr=False)
    options: dict = field(default_factory=dict)


@dataclass(frozen=True)
class StoreIdentity:
    """Who answered: what a person recognises as the right store."""

    name: str
    version: str
    currency: str = ""
    address: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class SendKey:
    """What the engine knows about one document's earlier tries.

    :param value: the job's idempotency key, the same in every try
    :param uncertain: an earlier try may have arrived: look before repeating what cannot be repeated
    :param progress: the steps earlier tries completed (:attr:`Result.progress`)
    :param force: a person wants it sent, whatever the store holds by now
    """

    value: str
    uncertain: bool = False
    progress: dict = field(default_factory=dict)
    force: bool = False


@dataclass(frozen=True, kw_only=True)
class Link:
    """A part of a document that has an id of its own over there: ``record_id`` is the part's id in
    Odoo, ``resource`` what it is bound as (``variant``)."""

    resource: str
    record_id: int
    external_id: str
    parent_id: str = ""
    external_ref: str = ""
    handles: dict = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Result:
    """How one document ended: an ``outcome`` (``created``, ``updated``, ``unchanged``,
    ``skipped``) or an ``error``.

    ``progress`` holds the steps completed so far, also (especially) beside an error; ``note`` is a
    sentence for the log; ``seen`` is what the store says it holds now, by location for stock.
    ``links`` are the parts that exist over there now. An ``external_id`` beside an error: the
    record was made before something else failed, and is bound all the same.
    """

    outcome: str = ""
    error: SyncError | None = None
    external_id: str = ""
    parent_id: str = ""
    external_ref: str = ""
    updated_at: datetime | None = None
    progress: dict = field(default_factory=dict)
    seen: dict = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Page:
    """One page of what :meth:`Adapter.fetch` reads; ``cursor`` is ``""`` on the last one.
    ``total`` is how many there are in all, where the platform says."""

    documents: tuple[Document, ...]
    cursor: str = ""
    total: int | None = None


@dataclass(frozen=True)
class EventPage:
    """One page of what :meth:`Adapter.poll` finds: ``((Event, body), ...)``; ``cursor`` is ``""``
    on the last one."""

    events: tuple
    cursor: str = ""
    total: int | None = None


@dataclass(frozen=True, kw_only=True)
class Event:
    """What a webhook says of itself, before anybody looks into it.

    :param identity: the same for every delivery of one and the same event, different for any two
    :param topic: the platform's own name for what happened (``order.updated``)
    :param kind: the kind of data it concerns (``order``), or ``""``: nothing we handle
    :param external_id: of the record it concerns
    :param updated_at: when that record changed over there (UTC, no time zone), where it is said
    :param deleted: the record is no more
    :param ping: the platform only tries whether somebody answers
    """

    identity: str
    topic: str = ""
    kind: str = ""
    external_id: str = ""
    updated_at: datetime | None = None
    deleted: bool = False
    ping: bool = False


class Adapter:
    """One platform. Subclasses set the class attributes and implement what they declare."""

    platform = ""
    label = ""
    address_help = ""
    credential_fields: tuple[CredentialField, ...] = ()
    capabilities = Capabilities()
    #: Which of the credentials may sign what the store sends to us.
    webhook_secret_names: tuple[str, ...] = ("webhook_secret",)
    #: Kind of data -> topics to subscribe to. Empty: the platform cannot be asked to send anything.
    webhook_topics: dict[str, tuple[str, ...]] = {}
    #: The secret that signs is ours to choose, and told to the store when it is subscribed to.
    chooses_webhook_secret = False
    #: Topics by which data protection requests come.
    privacy_topics: tuple[str, ...] = ()

    def __init__(self, settings, client):
        """
        :param Settings settings: address, credentials, options
        :param adapters.http.HttpClient client: sends requests; shared by threads
        """
        self.settings = settings
        self.client = client

    def check(self):
        """Ask who is there.

        :return: :class:`StoreIdentity`
        :raise SyncError: with a message that says exactly what is wrong
        """
        raise NotImplementedError

    def parcels(self, kind, documents):
        """Group documents into what one :meth:`push` call takes. Overridden where a request can
        only carry documents that belong together.

        :return: lists of positions in ``documents``; every position exactly once
        """
        size = self.capabilities.outbound[kind].batch
        positions = range(len(documents))
        return [list(positions[start : start + size]) for start in range(0, len(documents), size)]

    def push(self, kind, documents, keys):
        """Write documents to the store.

        :param list documents: one parcel of :meth:`parcels`
        :param list keys: a :class:`SendKey` for each
        :return: a :class:`Result` for each, in order; an item's failure is its result
        :raise SyncError: the whole parcel failed alike (no answer, not signed in, throttled)
        """
        return getattr(self, f"_push_{kind}")(documents, keys)

    def fetch(self, kind, since=None, cursor=""):
        """Read one page, oldest change first.

        :param kind: ``variant`` (:class:`CatalogItem`), ``order`` (:class:`OrderHead`), or a kind
            of data to compare: ``inventory`` (:class:`InventoryLevel`), ``price``, ``product``
        :param datetime since: only what changed at or after (UTC)
        :param str cursor: from the page before; ``""`` for the first
        :return: :class:`Page`
        """
        return getattr(self, f"_fetch_{kind}")(since, cursor)

    def poll(self, kind, since, cursor=""):
        """What changed, as if each had been told by a webhook; one page, oldest change first.

        Made of what :meth:`fetch` reads, unless overridden: the body is ``{"id": ...}`` then, and
        :meth:`read_event` asks the store for the rest.

        :param datetime since: only what changed at or after (UTC)
        :return: :class:`EventPage`
        """
        page = self.fetch(kind, since, cursor)
        events = tuple(self._found(kind, document) for document in page.documents)
        return EventPage(events, page.cursor, page.total)

    def _found(self, kind, document):
        changed = getattr(document, "updated_at", None)
        event = Event(
            identity=f"poll:{kind}:{document.external_id}:{changed or document.fingerprint()}",
            topic=f"{kind}.found",
            kind=kind,
            external_id=document.external_id,
            updated_at=changed,
        )
        return event, json.dumps({"id": document.external_id}).encode()

    @classmethod
    def reads(cls, kind):
        """Whether :meth:`fetch` knows this kind."""
        return hasattr(cls, f"_fetch_{kind}")

    def subscriptions(self):
        """What the store sends where, of every address.

        :return: ``[{"id", "topic", "uri", "active"}]``; topics as :attr:`webhook_topics` has them
        """
        raise NotImplementedError

    def subscribe(self, topic, uri, secret=""):
        """Have the store send a topic to an address, signed with the secret where it is ours to
        choose; what is there already is switched on again.

        :raise SyncError: the store refuses it
        """
        raise NotImplementedError

    def unsubscribe(self, subscription_id):
        """Have the store stop; one that is gone is left alone."""
        raise NotImplementedError

    @classmethod
    def is_ping(cls, headers, body):
        """Whether this is a platform's unsigned greeting, to be answered and forgotten."""
        return False

    @classmethod
    def verify(cls, headers, body, secrets):
        """Whether a webhook comes from who knows one of the secrets. Constant time; an empty
        secret refuses.

        :param headers: case-insensitive mapping
        :param bytes body: exactly as received
        :param list secrets: the current one, and during rotation the one before
        """
        return False

    @classmethod
    def comes_from(cls, headers, address):
        """Whether a verified message is the connection's: where one secret serves several shops.

        :param str address: the connection's
        """
        return True

    @classmethod
    def parse_event(cls, headers, body):
        """What a verified webhook says of itself.

        :return: :class:`Event`
        :raise Rejected: it cannot be read
        """
        raise NotImplementedError

    def read_event(self, kind, body):
        """The document a webhook (or a poll) carries; may ask the store for what is missing.

        :param bytes body: as received
        :return: a :class:`documents.Document`
        :raise SyncError: it cannot be read, or not now
        """
        return getattr(self, f"_read_{kind}")(body)

    def record_url(self, kind, external_id, parent_id=""):
        """The address of a record in the store's own administration, or ``""``."""
        return ""


ADAPTERS: dict[str, type[Adapter]] = {}


def register(adapter_class):
    """Make a platform known; a decorator, usable from any addon."""
    ADAPTERS[adapter_class.platform] = adapter_class
    return adapter_class

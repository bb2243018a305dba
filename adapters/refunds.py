"""What all platforms need to never pay a refund out twice."""

import time

from .errors import Rejected, Temporary, ValidationFailed

#: Seconds a store may go on working on a refund whose answer was lost. Within them it is looked
#: for, and not asked for again: https://www.php.net/manual/en/info.configuration.php (executions
#: end by then).
QUIET = 120.0
ASKED = "refund_asked_at"


def check(note):
    """:raise ValidationFailed: nothing can be given back for it"""
    if note.total <= 0:
        raise ValidationFailed(
            f"Credit note {note.number}: its total is {note.total}, there is nothing to give back.",
            hint="Cancel this job, or have the flow make no refunds.",
        )


def check_quiet(note, progress, uncertain, quiet=QUIET):
    """:raise Temporary: an earlier request may still be under way over there"""
    left = quiet - (time.time() - progress.get(ASKED, 0))
    if uncertain and ASKED in progress and left > 0:
        raise Temporary(
            f"Credit note {note.number}: whether the store made the refund is not certain yet.",
            hint="Nothing to do: it is looked for before it is asked for again.",
            code="refund_uncertain",
            retry_after=left,
        )


def check_left(note, left, currency):
    """:raise Rejected: the order has no such sum left, or another currency"""
    if currency and currency != note.currency:
        raise Rejected(
            f"Credit note {note.number} is in {note.currency}, its order in the store in "
            f"{currency}.",
            hint="Give the money back in the store by hand, then cancel this job.",
            code="currency_differs",
        )
    if note.total > left:
        raise Rejected(
            f"Credit note {note.number}: of its order only {left} {note.currency} are left to give "
            f"back in the store, not {note.total}.",
            hint="Somebody may have refunded it in the store already. Compare the refunds there; "
            "then cancel this job.",
            code="refund_too_large",
        )


def begin(progress):
    """Remember that it is asked for from now on."""
    progress[ASKED] = time.time()


def marked(note, text):
    """Whether a refund's note is that of our credit note."""
    return (text or "").partition(":")[0].strip() == note.number


def reason(note):
    """The text of the refund; it begins with the number, by which it is found again."""
    return f"{note.number}: {note.reason}" if note.reason else note.number

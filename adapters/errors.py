"""The errors an exchange with another system can end in, decided once, here.

Every failure below the engine is one of these classes; what happens next (fail, wait, pause the
connection) is the engine's business and depends on ``kind`` alone.
"""


class SyncError(Exception):
    """An exchange that did not end well.

    :param message: what happened, in plain words, for staff (no payload, no credential)
    :param hint: what a person can do about it
    :param code: the other system's own code (``product_invalid_sku``), for searching and grouping
    :param retry_after: seconds the other system asked us to wait, where it said so
    :param uncertain: the request left us and its effect over there is not known (a timeout, a
        reset connection, a 5xx): the next try must look before it repeats
    """

    kind = "unexpected"

    def __init__(self, message, *, hint="", code="", retry_after=None, uncertain=False):
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.retry_after = retry_after
        self.uncertain = uncertain


class ValidationFailed(SyncError):
    """The document cannot be sent as it is; no request was made."""

    kind = "validation"


class Rejected(SyncError):
    """The other system refuses this record (4xx), in its own words."""

    kind = "rejected"


class Gone(Rejected):
    """The receiver of webhooks wants no more of them (410): the flow is to be switched off."""


class Missing(SyncError):
    """What we are bound to no longer exists over there."""

    kind = "missing"


class Conflict(SyncError):
    """The value over there changed since we last saw it: the flow's rule says whose counts."""

    kind = "conflict"
    for_a_person = False


class NotMatched(Conflict):
    """Over there is a record that may be the same one: no rule can say so, only a person."""

    for_a_person = True


class RateLimited(SyncError):
    """The other system asks us to slow down (429, THROTTLED)."""

    kind = "rate_limit"


class Temporary(SyncError):
    """The other system is down, slow, or answers with nonsense; later it may work."""

    kind = "temporary"


class AuthenticationFailed(SyncError):
    """Our credentials are refused; nothing will work until a person mends them."""

    kind = "authentication"


class Misconfigured(AuthenticationFailed):
    """The connection itself is set up wrongly: its address, a certificate that is not the store's,
    a store without its API. Like refused credentials (hence the same kind): no job can succeed and
    none is to blame, until a person mends it."""


class Unexpected(SyncError):
    """A bug of ours, or an answer no rule covers."""

    kind = "unexpected"


ERROR_KINDS = (
    "validation",
    "rejected",
    "missing",
    "conflict",
    "rate_limit",
    "temporary",
    "authentication",
    "unexpected",
)

"""Times as WooCommerce shows them: two fields each, the shop's own time and UTC.

Stored is UTC, e.g. "2026-11-02T09:30:00": no fractions, no zone.
"""

import re
from datetime import datetime, timedelta, timezone

_OFFSET = re.compile(r"(Z|[+-]\d{2}(?::?\d{2})?)$")


def now(site):
    return text(site.clock().astimezone(timezone.utc))


def text(moment):
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")


def local(site, stored):
    """A stored time in the shop's zone; None stays None."""
    if not stored:
        return None
    return (datetime.fromisoformat(stored) + site.utc_offset).isoformat()


def shown(site, document, *names):
    """``{"date_created": ..., "date_created_gmt": ...}`` for each name."""
    fields = {}
    for name in names:
        stored = document.get(f"{name}_gmt")
        fields[name], fields[f"{name}_gmt"] = local(site, stored), stored or None
    return fields


def parse(site, given, is_gmt):
    """A given time as it is stored. Without a zone it is the shop's time, or UTC if ``is_gmt``."""
    zone = _OFFSET.search(given[19:])
    plain = _plain(given)
    if zone:
        plain -= _delta(zone.group(1))
    elif not is_gmt:
        plain -= site.utc_offset
    return text(plain)


def filter_value(site, given, dates_are_gmt):
    """A bound such as ``modified_after`` as it is compared with the stored time.

    A trap of WordPress, kept: WP_Date_Query::build_mysql_datetime() turns a time that names its
    zone ("...Z") into the shop's own, and compares *that* with the UTC column if
    ``dates_are_gmt``. Only a time without a zone means what it says.
    https://developer.wordpress.org/reference/classes/wp_date_query/build_mysql_datetime/
    """
    zone = _OFFSET.search(given[19:])
    plain = _plain(given)
    if zone:
        plain += site.utc_offset - _delta(zone.group(1))
    if not dates_are_gmt:
        plain -= site.utc_offset
    return text(plain)


def _plain(given):
    return datetime.fromisoformat(given[:19].upper().replace(" ", "T"))


def _delta(zone):
    if zone == "Z":
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    delta = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -delta if zone[0] == "-" else delta


FILTERS = (
    ("after", "created > ?"),
    ("before", "created < ?"),
    ("modified_after", "modified > ?"),
    ("modified_before", "modified < ?"),
)


def conditions(site, params):
    """SQL conditions of the four date filters; all exclude the bound itself."""
    for name, clause in FILTERS:
        if params.get(name):
            yield clause, [filter_value(site, params[name], params["dates_are_gmt"])]

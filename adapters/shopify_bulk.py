"""Reading a large catalogue of Shopify: the shop writes it into one file, which is read in slices.

Nothing is held meanwhile: the place to go on from says which operation is waited for, or where in
its file the next slice begins. https://shopify.dev/docs/api/usage/bulk-operations/queries
"""

import json
import time

from .base import Page
from .errors import Temporary, Unexpected
from .failures import RETRIED
from .http import ANONYMOUS
from .shopify_queries import BULK_PRODUCTS, BULK_STATE, COUNT_PRODUCTS, RUN_BULK
from .shopify_reading import read_product
from .shopify_values import gid, plain_id

#: Fewer products than this are read page by page.
FROM = 250
#: Bytes of the file in one page; a product with all its variants is smaller by far.
SLICE = 4 * 1024 * 1024
#: Seconds between two looks at an operation.
POLL_SECONDS = 2.0
UNDER_WAY = ("CREATED", "RUNNING")


class BulkMixin:
    """Needs ``_query``, ``_mutate``, ``client`` and ``host``."""

    bulk_from = FROM
    bulk_slice = SLICE
    bulk_poll_seconds = POLL_SECONDS

    def _fetch_product(self, since, cursor):
        """All of a large catalogue in bulk; what changed lately, or a small one, page by page."""
        place = json.loads(cursor) if cursor.startswith("{") else {}
        if place.get("file"):
            return self._read_slice(place["file"], place["at"])
        if place.get("bulk"):
            return self._await_bulk(place["bulk"])
        if not cursor and not since and self._is_large():
            return self._start_bulk()
        return super()._fetch_product(since, cursor)

    def _is_large(self):
        count = self._query(COUNT_PRODUCTS).get("productsCount") or {}
        return (count.get("count") or 0) >= self.bulk_from

    def _start_bulk(self):
        payload, errors = self._mutate(RUN_BULK, query=BULK_PRODUCTS.strip())
        if errors:
            # a shop works on a few of them at once only
            raise Temporary(
                f"{self.host} does not begin to write its catalogue: {errors[0].get('message')}",
                hint=RETRIED,
                code=str(errors[0].get("code") or "bulk_refused"),
            )
        return Page((), _place(bulk=plain_id(payload["bulkOperation"]["id"])))

    def _await_bulk(self, number):
        found = self._query(BULK_STATE, id=gid("BulkOperation", number)).get("node")
        status = (found or {}).get("status")
        if status in UNDER_WAY:
            time.sleep(self.bulk_poll_seconds)
            return Page((), _place(bulk=number))
        if status != "COMPLETED":
            raise Temporary(
                f"{self.host} did not write its catalogue: {status or 'it forgot about it'} "
                f"{(found or {}).get('errorCode') or ''}".rstrip()
                + ".",
                hint=RETRIED,
                code="bulk_failed",
            )
        return Page((), _place(file=found["url"], at=0) if found.get("url") else "")

    def _read_slice(self, address, at):
        """The products whose lines are complete in one slice of the file."""
        last = at + self.bulk_slice - 1
        answer = self.client.request(
            "GET",
            address,
            headers={"Range": f"bytes={at}-{last}", "Accept-Encoding": "identity"},
            auth=ANONYMOUS,  # the file is at another company: our token must not go there
            expect_json=False,
        )
        body, whole = answer.body, answer.status == 200
        done = whole or len(body) < self.bulk_slice
        used = len(body) if done else _complete(body)
        if not used:
            raise Unexpected(
                f"{self.host}: a product is larger than {self.bulk_slice:,} bytes.",
                hint="This is an error in Commerce Sync: report it.",
                code="bulk_slice",
            )
        products = tuple(_products(body[:used]))
        return Page(products, "" if done else _place(file=address, at=at + used))


def _place(**values):
    return json.dumps(values)


def _complete(body):
    """Bytes up to the last line that begins a product: those before it have all their variants."""
    end = body.rfind(b"\n") + 1
    while end > 0:
        start = body.rfind(b"\n", 0, end - 1) + 1
        if b'"__parentId"' not in body[start:end]:
            return start
        end = start
    return 0


def _products(body):
    """Each product's line is followed by its variants' lines."""
    product, variants = None, []
    for line in body.splitlines():
        row = json.loads(line)
        if "__parentId" in row:
            variants.append(row)
            continue
        if product:
            yield read_product(product, variants)
        product, variants = row, []
    if product:
        yield read_product(product, variants)

"""Products to Shopify: made in one request, changed without taking anything away.

``productSet`` deletes what a list leaves out. So it is given lists only where the product is new;
afterwards variants are changed and added by requests that leave the others alone.
https://shopify.dev/docs/api/admin-graphql/latest/mutations/productSet

Nothing is ever created that the shop may have already: before a creation it is looked for by its
handle, which Shopify keeps unique and finds at once, and by SKU, whose index lags by seconds.
"""

from .base import Link, Result
from .documents import PRODUCT_FIELDS
from .errors import Conflict, Missing, NotMatched, SyncError, ValidationFailed
from .shopify_errors import element_error
from .shopify_queries import ADD_VARIANTS, FIND_PRODUCT, PRODUCT, SET_PRODUCT, SET_VARIANTS
from .shopify_values import gid, is_id, plain_id, utc

NAMESPACE, KEY = "commerce_sync", "reference"
#: Variants in one request, and SKUs in one search.
AT_ONCE = 100
SKUS_AT_ONCE = 50
STATUSES = {"active": "ACTIVE", "draft": "DRAFT", "archived": "ARCHIVED"}
#: https://shopify.dev/docs/apps/build/product-merchandising/products-and-collections/limits
LIMITS = {"name": 255, "sku": 255, "options": 3, "variants": 2048, "images": 250, "tags": 250}
#: What Shopify calls the option of a product that has none.
NO_OPTION = {"optionName": "Title", "name": "Default Title"}
HINT_MATCH = (
    "Match the two (Configuration > Matching), then press Resend; or change the SKU on one side."
)
HINT_ANEW = (
    "Match it again (Configuration > Matching); or delete its binding (Configuration > Bindings) "
    "and press Resend to create it anew."
)


class ProductMixin:
    """Needs ``_query`` and ``_mutate``."""

    def _push_product(self, documents, keys):
        return [self._publish(*pair) for pair in zip(documents, keys, strict=True)]

    def _publish(self, product, key):
        """One product. Even a failure of the line is its result, for what is done must be kept."""
        work = _Publication(product, key)
        try:
            work.check()
            if not work.number:
                self._find_product(work)
            if not work.number:
                self._create_product(work)
                self._read_held(work)
                return work.result()
            self._read_held(work)
            work.check_skus()
            self._change_product(work)
            self._change_variants(work)
            self._add_variants(work)
        except SyncError as error:
            return work.result(error)
        return work.result()

    # === LOOKING === #

    def _find_product(self, work):
        """Whether the shop has it already.

        :raise NotMatched: one of its SKUs is another product's
        """
        skus = [variant.sku for variant in work.product.variants if variant.sku]
        for start in range(0, max(len(skus), 1), SKUS_AT_ONCE):
            wanted = " OR ".join(_sku_term(sku) for sku in skus[start : start + SKUS_AT_ONCE])
            data = self._query(
                FIND_PRODUCT,
                handle=work.product.handle,
                skus=wanted or "id:0",
                namespace=NAMESPACE,
                key=KEY,
            )
            work.adopt(data.get("productByIdentifier"), data["productVariants"]["nodes"])

    def _read_held(self, work):
        """What the shop holds of it now.

        :raise Missing: it, or one of its variants, is gone
        """
        after = None
        while True:
            variables = {"id": gid("Product", work.number), "first": AT_ONCE, "after": after}
            found = self._query(PRODUCT, **variables).get("product")
            if not found:
                raise work.missing(f"product {work.number}", "product_not_found")
            work.updated_at = utc(found.get("updatedAt"))
            work.held += found["variants"]["nodes"]
            info = found["variants"]["pageInfo"]
            if not info["hasNextPage"]:
                break
            after = info["endCursor"]
        work.take()

    # === WRITING === #

    def _create_product(self, work):
        product = work.product
        given = {
            **work.content(),
            "handle": product.handle,
            "metafields": [work.mark],
            "variants": [
                {**work.variant_content(variant, new=True), "optionValues": work.values(variant)}
                for variant in product.variants
            ],
            "productOptions": work.options(),
        }
        work.number = self._set_product(work, given)
        work.created = True

    def _change_product(self, work):
        content = work.content()
        if content:
            self._set_product(work, {"id": gid("Product", work.number), **content})

    def _set_product(self, work, given):
        payload, errors = self._mutate(SET_PRODUCT, input=given)
        if errors:
            raise element_error(errors[0], work.label)
        work.answered = True
        return plain_id(payload["product"]["id"])

    def _change_variants(self, work):
        known = [variant for variant in work.product.variants if work.part(variant)]
        rows = [
            {
                "id": gid("ProductVariant", work.part(variant)),
                **work.variant_content(variant, new=False),
            }
            for variant in known
        ]
        self._write_variants(work, SET_VARIANTS, [row for row in rows if len(row) > 1])

    def _add_variants(self, work):
        new = [one for one in work.product.variants if one.active and not work.part(one)]
        rows = [
            {**work.variant_content(variant, new=True), "optionValues": work.values(variant)}
            for variant in new
        ]
        if rows:
            self._write_variants(work, ADD_VARIANTS, rows)
            work.held = []
            self._read_held(work)

    def _write_variants(self, work, document, rows):
        for start in range(0, len(rows), AT_ONCE):
            part = rows[start : start + AT_ONCE]
            _payload, errors = self._mutate(document, id=gid("Product", work.number), variants=part)
            if errors:
                raise element_error(errors[0], work.label)
            work.answered = True


def _sku_term(sku):
    quoted = sku.replace("\\", "\\\\").replace("'", "\\'")
    return f"sku:'{quoted}'"


class _Publication:
    """One product on its way: what the shop holds of it, and what is done."""

    def __init__(self, product, key):
        self.product = product
        self.key = key
        self.label = product.label
        self.number = product.external_id or key.progress.get("product", "")
        self.parts = {one.record_id: one.external_id for one in product.variants}
        self.held = []
        self.items = {}
        self.created = bool(key.progress)
        self.answered = False
        self.updated_at = None

    def check(self):
        """
        :raise ValidationFailed: it is bound to something that is no product of Shopify
        """
        if self.number and not is_id(self.number):
            raise ValidationFailed(
                f"{self.label}: '{self.number}' is not the ID of a product in Shopify.",
                hint=HINT_ANEW,
            )

    # === WHAT THE SHOP HOLDS === #

    def adopt(self, by_handle, variants):
        """Take what an earlier try made for ours.

        :raise NotMatched: the shop has one that is not ours
        """
        owners = [(node["product"], node.get("sku")) for node in variants]
        if by_handle and self._is_ours(by_handle):
            owners.append((by_handle, ""))
        for owner, sku in owners:
            if not self._is_ours(owner):
                raise NotMatched(
                    f"{self.label}: SKU '{sku}' is in the store already: '{owner['title']}' "
                    f"({plain_id(owner['id'])}).",
                    hint=HINT_MATCH,
                    code="sku_exists",
                )
            self.number = plain_id(owner["id"])

    def _is_ours(self, owner):
        mark = (owner.get("metafield") or {}).get("value")
        return bool(mark) and mark == self.product.reference

    def take(self):
        """
        :raise Missing: a variant that is bound is gone
        """
        held = {plain_id(node["id"]): node for node in self.held}
        self.items = {
            number: plain_id((node.get("inventoryItem") or {}).get("id"))
            for number, node in held.items()
        }
        free = {_values_of(node): number for number, node in held.items()}
        for variant in self.product.variants:
            number = self.parts.get(variant.record_id)
            if number and number not in held:
                raise self.missing(f"variant {number} ({variant.sku})", "variant_not_found")
            if not number:
                self.parts[variant.record_id] = free.get(variant.values, "")

    def check_skus(self):
        """
        :raise Conflict: a SKU is no longer what we last saw, nor what it is in Odoo
        """
        seen = self.product.seen.get("skus") or {}
        if self.key.force or "sku" not in self.product.owned:
            return
        held = {plain_id(node["id"]): node.get("sku") or "" for node in self.held}
        for variant in self.product.variants:
            number = self.part(variant)
            sku = held.get(number)
            if number not in seen or sku is None or sku in (variant.sku, seen[number]):
                continue
            raise Conflict(
                f"{self.label}: its SKU was changed in the store to '{sku}'; in Odoo it is "
                f"'{variant.sku}'.",
                hint="Correct the Internal Reference in Odoo, or press Resend to overwrite the SKU "
                "in the store.",
                code="sku_changed",
            )

    def missing(self, what, code):
        return Missing(
            f"{self.label}: {what} no longer exists in the store.", hint=HINT_ANEW, code=code
        )

    def part(self, variant):
        return self.parts.get(variant.record_id) or ""

    # === WHAT IS WRITTEN === #

    @property
    def mark(self):
        value = self.product.reference
        return {
            "namespace": NAMESPACE,
            "key": KEY,
            "type": "single_line_text_field",
            "value": value,
        }

    def content(self):
        """What of the product itself is ours to say. Images only when they changed: a picture that
        is named again is fetched again."""
        product, owned = self.product, self.product.owned
        content = {
            "title": product.name,
            "descriptionHtml": product.description,
            "status": STATUSES[product.status],
            "productType": product.category[-1] if product.category else "",
            "tags": list(product.tags),
            "files": [_file(image) for image in product.images],
        }
        names = {
            "title": "name",
            "descriptionHtml": "description",
            "productType": "category",
            "files": "images",
        }
        content = {name: value for name, value in content.items() if names.get(name, name) in owned}
        checksums = [image.checksum for image in product.images]
        if checksums == (product.seen.get("images") or []):
            content.pop("files", None)
        return content

    def options(self):
        options = [
            {"name": one.name, "values": [{"name": value} for value in one.values]}
            for one in self.product.options
        ]
        return options or [{"name": "Title", "values": [{"name": "Default Title"}]}]

    def values(self, variant):
        pairs = zip(self.product.options, variant.values, strict=True)
        values = [{"optionName": option.name, "name": value} for option, value in pairs]
        return values or [NO_OPTION]

    def variant_content(self, variant, new):
        """What is new starts with all there is, whoever owns it from then on."""
        owned = PRODUCT_FIELDS if new else self.product.owned
        content, item = {}, {}
        if "sku" in owned:
            item["sku"] = variant.sku
        if "weight" in owned and variant.weight is not None:
            weight = {"unit": "KILOGRAMS", "value": float(variant.weight)}
            item["measurement"] = {"weight": weight}
        if new:
            item["tracked"] = variant.tracked
        if "barcode" in owned:
            content["barcode"] = variant.barcode or None
        if "price" in owned and variant.price is not None:
            content["price"] = format(variant.price, "f")
        return {**content, **({"inventoryItem": item} if item else {})}

    # === WHAT IS DONE === #

    def result(self, error=None):
        links = [
            Link(
                resource="variant",
                record_id=variant.record_id,
                external_id=self.part(variant),
                parent_id=self.number,
                external_ref=variant.sku,
                handles={"inventory_item_id": self.items[self.part(variant)]},
            )
            for variant in self.product.variants
            if self.items.get(self.part(variant)) and variant.record_id
        ]
        hidden = [one for one in self.product.variants if not one.active and self.part(one)]
        note = "Shopify cannot hide single variants: archived ones stay there." if hidden else ""
        done = self.answered or bool(self.number and not self.product.external_id)
        return Result(
            error=error,
            outcome="" if error else "created" if self.created else "updated",
            external_id=self.number if done else "",
            external_ref=next((one.sku for one in self.product.variants), ""),
            updated_at=self.updated_at,
            progress={"product": self.number} if done else {},
            links=tuple(links) if done else (),
            seen=self._held() if error else self._sent(),
            note="" if error else note,
        )

    def _sent(self):
        return {
            "images": [image.checksum for image in self.product.images],
            "skus": {self.part(one): one.sku for one in self.product.variants},
        }

    def _held(self):
        """What the next try, if the flow's rule wants one, is compared with."""
        skus = {plain_id(node["id"]): node.get("sku") or "" for node in self.held}
        return {**self.product.seen, "skus": skus}


def _file(image):
    return {
        "originalSource": image.url,
        "filename": image.name,
        "contentType": "IMAGE",
        "alt": "",
    }


def _values_of(node):
    values = tuple(option["value"] for option in node.get("selectedOptions") or ())
    return () if values == ("Default Title",) else values

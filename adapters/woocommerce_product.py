"""Products to WooCommerce: the product, then its variations.

Nothing is ever created that the store may have already: before a creation it is looked for by SKU.
What is found there bears our mark (a try of ours that arrived, and is gone on with) or does not
(then a person matches it). https://woocommerce.github.io/woocommerce-rest-api-docs/#products
"""

from .base import Link, Result
from .documents import PRODUCT_FIELDS
from .errors import Conflict, Missing, NotMatched, SyncError, ValidationFailed
from .woocommerce_errors import HINT_MISSING, item_error
from .woocommerce_inventory import VARIATIONS_BATCH
from .woocommerce_values import utc

PRODUCT = "products/{product}"
VARIATIONS = "products/{product}/variations"
#: Variations in one request, see batch items.
AT_ONCE = 100
#: Hidden from WordPress's "Custom fields" box by its underscore.
MARK = "_commerce_sync_reference"
STATUSES = {"active": "publish", "draft": "draft", "archived": "draft"}
LOOK_FIELDS = "id,name,sku,type,status,parent_id,meta_data"
ANSWER_FIELDS = "id,sku,type,status,images,permalink,date_modified_gmt"
#: wp_wc_product_meta_lookup.sku is varchar(100)
LIMITS = {"sku": 100}
HINT_MATCH = (
    "Match the two (Configuration > Matching), then press Resend; or change the SKU on one side."
)
HINT_ANEW = (
    "Match it again (Configuration > Matching); or delete its binding (Configuration > Bindings) "
    "and press Resend to create it anew."
)


class ProductMixin:
    """Needs ``_api`` and :class:`TermMixin`."""

    def _push_product(self, documents, keys):
        return [self._publish(*pair) for pair in zip(documents, keys, strict=True)]

    def _publish(self, product, key):
        """One product. Even a failure of the line is its result, for what is done must be kept."""
        work = _Publication(product, key)
        try:
            check_product(product)
            if not work.number:
                self._look_for(work)
            if work.number:
                self._look_at(work)
            self._write_product(work)
            if work.variable:
                self._write_variations(work)
        except SyncError as error:
            return work.result(error)
        return work.result()

    # === LOOKING === #

    def _look_for(self, work):
        """Whether the store has it already.

        :raise NotMatched: one of its SKUs is another product's
        """
        skus = list(filter(None, (variant.sku for variant in work.product.variants)))
        rows = []
        for start in range(0, len(skus), AT_ONCE):
            rows += self._search(sku=",".join(skus[start : start + AT_ONCE]))
        if not rows and work.key.uncertain:
            # a product whose variations did not follow has no SKU yet
            rows = [row for row in self._search(slug=work.product.handle) if work.is_ours(row)]
        for row in rows:
            if not work.is_ours(row):
                raise work.taken(row)
            work.number = str(row.get("parent_id") or row["id"])

    def _search(self, **params):
        params = {**params, "status": "any", "per_page": AT_ONCE, "_fields": LOOK_FIELDS}
        return self._api("GET", "products", params=params).json()

    def _look_at(self, work):
        """What the store holds of it now.

        :raise Missing: it, or one of its variations, is gone
        :raise Conflict: it was changed there in a way that is not ours to undo
        """
        path = PRODUCT.format(product=work.number)
        try:
            work.held = self._api("GET", path, params={"_fields": LOOK_FIELDS}).json()
        except Missing as error:
            raise work.missing(f"product {work.number}", error.code) from error
        if work.held.get("status") == "trash":
            raise Missing(
                f"{work.label}: it is in the store's trash.",
                hint="Restore it in WooCommerce > Products > Trash, then press Resend.",
                code="product_in_trash",
            )
        work.check_type()
        if work.variable:
            work.take(self._all_variations(work.number))
        work.check_skus()

    def _all_variations(self, number):
        rows, page = [], 1
        while True:
            params = {"per_page": AT_ONCE, "page": page, "_fields": "id,sku,status,meta_data"}
            found = self._api("GET", VARIATIONS.format(product=number), params=params).json()
            rows += found
            if len(found) < AT_ONCE:
                return rows
            page += 1

    # === WRITING === #

    def _write_product(self, work):
        body = self._product_body(work)
        path = PRODUCT.format(product=work.number) if work.number else "products"
        method = "PUT" if work.number else "POST"
        answer = self._api(method, path, params={"_fields": ANSWER_FIELDS}, json=body).json()
        if not work.number:
            work.created = True
        work.keep_product(answer)

    def _product_body(self, work):
        product, owned = work.product, set(work.product.owned)
        body = {}
        if not work.number:
            body = {
                "type": "variable" if work.variable else "simple",
                "slug": product.handle,
                "meta_data": work.mark,
            }
        if "name" in owned:
            body["name"] = product.name
        if "description" in owned:
            body["description"] = product.description
        if "status" in owned:
            body["status"] = STATUSES[product.status]
        if "category" in owned and product.category:
            body["categories"] = [{"id": self._category_id(product.category)}]
        if "tags" in owned:
            body["tags"] = [{"id": number} for number in self._tag_ids(product.tags)]
        if "images" in owned and (product.images or work.held):
            body["images"] = [work.image(image) for image in product.images]
        if work.variable:
            body["attributes"] = work.attributes()
        else:
            body |= self._item_body(work, product.variants[0], new=not work.number)
        return body

    def _item_body(self, work, variant, new):
        """What a simple product and a variation have in common."""
        # what is new starts with all there is, whoever owns it from then on
        owned, body = set(PRODUCT_FIELDS if new else work.product.owned), {}
        if "sku" in owned:
            body["sku"] = variant.sku
        if "barcode" in owned:
            body["global_unique_id"] = variant.barcode
        if "weight" in owned:
            body["weight"] = self._store_weight(variant.weight)
        if "price" in owned and variant.price is not None:
            body["regular_price"] = format(variant.price, "f")
        if new and variant.tracked:
            body["manage_stock"] = True
        return body

    def _write_variations(self, work):
        variants = list(work.product.variants)
        for start in range(0, len(variants), AT_ONCE):
            part = variants[start : start + AT_ONCE]
            known = [variant for variant in part if work.variation(variant)]
            new = [variant for variant in part if not work.variation(variant) and variant.active]
            body = {
                "update": [self._variation_body(work, variant) for variant in known],
                "create": [self._variation_body(work, variant) for variant in new],
            }
            path = VARIATIONS_BATCH.format(parent=work.number)
            answer = self._api("POST", path, json=body).json()
            work.keep_variations(known, answer.get("update") or ())
            work.keep_variations(new, answer.get("create") or ())
        work.raise_refused()

    def _variation_body(self, work, variant):
        number = work.variation(variant)
        body = self._item_body(work, variant, new=not number)
        body["_fields"] = "id,sku,date_modified_gmt"
        body["attributes"] = [
            {"name": option.name, "option": value}
            for option, value in zip(work.product.options, variant.values, strict=True)
        ]
        if variant.image:
            body["image"] = work.image(variant.image)
        if number:
            body["id"] = int(number)
        else:
            body["meta_data"] = work.mark
        if "status" in work.product.owned:
            body["status"] = "publish" if variant.active else "private"
        return body


class _Publication:
    """One product on its way: what the store holds, what is done, what was refused."""

    def __init__(self, product, key):
        self.product = product
        self.key = key
        self.label = product.label
        self.progress = dict(key.progress)
        self.number = product.external_id or self.progress.get("product", "")
        self.parts = {
            str(one.record_id): one.external_id for one in product.variants if one.external_id
        } | self.progress.get("variations", {})
        self.variable = bool(product.options)
        self.mark = [{"key": MARK, "value": product.reference}]
        self.held = {}
        self.held_skus = {}
        self.images = dict(product.seen.get("images") or {})
        self.answer = {}
        self.created = False
        self.refused = []

    # === WHAT THE STORE HOLDS === #

    def is_ours(self, row):
        marks = [meta.get("value") for meta in row.get("meta_data") or () if meta["key"] == MARK]
        return bool(self.product.reference) and self.product.reference in marks

    def take(self, rows):
        """The variations that are there. One that bears our mark is an earlier try's."""
        self.held_skus = {str(row["id"]): row.get("sku") or "" for row in rows}
        bound = set(self.parts.values())
        by_sku = {row.get("sku"): row for row in rows if str(row["id"]) not in bound}
        for variant in self.product.variants:
            number = self.variation(variant)
            if number and number not in self.held_skus:
                raise self.missing(f"variation {number} ({variant.sku})", "variation_not_found")
            found = by_sku.get(variant.sku) if variant.sku and not number else None
            if found and not self.is_ours(found):
                raise self.taken(found)
            if found:
                self.parts[str(variant.record_id)] = str(found["id"])

    def check_type(self):
        kind = self.held.get("type") or "simple"
        if self.variable == ("variable" in kind):
            if not self.variable:
                self.held_skus = {str(self.held["id"]): self.held.get("sku") or ""}
            return
        here = "has variants" if self.variable else "has no variants"
        raise NotMatched(
            f"{self.label}: in Odoo it {here}, but in the store its type is '{kind}'.",
            hint="Change the product's type in the store; or delete its binding, remove it there "
            "and press Resend to create it anew.",
            code="product_type",
        )

    def check_skus(self):
        """
        :raise Conflict: a SKU is no longer what we last saw, nor what it is in Odoo
        """
        seen = self.product.seen.get("skus") or {}
        if self.key.force or "sku" not in self.product.owned:
            return
        for variant in self.product.variants:
            number = self.variation(variant) or ("" if self.variable else self.number)
            held = self.held_skus.get(number)
            if held is None or number not in seen or held in (variant.sku, seen[number]):
                continue
            raise Conflict(
                f"{self.label}: its SKU was changed in the store to '{held}'; in Odoo it is "
                f"'{variant.sku}'.",
                hint="Correct the Internal Reference in Odoo, or press Resend to overwrite the SKU "
                "in the store.",
                code="sku_changed",
            )

    def taken(self, row):
        return NotMatched(
            f"{self.label}: SKU '{row.get('sku')}' is in the store already: "
            f"'{row.get('name') or 'a variation'}' ({row['id']}).",
            hint=HINT_MATCH,
            code="sku_exists",
        )

    def missing(self, what, code):
        return Missing(
            f"{self.label}: {what} no longer exists in the store.", hint=HINT_ANEW, code=code
        )

    # === WHAT IS WRITTEN === #

    def variation(self, variant):
        return self.parts.get(str(variant.record_id), "")

    def attributes(self):
        return [
            {"name": one.name, "options": list(one.values), "variation": True, "visible": True}
            for one in self.product.options
        ]

    def image(self, image):
        """One that the store has is named by its number, and not sent again."""
        number = self.images.get(image.checksum)
        return {"id": number} if number else {"src": image.url, "name": image.name}

    # === WHAT IS DONE === #

    def keep_product(self, answer):
        self.answer = answer
        self.number = self.progress["product"] = str(answer["id"])
        images = zip(self.product.images, answer.get("images") or (), strict=False)
        self.images |= {image.checksum: held["id"] for image, held in images}
        if not self.variable:
            variant = self.product.variants[0]
            self.parts = {str(variant.record_id): self.number}
            self.held_skus = {self.number: answer.get("sku") or ""}

    def keep_variations(self, variants, rows):
        for variant, row in zip(variants, rows, strict=False):
            if "error" in row:
                self.refused.append(item_error(row["error"], f"{self.label}, {variant.sku}"))
                continue
            self.parts[str(variant.record_id)] = str(row["id"])
            self.held_skus[str(row["id"])] = row.get("sku") or ""
        self.progress["variations"] = dict(self.parts)

    def raise_refused(self):
        """
        :raise SyncError: what the first refused variation was refused for, naming the others
        """
        if not self.refused:
            return
        first = self.refused[0]
        words = "; ".join(error.message for error in self.refused)
        raise type(first)(words, hint=first.hint or HINT_MISSING, code=first.code)

    def result(self, error=None):
        links = [
            Link(
                resource="variant",
                record_id=variant.record_id,
                external_id=self.variation(variant),
                parent_id=self.number if self.variable else "",
                external_ref=variant.sku,
            )
            for variant in self.product.variants
            if self.variation(variant) and variant.record_id
        ]
        done = "created" if self.created or self.key.progress else "updated"
        return Result(
            error=error,
            outcome="" if error else done,
            external_id=self.number if self.answer else "",
            external_ref=self.answer.get("sku") or self.product.name,
            updated_at=utc(self.answer.get("date_modified_gmt")),
            progress=self.progress,
            links=tuple(links) if self.answer else (),
            seen={"images": self.images, "skus": self.held_skus},
        )


def check_product(document):
    """
    :raise ValidationFailed: it is bound to something that is no product of WooCommerce
    """
    if document.external_id and not document.external_id.isdigit():
        raise ValidationFailed(
            f"{document.label}: '{document.external_id}' is not the ID of a WooCommerce product.",
            hint=HINT_MISSING,
        )

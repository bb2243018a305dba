"""Products to Medusa: created once, updated field by field.

Our own mark is the product's ``external_id``: by it a product that an earlier try made is found.
Medusa knows no archived products: they become drafts. Categories and tags are left as they are.
https://docs.medusajs.com/api/admin#products_postproducts
"""

import html
import re

from .base import Link, Result
from .errors import Missing, Rejected, SyncError, ValidationFailed
from .medusa_catalog import PRODUCT_FIELDS, PRODUCTS, stock_item
from .medusa_check import STORES
from .medusa_errors import about
from .medusa_product import VARIANTS_BATCH
from .medusa_values import is_id, json_number, utc

PRODUCT = PRODUCTS + "/{product}"
#: Since 2.17: https://docs.medusajs.com/api/admin#products_postproductsidoptionsbatch
OPTIONS_BATCH = PRODUCT + "/options/batch"
#: https://docs.medusajs.com/api/admin#shipping-profiles_getshippingprofiles
PROFILES = "admin/shipping-profiles"
#: What a product is called that does not come in several variants.
NO_OPTION, NO_VALUE = "Default option", "Default option value"
STATUS = {"active": "published", "draft": "draft", "archived": "draft"}
VARIANT_FIELDS = {"sku": "sku", "barcode": "barcode"}
GRAMS = 1000


class ProductMixin:
    """Needs ``_api`` and ``settings``."""

    def _push_product(self, documents, keys):
        return [self._publish(*pair) for pair in zip(documents, keys, strict=True)]

    def _publish(self, product, key):
        row = None
        try:
            row = self._find_product(product, key)
            outcome = "updated" if row else "created"
            row = self._update_product(product, row) if row else self._create_product(product)
        except (Missing, Rejected) as error:
            return Result(error=about(error, product.label), external_id=row["id"] if row else "")
        except SyncError as error:
            return Result(error=error, external_id=row["id"] if row else "")
        return Result(
            outcome=outcome,
            external_id=row["id"],
            external_ref=row.get("handle") or "",
            updated_at=utc(row.get("updated_at")),
            links=tuple(_links(product, row)),
            note=_remark(product),
        )

    def _find_product(self, product, key):
        """The product as the store has it, or ``None``."""
        if product.external_id:
            if not is_id(product.external_id):
                raise ValidationFailed(
                    f"{product.label}: '{product.external_id}' is not the ID of a product in "
                    "Medusa.",
                    hint="Match the product again (Configuration > Matching), then press Resend.",
                )
            return self._read_product(product.external_id)
        if not product.reference:
            return None
        params = {"external_id": product.reference, "fields": "id", "limit": 1}
        rows = self._api("GET", PRODUCTS, params=params).json().get("products") or ()
        return self._read_product(rows[0]["id"]) if rows else None

    def _read_product(self, product_id):
        path = PRODUCT.format(product=product_id)
        fields = f"{PRODUCT_FIELDS},handle,*variants.prices"
        return self._api("GET", path, params={"fields": fields}).json()["product"]

    # === NEW === #

    def _create_product(self, product):
        options = [{"title": one.name, "values": list(one.values)} for one in product.options]
        body = {
            **_fields(product),
            "title": product.name,
            "status": STATUS[product.status],
            "external_id": product.reference or None,
            "options": options or [{"title": NO_OPTION, "values": [NO_VALUE]}],
            "variants": [self._new_variant(product, one) for one in product.variants],
            **self._surroundings(),
        }
        if product.handle:
            body["handle"] = product.handle
        made = self._api("POST", PRODUCTS, params={"fields": "id"}, json=body).json()
        return self._read_product(made["product"]["id"])

    def _surroundings(self):
        """What it is sold and shipped by: the store's own defaults."""
        params = {"fields": "id,default_sales_channel_id"}
        stores = self._api("GET", STORES, params=params).json()["stores"]
        channel = stores[0].get("default_sales_channel_id") if stores else None
        profiles = self._api("GET", PROFILES, params={"fields": "id,type"}).json()
        profiles = profiles.get("shipping_profiles") or ()
        default = [one["id"] for one in profiles if one.get("type") == "default"]
        body = {"sales_channels": [{"id": channel}]} if channel else {}
        return body | ({"shipping_profile_id": default[0]} if default else {})

    def _new_variant(self, product, variant):
        names = [one.name for one in product.options]
        chosen = dict(zip(names, variant.values, strict=False)) or {NO_OPTION: NO_VALUE}
        prices = []
        if variant.price is not None:
            currency = (self.settings.options.get("currency") or "").lower()
            prices = [{"amount": json_number(variant.price), "currency_code": currency}]
        return {
            "title": " / ".join(variant.values) or product.name,
            "options": chosen,
            "manage_inventory": variant.tracked,
            "prices": prices,
            **_variant_fields(variant, VARIANT_FIELDS.keys() | {"weight"}),
        }

    # === CHANGES === #

    def _update_product(self, product, row):
        path = PRODUCT.format(product=row["id"])
        changes = {
            name: value for name, value in _fields(product).items() if _differs(row, name, value)
        }
        if changes:
            self._api("POST", path, params={"fields": "id"}, json=changes)
        batch = self._variant_changes(product, row)
        if batch:
            self._widen_options(product, row)
            path = VARIANTS_BATCH.format(product=row["id"])
            self._api("POST", path, params={"fields": "id"}, json=batch)
        return self._read_product(row["id"]) if changes or batch else row

    def _variant_changes(self, product, row):
        known = {one["id"]: one for one in row.get("variants") or ()}
        create, update = [], []
        for variant in product.variants:
            theirs = known.get(_their_id(product, variant, row))
            if theirs is None:
                if variant.active:
                    create.append(self._new_variant(product, variant))
                continue
            values = _variant_fields(variant, product.owned)
            values = {name: value for name, value in values.items() if theirs.get(name) != value}
            if values:
                update.append({"id": theirs["id"], **values})
        batch = {"create": create, "update": update}
        return {name: rows for name, rows in batch.items() if rows}

    def _widen_options(self, product, row):
        """Values that new variants have and the store's options have not."""
        theirs = {one["title"]: one for one in row.get("options") or ()}
        changes = []
        for option in product.options:
            mine = theirs.get(option.name)
            have = [one["value"] for one in mine.get("values") or ()] if mine else []
            more = [value for value in option.values if value not in have]
            if mine and more:
                added = [{"value": value} for value in more]
                changes.append({"product_option_id": mine["id"], "add": added})
        if changes:
            path = OPTIONS_BATCH.format(product=row["id"])
            self._api("POST", path, params={"fields": "id"}, json={"update": changes})


def _fields(product):
    """What Odoo owns of the product itself, as Medusa names it."""
    values = {}
    if "name" in product.owned:
        values["title"] = product.name
    if "description" in product.owned:
        values["description"] = plain_text(product.description)
    if "status" in product.owned:
        values["status"] = STATUS[product.status]
    images = [{"url": image.url} for image in product.images if image.url]
    if "images" in product.owned and images:
        values["images"] = images
        values["thumbnail"] = images[0]["url"]
    return values


def _differs(row, name, value):
    if name == "images":
        return [image.get("url") for image in row.get("images") or ()] != [
            image["url"] for image in value
        ]
    return (row.get(name) or "") != value


def _variant_fields(variant, owned):
    values = {
        theirs: getattr(variant, ours)
        for ours, theirs in VARIANT_FIELDS.items()
        if ours in owned and getattr(variant, ours)
    }
    if "weight" in owned and variant.weight is not None:
        values["weight"] = json_number(variant.weight * GRAMS)
    return values


def _their_id(product, variant, row):
    """The store's variant: the bound one, else the one of the same values of the options."""
    if variant.external_id:
        return variant.external_id
    names = [one.name for one in product.options]
    wanted = dict(zip(names, variant.values, strict=False)) or {NO_OPTION: NO_VALUE}
    titles = {one["id"]: one["title"] for one in row.get("options") or ()}
    for theirs in row.get("variants") or ():
        chosen = {
            titles.get(one.get("option_id")): one.get("value") for one in theirs["options"] or ()
        }
        if chosen == wanted:
            return theirs["id"]
    return ""


def _links(product, row):
    known = {one["id"]: one for one in row.get("variants") or ()}
    for variant in product.variants:
        theirs = known.get(_their_id(product, variant, row))
        if theirs and variant.record_id:
            item = stock_item(theirs)
            yield Link(
                resource="variant",
                record_id=variant.record_id,
                external_id=theirs["id"],
                parent_id=row["id"],
                external_ref=theirs.get("sku") or "",
                handles={"inventory_item_id": item} if item else {},
            )


def _remark(product):
    left = [name for name in ("category", "tags") if getattr(product, name)]
    return "Categories and tags are not sent to Medusa." if left else ""


def plain_text(description):
    """Medusa's descriptions are plain text: paragraphs become lines."""
    text = re.sub(r"<(br|/p|/div|/li|/h\d)\b[^>]*>", "\n", description or "", flags=re.I)
    text = html.unescape(re.sub(r"<[^>]*>", "", text))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return "\n".join(line for line in lines if line)

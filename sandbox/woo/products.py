"""Products and their variations: finding and writing them.

class-wc-rest-products-controller.php and class-wc-rest-product-variations-controller.php of
version 3, and WC_Product's own setters.
"""

import json
import re
import unicodedata

from . import dates, meta, stock
from .product_fields import (
    ALL_STATUSES,
    PRODUCT_DEFAULTS,
    PRODUCT_PARAMS,
    TYPES,
    VARIATION_DEFAULTS,
    VARIATION_PARAMS,
)
from .rest import ApiError, php_bool, php_int, php_text

KIND = "product"

TEXTS = (
    "name",
    "description",
    "short_description",
    "external_url",
    "button_text",
    "purchase_note",
    "tax_status",
    "tax_class",
    "catalog_visibility",
    "weight",
    "shipping_class",
)
BOOLEANS = ("featured", "virtual", "downloadable", "sold_individually", "reviews_allowed")
NUMBERS = ("menu_order", "download_limit", "download_expiry", "parent_id")
LISTS = ("upsell_ids", "cross_sell_ids", "grouped_products", "default_attributes")

ORDER_BY = {
    "date": "created {0}, id {0}",
    "id": "id {0}",
    "title": "title {0}, id {0}",
    "slug": "json_extract(body, '$.slug') {0}, id {0}",
    "modified": "modified {0}, id {0}",
    "menu_order": "json_extract(body, '$.menu_order') {0}, id {0}",
    "price": "CAST(json_extract(body, '$.regular_price') AS REAL) {0}, id {0}",
}


# === FINDING === #


def is_variation(document):
    return document["type"] == "variation"


def list_conditions(site, params):
    """SQL conditions of ``GET /products``.

    With ``sku`` or ``global_unique_id`` the answer holds variations too, in the form of products.
    """
    by_code = [params.get(name) for name in ("sku", "search_sku", "global_unique_id")]
    if not any(by_code):
        yield "type <> 'variation'", []
    if params.get("type"):
        yield "type = ?", [params["type"]]
    yield from variation_conditions(site, params)


def variation_conditions(site, params):
    """Those of ``GET /products/{id}/variations``, but for the parent."""
    if params["status"] == "any":
        yield "status NOT IN ('trash', 'auto-draft')", []
    else:
        yield "status = ?", [params["status"]]
    yield from _code_conditions(params)
    yield from common_conditions(site, params)
    yield from _search_conditions(params)


def _search_conditions(params):
    for word in (params.get("search") or "").split():
        fields = ("title", "json_extract(body, '$.description')")
        yield " OR ".join(f"{field} LIKE ? ESCAPE '\\'" for field in fields), [like(word)] * 2


def _code_conditions(params):
    if params.get("search_sku"):
        yield "sku LIKE ? ESCAPE '\\'", [like(params["search_sku"])]
    elif params.get("sku"):
        yield _one_of("sku", [*params["sku"].split(","), params["sku"]])
    if params.get("global_unique_id"):
        codes = [code.strip() for code in params["global_unique_id"].split(",")]
        yield _one_of("barcode", codes)


def _one_of(column, values):
    return f"{column} IN (SELECT value FROM json_each(?))", [json.dumps(values)]


def common_conditions(site, params):
    """What products, variations and orders can all be filtered by."""
    for name, operator in (("include", "IN"), ("exclude", "NOT IN")):
        if params.get(name):
            ids = ",".join(str(number) for number in params[name])
            yield f"id {operator} ({ids})", []
    for name in ("slug", "stock_status"):
        if params.get(name):
            yield f"json_extract(body, '$.{name}') = ?", [params[name]]
    if params.get("parent"):
        yield f"parent_id IN ({','.join(str(number) for number in params['parent'])})", []
    yield from dates.conditions(site, params)


def like(text):
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return f"%{escaped}%"


def order_by(params):
    if params["orderby"] == "include" and params.get("include"):
        ranks = " ".join(f"WHEN {number} THEN {i}" for i, number in enumerate(params["include"]))
        return f"CASE id {ranks} ELSE {len(params['include'])} END"
    template = ORDER_BY.get(params["orderby"], ORDER_BY["date"])
    return template.format("ASC" if params["order"] == "asc" else "DESC")


def by_sku(site, sku):
    """The product or variation that carries the SKU, or None. Upper and lower case are equal."""
    condition = ("sku = ? AND status <> 'trash'", [sku])
    found = site.store.find(KIND, [condition], order=None, limit=1) if sku else []
    return found[0] if found else None


# === WRITING === #


def create(site, params, parent=None):
    """:param parent: the variable product, for a variation"""
    defaults = VARIATION_DEFAULTS if parent else PRODUCT_DEFAULTS
    product = {"id": 0, **defaults, "date_created_gmt": dates.now(site)}
    if parent:
        product.update(parent_id=parent["id"], name="")
    assign(site, product, params, parent)
    product["id"] = site.store.next_id("post")
    product["slug"] = _slug(site, product, params)
    save(site, product)
    return product


def update(site, product, params, parent=None):
    assign(site, product, params, parent)
    if params.get("slug"):
        product["slug"] = _slug(site, product, params)
    save(site, product)
    return product


def save(site, product):
    """Every save moves the date of the last change, even one that changes nothing."""
    product["date_modified_gmt"] = dates.now(site)
    site.store.put(KIND, product)


def assign(site, product, params, parent=None):
    """Put the given values in; those not given, or null, stay.

    :raises ApiError: for a SKU or barcode that another product carries
    """
    given = {name: value for name, value in params.items() if value is not None}
    writable = VARIATION_PARAMS if is_variation(product) else PRODUCT_PARAMS
    if given.get("type") in TYPES and not is_variation(product):
        product["type"] = given["type"]
    if "status" in given:
        product["status"] = given["status"] if given["status"] in ALL_STATUSES else "draft"
    for names, convert in ((TEXTS, php_text), (BOOLEANS, php_bool), (NUMBERS, php_int)):
        for name in names:
            if name in given and name in writable:
                product[name] = convert(given[name])
    for name in LISTS:
        if name in given and name in writable:
            product[name] = given[name] if isinstance(given[name], list) else []
    for name, is_gmt in (("date_created", False), ("date_created_gmt", True)):
        if given.get(name) and name in writable:
            product["date_created_gmt"] = dates.parse(site, given[name], is_gmt)
    _assign_codes(site, product, given)
    _assign_prices(site, product, given)
    _assign_terms(site, product, given, parent)
    if "meta_data" in given:
        product["meta_data"] = meta.merge(site.store, product["meta_data"], given["meta_data"])
    stock.assign(product, params)


def _assign_codes(site, product, given):
    if "sku" in given:
        sku = php_text(given["sku"]).strip()
        if sku.lower() != product["sku"].lower():
            _refuse_duplicate_sku(site, product, sku)
        product["sku"] = sku
    if "global_unique_id" in given:
        code = php_text(given["global_unique_id"]).strip()
        if code != product["global_unique_id"]:
            _refuse_duplicate_barcode(site, product, code)
        product["global_unique_id"] = code


def _refuse_duplicate_sku(site, product, sku):
    """WC_Product::set_sku(): the answer names the owner of the SKU, and one that is still free."""
    owner = by_sku(site, sku)
    if owner is None or owner["id"] == product["id"]:
        return
    number = 1
    while by_sku(site, f"{sku}-{number}"):
        number += 1
    raise ApiError(
        400,
        "product_invalid_sku",
        "Invalid or duplicated SKU.",
        resource_id=owner["id"],
        unique_sku=f"{sku}-{number}",
    )


def _refuse_duplicate_barcode(site, product, code):
    """WC_Product::set_global_unique_id(): digits and hyphens, nobody else's."""
    taken = ("barcode = ? AND id <> ? AND status <> 'trash'", [code, product["id"]])
    if code and (not re.fullmatch(r"[\d-]+", code) or site.store.count(KIND, [taken])):
        raise ApiError(
            400,
            "product_invalid_global_unique_id",
            "Invalid or duplicated GTIN, UPC, EAN or ISBN.",
        )


def _assign_prices(site, product, given):
    if product["type"] in ("variable", "grouped"):
        product.update(regular_price="", sale_price="")
        return
    for name in ("regular_price", "sale_price"):
        if name in given:
            product[name] = format_decimal(given[name])
    for name in ("date_on_sale_from", "date_on_sale_to"):
        for suffix, is_gmt in (("", False), ("_gmt", True)):
            if name + suffix in given:
                text = given[name + suffix]
                product[f"{name}_gmt"] = dates.parse(site, text, is_gmt) if text else None


def format_decimal(value):
    """As wc_format_decimal(): "12,50" -> "12.50", 12.5 -> "12.5", "free" -> "" """
    if isinstance(value, (bool, list, dict)):
        return ""
    text = str(value).strip().replace(",", ".")
    text = re.sub(r"[^0-9.\-]", "", text)
    return text if re.fullmatch(r"-?(\d+\.?\d*|\.\d+)", text) else ""


def _assign_terms(site, product, given, parent):
    if isinstance(given.get("dimensions"), dict):
        sizes = {name: php_text(given["dimensions"].get(name)) for name in product["dimensions"]}
        kept = {name: size for name, size in sizes.items() if name in given["dimensions"]}
        product["dimensions"] = {**product["dimensions"], **kept}
    for name in ("categories", "tags"):
        if isinstance(given.get(name), list) and name in product:
            product[name] = [_term(site, name, term) for term in given[name]]
    if isinstance(given.get("images"), list) and "images" in product:
        product["images"] = [_image(site, image) for image in given["images"] if image]
    if "image" in given and is_variation(product):
        product["image"] = _image(site, given["image"]) if given["image"] else None
    if isinstance(given.get("attributes"), list):
        product["attributes"] = _attributes(given["attributes"], parent)


def _term(site, taxonomy, given):
    """A category or tag: named by id; by name one is made, which is the sandbox's own comfort."""
    given = given if isinstance(given, dict) else {}
    known = site.store.setting(f"terms:{taxonomy}", {})
    number = php_int(given.get("id"))
    name = php_text(given.get("name")) or known.get(str(number)) or f"{taxonomy} {number}"
    if not number:
        number = next((int(key) for key, value in known.items() if value == name), 0)
        number = number or site.store.next_id("term")
    if known.get(str(number)) != name:
        site.store.set_setting(f"terms:{taxonomy}", {**known, str(number): name})
    return {"id": number, "name": name, "slug": slugify(name)}


def _image(site, given):
    given = given if isinstance(given, dict) else {}
    number = php_int(given.get("id")) or site.store.next_id("post")
    now = dates.now(site)
    return {
        "id": number,
        "date_created_gmt": now,
        "date_modified_gmt": now,
        "src": php_text(given.get("src")) or f"/wp-content/uploads/{number}.png",
        "name": php_text(given.get("name")),
        "alt": php_text(given.get("alt")),
    }


def _attributes(given, parent):
    """On a product: names with all options. On a variation: names of the parent with one option."""
    given = [item for item in given if isinstance(item, dict) and item.get("name", item.get("id"))]
    if parent is None:
        return [_product_attribute(item, position) for position, item in enumerate(given)]
    known = {item["name"].lower(): item for item in parent["attributes"] if item["variation"]}
    by_id = {item["id"]: item for item in parent["attributes"] if item["id"]}
    attributes = []
    for item in given:
        own = by_id.get(php_int(item.get("id"))) or known.get(php_text(item.get("name")).lower())
        if own:
            option = php_text(item.get("option"))
            attributes.append({"id": own["id"], "name": own["name"], "option": option})
    return attributes


def _product_attribute(item, position):
    options = item.get("options") or []
    if isinstance(options, str):
        options = [option.strip() for option in options.split("|")]
    return {
        "id": php_int(item.get("id")),
        "name": php_text(item.get("name")) or f"Attribute {php_int(item.get('id'))}",
        "position": php_int(item.get("position", position)),
        "visible": php_bool(item.get("visible", False)),
        "variation": php_bool(item.get("variation", False)),
        "options": [php_text(option) for option in options],
    }


def slugify(text):
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _slug(site, product, params):
    return slugify(php_text(params.get("slug")) or product["name"]) or str(product["id"])

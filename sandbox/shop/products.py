"""Products and variants: read for matching, written by ``productSet`` and in bulk."""

from graphql import GraphQLError

from . import inventory, metafields
from .ids import gid, now, number_of, split
from .paging import connection, find, listing
from .registry import resolves, user_error

KIND, VARIANT = "product", "variant"
DEFAULT_OPTION = {"name": "Title", "value": "Default Title"}
VARIANT_FIELDS = {
    "id": "id",
    "sku": "sku",
    "barcode": "barcode",
    "product_id": "parent_id",
    "updated_at": "modified",
}
PRODUCT_FIELDS = {"id": "id", "title": "title", "status": "status", "updated_at": "modified"}
PRODUCT_SORTS = {"UPDATED_AT": "modified", "CREATED_AT": "created", "TITLE": "title"}
WRITABLE = (
    "title", "descriptionHtml", "vendor", "productType", "tags", "status", "handle", "files",
)  # fmt: skip


# === WRITING === #


def create(site, given):
    """A product with its variants and their inventory.

    :param given: ``{"title", "status", "variants": [{"sku", "barcode", "price", "options",
        "tracked", "bundle", "levels": {location id: quantity}}]}``
    """
    product = {
        "id": site.store.next_id(KIND),
        "title": given.get("title") or given.get("sku") or "Untitled",
        "handle": given.get("handle") or (given.get("title") or "untitled").lower(),
        "descriptionHtml": given.get("descriptionHtml") or "",
        "vendor": given.get("vendor") or site.title,
        "productType": given.get("productType") or "",
        "status": given.get("status") or "ACTIVE",
        "tags": given.get("tags") or [],
        "files": given.get("files") or [],
        "createdAt": now(site),
        "updatedAt": now(site),
    }
    site.store.put(KIND, product)
    rows = given.get("variants") or [given]
    variants = [add_variant(site, product, row, place) for place, row in enumerate(rows, 1)]
    site.emit("products/create", KIND, product["id"])
    return product, variants


def add_variant(site, product, given, position=1):
    number = site.store.next_id(VARIANT)
    options = given.get("options") or [DEFAULT_OPTION]
    variant = {
        "id": number,
        "parentId": product["id"],
        "inventoryItemId": inventory.add_item(site, number, given)["id"],
        "title": " / ".join(option["value"] for option in options),
        "sku": given.get("sku") or "",
        "barcode": given.get("barcode"),
        "price": given.get("price") or "0.00",
        "compareAtPrice": given.get("compareAtPrice"),
        "taxable": given.get("taxable", True),
        "inventoryPolicy": given.get("inventoryPolicy") or "DENY",
        "requiresComponents": bool(given.get("bundle")),
        "selectedOptions": options,
        "position": position,
        "createdAt": now(site),
        "updatedAt": now(site),
    }
    site.store.put(VARIANT, variant)
    _weigh(site, variant["inventoryItemId"], given.get("inventoryItem") or {})
    return variant


def _weigh(site, number, given):
    if given.get("measurement"):
        item = site.store.get(inventory.KIND, number)
        site.store.put(inventory.KIND, {**item, "measurement": given["measurement"]})


def delete(site, variant):
    """Somebody deletes a variant over there; its inventory goes with it."""
    site.store.delete(VARIANT, variant["id"])
    site.store.delete(inventory.KIND, variant["inventoryItemId"])
    site.emit("products/update", KIND, variant["parentId"])


def change_variant(site, variant, given):
    for name in ("barcode", "price", "compareAtPrice", "taxable", "inventoryPolicy"):
        if name in given:
            variant[name] = given[name]
    item = given.get("inventoryItem") or {}
    sku = given.get("sku", item.get("sku"))
    if sku is not None:
        variant["sku"] = sku
    if "tracked" in item or sku is not None:
        inventory.change_item(site, variant["inventoryItemId"], item.get("tracked"), sku)
    _weigh(site, variant["inventoryItemId"], item)
    variant["updatedAt"] = now(site)
    site.store.put(VARIANT, variant)
    return variant


# === READING === #


@resolves("QueryRoot", "productVariants")
def _variants(call, _source, arguments):
    return connection(call, VARIANT, "ProductVariant", arguments, VARIANT_FIELDS, {"SKU": "sku"})


@resolves("QueryRoot", "productVariant")
def _variant(call, _source, arguments):
    return find(call, VARIANT, "ProductVariant", arguments["id"])


@resolves("QueryRoot", "products")
def _products(call, _source, arguments):
    return connection(call, KIND, "Product", arguments, PRODUCT_FIELDS, PRODUCT_SORTS)


@resolves("QueryRoot", "product")
def _product(call, _source, arguments):
    return find(call, KIND, "Product", arguments["id"])


@resolves("QueryRoot", "productByIdentifier")
def _identified(call, _source, arguments):
    wanted = arguments["identifier"]
    if wanted.get("id"):
        return find(call, KIND, "Product", wanted["id"])
    rows = call.store.find(KIND, [_with_handle(wanted.get("handle"))], limit=1)
    return {**rows[0], "__typename": "Product"} if rows else None


def _with_handle(handle):
    return "json_extract(body, '$.handle') = ?", [handle]


@resolves("Product", "metafield")
def _metafield(call, product, arguments):
    namespace, key = arguments.get("namespace"), arguments["key"]
    return metafields.read(call.store, "Product", product["id"], namespace, key)


@resolves("Product", "featuredMedia")
def _no_media(_call, _product, _arguments):
    return None


@resolves("QueryRoot", "productVariantsCount", "productsCount")
def _count(call, _source, arguments):
    return {"count": call.store.count(VARIANT), "precision": "EXACT"}


@resolves("Product", "variants")
def _variants_of(call, product, arguments):
    only = [("parent_id = ?", [product["id"]])]
    sorts = {}
    return connection(call, VARIANT, "ProductVariant", arguments, {}, sorts, only)


@resolves("Product", "hasOnlyDefaultVariant")
def _has_only_default(call, product, _arguments):
    rows = call.store.find(VARIANT, [("parent_id = ?", [product["id"]])])
    return [row["title"] for row in rows] == [DEFAULT_OPTION["value"]]


@resolves("Product", "totalInventory")
def _total(call, product, _arguments):
    rows = call.store.find(VARIANT, [("parent_id = ?", [product["id"]])])
    return sum(_quantity(call, row, {}) or 0 for row in rows)


@resolves("Product", "onlineStoreUrl")
def _url(call, product, _arguments):
    return f"{call.site.url}/products/{product['handle']}"


@resolves("Product", "options")
def _options(call, product, _arguments):
    rows = call.store.find(VARIANT, [("parent_id = ?", [product["id"]])])
    values = {}
    for option in (option for row in rows for option in row["selectedOptions"]):
        values.setdefault(option["name"], []).append(option["value"])
    return [{"name": name, "values": list(dict.fromkeys(found))} for name, found in values.items()]


@resolves("ProductVariant", "product")
def _product_of(call, variant, _arguments):
    return call.store.get(KIND, variant["parentId"])


@resolves("ProductVariant", "displayName")
def _display_name(call, variant, _arguments):
    return f"{call.store.get(KIND, variant['parentId'])['title']} - {variant['title']}"


@resolves("ProductVariant", "inventoryItem")
def _item(call, variant, _arguments):
    return call.store.get(inventory.KIND, variant["inventoryItemId"])


@resolves("ProductVariant", "inventoryQuantity")
def _quantity(call, variant, _arguments):
    item = call.store.get(inventory.KIND, variant["inventoryItemId"])
    return inventory.total(item)


@resolves("ProductVariant", "metafields", "metafield")
def _no_metafields(call, variant, arguments):
    return listing([], arguments) if "first" in arguments else None


# === MUTATIONS === #


@resolves("Mutation", "productSet")
def _set(call, _source, arguments):
    given = arguments["input"]
    wanted = (arguments.get("identifier") or {}).get("id") or given.get("id")
    product = find(call, KIND, "Product", wanted) if wanted else None
    if wanted and not product:
        message = "Product does not exist"
        return {"userErrors": [user_error(message, "input", code="PRODUCT_DOES_NOT_EXIST")]}
    if not product and not given.get("title"):
        return {"userErrors": [user_error("Title can't be blank", "input", "title")]}
    handle = given.get("handle")
    if not product and handle and call.store.count(KIND, [_with_handle(handle)]):
        message = "Handle has already been taken"
        return {"userErrors": [user_error(message, "input", "handle", code="HANDLE_NOT_UNIQUE")]}
    refusal = call.refusal({"id": product and product["id"], "sku": _first_sku(given)})
    if refusal:
        return {"userErrors": [user_error(refusal["message"] or "Refused", "input")]}
    product = _update(call, product, given) if product else _insert(call, given)
    return {"product": {**product, "__typename": "Product"}, "userErrors": []}


def _first_sku(given):
    rows = given.get("variants") or [{}]
    return rows[0].get("sku") or (rows[0].get("inventoryItem") or {}).get("sku")


def _insert(call, given):
    rows = [_variant_input(row) for row in given.get("variants") or [{}]]
    product, _variants = create(call.site, {**given, "variants": rows})
    _annotate(call, product, given)
    call.created += 1
    call.written += 1
    return product


def _annotate(call, product, given):
    for row in given.get("metafields") or ():
        metafields.write(call, {**row, "ownerId": gid("Product", product["id"])})


def _update(call, product, given):
    product.update({name: given[name] for name in WRITABLE if name in given})
    product["updatedAt"] = now(call.site)
    product.pop("__typename", None)
    call.store.put(KIND, product)
    if "variants" in given:
        _set_variants(call, product, given["variants"])
    _annotate(call, product, given)
    call.written += 1
    call.site.emit("products/update", KIND, product["id"])
    return product


def _set_variants(call, product, rows):
    """The list as given: what is not in it goes, as productSet does."""
    known = {
        row["id"]: row for row in call.store.find(VARIANT, [("parent_id = ?", [product["id"]])])
    }
    by_options = {_options_key(row["selectedOptions"]): row for row in known.values()}
    kept = set()
    for place, row in enumerate(rows, 1):
        given = _variant_input(row)
        number = number_of(row["id"], "ProductVariant") if row.get("id") else 0
        found = known.get(number) or by_options.get(_options_key(given["options"]))
        if found:
            change_variant(call.site, found, row)
        else:
            found = add_variant(call.site, product, given, place)
        kept.add(found["id"])
    for number, row in known.items():
        if number not in kept:
            delete(call.site, row)


def _options_key(options):
    return tuple(option["value"] for option in options or [DEFAULT_OPTION])


def _variant_input(row):
    """What ``add_variant`` takes, from an input of the schema."""
    item = row.get("inventoryItem") or {}
    levels = {
        str(split(level["locationId"])[1]): level["quantity"]
        for level in row.get("inventoryQuantities") or ()
    }
    options = [
        {"name": value.get("optionName") or "Title", "value": value.get("name") or ""}
        for value in row.get("optionValues") or ()
    ]
    return {
        **row,
        "sku": row.get("sku") or item.get("sku"),
        "tracked": item.get("tracked", True),
        "levels": levels,
        "options": options or None,
    }


@resolves("Mutation", "productVariantsBulkUpdate")
def _bulk_update(call, _source, arguments):
    product = find(call, KIND, "Product", arguments["productId"])
    if not product:
        error = user_error("Product does not exist", "productId", code="PRODUCT_DOES_NOT_EXIST")
        return {"userErrors": [error]}
    if len(arguments["variants"]) > 250:
        raise GraphQLError("Too many variants", extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"})
    found, errors = [], []
    for place, row in enumerate(arguments["variants"]):
        variant = find(call, VARIANT, "ProductVariant", row["id"]) if row.get("id") else None
        error = _bulk_error(call, product, variant, row)
        if error:
            field = ("variants", str(place), "id")
            errors.append(user_error(error[1], *field, code=error[0]))
        else:
            found.append((variant, row))
    if errors and not arguments.get("allowPartialUpdates"):
        return {"product": product, "productVariants": None, "userErrors": errors}
    changed = [change_variant(call.site, _plain(variant), row) for variant, row in found]
    call.written += len(changed)
    call.site.emit("products/update", KIND, product["id"])
    return {"product": product, "productVariants": changed, "userErrors": errors}


@resolves("Mutation", "productVariantsBulkCreate")
def _bulk_create(call, _source, arguments):
    product = find(call, KIND, "Product", arguments["productId"])
    if not product:
        error = user_error("Product does not exist", "productId", code="PRODUCT_DOES_NOT_EXIST")
        return {"userErrors": [error]}
    rows = call.store.find(VARIANT, [("parent_id = ?", [product["id"]])])
    taken = {_options_key(row["selectedOptions"]) for row in rows}
    given = [_variant_input(row) for row in arguments["variants"]]
    errors = [
        user_error("The variant already exists.", *("variants", str(place)), code="VARIANT_EXISTS")
        for place, row in enumerate(given)
        if _options_key(row["options"]) in taken
    ]
    if errors:
        return {"productVariants": None, "userErrors": errors}
    made = [
        add_variant(call.site, product, row, place)
        for place, row in enumerate(given, len(rows) + 1)
    ]
    call.created += len(made)
    call.site.emit("products/update", KIND, product["id"])
    return {"product": product, "productVariants": made, "userErrors": []}


def _bulk_error(call, product, variant, row):
    if not variant or variant["parentId"] != product["id"]:
        return "PRODUCT_VARIANT_DOES_NOT_EXIST", "Product variant does not exist"
    if row.get("price") is not None and float(row["price"]) < 0:
        return "NEGATIVE_PRICE_VALUE", "Price must be positive"
    refusal = call.refusal({"id": variant["id"], "sku": variant["sku"]})
    return (
        (refusal["code"] or "INVALID_INPUT", refusal["message"] or "Refused") if refusal else None
    )


def _plain(document):
    return {name: value for name, value in document.items() if name != "__typename"}


@resolves("InventoryItem", "measurement")
def _measurement(_call, item, _arguments):
    return item.get("measurement") or {"id": item["id"], "weight": None}

"""Products, variants, prices and stock."""

from .rest import as_number, exact, invalid, missing, new_id, pick


def add_product(site, sku, price="10.00", title=None, values=(), stock=None):
    """A published product; each variant with an inventory item of its own."""
    now, product_id, option_id = site.now(), new_id("prod"), new_id("opt")
    values = list(values) or ["Default"]
    product = {
        "id": product_id,
        "title": title or f"Product {sku}",
        "status": "published",
        "description": None,
        "options": [{"id": option_id, "title": "Kind", "values": [{"value": v} for v in values]}],
        "created_at": now,
        "updated_at": now,
    }
    site.products[product_id] = product
    for value in values:
        item = new_id("iitem")
        site.levels[item] = {}
        variant = {
            "id": new_id("variant"),
            "product_id": product_id,
            "title": value,
            "sku": sku if len(values) == 1 else f"{sku}-{value}",
            "manage_inventory": True,
            "options": [{"option_id": option_id, "value": value}],
            "prices": [_price({"amount": float(price), "currency_code": site.currency})],
            "inventory_items": [{"inventory_item_id": item, "required_quantity": 1}],
            "created_at": now,
            "updated_at": now,
        }
        site.variants[variant["id"]] = variant
        if stock is not None:
            _put_level(site, item, site.location, stock)
    return show_product(site, product)


def _price(row):
    return {"id": row.get("id") or new_id("price"), "rules": {}, **row}


def show_product(site, product):
    mine = [one for one in site.variants.values() if one["product_id"] == product["id"]]
    variants = [show_variant(site, one) for one in mine]
    for variant in variants:
        links = variant["inventory_items"]
        variant["inventory_item_id"] = links[0]["inventory_item_id"] if links else None
    return {**product, "variants": variants}


def show_variant(site, variant):
    product = site.products[variant["product_id"]]
    links = [
        {
            **link,
            "inventory": {
                "id": link["inventory_item_id"],
                "location_levels": list(site.levels.get(link["inventory_item_id"], {}).values()),
            },
        }
        for link in variant["inventory_items"]
    ]
    head = {name: product[name] for name in ("id", "title", "status")}
    return {**variant, "product": head, "inventory_items": links}


def _product(site, product_id):
    if product_id not in site.products:
        raise missing(f"Product with id: {product_id} was not found")
    return site.products[product_id]


def list_products(site, request):
    rows, count = pick(list(site.products.values()), request.query)
    return {"products": [show_product(site, row) for row in rows], "count": count}


def get_product(site, request, product_id):
    return {"product": show_product(site, _product(site, product_id))}


def delete_product(site, request, product_id):
    _product(site, product_id)
    del site.products[product_id]
    for variant in [v for v in site.variants.values() if v["product_id"] == product_id]:
        del site.variants[variant["id"]]
        for link in variant["inventory_items"]:
            site.levels.pop(link["inventory_item_id"], None)
    return {"id": product_id, "object": "product", "deleted": True}


def list_variants(site, request):
    rows, count = pick(list(site.variants.values()), request.query)
    return {"variants": [show_variant(site, row) for row in rows], "count": count}


def list_variants_of(site, request, product_id):
    mine = [one for one in site.variants.values() if one["product_id"] == product_id]
    rows, count = pick(mine, request.query)
    return {"variants": [show_variant(site, row) for row in rows], "count": count}


def create_product(site, request):
    body, now = request.json(), site.now()
    taken = [one for one in site.products.values() if one["title"] == body["title"]]
    if taken and not body.get("handle"):
        raise invalid(f"Product with handle: {body['title']}, already exists.")
    product = {
        "id": new_id("prod"),
        "description": None,
        "status": "draft",
        **{name: value for name, value in body.items() if name not in ("variants", "options")},
        "options": [_option(option) for option in body["options"]],
        "created_at": now,
        "updated_at": now,
    }
    for row in body["variants"]:
        _check_variant(site, product, row)
    site.products[product["id"]] = product
    for row in body["variants"]:
        _add_variant(site, product, row)
    return {"product": show_product(site, product)}


def _option(row):
    values = [{"value": value} for value in row["values"]]
    return {"id": new_id("opt"), "title": row["title"], "values": values}


def _check_variant(site, product, row):
    known = {one["title"]: {v["value"] for v in one["values"]} for one in product["options"]}
    for title, value in row["options"].items():
        if value not in known.get(title, ()):
            raise invalid(f"Option value {value} does not exist for option {title}")
    if row.get("sku") and row["sku"] in {one["sku"] for one in site.variants.values()}:
        raise invalid(f"Product variant with sku: {row['sku']}, already exists.")


def _add_variant(site, product, row):
    options = {one["title"]: one["id"] for one in product["options"]}
    item, now = new_id("iitem"), site.now()
    site.levels[item] = {}
    chosen = [{"option_id": options[key], "value": value} for key, value in row["options"].items()]
    variant = {
        "sku": None,
        **row,
        "id": new_id("variant"),
        "product_id": product["id"],
        "options": chosen,
        "prices": [_price(price) for price in row.get("prices") or ()],
        "inventory_items": [{"inventory_item_id": item, "required_quantity": 1}],
        "created_at": now,
        "updated_at": now,
    }
    site.variants[variant["id"]] = variant


def update_product(site, request, product_id):
    product = _product(site, product_id)
    product.update(request.json(), updated_at=site.now())
    return {"product": show_product(site, product)}


def batch_options(site, request, product_id):
    product = _product(site, product_id)
    options = {option["id"]: option for option in product["options"]}
    for row in request.json().get("update") or ():
        options[row["product_option_id"]]["values"] += row.get("add") or []
    return {"product": show_product(site, product)}


def batch_variants(site, request, product_id):
    """Atomic. Prices that are not given again are deleted."""
    if product_id not in site.products:
        raise missing("Product not found")
    updates = request.json().get("update") or []
    created = request.json().get("create") or []
    for row in updates:
        if site.variants.get(row.get("id"), {}).get("product_id") != product_id:
            raise missing(f"Variants with ids: {row.get('id')} were not found")
    for row in created:
        _check_variant(site, site.products[product_id], row)
    for row in created:
        _add_variant(site, site.products[product_id], row)
    for row in updates:
        variant = site.variants[row["id"]]
        prices = variant["prices"]
        variant.update(row)
        variant["prices"] = [_price(one) for one in row["prices"]] if "prices" in row else prices
        variant["updated_at"] = site.now()
    return {"created": [], "updated": updates, "deleted": {"ids": []}}


# === STOCK === #


def list_levels(site, request, item):
    return {"inventory_levels": list(site.levels.get(item, {}).values())}


def batch_levels(site, request):
    """Atomic. A location that does not exist is taken where an item is stocked anew."""
    body = request.json()
    create, update = body.get("create") or [], body.get("update") or []
    for group, rows in (("create", create), ("update", update)):
        for number, row in enumerate(rows):
            _check_quantity(group, number, row)
            site.refuse_bad_item(request, row["inventory_item_id"])
    lost = [row for row in update if row["location_id"] not in _levels_of(site, row)]
    if lost:
        named = (
            f"Item {row['inventory_item_id']} is not stocked at location {row['location_id']}"
            for row in lost
        )
        raise missing(", ".join(named))
    for row in create:
        _check_new(site, row)
    return {
        "created": [_write_level(site, row) for row in create],
        "updated": [_write_level(site, row) for row in update],
        "deleted": [],
    }


def _check_quantity(group, number, row):
    quantity = row.get("stocked_quantity")
    where = f"'{group}, {number}, stocked_quantity'"
    if isinstance(quantity, bool) or not isinstance(quantity, (int, float)):
        raise invalid(f"Invalid request: Field {where} is required")
    if quantity < 0:
        raise invalid(f"Invalid request: Value for field {where} too small, expected at least: '0'")


def _levels_of(site, row):
    return site.levels.get(row["inventory_item_id"], {})


def _check_new(site, row):
    item, place = row["inventory_item_id"], row["location_id"]
    if item not in site.levels:
        raise missing(
            f"You tried to set relationship inventory_item_id: {item}, but such entity does not "
            "exist"
        )
    if place in site.levels[item]:
        raise invalid(
            f"Inventory level with inventory_item_id: {item}, location_id: {place}, already exists."
        )


def _write_level(site, row):
    item, place = row["inventory_item_id"], row["location_id"]
    return dict(_put_level(site, item, place, row["stocked_quantity"]))


def _put_level(site, item, place, quantity):
    level = site.levels[item].setdefault(
        place, {"inventory_item_id": item, "location_id": place, "reserved_quantity": 0}
    )
    level["stocked_quantity"], level["updated_at"] = quantity, site.now()
    return level


def take_off_stock(site, item, place, quantity):
    """A fulfilment left: pieces go, and their reservation with them."""
    level = site.levels.get(item, {}).get(place)
    if level:
        for name in ("stocked_quantity", "reserved_quantity"):
            left = exact(level[name]) - exact(quantity)
            level[name] = as_number(max(left, exact(0)))

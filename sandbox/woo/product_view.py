"""Products as the API shows them."""

from . import dates, stock
from .products import KIND, is_variation, slugify


class View:
    """Renders products, reading once for all of them what lies in other rows."""

    def __init__(self, site, documents):
        self._site = site
        variable = [doc["id"] for doc in documents if doc["type"] == "variable"]
        columns = "id, json_extract(body, '$.regular_price'), json_extract(body, '$.sale_price')"
        columns += ", json_extract(body, '$.stock_status'), status"
        self._children = site.store.children(KIND, variable, columns) if variable else {}
        parents = {doc["parent_id"] for doc in documents if is_variation(doc)}
        self._parents = site.store.get_many(KIND, list(parents)) if parents else {}

    def product(self, doc):
        """The form of ``/products``; a variation found by SKU is shown in it too."""
        site, children = self._site, self._children.get(doc["id"], [])
        parent = self._parents.get(doc.get("parent_id"))
        prices = _prices(doc, children)
        link = f"{site.url}/product/{doc['slug']}/"
        return {
            "id": doc["id"],
            "name": _name(doc, parent),
            "slug": doc["slug"],
            "permalink": link,
            **dates.shown(site, doc, "date_created", "date_modified"),
            "type": doc["type"],
            "status": doc["status"],
            "featured": doc.get("featured", False),
            "catalog_visibility": doc.get("catalog_visibility", "visible"),
            "description": doc["description"],
            "short_description": doc.get("short_description", ""),
            "sku": doc["sku"],
            "global_unique_id": doc["global_unique_id"],
            **prices,
            **dates.shown(site, doc, "date_on_sale_from", "date_on_sale_to"),
            "on_sale": _on_sale(doc),
            "purchasable": doc["status"] == "publish" and prices["price"] != "",
            "total_sales": doc.get("total_sales", 0),
            "virtual": doc["virtual"],
            "downloadable": doc["downloadable"],
            "downloads": doc["downloads"],
            "download_limit": doc["download_limit"],
            "download_expiry": doc["download_expiry"],
            "external_url": doc.get("external_url", ""),
            "button_text": doc.get("button_text", ""),
            "tax_status": doc["tax_status"],
            "tax_class": doc["tax_class"],
            **stock.shown(doc, parent, [row[3] for row in children if row[4] == "publish"]),
            "sold_individually": doc.get("sold_individually", False),
            "weight": doc["weight"],
            "dimensions": doc["dimensions"],
            "shipping_required": not doc["virtual"],
            "shipping_taxable": not doc["virtual"] and doc["tax_status"] == "taxable",
            "shipping_class": doc["shipping_class"],
            "shipping_class_id": 0,
            "reviews_allowed": doc.get("reviews_allowed", True),
            "average_rating": "0.00",
            "rating_count": 0,
            "upsell_ids": doc.get("upsell_ids", []),
            "cross_sell_ids": doc.get("cross_sell_ids", []),
            "parent_id": doc.get("parent_id") or 0,
            "purchase_note": doc.get("purchase_note", ""),
            "categories": doc.get("categories", []),
            "brands": [],
            "tags": doc.get("tags", []),
            "images": self._images(doc),
            "attributes": _shown_attributes(doc),
            "default_attributes": doc.get("default_attributes", []),
            "variations": [row[0] for row in children],
            "grouped_products": doc.get("grouped_products", []),
            "menu_order": doc["menu_order"],
            "price_html": f'<span class="amount">{prices["price"]}</span>',
            "related_ids": [],
            "meta_data": doc["meta_data"],
            "has_options": doc["type"] == "variable",
            "post_password": "",
            "_links": _links(site, f"products/{doc['id']}", "products"),
        }

    def variation(self, doc):
        """The form of ``/products/{id}/variations``."""
        site, parent = self._site, self._parents.get(doc["parent_id"])
        base = f"products/{doc['parent_id']}/variations"
        prices = _prices(doc, [])
        return {
            "id": doc["id"],
            "type": "variation",
            **dates.shown(site, doc, "date_created", "date_modified"),
            "description": doc["description"],
            "permalink": f"{site.url}/product/{doc['slug']}/",
            "sku": doc["sku"],
            "global_unique_id": doc["global_unique_id"],
            **prices,
            **dates.shown(site, doc, "date_on_sale_from", "date_on_sale_to"),
            "on_sale": _on_sale(doc),
            "status": doc["status"],
            "purchasable": doc["status"] == "publish" and prices["price"] != "",
            "virtual": doc["virtual"],
            "downloadable": doc["downloadable"],
            "downloads": doc["downloads"],
            "download_limit": doc["download_limit"],
            "download_expiry": doc["download_expiry"],
            "tax_status": doc["tax_status"],
            "tax_class": doc["tax_class"],
            **stock.shown(doc, parent, []),
            "weight": doc["weight"],
            "dimensions": doc["dimensions"],
            "shipping_class": doc["shipping_class"],
            "shipping_class_id": 0,
            "image": next(iter(self._images(doc)), None),
            "attributes": _shown_attributes(doc),
            "menu_order": doc["menu_order"],
            "meta_data": doc["meta_data"],
            "name": ", ".join(item["option"] for item in doc["attributes"]),
            "parent_id": doc["parent_id"],
            "_links": _links(site, f"{base}/{doc['id']}", base),
        }

    def _images(self, doc):
        images = [doc.get("image")] if is_variation(doc) else doc.get("images", [])
        return [
            {**image, **dates.shown(self._site, image, "date_created", "date_modified")}
            for image in images
            if image
        ]


def _name(doc, parent):
    if not is_variation(doc):
        return doc["name"]
    options = ", ".join(item["option"] for item in doc["attributes"])
    return " - ".join(part for part in (parent["name"] if parent else "", options) if part)


def _shown_attributes(doc):
    return [{**item, "slug": slugify(item["name"])} for item in doc["attributes"]]


def _on_sale(doc):
    try:
        return doc["sale_price"] != "" and float(doc["sale_price"]) < float(doc["regular_price"])
    except ValueError:
        return False


def _prices(doc, children):
    """A variable product costs what its cheapest variation does."""
    price = doc["sale_price"] if _on_sale(doc) else doc["regular_price"]
    if doc["type"] == "variable":
        each = [row[2] or row[1] for row in children if (row[2] or row[1]) and row[4] == "publish"]
        price = min(each, key=float, default="")
    return {
        "price": price,
        "regular_price": doc["regular_price"],
        "sale_price": doc["sale_price"],
    }


def _links(site, own, collection):
    return {
        "self": [{"href": site.api_url(own)}],
        "collection": [{"href": site.api_url(collection)}],
    }

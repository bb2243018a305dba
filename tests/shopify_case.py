"""A Shopify sandbox and a live connection to it, for tests."""

from ..sandbox.shopify import ShopifyStore
from .common import StoreCase


class ShopifyCase(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection.write({"active": False})
        cls.shopify = cls.env["commerce.connection"].create(
            {
                "name": "Demo Shop",
                "platform": "shopify",
                "address": "http://127.0.0.1:1",
                "user_id": cls.env.ref("base.user_admin").id,
                "dry_run": False,
                "timeout": 5,
            }
        )
        cls.shopify.action_go_live()
        company = cls.env.company
        if not company.chart_template:
            cls.env["account.chart.template"].try_loading(
                "generic_coa", company, install_demo=False
            )

    def setUp(self):
        super().setUp()
        self.shop = ShopifyStore()
        self.shop.start()
        self.addCleanup(self.shop.stop)
        self.shopify.address = self.shop.url
        self.shopify.set_credentials({"access_token": self.shop.token})

    def add_flow(self, kind, **vals):
        return self.env["commerce.flow"].create(
            {"connection_id": self.shopify.id, "kind": kind, **vals}
        )

    def bind(self, resource, record, external_id, **vals):
        return self.env["commerce.binding"].create(
            {
                "connection_id": self.shopify.id,
                "resource": resource,
                "model": record._name,
                "res_id": record.id,
                "external_id": str(external_id),
                **vals,
            }
        )

    def publish_there(self, product):
        """Have this product in the shop, and bind it; :return: the variant."""
        given = {"title": product.name, "sku": product.default_code, "price": "10.00"}
        [variant] = self.shop.seed({"products": [given]})["products"][0]["variants"]
        self.bind(
            "variant",
            product,
            variant["id"],
            handles={"inventory_item_id": str(variant["inventory_item_id"])},
        )
        return variant

    def order_there(self, variant, product, quantity=2):
        """The same order on both sides, its line bound.

        :return: the sales order, its id in the shop
        """
        lines = [{"variant": variant["id"], "quantity": quantity}]
        [number] = self.shop.seed({"orders": [{"lines": lines}]})["orders"]
        sale = self.env["sale.order"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "Invented Person"}).id,
                "order_line": [
                    (
                        0,
                        0,
                        {
                            "product_id": product.id,
                            "product_uom_qty": quantity,
                            "price_unit": 10,
                            "tax_ids": [],
                        },
                    )
                ],
            }
        )
        self.bind("order", sale, number)
        [line] = self.shop.store.get("order", number)["lines"]
        self.bind("order_line", sale.order_line, line["id"], parent_id=str(number))
        sale.action_confirm()
        return sale, number

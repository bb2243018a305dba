import base64
from io import BytesIO

from odoo.fields import Command
from PIL import Image

from .common import StoreCase


def picture(colour):
    file = BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "PNG")
    return base64.b64encode(file.getvalue())


class TestProductFlow(StoreCase):
    def setUp(self):
        super().setUp()
        self.connection.store_currency = self.env.company.currency_id.name
        self.flow = self.env["commerce.flow"].create(
            {
                "connection_id": self.connection.id,
                "kind": "product",
                "product_scope": "filter",
                "domain": "[('name', 'like', 'Web %')]",
            }
        )
        self.inventory_flow.active = False

    def make_template(self, **values):
        return self.env["product.template"].create(
            {"name": "Web mug", "default_code": "MUG", "list_price": 12.5, "weight": 0.3}
            | {"taxes_id": [Command.clear()], "is_storable": True}
            | values
        )

    def make_sizes(self, *names):
        attribute = self.env["product.attribute"].create(
            {"name": "Size", "value_ids": [Command.create({"name": name}) for name in names]}
        )
        line = {"attribute_id": attribute.id, "value_ids": [Command.set(attribute.value_ids.ids)]}
        template = self.make_template(
            name="Web shirt", default_code=False, attribute_line_ids=[Command.create(line)]
        )
        for variant, name in zip(template.product_variant_ids, names, strict=True):
            variant.default_code = f"SHIRT-{name}"
        return template

    def job(self):
        return self.jobs(("flow_id", "=", self.flow.id))[-1]

    def assert_done(self, outcome):
        job = self.job()
        self.assertEqual((job.state, job.outcome), ("done", outcome), job.error_message)

    def bound(self, resource, record):
        bindings = self.connection._bindings(resource, record)
        return [bindings[one.id].external_id for one in record if one.id in bindings]

    def test_a_new_product_is_created_with_all_that_is_known_of_it_and_bound(self):
        parent = self.env["product.category"].create({"name": "Kitchen"})
        category = self.env["product.category"].create({"name": "Mugs", "parent_id": parent.id})
        template = self.make_template(
            barcode="4006381333931", image_1920=picture("red"), categ_id=category.id
        )
        self.drain()
        self.assert_done("created")
        (item,) = self.store_get("products")
        self.assertEqual(item["name"], "Web mug")
        self.assertEqual((item["sku"], item["global_unique_id"]), ("MUG", "4006381333931"))
        self.assertEqual((item["regular_price"], item["weight"]), ("12.50", "0.3"))
        self.assertEqual((item["status"], item["type"]), ("publish", "simple"))
        self.assertEqual(len(item["images"]), 1)
        self.assertEqual([one["name"] for one in item["categories"]], ["Mugs"])
        (kitchen, mugs) = self.store_get("products/categories", order="asc")
        self.assertEqual(mugs["parent"], kitchen["id"])
        self.assertEqual(self.bound("product", template), [str(item["id"])])
        self.assertEqual(self.bound("variant", template.product_variant_ids), [str(item["id"])])

    def test_variants_become_variations_and_are_bound(self):
        template = self.make_sizes("S", "M", "L")
        self.drain()
        self.assert_done("created")
        (item,) = self.store_get("products")
        self.assertEqual((item["type"], len(item["variations"])), ("variable", 3))
        variations = self.store_get(f"products/{item['id']}/variations")
        self.assertEqual(
            {one["sku"]: one["attributes"][0]["option"] for one in variations},
            {"SHIRT-S": "S", "SHIRT-M": "M", "SHIRT-L": "L"},
        )
        self.assertEqual({one["regular_price"] for one in variations}, {"12.50"})
        self.assertEqual(len(self.bound("variant", template.product_variant_ids)), 3)

    def test_a_change_is_sent_and_what_is_not_owned_stays_as_the_store_has_it(self):
        template = self.make_template()
        self.drain()
        number = int(self.bound("product", template)[0])
        held = self.store.store.get("product", number)
        self.store.store.put("product", {**held, "description": "Written there"})
        self.flow.own_description = False
        template.write({"name": "Web cup", "description_sale": "Written here"})
        self.drain()
        self.assert_done("updated")
        (item,) = self.store_get("products")
        self.assertEqual((item["name"], item["description"]), ("Web cup", "Written there"))

    def test_an_archived_product_is_taken_off_sale(self):
        template = self.make_template()
        self.drain()
        template.active = False
        self.drain()
        self.assert_done("updated")
        self.assertEqual(self.store_get("products")[0]["status"], "draft")

    def test_an_image_is_sent_only_when_it_changed(self):
        template = self.make_template(image_1920=picture("red"))
        self.drain()
        first = self.store_get("products")[0]["images"]
        template.name = "Web cup"
        self.drain()
        self.assertEqual(self.store_get("products")[0]["images"][0]["id"], first[0]["id"])
        template.image_1920 = picture("blue")
        self.drain()
        self.assertNotEqual(self.store_get("products")[0]["images"][0]["id"], first[0]["id"])

    def test_a_sku_the_store_has_already_is_matched_by_a_person_and_nothing_created(self):
        self.store.seed({"products": [{"name": "Old mug", "sku": "MUG"}]})
        self.make_template()
        self.drain()
        job = self.job()
        self.assertEqual((job.state, job.error_kind), ("failed", "conflict"))
        self.assertIn("SKU 'MUG' is in the store already: 'Old mug'", job.error_message)
        self.assertIn("Matching", job.error_hint)
        self.assertEqual(len(self.store_get("products")), 1)

    def test_a_creation_that_was_not_answered_is_not_repeated(self):
        template = self.make_template()
        self.store.fault("http_500_after", times=1, path="/products", method="POST")
        self.drain()
        self.assertTrue(self.job().uncertain)
        self.be_due()
        self.drain()
        self.assertEqual(self.job().state, "done", self.job().error_message)
        self.assertEqual(len(self.store_get("products")), 1)
        self.assertEqual(len(self.bound("product", template)), 1)

    def test_variations_that_failed_are_gone_on_with(self):
        template = self.make_sizes("S", "M")
        self.store.fault("http_500_after", times=1, path="/variations/batch", method="POST")
        self.drain()
        self.assertEqual(len(self.bound("product", template)), 1)
        self.be_due()
        self.drain()
        self.assertEqual(self.job().state, "done", self.job().error_message)
        (item,) = self.store_get("products")
        self.assertEqual(len(item["variations"]), 2)
        self.assertEqual(len(self.bound("variant", template.product_variant_ids)), 2)

    def test_a_product_deleted_in_the_store_is_missing_in_words(self):
        template = self.make_template()
        self.drain()
        self.store.store.delete("product", int(self.bound("product", template)[0]))
        template.name = "Web cup"
        self.drain()
        job = self.job()
        self.assertEqual((job.state, job.error_kind), ("failed", "missing"))
        self.assertIn("no longer exists in the store", job.error_message)

    def test_a_sku_changed_by_hand_in_the_store_ends_by_the_rule_that_odoo_wins(self):
        template = self.make_template()
        self.drain()
        held = self.store.store.get("product", int(self.bound("product", template)[0]))
        self.store.store.put("product", {**held, "sku": "THEIRS"})
        template.name = "Web cup"
        self.drain()
        self.be_due()
        self.drain()
        self.assert_done("updated")
        self.assertEqual(self.store_get("products")[0]["sku"], "MUG")

    def test_a_sku_changed_by_hand_in_the_store_is_a_conflict_until_it_is_resent(self):
        self.flow.conflict_rule = "ask"
        template = self.make_template()
        self.drain()
        held = self.store.store.get("product", int(self.bound("product", template)[0]))
        self.store.store.put("product", {**held, "sku": "THEIRS"})
        template.name = "Web cup"
        self.drain()
        job = self.job()
        self.assertEqual((job.state, job.error_kind), ("failed", "conflict"))
        self.assertIn("changed in the store to 'THEIRS'", job.error_message)
        job.action_resend()
        self.drain()
        self.assertEqual(self.store_get("products")[0]["sku"], "MUG")

    def test_all_that_is_missing_is_said_at_once_and_no_request_is_made(self):
        template = self.make_sizes("S", "M")
        template.product_variant_ids.default_code = False
        self.connection.store_currency = "XYZ"
        self.drain()
        job = self.job()
        self.assertEqual((job.state, job.error_kind), ("failed", "validation"))
        self.assertEqual(job.error_message.count("has no SKU"), 2)
        self.assertIn("the store's currency is XYZ", job.error_message)
        self.assertFalse(self.store.requests)

    def test_a_matched_product_is_updated_where_it_was_matched(self):
        self.flow.product_scope = "bound"
        template = self.make_template()
        self.flush()
        self.assertFalse(self.jobs(("flow_id", "=", self.flow.id)))
        self.publish(template.product_variant_ids)
        template.name = "Web cup"
        self.drain()
        self.assert_done("updated")
        (item,) = self.store_get("products")
        self.assertEqual((item["name"], item["regular_price"]), ("Web cup", ""))

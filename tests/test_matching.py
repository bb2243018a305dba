"""First contact: what exists on both sides is matched by what identifies it, never by name."""

from odoo import Command
from odoo.exceptions import UserError

from .common import StoreCase


class MatchingCase(StoreCase):
    def read(self, resource="variant", connection=None):
        """A matching, read from the store as the scheduled action does."""
        matching = self.env["commerce.matching"].create(
            {"connection_id": (connection or self.connection).id, "resource": resource}
        )
        return self.read_again(matching)

    def read_again(self, matching):
        matching.action_read()
        self.assertEqual(matching.state, "reading")
        self.flush()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["commerce.matching"]._cron_read()
        self.assertNotEqual(matching.state, "reading")
        return matching

    def lines(self, matching):
        """``{SKU: (status, product)}``"""
        return {line.external_ref: (line.status, line.product_id) for line in matching.line_ids}

    def line(self, matching, reference):
        return matching.line_ids.filtered(lambda line: line.external_ref == reference)

    def bindings(self, model="product.product"):
        """``{record id: external id}``"""
        bindings = self.env["commerce.binding"].search([("model", "=", model)])
        return {binding.res_id: binding.external_id for binding in bindings}

    def seed(self, *products):
        """Products of the store; their ids."""
        seeded = [{"name": "In the store", "manage_stock": True, **item} for item in products]
        return [str(item["id"]) for item in self.store.seed({"products": seeded})["products"]]


class TestFinding(MatchingCase):
    def test_products_are_matched_by_sku(self):
        mug = self.make_product("MUG-B")
        (external_id,) = self.seed({"sku": "MUG-B", "name": "Another name"})
        matching = self.read()
        self.assertEqual(matching.state, "ready")
        self.assertEqual(self.lines(matching), {"MUG-B": ("matched", mug)})
        line = matching.line_ids
        self.assertTrue(line.accepted)
        self.assertEqual(line.external_id, external_id)
        self.assertEqual((matching.matched_count, matching.read_count), (1, 1))
        self.assertFalse(self.bindings())  # a preview

    def test_by_barcode_where_the_sku_is_unknown(self):
        mug = self.make_product("MUG-B", barcode="4006381333931")
        self.seed({"sku": "THEIRS-1", "global_unique_id": "4006381333931"})
        self.assertEqual(self.lines(self.read()), {"THEIRS-1": ("matched", mug)})

    def test_the_sku_counts_more_than_the_barcode(self):
        by_sku = self.make_product("MUG-B")
        self.make_product("MUG-C", barcode="4006381333931")
        self.seed({"sku": "MUG-B", "global_unique_id": "4006381333931"})
        self.assertEqual(self.lines(self.read())["MUG-B"], ("matched", by_sku))

    def test_never_by_name(self):
        mug = self.make_product("MUG-B", name="Blue mug")
        nameless = self.make_product(False, name="Red mug")
        self.seed({"sku": "OTHER", "name": "Blue mug"}, {"name": "Red mug"})
        matching = self.read()
        self.assertFalse(matching.matched_count)
        there = matching.line_ids.filtered("external_id")
        self.assertEqual(set(there.mapped("status")), {"missing_here"})
        self.assertEqual(
            set(there.mapped("reason")),
            {
                "No product in Odoo has this SKU or barcode.",
                "It has neither SKU nor barcode in the store.",
            },
        )
        here = matching.line_ids.filtered("product_id")
        self.assertEqual(here.product_id, mug | nameless)

    def test_a_sku_that_is_there_twice_in_odoo_is_ambiguous(self):
        twins = self.make_product("MUG-B", name="One") | self.make_product("MUG-B", name="Two")
        self.seed({"sku": "MUG-B"})
        line = self.read().line_ids.filtered("external_id")
        self.assertEqual((line.status, line.accepted), ("ambiguous", False))
        self.assertFalse(line.product_id)
        for name in twins.mapped("display_name"):
            self.assertIn(name, line.reason)

    def test_two_of_the_store_for_one_of_odoo_are_ambiguous(self):
        self.make_product("MUG-B", barcode="4006381333931")
        self.seed({"sku": "MUG-B"}, {"sku": "X", "global_unique_id": "4006381333931"})
        matching = self.read()
        self.assertEqual(matching.line_ids.mapped("status"), ["ambiguous", "ambiguous"])
        self.assertFalse(any(matching.line_ids.mapped("accepted")))
        self.assertEqual(matching.ambiguous_count, 2)

    def test_what_is_missing_there_is_shown(self):
        mug = self.make_product("MUG-B")
        self.make_product("SERVICE", is_storable=False, type="service")
        self.make_product("PART", sale_ok=False)
        matching = self.read()
        self.assertEqual(self.lines(matching), {"MUG-B": ("missing_there", mug)})
        self.assertEqual(matching.missing_there_count, 1)

    def test_what_is_bound_already_is_left_alone(self):
        mug = self.make_product("MUG-B")
        self.publish(mug)
        mug.default_code = "RENAMED"
        newcomer = self.make_product("MUG-B")
        matching = self.read()
        bound = matching.line_ids.filtered(lambda line: line.status == "bound")
        self.assertEqual((bound.product_id, bound.accepted), (mug, False))
        missing = matching.line_ids - bound
        self.assertEqual((missing.product_id, missing.status), (newcomer, "missing_there"))

    def test_what_was_bound_to_a_record_deleted_since_is_matched_again(self):
        mug = self.make_product("MUG-B")
        external_id = self.publish(mug)[mug]
        mug.product_tmpl_id.unlink()
        again = self.make_product("MUG-B")
        matching = self.read()
        self.assertEqual(self.lines(matching), {"MUG-B": ("matched", again)})
        matching.action_confirm()
        self.assertEqual(self.bindings(), {again.id: external_id})
        self.set_stock(again, 4)
        self.drain()
        self.assertEqual(self.store_stock(), {"MUG-B": 4})

    def test_one_bound_to_another_of_the_store_is_ambiguous(self):
        mug = self.make_product("MUG-B")
        external_id = self.publish(mug)[mug]
        mug.barcode = "4006381333931"
        self.seed({"sku": "COPY", "global_unique_id": "4006381333931"})
        line = self.line(self.read(), "COPY")
        self.assertEqual((line.status, line.accepted), ("ambiguous", False))
        self.assertIn(external_id, line.reason)

    def test_variants_are_matched_with_variations(self):
        shirts = self.make_variants("SHIRT-S", "SHIRT-M")
        made = self.seed_variations("SHIRT-S", "SHIRT-M")
        matching = self.read()
        self.assertEqual(
            self.lines(matching),
            {"SHIRT-S": ("matched", shirts[0]), "SHIRT-M": ("matched", shirts[1])},
        )
        self.assertEqual(set(matching.line_ids.mapped("parent_id")), {str(made["id"])})
        self.assertEqual(
            set(matching.line_ids.mapped("external_id")),
            {str(child["id"]) for child in made["variations"]},
        )

    def make_variants(self, *skus):
        """A product of Odoo with a variant for each SKU."""
        attribute = self.env["product.attribute"].create(
            {
                "name": "Size",
                "value_ids": [Command.create({"name": sku}) for sku in skus],
            }
        )
        template = self.env["product.template"].create(
            {
                "name": "Shirt",
                "is_storable": True,
                "attribute_line_ids": [
                    Command.create(
                        {
                            "attribute_id": attribute.id,
                            "value_ids": [Command.set(attribute.value_ids.ids)],
                        }
                    )
                ],
            }
        )
        for variant, sku in zip(template.product_variant_ids, skus, strict=True):
            variant.default_code = sku
        return template.product_variant_ids

    def seed_variations(self, *skus):
        """A product of the store with a variation for each SKU."""
        (made,) = self.store.seed(
            {
                "products": [
                    {
                        "name": "Shirt",
                        "sku": "SHIRT",
                        "type": "variable",
                        "variations": [
                            {"sku": sku, "manage_stock": True, "stock_quantity": 0} for sku in skus
                        ],
                    }
                ]
            }
        )["products"]
        return made

    def test_the_stock_of_a_variant_goes_to_its_variation(self):
        shirts = self.make_variants("SHIRT-S", "SHIRT-M")
        made = self.seed_variations("SHIRT-S", "SHIRT-M")
        self.read().action_confirm()
        self.set_stock(shirts[0], 3)
        self.set_stock(shirts[1], 8)
        self.drain()
        self.assertEqual(self.jobs().mapped("state"), ["done", "done"])
        variations = self.store_get(f"products/{made['id']}/variations")
        self.assertEqual(
            {item["sku"]: item["stock_quantity"] for item in variations},
            {"SHIRT-S": 3, "SHIRT-M": 8},
        )

    def test_products_of_another_company_are_not_matched_but_shared_ones_are(self):
        company = self.env["res.company"].create({"name": "Company B"})
        self.make_product("MUG-B", company_id=company.id)
        shared = self.make_product("MUG-C")
        self.seed({"sku": "MUG-B"}, {"sku": "MUG-C"})
        lines = self.lines(self.read())
        self.assertEqual(lines["MUG-B"][0], "missing_here")
        self.assertEqual(lines["MUG-C"], ("matched", shared))

    def test_orders_are_matched_by_number(self):
        partner = self.env["res.partner"].create({"name": "Invented Person"})
        made = self.store.seed({"orders": [{}, {}, {}]})["orders"]
        by_reference, by_name = self.env["sale.order"].create(
            [
                {"partner_id": partner.id, "client_order_ref": str(made[0])},
                {"partner_id": partner.id, "name": str(made[1])},
            ]
        )
        self.env["sale.order"].create({"partner_id": partner.id})
        matching = self.read("order")
        lines = [self.line(matching, str(order_id)) for order_id in made]
        self.assertEqual([line.order_id for line in lines[:2]], [by_reference, by_name])
        self.assertEqual([line.status for line in lines], ["matched", "matched", "missing_here"])
        self.assertEqual(len(matching.line_ids), 3)  # Odoo's other orders are not the store's
        matching.action_confirm()
        self.assertEqual(
            self.bindings("sale.order"),
            {by_reference.id: str(made[0]), by_name.id: str(made[1])},
        )


class TestConfirming(MatchingCase):
    def test_what_is_ticked_is_bound_once(self):
        products = self.make_product("MUG-B") | self.make_product("MUG-C")
        ids = self.seed({"sku": "MUG-B"}, {"sku": "MUG-C"})
        matching = self.read()
        self.line(matching, "MUG-C").accepted = False
        matching.action_confirm()
        self.assertEqual(self.bindings(), {products[0].id: ids[0]})
        self.assertEqual(matching.state, "done")
        self.assertEqual(self.line(matching, "MUG-B").status, "bound")
        with self.assertRaisesRegex(UserError, "Read the store first"):
            matching.action_confirm()

    def test_nothing_is_bound_before_the_store_was_read(self):
        matching = self.env["commerce.matching"].create({"connection_id": self.connection.id})
        with self.assertRaisesRegex(UserError, "Read the store first"):
            matching.action_confirm()

    def test_a_person_settles_what_is_ambiguous(self):
        chosen = self.make_product("MUG-B", name="One")
        self.make_product("MUG-B", name="Two")
        (external_id,) = self.seed({"sku": "MUG-B"})
        matching = self.read()
        line = matching.line_ids.filtered("external_id")
        line.accepted = True
        with self.assertRaisesRegex(UserError, "Choose the Odoo record, or untick: .*In the store"):
            matching.action_confirm()
        line.product_id = chosen
        matching.action_confirm()
        self.assertEqual(self.bindings(), {chosen.id: external_id})

    def test_what_the_store_does_not_have_cannot_be_bound(self):
        mug = self.make_product("MUG-B")
        matching = self.read()
        matching.line_ids.accepted = True
        with self.assertRaises(UserError) as caught:
            matching.action_confirm()
        self.assertIn(mug.display_name, str(caught.exception))

    def test_one_record_chosen_for_two_is_refused_in_words(self):
        mug = self.make_product("MUG-B")
        self.seed({"sku": "MUG-B"}, {"sku": "COPY", "name": "The copy"})
        matching = self.read()
        self.line(matching, "COPY").write({"product_id": mug.id, "accepted": True})
        with self.assertRaisesRegex(UserError, "The copy"):
            matching.action_confirm()
        self.assertFalse(self.bindings())
        self.assertEqual(matching.state, "ready")

    def test_what_was_bound_meanwhile_is_refused_in_words(self):
        mug, other = self.make_product("MUG-B"), self.make_product("OTHER")
        (external_id,) = self.seed({"sku": "MUG-B", "name": "The mug"})
        matching = self.read()
        for record, bound_to in ((mug, "4711"), (other, external_id)):
            binding = self.env["commerce.binding"].create(
                {
                    "connection_id": self.connection.id,
                    "resource": "variant",
                    "model": "product.product",
                    "res_id": record.id,
                    "external_id": bound_to,
                }
            )
            with self.assertRaisesRegex(UserError, "The mug"):
                matching.action_confirm()
            self.assertEqual(self.bindings(), {record.id: bound_to})
            binding.unlink()

    def test_a_tick_beside_what_is_bound_changes_nothing(self):
        mug = self.make_product("MUG-B")
        bound = self.publish(mug)
        matching = self.read()
        matching.line_ids.accepted = True
        matching.action_confirm()
        self.assertEqual(self.bindings(), {mug.id: bound[mug]})

    def test_reading_again_after_confirming_makes_nothing_double(self):
        mug = self.make_product("MUG-B")
        (external_id,) = self.seed({"sku": "MUG-B"})
        self.read().action_confirm()
        again = self.read()
        self.assertEqual(self.lines(again), {"MUG-B": ("bound", mug)})
        again.action_confirm()
        self.assertEqual(self.bindings(), {mug.id: external_id})
        self.set_stock(mug, 4)
        self.drain()
        self.assertEqual(self.store_stock(), {"MUG-B": 4})

    def test_two_stores_have_bindings_of_their_own(self):
        mug = self.make_product("MUG-B")
        other = self.connection.copy({"name": "Second Store"})
        self.connect(other)
        (external_id,) = self.seed({"sku": "MUG-B"})
        self.read().action_confirm()
        self.read(connection=other).action_confirm()
        bindings = self.env["commerce.binding"].search([("res_id", "=", mug.id)])
        self.assertEqual(bindings.connection_id, self.connection | other)
        self.assertEqual(bindings.mapped("external_id"), [external_id] * 2)


class TestReading(MatchingCase):
    def test_many_pages_are_read(self):
        self.store.seed({"invent": 230})
        matching = self.read()
        self.assertEqual(matching.state, "ready")
        self.assertEqual(matching.read_count, len(matching.line_ids))
        self.assertEqual(len(set(matching.line_ids.mapped("external_id"))), matching.read_count)
        self.assertGreaterEqual(matching.read_count, 230)

    def test_a_store_that_fails_in_the_middle_is_read_again(self):
        self.store.seed({"invent": 230})
        self.store.fault("http_500_before", path="modified_after")  # not on the first page
        matching = self.read()
        self.assertEqual(matching.state, "failed")
        self.assertIn("has an error of its own (HTTP 500)", matching.error_message)
        self.assertEqual(matching.read_count, 100)
        with self.assertRaises(UserError):
            matching.action_confirm()
        self.store.clear_faults()
        self.read_again(matching)
        self.assertEqual(matching.state, "ready")
        self.assertFalse(matching.error_message)
        self.assertEqual(len(set(matching.line_ids.mapped("external_id"))), len(matching.line_ids))
        self.assertGreaterEqual(len(matching.line_ids), 230)

    def test_what_is_wrong_is_said_in_words(self):
        faults = {
            "unauthorized": "does not recognise the API key",
            "malformed": "sent an answer that cannot be read",
            "reset": "broke the connection off",
            "rate_limit": "asks us to send fewer requests",
            "maintenance": "is not available at the moment",
        }
        for fault, words in faults.items():
            with self.subTest(fault=fault):
                self.store.fault(fault)
                matching = self.read()
                self.assertEqual(matching.state, "failed")
                self.assertIn(words, matching.error_message)
                self.store.clear_faults()

    def test_one_matching_that_fails_does_not_stop_the_next(self):
        other = self.connection.copy({"name": "Second Store"})  # without credentials
        first = self.env["commerce.matching"].create({"connection_id": other.id})
        first.action_read()
        self.make_product("MUG-B")
        self.seed({"sku": "MUG-B"})
        second = self.read()
        self.assertEqual(second.state, "ready")
        self.assertEqual(first.state, "failed")
        self.assertIn("Not set: Consumer Key", first.error_message)

    def test_reading_changes_nothing_in_the_store(self):
        self.seed({"sku": "MUG-B"})
        self.read()
        self.assertEqual({entry.method for entry in self.store.requests}, {"GET"})

"""Both sides are compared: every difference is found, and nothing that is none."""

import unittest
from datetime import datetime, timedelta, timezone

import requests
from odoo import Command
from odoo.exceptions import UserError, ValidationError

from ..engine import conflict
from ..mappers import compare_order
from ..sandbox.shop import inventory
from ..sandbox.shopify import ShopifyStore
from .common import StoreCase, release_test_lock


class ReconciliationCase(StoreCase):
    def compare(self, flow=None):
        """A comparison, made as the scheduled action does."""
        flow = flow or self.inventory_flow
        record = self.env["commerce.reconciliation"].browse(flow.action_reconcile()["res_id"])
        while record.state in ("waiting", "reading", "checking") and not record.next_at:
            self.go_on()
        self.assertEqual(record.state, "done", record.error_message)
        return record

    def go_on(self):
        self.flush()
        with self.enter_registry_test_mode(), release_test_lock(), self.registry.cursor() as cr:
            self.env(cr=cr)["commerce.reconciliation"]._cron_run()
        self.env.invalidate_all()

    def in_agreement(self, quantities):
        """Products with stock, of which the store was told.

        :return: ``(products, {SKU: id in the store})``
        """
        products = self.env["product.product"].concat(
            *[self.make_product(sku, quantity) for sku, quantity in quantities.items()]
        )
        published = self.publish(products)
        self.inventory_flow._enqueue_due()
        self.drain()
        return products, {product.default_code: item for product, item in published.items()}

    def change_there(self, external_id, **values):
        """Somebody edits the store's record by hand."""
        answer = requests.put(
            f"{self.store.url}/wp-json/wc/v3/products/{external_id}",
            json=values,
            auth=(self.store.key, self.store.secret),
            timeout=10,
        )
        answer.raise_for_status()

    def delete_there(self, external_id):
        requests.delete(
            f"{self.store.url}/wp-json/wc/v3/products/{external_id}",
            params={"force": "true"},
            auth=(self.store.key, self.store.secret),
            timeout=10,
        ).raise_for_status()

    def found(self, record):
        return {
            (line.reference, line.status, line.odoo_value, line.external_value)
            for line in record.line_ids
        }


class TestComparing(ReconciliationCase):
    def test_two_sides_that_agree_have_no_differences(self):
        self.in_agreement({"A": 3, "B": 0})
        record = self.compare()
        self.assertFalse(record.line_ids)
        self.assertEqual((record.compared_count, record.agreement), (2, 100.0))
        self.assertIn("All in agreement", self.inventory_flow.agreement_summary)
        self.assertIn("All in agreement", self.connection.agreement_summary)

    def test_a_value_changed_behind_our_back_is_found_with_both_values(self):
        _products, there = self.in_agreement({"A": 3, "B": 4})
        self.change_there(there["A"], stock_quantity=9)
        record = self.compare()
        self.assertEqual(self.found(record), {("A", "different", "3", "9")})
        line = record.line_ids
        self.assertEqual((line.owner, line.repair), ("odoo", "push"))
        self.assertIn("50.00% in agreement, 1 differences", record.summary)

    def test_what_was_deleted_in_the_store_is_found(self):
        products, there = self.in_agreement({"A": 3, "B": 4})
        self.delete_there(there["B"])
        record = self.compare()
        self.assertEqual(record.line_ids.status, "deleted_there")
        self.assertEqual(record.line_ids.res_id, products[1].id)

    def test_one_that_could_be_bound_is_found(self):
        self.in_agreement({"A": 3})
        loose = self.make_product("LOOSE")
        self.store.seed({"products": [{"sku": "LOOSE", "manage_stock": True}, {"sku": "THEIRS"}]})
        record = self.compare()
        self.assertEqual(record.line_ids.status, "missing_here")
        self.assertEqual(record.line_ids.res_id, loose.id)
        self.assertEqual(record.unknown_count, 2)

    def test_a_value_with_a_waiting_job_is_no_drift(self):
        products, _there = self.in_agreement({"A": 3, "B": 4})
        self.set_stock(products[0], 8)
        record = self.compare()
        self.assertFalse(record.line_ids)
        self.assertEqual(record.under_way_count, 1)

    def test_a_comparison_goes_on_where_it_was_broken_off(self):
        self.in_agreement({"A": 3})
        self.store.seed({"invent": 230})
        self.store.fault("http_500_before", path="modified_after", times=1)
        record = self.env["commerce.reconciliation"].browse(
            self.inventory_flow.action_reconcile()["res_id"]
        )
        self.go_on()
        self.assertEqual((record.state, record.read_count), ("reading", 100))
        self.assertTrue(record.next_at)
        record.next_at = False
        self.go_on()
        self.assertEqual(record.state, "done")
        self.assertEqual(record.read_count, 231)

    def test_it_can_be_stopped(self):
        self.in_agreement({"A": 3})
        record = self.env["commerce.reconciliation"].browse(
            self.inventory_flow.action_reconcile()["res_id"]
        )
        record.action_stop()
        asked = len(self.store.requests)
        self.go_on()
        self.assertEqual(record.state, "stopped")
        self.assertEqual(len(self.store.requests), asked)

    def test_it_asks_no_more_than_the_pages(self):
        self.store.seed({"invent": 230})
        record = self.compare()
        pages = [entry.path for entry in self.store.requests if entry.method == "GET"]
        self.assertEqual(record.request_count, len(pages))
        # a page of a hundred each, and in stores without a list of variations once more the
        # products that may have some; none for names
        self.assertLessEqual(len(pages), 2 * (record.read_count // 100 + 1) + 1, pages)


class TestRepairing(ReconciliationCase):
    def test_all_is_repaired_by_the_owners_rule(self):
        _products, there = self.in_agreement({"A": 3, "B": 4, "C": 5})
        self.change_there(there["A"], stock_quantity=9)
        self.delete_there(there["B"])
        record = self.compare()
        wizard = self.env["commerce.reconciliation.repair"].browse(
            record.action_repair_all()["res_id"]
        )
        self.assertEqual((wizard.push_count, wizard.unbind_count), (1, 1))
        self.assertEqual(self.store_stock()["A"], 9)  # so far it was only shown
        wizard.action_repair()
        self.drain()
        self.assertEqual(self.store_stock(), {"A": 3, "C": 5})
        again = self.compare()
        self.assertFalse(again.line_ids)

    def test_what_was_deleted_and_made_again_is_bound_anew(self):
        products, there = self.in_agreement({"A": 3})
        self.delete_there(there["A"])
        self.store.seed({"products": [{"sku": "A", "manage_stock": True, "stock_quantity": 0}]})
        record = self.compare()
        self.assertEqual(record.line_ids.mapped("status"), ["replaced"])
        record.line_ids.action_repair()
        self.drain()
        self.assertEqual(self.store_stock(), {"A": 3})
        self.assertNotEqual(
            self.connection._bindings("variant", products)[products.id].external_id, there["A"]
        )
        self.assertFalse(self.compare().line_ids)

    def test_an_ignored_difference_stays_ignored_while_it_does_not_change(self):
        _products, there = self.in_agreement({"A": 3})
        self.change_there(there["A"], stock_quantity=9)
        self.compare().line_ids.action_ignore("A display piece")
        again = self.compare()
        self.assertEqual(again.line_ids.mapped("state"), ["ignored"])
        self.assertEqual(again.line_ids.ignore_reason, "A display piece")
        self.assertEqual(again.difference_count, 0)
        self.change_there(there["A"], stock_quantity=10)
        self.assertEqual(self.compare().line_ids.mapped("state"), ["open"])


class TestNightly(ReconciliationCase):
    def test_a_flow_is_compared_once_when_its_hour_has_come(self):
        flow = self.inventory_flow
        self.connection.user_id.tz = "UTC"
        flow.reconcile_hour = 2.0
        self.env.cr.execute(
            "UPDATE commerce_flow SET create_date = now() - interval '3 days' WHERE id = %s",
            [flow.id],
        )
        self.env.invalidate_all()
        for _round in range(2):
            flow._cron_reconcile()
        self.assertEqual(len(flow.reconciliation_ids), 1)
        self.go_on()
        flow._cron_reconcile()
        self.assertEqual(flow.reconciliation_ids.mapped("state"), ["done"])

    def test_a_flow_that_is_not_compared_at_night_is_left_alone(self):
        self.env.cr.execute("UPDATE commerce_flow SET create_date = now() - interval '3 days'")
        self.env.invalidate_all()
        self.inventory_flow.reconcile_nightly = False
        self.inventory_flow._cron_reconcile()
        self.assertFalse(self.inventory_flow.reconciliation_ids)


class TestSeededDrift(ReconciliationCase):
    """One in a hundred changed, one deleted, and one made again, behind our back."""

    COUNT = 300

    def test_exactly_what_was_changed_is_found_and_repaired(self):
        names = [f"P-{n:05}" for n in range(self.COUNT)]
        _products, there = self.in_agreement({sku: n % 7 + 1 for n, sku in enumerate(names)})
        changed, deleted, anew = (names[start::100] for start in (7, 42, 77))
        for sku in changed:
            self.change_there(there[sku], stock_quantity=99)
        for sku in deleted + anew:
            self.delete_there(there[sku])
        made = [{"sku": sku, "manage_stock": True, "stock_quantity": 1} for sku in anew]
        self.store.seed({"products": made})
        record = self.compare()
        self.assertEqual(
            sorted((line.reference, line.status) for line in record.line_ids),
            sorted(
                [(sku, "different") for sku in changed]
                + [(sku, "deleted_there") for sku in deleted]
                + [(sku, "replaced") for sku in anew]
            ),
        )
        record.line_ids.action_repair()
        self.drain()
        self.assertFalse(self.compare().line_ids)


class TestInvoicesNotTold(ReconciliationCase):
    def test_a_posted_invoice_the_store_was_not_told_of_is_listed_and_sent(self):
        if not self.env.company.chart_template:
            self.env["account.chart.template"].try_loading(
                "generic_coa", self.env.company, install_demo=False
            )
        flow = self.env["commerce.flow"].create(
            {"connection_id": self.connection.id, "kind": "invoice", "trigger": "manual"}
        )
        product = self.make_product("MUG-B", 5, invoice_policy="order")
        partner = self.env["res.partner"].create({"name": "Invented Person"})
        order = self.env["sale.order"].create(
            {"partner_id": partner.id, "order_line": [Command.create({"product_id": product.id})]}
        )
        order.action_confirm()
        (there,) = self.store.seed({"orders": [{}]})["orders"]
        self.env["commerce.binding"].create(
            {
                "connection_id": self.connection.id,
                "resource": "order",
                "model": "sale.order",
                "res_id": order.id,
                "external_id": str(there),
            }
        )
        invoice = order._create_invoices()
        invoice.action_post()
        record = self.compare(flow)
        self.assertEqual(record.line_ids.mapped("status"), ["not_told"])
        self.assertEqual(record.line_ids.document, invoice.display_name)
        record.line_ids.action_repair()
        self.drain()
        self.assertFalse(self.compare(flow).line_ids)


class TestFetching(ReconciliationCase):
    """What Odoo never heard of is fetched."""

    def setUp(self):
        super().setUp()
        self.flow = self.env["commerce.flow"].create(
            {"connection_id": self.connection.id, "kind": "order"}
        )
        # orders younger than this are still on their way
        self.env.cr.execute(
            "UPDATE commerce_flow SET create_date = now() - interval '2 days' WHERE id = %s",
            [self.flow.id],
        )
        self.env.invalidate_all()
        self.publish(self.make_product("MUG-B", 5))
        # a new order is on its way for a while
        self.patch(compare_order, "ON_ITS_WAY", timedelta())

    def missed_order(self):
        """An order of an hour ago of which no webhook told."""
        moment = (datetime.now(timezone.utc) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S")
        (order,) = self.store.seed(
            {
                "orders": [
                    {
                        "status": "processing",
                        "line_items": [{"sku": "MUG-B", "quantity": 2}],
                        "date_created_gmt": moment,
                    }
                ]
            }
        )["orders"]
        return str(order)

    def test_an_order_that_odoo_never_heard_of_is_found_and_fetched(self):
        order = self.missed_order()
        record = self.compare(self.flow)
        line = record.line_ids
        self.assertEqual((line.status, line.external_id), ("missing_here", order))
        self.assertEqual((line.repair, line.can_pull), ("pull", True))
        self.assertEqual(record.line_ids.action_repair(), 1)
        self.drain()
        binding = self.env["commerce.binding"].search(
            [("connection_id", "=", self.connection.id), ("resource", "=", "order")]
        )
        self.assertEqual(binding.external_id, order, self.jobs().mapped("error_message"))
        self.assertFalse(self.compare(self.flow).line_ids)

    def test_an_order_that_is_being_fetched_is_no_difference(self):
        self.missed_order()
        self.compare(self.flow).line_ids.action_repair()
        again = self.compare(self.flow)
        self.assertFalse(again.line_ids)
        self.assertEqual(again.under_way_count, 1)


class TestTruth(ReconciliationCase):
    def test_two_flows_that_undo_each_other_are_refused(self):
        flow = self.inventory_flow
        opposite = flow.create({"connection_id": self.connection.id, "kind": "invoice"})
        self.flush()
        # no platform of ours has both directions of one kind yet
        self.env.cr.execute(
            "UPDATE commerce_flow SET kind = 'inventory', direction = 'in' WHERE id = %s",
            [opposite.id],
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(ValidationError, "overwrite what the other just wrote"):
            flow._check_opposite()
        self.env.cr.execute(
            "UPDATE commerce_flow SET two_way = true WHERE id IN %s", [(flow.id, opposite.id)]
        )
        self.env.invalidate_all()
        flow._check_opposite()
        with self.assertRaisesRegex(ValidationError, "different conflict rules"):
            opposite.conflict_rule = "external_wins"

    def test_a_new_owner_is_explained_before_it_is_saved(self):
        flow = self.inventory_flow.new(origin=self.inventory_flow)
        flow.owner = "external"
        warning = flow._onchange_owner()["warning"]
        self.assertIn("the store's value counts", warning["message"])


class TestConflictRule(unittest.TestCase):
    def test_the_rule_decides(self):
        now, later = datetime(2026, 1, 1), datetime(2026, 1, 2)
        for rule, rounds, ours, theirs, expected in (
            ("odoo_wins", 1, None, None, "send"),
            ("odoo_wins", conflict.MOST_ROUNDS, None, None, "stop"),
            ("external_wins", 1, None, None, "keep"),
            ("newest_wins", 1, now, later, "keep"),
            ("newest_wins", 1, later, now, "send"),
            ("newest_wins", 1, None, now, "ask"),
            ("ask", 1, now, later, "ask"),
        ):
            with self.subTest(rule=rule, rounds=rounds):
                self.assertEqual(conflict.decide(rule, rounds, ours, theirs), expected)


class TestShopifyConflict(ReconciliationCase):
    """Shopify compares before it writes; what was changed there meanwhile is a conflict."""

    def setUp(self):
        super().setUp()
        self.shop = ShopifyStore()
        self.shop.start()
        self.addCleanup(self.shop.stop)
        self.shopify = self.env["commerce.connection"].create(
            {
                "name": "Demo Shop",
                "platform": "shopify",
                "address": self.shop.url,
                "user_id": self.env.ref("base.user_admin").id,
                "dry_run": False,
            }
        )
        self.shopify.set_credentials({"access_token": self.shop.token})
        self.flow = self.env["commerce.flow"].create(
            {"connection_id": self.shopify.id, "kind": "inventory", "stock_basis": "on_hand"}
        )
        self.product = self.make_product("MUG-B", 3)
        (made,) = self.shop.seed({"products": [{"title": "Mug", "sku": "MUG-B"}]})["products"]
        (variant,) = made["variants"]
        self.item = variant["inventory_item_id"]
        common = {"connection_id": self.shopify.id}
        self.env["commerce.binding"].create(
            [
                common
                | {
                    "resource": "variant",
                    "model": "product.product",
                    "res_id": self.product.id,
                    "external_id": str(variant["id"]),
                    "external_ref": "MUG-B",
                    "handles": {"inventory_item_id": str(self.item)},
                },
                common
                | {
                    "resource": "location",
                    "model": "stock.warehouse",
                    "res_id": self.warehouse.id,
                    "external_id": "1",
                },
            ]
        )
        self.shopify.action_go_live()
        self.flow._enqueue_due()
        self.drain()
        self.assertEqual(self.held(), 3)

    def held(self):
        return inventory.quantity(self.shop.store.get("item", self.item), 1)

    def sold_there(self):
        inventory.adjust(self.shop, self.item, 1, 7)

    def change_on_both_sides(self, rule):
        self.flow.conflict_rule = rule
        self.sold_there()
        self.set_stock(self.product, 5)
        self.drain()
        return self.jobs(("flow_id", "=", self.flow.id))[-1]

    def test_odoo_wins(self):
        job = self.change_on_both_sides("odoo_wins")
        self.assertEqual((job.state, self.held()), ("done", 5))

    def test_the_store_wins(self):
        job = self.change_on_both_sides("external_wins")
        self.assertEqual((job.state, job.outcome, self.held()), ("done", "skipped", 10))

    def newest_wins(self, moment):
        self.flush()
        self.env.cr.execute(
            "UPDATE stock_quant SET write_date = %s WHERE product_id = %s",
            [moment, self.product.id],
        )
        self.env.invalidate_all()
        self.flow.conflict_rule = "newest_wins"
        self.drain()
        return self.jobs(("flow_id", "=", self.flow.id))[-1]

    def test_the_newest_wins_when_that_is_the_stores(self):
        self.sold_there()
        self.set_stock(self.product, 5)
        job = self.newest_wins(datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(hours=1))
        self.assertEqual((job.state, job.outcome, self.held()), ("done", "skipped", 10))

    def test_the_newest_wins_when_that_is_odoos(self):
        self.sold_there()
        self.set_stock(self.product, 5)
        job = self.newest_wins(datetime.now(timezone.utc).replace(tzinfo=None) + timedelta(hours=1))
        self.assertEqual((job.state, self.held()), ("done", 5))

    def test_a_person_is_asked_and_resends(self):
        job = self.change_on_both_sides("ask")
        self.assertEqual((job.state, job.error_kind, self.held()), ("failed", "conflict", 10))
        job.action_resend()
        self.drain()
        self.assertEqual((job.state, self.held()), ("done", 5))

    def disputed(self):
        """What a person sees of a conflict: ``(the form, its only line)``"""
        job = self.change_on_both_sides("ask")
        form = self.env["commerce.conflict"].browse(job.action_decide()["res_id"])
        return form, form.line_ids

    def decide(self, form):
        self.flush()
        with self.enter_registry_test_mode(), release_test_lock():
            form.action_decide()
        self.drain()

    def test_a_conflict_shows_both_values_and_what_was_last_agreed(self):
        form, line = self.disputed()
        self.assertEqual(
            (line.label, line.agreed_value, line.odoo_value, line.external_value),
            ("Quantity", "3", "5", "10"),
        )
        with self.assertRaisesRegex(UserError, "Choose Odoo or the store"):
            form.action_decide()

    def test_a_person_chooses_the_stores_value_and_the_job_goes_on(self):
        form, line = self.disputed()
        line.choice = "external"
        self.decide(form)
        self.assertEqual((form.job_id.state, self.held()), ("done", 10))
        self.set_stock(self.product, 6)
        self.drain()
        self.assertEqual(self.held(), 6)

    def test_a_person_chooses_odoos_value_and_the_job_goes_on(self):
        form, line = self.disputed()
        line.choice = "odoo"
        self.decide(form)
        self.assertEqual((form.job_id.state, self.held()), ("done", 5))

    def test_drift_is_found_and_repaired(self):
        self.assertFalse(self.compare(self.flow).line_ids)
        self.sold_there()
        record = self.compare(self.flow)
        self.assertEqual(self.found(record), {("MUG-B", "different", "3", "10")})
        record.line_ids.action_repair()
        self.drain()
        self.assertEqual(self.held(), 3)
        self.assertFalse(self.compare(self.flow).line_ids)

    def test_a_product_that_is_there_twice_is_left_to_a_person(self):
        self.shop.seed({"products": [{"title": "Mug again", "sku": "MUG-B", "quantity": 8}]})
        record = self.compare(self.flow)
        line = record.line_ids
        self.assertEqual((line.status, line.repair), ("duplicate", "none"))
        self.assertIn("has this SKU once more", line.note)
        self.assertEqual(line.action_repair(), 0)

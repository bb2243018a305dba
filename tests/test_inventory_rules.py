"""Which quantity the store is told, when, and in whose name."""

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, new_test_user

from ..engine import queue
from .common import StoreCase


class InventoryCase(StoreCase):
    def make_bound(self, sku, quantity=0.0, **vals):
        product = self.make_product(sku, quantity, **vals)
        self.publish(product)
        return product

    def move(self, picking_type, source, destination, product, quantity):
        """A transfer, reserved but not done."""
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": picking_type.id,
                "location_id": source.id,
                "location_dest_id": destination.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": quantity,
                            "location_id": source.id,
                            "location_dest_id": destination.id,
                        }
                    )
                ],
            }
        )
        picking.action_confirm()
        picking.action_assign()
        return picking

    def receive(self, product, quantity):
        supplier = self.env.ref("stock.stock_location_suppliers")
        stock = self.warehouse.lot_stock_id
        return self.move(self.warehouse.in_type_id, supplier, stock, product, quantity)

    def deliver(self, product, quantity):
        customer = self.env.ref("stock.stock_location_customers")
        stock = self.warehouse.lot_stock_id
        return self.move(self.warehouse.out_type_id, stock, customer, product, quantity)

    def order(self, product, quantity):
        """A confirmed sale, its delivery reserved."""
        partner = self.env["res.partner"].create({"name": "Invented Person"})
        order = self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    Command.create({"product_id": product.id, "product_uom_qty": quantity})
                ],
            }
        )
        order.action_confirm()
        order.picking_ids.action_assign()
        return order

    def sent(self, product):
        """What the store holds after one round."""
        self.drain()
        return self.store_stock()[product.default_code]

    def pushes(self):
        """Requests that wrote something."""
        return [entry for entry in self.store.requests if entry.method == "POST"]


class TestQuantity(InventoryCase):
    def test_on_hand_counts_what_is_there(self):
        product = self.make_bound("MUG-B", 10)
        self.order(product, 3)
        self.assertEqual(self.sent(product), 10)

    def test_free_leaves_out_what_is_reserved(self):
        self.inventory_flow.stock_basis = "free"
        product = self.make_bound("MUG-B", 10)
        self.assertEqual(self.sent(product), 10)
        order = self.order(product, 3)
        self.assertEqual(self.sent(product), 7)
        order.action_cancel()
        self.assertEqual(self.sent(product), 10)

    def test_forecast_counts_what_is_to_come_and_to_go(self):
        self.inventory_flow.stock_basis = "forecast"
        product = self.make_bound("MUG-B", 10)
        incoming = self.receive(product, 5)
        self.assertEqual(self.sent(product), 15)
        self.order(product, 3)
        self.assertEqual(self.sent(product), 12)
        incoming.action_cancel()
        self.assertEqual(self.sent(product), 7)

    def test_receipt_delivery_and_adjustment_arrive(self):
        product = self.make_bound("MUG-B")
        self.receive(product, 12).button_validate()
        self.assertEqual(self.sent(product), 12)
        self.deliver(product, 5).button_validate()
        self.assertEqual(self.sent(product), 7)
        quant = self.env["stock.quant"]._gather(product, self.warehouse.lot_stock_id)
        quant.inventory_quantity = 4
        quant.action_apply_inventory()
        self.assertEqual(self.sent(product), 4)
        self.assertEqual(len(self.pushes()), 3)

    def test_the_buffer_is_kept_back(self):
        self.inventory_flow.stock_buffer = 2
        product = self.make_bound("MUG-B", 10)
        self.assertEqual(self.sent(product), 8)

    def test_the_store_never_gets_less_than_nothing(self):
        self.inventory_flow.stock_buffer = 2
        short, owed = self.make_bound("MUG-B", 1), self.make_bound("MUG-C", -3)
        self.drain()
        self.assertEqual(self.store_stock(), {"MUG-B": 0, "MUG-C": 0})
        self.assertEqual(owed.qty_available, -3)
        self.assertEqual(short.qty_available, 1)

    def test_a_store_that_counts_pieces_gets_no_part_of_one(self):
        kilo = self.env.ref("uom.product_uom_kgm")
        product = self.make_bound("TEA", 4.75, uom_id=kilo.id)
        self.assertEqual(self.sent(product), 4)

    def test_the_noise_of_floating_point_costs_no_piece(self):
        product = self.make_bound("MUG-B")
        for _time in range(10):
            self.env["stock.quant"]._update_available_quantity(
                product, self.warehouse.lot_stock_id, 0.1
            )
        self.assertEqual(self.sent(product), 1)

    def test_a_negative_buffer_is_refused(self):
        with self.assertRaises(Exception) as caught, self.env.cr.savepoint():
            self.inventory_flow.stock_buffer = -1
            self.env.flush_all()
        self.assertIn("_buffer", str(caught.exception))


class TestPlaces(InventoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_warehouse = cls.env["stock.warehouse"].create({"name": "Second", "code": "WH-2"})
        cls.shelf = cls.env["stock.location"].create(
            {"name": "Shelf", "location_id": cls.warehouse.lot_stock_id.id}
        )

    def setUp(self):
        super().setUp()
        self.product = self.make_bound("MUG-B", 10)
        self.set_stock(self.product, 4, self.other_warehouse.lot_stock_id)
        self.env["stock.quant"]._update_available_quantity(self.product, self.shelf, 1)

    def test_all_warehouses_count_where_none_is_chosen(self):
        self.assertEqual(self.sent(self.product), 15)

    def test_only_chosen_warehouses_count(self):
        self.inventory_flow.warehouse_ids = self.other_warehouse
        self.assertEqual(self.sent(self.product), 4)

    def test_only_chosen_locations_count(self):
        self.inventory_flow.location_ids = self.shelf
        self.assertEqual(self.sent(self.product), 1)

    def test_locations_are_added_to_warehouses_and_counted_once(self):
        self.inventory_flow.warehouse_ids = self.other_warehouse
        self.inventory_flow.location_ids = self.shelf
        self.assertEqual(self.sent(self.product), 5)
        self.inventory_flow.warehouse_ids = self.other_warehouse | self.warehouse
        self.inventory_flow.action_sync_now()
        self.assertEqual(self.sent(self.product), 15)

    def test_free_counts_reservations_of_the_place_only(self):
        self.inventory_flow.stock_basis = "free"
        self.inventory_flow.warehouse_ids = self.other_warehouse
        self.order(self.product, 3)
        self.assertEqual(self.sent(self.product), 4)

    def test_a_warehouse_of_another_company_is_refused(self):
        company = self.env["res.company"].create({"name": "Company B"})
        foreign = self.env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
        with self.assertRaises(UserError):
            self.inventory_flow.warehouse_ids = foreign


class TestWhen(InventoryCase):
    def test_an_unbound_product_makes_no_job(self):
        self.make_product("MUG-B", 5)
        self.flush()
        self.assertFalse(self.jobs())

    def test_products_outside_the_filter_make_no_job(self):
        self.inventory_flow.domain = "[('list_price', '>', 5)]"
        self.make_bound("CHEAP", 5, list_price=1)
        dear = self.make_bound("DEAR", 5, list_price=10)
        self.flush()
        self.assertEqual(self.jobs().mapped("res_id"), dear.ids)
        self.assertEqual(
            self.inventory_flow.enqueue(self.env["product.product"].search([]).ids), self.jobs().ids
        )

    def test_a_filter_that_is_none_is_refused(self):
        for domain in ("[('no_such_field', '=', 1)]", "[(", "__import__('os')", "7"):
            with self.subTest(domain=domain), self.assertRaises(ValidationError):
                self.inventory_flow.domain = domain

    def test_a_flow_only_asked_by_hand_makes_no_job(self):
        self.inventory_flow.trigger = "manual"
        product = self.make_bound("MUG-B", 5)
        self.flush()
        self.assertFalse(self.jobs())
        product.action_commerce_push_inventory()
        self.assertEqual(self.sent(product), 5)

    def test_changes_are_noticed_from_the_moment_the_connection_goes_live(self):
        self.connection.state = "draft"
        product = self.make_bound("MUG-B", 5)
        self.flush()
        self.assertFalse(self.jobs())
        self.connection.action_go_live()
        self.set_stock(product, 6)
        self.assertEqual(self.sent(product), 6)

    def test_changes_of_a_paused_connection_wait(self):
        self.connection.action_pause()
        product = self.make_bound("MUG-B", 5)
        self.drain()
        self.assertEqual(self.jobs().state, "pending")
        self.assertFalse(self.store.requests)
        self.connection.action_resume()
        self.assertEqual(self.sent(product), 5)

    def test_an_archived_connection_makes_no_job(self):
        product = self.make_bound("MUG-B", 5)
        self.flush()
        self.connection.active = False
        self.set_stock(product, 6)
        self.drain()
        self.assertEqual(len(self.jobs()), 1)
        self.assertFalse(self.store.requests)
        self.connection.active = True
        self.set_stock(product, 7)
        self.assertEqual(self.sent(product), 7)

    def test_business_goes_on_after_a_connection_was_deleted(self):
        self.inventory_flow.stock_basis = "forecast"
        product = self.make_bound("MUG-B", 5)
        self.flush()
        self.connection.unlink()
        self.receive(product, 5).button_validate()
        self.flush()
        self.assertEqual(product.qty_available, 10)
        self.assertFalse(self.jobs())

    def test_who_changes_stock_needs_no_right_to_the_connection(self):
        product = self.make_bound("MUG-B")
        keeper = new_test_user(self.env, "keeper", "stock.group_stock_user")
        with self.with_user("keeper"):
            self.receive(product.with_user(keeper), 3).button_validate()
        self.assertEqual(self.sent(product), 3)

    def test_without_sku_it_is_said_before_any_request(self):
        product = self.make_bound("MUG-B", 5, name="Blue mug")
        product.default_code = False
        self.drain()
        job = self.jobs()
        self.assertEqual((job.state, job.error_kind), ("failed", "validation"))
        self.assertEqual(
            job.error_message,
            "Cannot send the stock of Blue mug to Demo Store: the product has no SKU.",
        )
        self.assertEqual(job.error_hint, "Set the product's Internal Reference, then press Resend.")
        self.assertFalse(self.store.requests)
        self.assertEqual(self.attempts().error_message, job.error_message)
        product.default_code = "MUG-B"
        job.action_resend()
        self.assertEqual(self.sent(product), 5)
        self.assertEqual(job.state, "done")

    def test_what_did_not_change_is_not_sent_again_but_resend_always_is(self):
        product = self.make_bound("MUG-B", 5)
        self.drain()
        self.inventory_flow.enqueue(product.ids)
        self.drain()
        job = self.jobs()[-1]
        self.assertEqual((job.state, job.outcome), ("done", "unchanged"))
        self.assertEqual(len(self.pushes()), 1)
        job.action_resend()
        self.drain()
        self.assertEqual((job.state, job.outcome), ("done", "updated"))
        self.assertEqual(len(self.pushes()), 2)

    def test_push_now_sends_what_did_not_change(self):
        product = self.make_bound("MUG-B", 5)
        self.drain()
        action = product.product_tmpl_id.action_commerce_push_inventory()
        self.assertEqual(action["params"]["type"], "success")
        self.drain()
        self.assertEqual(len(self.pushes()), 2)

    def test_push_now_says_where_there_is_nothing_to_send(self):
        action = self.make_product("MUG-B").action_commerce_push_inventory()
        self.assertEqual(action["params"]["type"], "warning")

    def test_a_change_while_its_job_runs_makes_a_new_job(self):
        product = self.make_bound("MUG-B", 5)
        self.flush()
        running = queue.claim(
            self.env.cr, self.inventory_flow.id, self.connection.id, 10, 60, "other worker"
        )
        self.set_stock(product, 6)
        self.flush()
        first, second = self.jobs()
        self.assertEqual([job.id for job in running], first.ids)
        self.assertEqual((first.state, second.state), ("running", "pending"))
        self.drain()
        self.assertEqual(second.state, "pending")  # one after the other
        queue.settle(self.env.cr, "other worker", [queue.Move(first.id, "done")])
        self.assertEqual(self.sent(product), 6)

    def test_a_rollback_leaves_no_job(self):
        product = self.make_bound("MUG-B")
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.set_stock(product, 5)
            self.flush()
            self.assertTrue(self.jobs())
            raise ValidationError("no")
        self.flush()
        self.assertFalse(self.jobs())

    def test_what_was_deleted_in_odoo_is_skipped(self):
        product = self.make_bound("MUG-B")
        self.inventory_flow.enqueue(product.ids)
        product.product_tmpl_id.unlink()
        self.drain()
        self.assertEqual((self.jobs().state, self.jobs().outcome), ("done", "skipped"))
        self.assertFalse(self.store.requests)

    def test_archived_products_are_still_counted(self):
        product = self.make_bound("MUG-B", 5)
        product.active = False
        self.assertEqual(self.sent(product), 5)


class TestDryRun(InventoryCase):
    def setUp(self):
        super().setUp()
        self.connection.dry_run = True

    def test_everything_happens_but_the_sending(self):
        product = self.make_bound("MUG-B", 7)
        self.drain()
        self.assertFalse(self.store.requests)
        self.assertEqual((self.jobs().state, self.jobs().outcome), ("done", "dry_run"))
        attempt = self.attempts()
        self.assertEqual((attempt.state, attempt.outcome), ("dry_run", "dry_run"))
        self.assertEqual(attempt.document, product.display_name)
        self.assertIn('"quantity":"7"', attempt.request_summary.replace(" ", ""))

    def test_problems_are_found_too(self):
        product = self.make_bound("MUG-B", 7)
        product.default_code = False
        self.drain()
        self.assertEqual(self.jobs().error_kind, "validation")

    def test_it_needs_no_credentials(self):
        self.connection.set_credentials({"consumer_key": "", "consumer_secret": ""})
        self.make_bound("MUG-B", 7)
        self.drain()
        self.assertEqual(self.jobs().outcome, "dry_run")

    def test_nothing_is_remembered_as_sent(self):
        product = self.make_bound("MUG-B", 7)
        self.drain()
        self.assertFalse(self.env["commerce.sync.state"].search([]))
        self.connection.dry_run = False
        self.inventory_flow.action_sync_now()
        self.assertEqual(self.sent(product), 7)


class TestInWhoseName(InventoryCase):
    """The work is done as the connection's user, in the connection's company."""

    def test_without_the_right_to_see_stock_the_job_fails_in_words(self):
        product = self.make_bound("MUG-B", 5)
        self.connection.user_id = new_test_user(self.env, "clerk", "base.group_user")
        self.inventory_flow.stock_basis = "forecast"
        self.drain()
        job = self.jobs()
        self.assertEqual((job.state, job.error_kind), ("failed", "validation"))
        self.assertIn(
            f"Cannot send the stock of {product.display_name} to Demo Store", job.error_message
        )
        self.assertIn("stock.move", job.error_message)
        self.assertFalse(self.store.requests)

    def test_record_rules_of_the_user_count(self):
        product = self.make_bound("MUG-B", 5)
        seen = self.make_bound("MUG-C", 5)
        self.connection.user_id = new_test_user(self.env, "clerk", "stock.group_stock_user")
        self.env["ir.rule"].create(
            {
                "name": "not this one",
                "model_id": self.env["ir.model"]._get_id("product.product"),
                "domain_force": f"[('id', '!=', {product.id})]",
            }
        )
        self.drain()
        jobs = self.jobs()
        self.assertEqual(jobs.mapped("state"), ["failed", "done"])
        self.assertEqual(jobs[0].error_kind, "validation")
        self.assertEqual(self.store_stock()[seen.default_code], 5)
        self.assertEqual(self.store_stock()["MUG-B"], 0)

    def test_business_goes_on_where_the_connections_user_sees_nothing(self):
        self.inventory_flow.domain = "[('sale_ok', '=', True)]"
        self.connection.user_id = new_test_user(self.env, "clerk", "base.group_user")
        rule = {"name": "none", "model_id": self.env["ir.model"]._get_id("product.product")}
        self.env["ir.rule"].create({**rule, "domain_force": "[(0, '=', 1)]"})
        self.make_bound("MUG-B", 5)
        self.drain()
        self.assertEqual(self.jobs().error_kind, "validation")

    def test_the_user_belongs_to_the_company(self):
        company = self.env["res.company"].create({"name": "Company B"})
        stranger = new_test_user(
            self.env, "stranger", company_id=company.id, company_ids=[Command.set(company.ids)]
        )
        with self.assertRaisesRegex(ValidationError, "stranger.*does not belong to"):
            self.connection.user_id = stranger

    def test_a_user_put_out_of_the_company_stops_the_work_in_words(self):
        clerk = new_test_user(self.env, "clerk", "stock.group_stock_user")
        self.connection.user_id = clerk
        self.make_bound("MUG-B", 5)
        company = self.env["res.company"].create({"name": "Company B"})
        clerk.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        self.drain()
        self.assertEqual((self.jobs().state, self.jobs().error_kind), ("failed", "validation"))
        self.assertFalse(self.store.requests)

    def test_the_mapper_works_as_the_user_in_the_company(self):
        self.assertEqual(self.inventory_flow._get_mapper().env.user, self.connection.user_id)
        self.assertFalse(self.inventory_flow._get_mapper().env.su)
        self.assertEqual(self.inventory_flow._get_mapper().env.company, self.connection.company_id)


class TestCompanies(InventoryCase):
    """Each company has a store; a product without company is sold by both."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company_b = cls.env["res.company"].create({"name": "Company B"})
        cls.env.ref("base.user_admin").company_ids = [Command.link(cls.company_b.id)]
        cls.warehouse_b = cls.env["stock.warehouse"].search(
            [("company_id", "=", cls.company_b.id)], limit=1
        )
        cls.connection_b = cls.env["commerce.connection"].create(
            {
                "name": "Store of B",
                "platform": "woocommerce",
                "address": "http://127.0.0.1:1",
                "company_id": cls.company_b.id,
                "user_id": cls.env.ref("base.user_admin").id,
                "woo_auth": "basic",
                "dry_run": False,
            }
        )
        cls.flow_b = cls.env["commerce.flow"].create(
            {"connection_id": cls.connection_b.id, "kind": "inventory", "stock_basis": "on_hand"}
        )
        cls.connection_b.action_go_live()

    def setUp(self):
        super().setUp()
        self.store_a = self.store
        self.store = type(self.store)()
        self.store.start()
        self.addCleanup(self.store.stop)
        self.connect(self.connection_b)
        self.store_b = self.store

    def publish_in_both(self, product):
        self.store = self.store_a
        self.publish(product, self.connection)
        self.store = self.store_b
        self.publish(product, self.connection_b)

    def stocks(self):
        """``[{sku: quantity} of the store of A, of B]``"""
        stocks = []
        for store in (self.store_a, self.store_b):
            self.store = store
            stocks.append(self.store_stock())
        return stocks

    def test_each_store_gets_the_stock_of_its_company(self):
        product = self.make_product("MUG-B")
        self.assertFalse(product.company_id)
        self.publish_in_both(product)
        self.set_stock(product, 7)
        self.set_stock(product, 2, self.warehouse_b.lot_stock_id)
        self.drain()
        self.assertEqual(self.stocks(), [{"MUG-B": 7}, {"MUG-B": 2}])
        self.assertEqual(self.jobs().company_id, self.env.company | self.company_b)

    def test_a_user_of_one_company_reaches_the_store_of_the_other(self):
        product = self.make_product("MUG-B")
        self.publish_in_both(product)
        keeper = new_test_user(self.env, "keeper", "stock.group_stock_user")
        self.assertNotIn(self.company_b, keeper.company_ids)
        with self.with_user("keeper"):
            self.receive(product.with_user(keeper), 3).button_validate()
        self.drain()
        self.assertEqual(self.stocks(), [{"MUG-B": 3}, {"MUG-B": 0}])

    def test_a_product_of_one_company_is_sent_to_its_store_alone(self):
        product = self.make_product("MUG-B", company_id=self.company_b.id)
        self.store = self.store_b
        self.publish(product, self.connection_b)
        self.set_stock(product, 2, self.warehouse_b.lot_stock_id)
        self.drain()
        self.assertEqual(self.stocks(), [{}, {"MUG-B": 2}])
        self.assertEqual(self.jobs().connection_id, self.connection_b)

    def test_one_store_that_fails_does_not_stop_the_other(self):
        product = self.make_product("MUG-B")
        self.publish_in_both(product)
        self.store_a.fault("down")
        self.set_stock(product, 7)
        self.set_stock(product, 2, self.warehouse_b.lot_stock_id)
        self.drain()
        self.store = self.store_b
        self.assertEqual(self.store_stock(), {"MUG-B": 2})
        self.assertEqual(
            {job.connection_id: job.state for job in self.jobs()},
            {self.connection: "pending", self.connection_b: "done"},
        )


class TestForm(InventoryCase):
    def test_a_flow_is_made_by_form(self):
        self.inventory_flow.unlink()
        with Form(self.env["commerce.flow"]) as form:
            form.connection_id = self.connection
            form.kind = "inventory"
        self.assertEqual(form.record.stock_basis, "free")

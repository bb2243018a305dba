from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from .common import StoreCase


class TestRuns(StoreCase):
    def setUp(self):
        super().setUp()
        self.products = self.env["product.product"]
        for number in range(4):
            self.products |= self.make_product(f"RUN-{number}", quantity=number + 1)
        self.publish(self.products)
        self.flush()

    def start(self):
        action = self.inventory_flow.action_sync_now()
        return self.env[action["res_model"]].browse(action["res_id"])

    def test_a_run_shows_how_far_it_is(self):
        run = self.start()
        self.assertEqual((run.total, run.open_count, run.progress), (4, 4, 0.0))
        self.drain()
        self.assertEqual((run.done_count, run.failed_count, run.progress), (4, 0, 100.0))
        self.assertEqual(self.store_stock()["RUN-3"], 4)

    def test_a_stopped_run_sends_nothing_more(self):
        run = self.start()
        self.assertEqual(run.action_stop(), 4)
        self.drain()
        self.assertEqual(set(self.jobs().mapped("state")), {"cancelled"})
        self.assertFalse(any(self.store_stock().values()))

    def test_a_second_run_sends_only_what_changed(self):
        self.start()
        self.drain()
        self.store.journal.clear()
        self.set_stock(self.products[0], 9)
        run = self.start()
        self.drain()
        outcomes = dict.fromkeys(run.job_ids.mapped("outcome"), 0)
        for job in run.job_ids:
            outcomes[job.outcome] += 1
        self.assertEqual(outcomes, {"updated": 1, "unchanged": 3})
        [request] = self.store.requests
        self.assertEqual(request.items["update"], 1)

    def test_the_nightly_round_finds_what_no_event_told_of(self):
        self.start()
        self.drain()
        self.env.cr.execute(
            "UPDATE stock_quant SET quantity = 42 WHERE product_id = %s AND location_id = %s",
            (self.products[1].id, self.warehouse.lot_stock_id.id),
        )
        self.env.invalidate_all()
        self.env["commerce.flow"]._cron_sweep()
        self.drain()
        self.assertEqual(self.store_stock()["RUN-1"], 42)

    def test_a_flow_that_was_swept_waits_for_its_next_time(self):
        self.env["commerce.flow"]._cron_sweep()
        self.env["commerce.flow"]._cron_sweep()
        self.assertEqual(self.env["commerce.run"].search_count([]), 1)

    def test_only_managers_stop_a_run(self):
        user = new_test_user(self.env, "clerk", groups="commerce_sync.group_user")
        with self.assertRaises(AccessError):
            self.start().with_user(user).action_stop()

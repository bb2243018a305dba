from .common import StoreCase


class TestNames(StoreCase):
    def test_what_has_a_computed_name_is_still_found_by_what_people_type(self):
        product = self.make_product("MUG-B")
        self.publish(product)
        self.set_stock(product, 3)
        run = self.inventory_flow._start_run()
        self.drain()
        matching = self.env["commerce.matching"].create({"connection_id": self.connection.id})
        for record, words in (
            (self.inventory_flow, "Demo"),
            (run, "Demo"),
            (matching, "Demo"),
            (self.jobs(), "MUG-B"),
        ):
            found = dict(record.name_search(words))
            self.assertIn(record.id, found, record._name)

    def test_a_flow_that_is_switched_off_stays_in_the_table_of_its_connection(self):
        self.inventory_flow.active = False
        self.assertIn(self.inventory_flow, self.connection.flow_ids)

    def test_only_what_the_store_took_is_a_success(self):
        product = self.make_product("MUG-B")
        self.publish(product)
        self.store.fault("unauthorized")
        self.set_stock(product, 3)
        self.drain()
        self.assertEqual(self.connection.state, "paused")
        self.assertFalse(self.connection.last_success)

    def test_a_job_that_was_just_resent_is_next(self):
        product = self.make_product("MUG-B")
        self.publish(product)
        self.set_stock(product, 3)
        self.drain()
        job = self.jobs()
        job.action_resend()
        self.assertEqual(job.waiting, "Is next.")

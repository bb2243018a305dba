from .common import StoreCase


class TestInventoryFlow(StoreCase):
    def test_stock_change_arrives_in_the_store(self):
        product = self.make_product("MUG-B")
        self.publish(product)
        self.set_stock(product, 7)
        self.drain()
        self.assertEqual(self.store_stock(), {"MUG-B": 7})
        job = self.jobs()
        self.assertEqual((job.state, job.outcome), ("done", "updated"))
        attempt = self.attempts()
        self.assertEqual((attempt.state, attempt.http_status), ("done", 200))
        self.assertEqual(attempt.document, product.display_name)

    def test_changes_of_one_transaction_make_one_job_each(self):
        products = self.make_product("A-1") | self.make_product("A-2")
        self.publish(products)
        for _time in range(3):
            self.set_stock(products[0], 5)
            self.set_stock(products[0], 6)
            self.set_stock(products[1], 2)
            self.flush()
        self.assertEqual(self.jobs().mapped("res_id"), products.ids)
        self.drain()
        self.assertEqual(self.store_stock(), {"A-1": 6, "A-2": 2})
        self.assertEqual(len(self.store.requests), 2)  # the batch, and the question above

from ..adapters.errors import RateLimited
from ..engine.rate_limit import Throttle
from .common import StoreCase


class TestStoreLimit(StoreCase):
    def throttle(self):
        return Throttle(self.env.registry.cursor, self.connection.id, None, longest_wait=1.0)

    def test_what_the_store_says_of_its_limit_holds_for_all_workers(self):
        product = self.make_product("MUG-B")
        self.publish(product)
        with self.enter_registry_test_mode():
            throttle = self.throttle()
            throttle.put_off(60)
            with self.assertRaises(RateLimited) as caught:
                throttle.before_request()
        self.assertAlmostEqual(caught.exception.retry_after, 60, delta=2)
        self.set_stock(product, 5)
        self.drain()  # another worker
        self.assertEqual((self.jobs().state, self.jobs().attempts), ("pending", 0))
        self.assertFalse(self.store.requests)
        self.be_due()
        self.drain()
        self.assertEqual(self.store_stock(), {"MUG-B": 5})

    def test_a_short_wait_is_waited_for(self):
        with self.enter_registry_test_mode():
            throttle = self.throttle()
            throttle.put_off(0.05)
            throttle.before_request()

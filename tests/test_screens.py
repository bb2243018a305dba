from odoo.tests import HttpCase, tagged

from .common import StoreCase

#: Runs in the page: waits until a text is shown, then tells the test.
WAIT_FOR = """
    const wanted = %r;
    const look = setInterval(() => {
        if (document.body.innerText.includes(wanted)) {
            clearInterval(look);
            console.log("test successful");
        }
    }, 100);
"""


@tagged("post_install", "-at_install", "browser")
class TestScreens(StoreCase, HttpCase):
    """What staff see, in a real browser."""

    def setUp(self):
        super().setUp()
        self.product = self.make_product("MUG-B")
        self.publish(self.product)
        self.product.default_code = False
        self.set_stock(self.product, 3)
        self.drain()

    def see(self, action, text):
        self.browser_js(f"/odoo/action-commerce_sync.{action}", WAIT_FOR % text, login="admin")

    def test_the_overview_says_how_many_jobs_need_a_person(self):
        self.see("commerce_connection_action_overview", "1 jobs need a person.")

    def test_problems_say_what_is_wrong_and_what_to_do(self):
        self.see("commerce_problem_action", "The product has no SKU")
        self.see("commerce_problem_action", "Set the product's Internal Reference")

    def test_the_sync_log_shows_the_try(self):
        self.see("commerce_attempt_action", "the product has no SKU")

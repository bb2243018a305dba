from unittest.mock import patch

from lxml import etree
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tests.common import release_test_lock

from ..engine.direct import work_on
from ..models import job_resend
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

    def test_a_problem_is_repaired_and_resent(self):
        self.product.default_code = "MUG-B"
        self.flush()

        def beside_the_request(*arguments):
            # the request's thread lets the worker's threads have their cursors, as in a drain
            with release_test_lock():
                return work_on(*arguments)

        with patch.object(job_resend, "work_on", beside_the_request):
            self.start_tour("/odoo/commerce-problems", "commerce_sync_repair", login="admin")
        self.assertEqual(self.store_stock(), {"MUG-B": 3})

    def test_a_product_says_why_it_was_not_sent(self):
        action = "action-product.product_normal_action"
        self.start_tour(
            f"/odoo/{action}/{self.product.id}", "commerce_sync_document", login="admin"
        )

    def test_a_new_connection_is_set_up_along_its_steps(self):
        connection = self.env["commerce.connection"].create(
            {
                "name": "New Shop",
                "platform": "woocommerce",
                "address": self.store.url,
                "woo_auth": "basic",
                "user_id": self.env.ref("base.user_admin").id,
            }
        )
        self.connect(connection)
        self.start_tour(
            f"/odoo/commerce-connections/{connection.id}", "commerce_sync_set_up", login="admin"
        )
        self.assertEqual((connection.state, connection.dry_run), ("live", True))
        self.assertIn("inventory", connection.flow_ids.filtered("active").mapped("kind"))

    def test_a_commerce_user_finds_nothing_to_configure(self):
        new_test_user(self.env, "clerk", "commerce_sync.group_user")
        self.start_tour("/odoo/commerce-sync", "commerce_sync_clerk", login="clerk")

    def test_a_commerce_user_sees_no_credentials_and_configures_nothing(self):
        user = new_test_user(self.env, "clerk", "commerce_sync.group_user")
        arch = etree.fromstring(
            self.env["commerce.connection"].with_user(user).get_view(view_type="form")["arch"]
        )
        for name in ("credential_ids", "checklist", "webhook_url"):
            self.assertFalse(arch.xpath(f"//field[@name='{name}']"), name)
        for name in ("action_go_live", "action_pause", "action_test"):
            self.assertFalse(arch.xpath(f"//button[@name='{name}']"), name)

"""Failed jobs grouped by what is wrong, and what people do about them."""

from contextlib import contextmanager

from odoo.exceptions import AccessError
from odoo.tests import new_test_user
from odoo.tests.common import release_test_lock

from ..engine.problems import headline, problem_key
from .common import StoreCase


class ProblemCase(StoreCase):
    @contextmanager
    def at_once(self):
        """What a button's request does: the engine works beside it, on its own cursors."""
        self.flush()
        with self.enter_registry_test_mode(), release_test_lock():
            yield

    def problems(self):
        return self.env["commerce.problem"].search([])

    def make_bound(self, sku, quantity=3):
        product = self.make_product(sku)
        self.publish(product)
        self.set_stock(product, quantity)
        return product

    def lose_skus(self, *skus):
        """Products the store has, that lost their SKU in Odoo: each has a failed job."""
        products = self.env["product.product"]
        for sku in skus:
            products |= self.make_bound(sku)
        products.default_code = False
        self.drain()
        return products


class TestHeadlines(StoreCase):
    def test_what_is_particular_to_a_document_takes_no_part(self):
        one = ("Cannot send invoice INV/1 to Shop: line 2 'Mug' has no SKU.", "INV/1")
        other = ("Cannot send invoice INV/27 to Shop: line 5 'Mug' has no SKU.", "INV/27")
        self.assertEqual(headline(*one), "Line … 'Mug' has no SKU.")
        self.assertEqual(problem_key("validation", "", *one), problem_key("validation", "", *other))

    def test_a_sku_is_what_has_to_be_mended(self):
        words = "Cannot import order 7 from Shop: SKU unknown ABC-123."
        self.assertEqual(headline(words, "7"), "SKU unknown ABC-123.")
        other = headline(words.replace("ABC-123", "ABC-124"), "7")
        self.assertNotEqual(headline(words, "7"), other)

    def test_another_kind_or_code_is_another_problem(self):
        keys = {problem_key(*case) for case in (("a", "1", "x"), ("b", "1", "x"), ("a", "2", "x"))}
        self.assertEqual(len(keys), 3)
        self.assertIsNone(problem_key(None, None, ""))


class TestProblems(ProblemCase):
    def test_failed_jobs_with_one_cause_are_one_problem(self):
        self.lose_skus("MUG-A", "MUG-B", "MUG-C")
        problem = self.problems()
        self.assertEqual(problem.count, 3)
        self.assertEqual(problem.name, "The product has no SKU.")
        self.assertIn("Internal Reference", problem.hint)
        self.assertIn("Product MUG-A", problem.documents)

    def test_resending_a_group_shows_at_once_what_came_of_it(self):
        products = self.lose_skus("MUG-A", "MUG-B")
        for number, product in enumerate(products):
            product.default_code = f"MUG-{number}"
        problem = self.problems()
        with self.at_once():
            notification = problem.action_resend()
        self.assertEqual(notification["params"]["message"], "2 sent.")
        self.assertEqual(set(self.store_stock().values()), {3})
        self.assertFalse(problem.active)

    def test_one_that_still_fails_says_why_at_once(self):
        self.lose_skus("MUG-A")
        with self.at_once():
            params = self.problems().action_resend()["params"]
        self.assertEqual(params["type"], "danger")
        self.assertIn("the product has no SKU", params["message"])
        self.assertIn("Internal Reference", params["message"])

    def test_while_the_connection_is_paused_it_waits_and_says_so(self):
        self.lose_skus("MUG-A")
        self.connection.action_pause()
        with self.at_once():
            params = self.problems().action_resend()["params"]
        self.assertIn("Demo Store is paused.", params["message"])

    def test_one_notice_for_each_kind_of_problem_with_its_count(self):
        self.lose_skus("MUG-A", "MUG-B")
        notice = self.connection.activity_ids.filtered("commerce_error_kind")
        self.assertEqual(notice.summary, "Demo Store: 2 documents, incomplete in odoo")
        self.lose_skus("MUG-C")
        self.assertEqual(notice.summary, "Demo Store: 3 documents, incomplete in odoo")
        self.assertEqual(len(self.connection.activity_ids), 1)
        self.problems().action_cancel()
        self.assertFalse(self.connection.activity_ids)
        self.assertFalse(self.problems())

    def test_a_colleague_takes_a_problem_on(self):
        self.lose_skus("MUG-A")
        clerk = new_test_user(self.env, "clerk", "commerce_sync.group_user")
        problem = self.problems().with_user(clerk)
        problem.user_id = clerk
        self.assertEqual(self.problems().activity_ids.user_id, clerk)
        with self.assertRaises(AccessError):
            problem.name = "Nothing is wrong"

    def test_a_manager_corrects_what_is_sent_this_once(self):
        product = self.make_bound("MUG-A")
        external_id = self.connection._bindings("variant", product)[product.id].external_id
        self.store.fault("bad_item", id=external_id, message="Too many.", times=1)
        self.drain()
        job = self.jobs()
        action = job.action_correct()
        wizard = self.env["commerce.correction"].browse(action["res_id"])
        line = wizard.line_ids.filtered(lambda line: line.path == "levels.0.quantity")
        line.value = "2"
        with self.at_once():
            params = wizard.action_send()["params"]
        self.assertEqual(params["type"], "success", params)
        self.assertEqual(self.store_stock(), {"MUG-A": 2})
        self.assertEqual(self.attempts()[-1].correction, "levels.0.quantity")
        self.assertFalse(job.correction)
        with self.assertRaises(AccessError):
            clerk = new_test_user(self.env, "clerk", "commerce_sync.group_user")
            job.with_user(clerk).action_correct()


class TestDocumentStatus(ProblemCase):
    def status(self, record, user=None):
        flow = self.env["commerce.flow"].with_user(user or self.env.user)
        return flow.get_document_status(record._name, record.id)

    def test_a_product_says_where_it_is(self):
        product = self.make_bound("MUG-A")
        self.drain()
        for record in (product, product.product_tmpl_id):
            [store] = self.status(record)["stores"]
            self.assertEqual((store["connection"], store["state"]), ("Demo Store", "ok"))
            self.assertRegex(store["text"], r"^up to date, sent \d\d:\d\d$")
            self.assertIn("post.php?post=", store["url"])

    def test_whoever_sees_the_document_sees_its_problems(self):
        product = self.lose_skus("MUG-A")
        reader = new_test_user(self.env, "reader", "base.group_user")
        status = self.status(product, reader)
        self.assertEqual(status["stores"][0]["text"], "not sent, 1 problem")
        self.assertEqual((status["problems"], status["can_resend"]), (1, False))
        [line] = (
            self.env["commerce.flow"]
            .with_user(reader)
            .get_document_history("product.product", product.id)
        )
        self.assertIn("has no SKU", line["message"])

    def test_whoever_may_not_see_the_document_sees_nothing(self):
        product = self.make_bound("MUG-A")
        stranger = new_test_user(self.env, "stranger", "base.group_portal")
        with self.assertRaises(AccessError):
            self.status(product, stranger)

    def test_resend_on_the_document_sends_it_at_once(self):
        product = self.lose_skus("MUG-A")
        product.default_code = "MUG-A"
        with self.at_once():
            message = self.env["commerce.flow"].resend_document("product.product", product.id)
        self.assertEqual(message, "[MUG-A] Product MUG-A was sent.")
        self.assertEqual(self.status(product)["stores"][0]["state"], "ok")

    def test_the_form_of_a_kind_that_is_sent_shows_it(self):
        arch = self.env["product.product"].get_view(view_type="form")["arch"]
        self.assertIn("commerce_document_status", arch)
        arch = self.env["res.currency"].get_view(view_type="form")["arch"]
        self.assertNotIn("commerce_document_status", arch)


class TestLookup(ProblemCase):
    """Found by what people have in hand."""

    def look_for(self, text, model="commerce.attempt"):
        return self.env[model].search([("look_for", "ilike", text)])

    def test_a_sku_finds_what_was_sent_of_the_product(self):
        product, other = self.make_bound("MUG-A"), self.make_bound("CUP-B")
        self.drain()
        for model in ("commerce.attempt", "commerce.job"):
            for text in ("MUG-A", "mug-a", "Product MUG"):
                with self.subTest(model=model, text=text):
                    self.assertEqual(self.look_for(text, model).mapped("res_id"), [product.id])
        self.assertTrue(self.look_for("CUP-B").mapped("res_id"), [other.id])

    def test_an_external_id_finds_it(self):
        product = self.make_bound("MUG-A")
        self.drain()
        external_id = self.connection._bindings("variant", product)[product.id].external_id
        self.assertEqual(self.look_for(external_id).mapped("res_id"), [product.id])

    def test_signs_stand_for_themselves(self):
        self.make_bound("MUG-A")
        self.drain()
        self.assertFalse(self.look_for("%"))
        self.assertFalse(self.look_for("M_G-A"))


class TestPreview(ProblemCase):
    def test_it_says_what_would_be_sent_and_sends_nothing(self):
        product = self.make_bound("MUG-A")
        lost = self.make_bound("LOST")
        self.drain()
        self.set_stock(product, 5)
        lost.default_code = False
        requests = len(self.store.requests)
        action = self.connection.action_preview()
        preview = self.env["commerce.preview"].browse(action["res_id"])
        self.assertEqual(len(self.store.requests), requests)
        self.assertEqual((preview.changed_count, preview.problem_count), (1, 1))
        line = preview.line_ids.filtered(lambda line: line.state == "send")
        self.assertEqual(line.difference, "levels 1 quantity: 3 → 5")
        self.assertEqual(line.document, "[MUG-A] Product MUG-A")


class TestBulkResend(ProblemCase):
    def test_the_count_comes_first_and_a_run_shows_the_progress(self):
        self.lose_skus("MUG-A", "MUG-B")
        wizard = self.env["commerce.bulk.resend"].create({"error_text": "no SKU"})
        self.assertEqual(wizard.count, 2)
        wizard.error_kind = "rejected"
        self.assertEqual(wizard.count, 0)
        wizard.error_kind = "validation"
        action = wizard.action_resend()
        run = self.env["commerce.run"].search(action["domain"])
        self.assertEqual((run.total, run.open_count), (2, 2))
        self.assertEqual(set(self.jobs().mapped("state")), {"pending"})


class TestOverview(ProblemCase):
    def test_the_card_says_what_happened(self):
        self.make_bound("MUG-A")
        self.drain()
        self.assertEqual(self.connection.today_count, 1)
        [line] = self.connection.last_by_flow
        self.assertEqual(line["flow"], "Stock")
        self.assertTrue(line["at"])
        self.assertFalse(self.connection.oldest_waiting)
        self.make_bound("MUG-B")
        self.flush()
        self.connection.invalidate_recordset()
        self.assertTrue(self.connection.oldest_waiting)
        self.connection.action_pause()
        self.assertEqual(self.connection.health_since, self.connection.paused_at)

    def test_a_connection_that_comes_back_says_so(self):
        with self.enter_registry_test_mode():
            self.connection._line_changed("opened", "no answer")
            self.connection._line_changed("closed", "")
        self.assertFalse(self.connection.activity_ids)

    def test_the_digest_is_written_only_where_it_is_wanted(self):
        mails = self.env["mail.mail"]
        before = mails.search_count([])
        self.env["commerce.connection"]._cron_digest()
        self.assertEqual(mails.search_count([]), before)
        self.lose_skus("MUG-A")
        self.connection.digest = True
        self.env["commerce.connection"]._cron_digest()
        mail = mails.search([], limit=1, order="id desc")
        self.assertEqual(mail.subject, "Demo Store: 1 problems, 0 waiting")
        self.assertIn("The product has no SKU", mail.body_html)


class TestSetUp(ProblemCase):
    def test_the_checklist_leads_from_nothing_to_live(self):
        connection = self.env["commerce.connection"].create(
            {
                "name": "New",
                "platform": "woocommerce",
                "address": self.store.url,
                "woo_auth": "basic",
                "user_id": self.env.ref("base.user_admin").id,
            }
        )

        def missing():
            connection.invalidate_recordset()
            return [s["key"] for s in connection.checklist if not (s["done"] or s["optional"])]

        self.assertEqual(missing(), ["credentials", "test", "flows", "variant", "live"])
        self.connect(connection)
        connection.action_step("test")
        connection.action_step("flows")
        self.assertEqual(missing(), ["variant", "live"])
        action = connection.action_step("variant")
        self.assertEqual(action["res_model"], "commerce.matching")
        self.publish(self.make_product("MUG-A"), connection)
        self.assertEqual(connection.action_step("preview")["res_model"], "commerce.preview")
        connection.action_step("live")
        self.assertTrue(connection.dry_run)
        connection.action_step("live")
        self.assertFalse(connection.dry_run)
        self.assertEqual(missing(), [])
        self.assertEqual(connection.missing_count, 0)

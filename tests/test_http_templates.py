from .test_http_flows import NAME, HttpCase


class TestTemplates(HttpCase):
    def make(self, template):
        wizard = self.env["commerce.flow.template"].create(
            {"connection_id": self.system.id, "template": template}
        )
        flow = self.env["commerce.flow"].browse(wizard.action_make()["res_id"])
        flow.active = True
        return flow

    def test_every_template_of_an_installed_app_makes_a_flow(self):
        for name in self.env["commerce.flow"]._get_templates():
            with self.subTest(template=name):
                self.assertTrue(self.make(name).mapping_line_ids)

    def test_a_flow_survives_export_and_import(self):
        flow = self.make_flow([NAME], record_success="body.ok", record_batch=5)
        config = flow.export_config()
        copy = self.env["commerce.flow"].browse(
            self.env["commerce.flow"].import_config(self.system.id, config)
        )
        self.assertEqual(copy.export_config(), config)
        self.assertFalse(copy.active)

    def test_a_change_of_stock_is_sent_in_batches(self):
        self.make("stock_to_storefronts").domain = "[('default_code', 'like', 'TPL-')]"
        product = self.make_product("TPL-1", quantity=5)
        self.drain()
        self.set_stock(product, 3)
        self.drain()
        sent = [level["available"] for body in self.bodies() for level in body["levels"]]
        self.assertEqual(sent[-1], 3.0)

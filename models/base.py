from lxml import etree
from odoo import api, models


class Base(models.AbstractModel):
    _inherit = "base"

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type == "form" and self._name in self.env["commerce.flow"]._document_models():
            _show_stores(arch)
        return arch, view


def _show_stores(arch):
    """Have a form say where its document is: a smart button, and a line in words.

    Done here and not in a view of each model, for any model can have a flow, also one of an app
    that this one does not depend on (``crm.lead``)."""
    sheet = arch.find("sheet")
    if sheet is None:
        return
    line = etree.Element("widget", name="commerce_document_status")
    sheet.addprevious(line)
    box = arch.find(".//div[@name='button_box']")
    if box is not None:
        box.insert(0, etree.Element("widget", name="commerce_document_button"))

"""Product templates with their variants -> products."""

from collections import Counter
from decimal import Decimal

from odoo.fields import Domain
from odoo.tools import SQL, is_html_empty, plaintext2html
from odoo.tools.misc import limited_field_access_token

from ..adapters.documents import (
    PRODUCT_FIELDS,
    Product,
    ProductImage,
    ProductOption,
    ProductVariant,
)
from .base import Mapper, Problem, Problems, Skip, register
from .money import quantity
from .price import PriceMapper

KILOGRAMS_PER_POUND = Decimal("0.45359237")
#: Of the file name in an image's address, by which stores judge what it is.
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif"}


@register
class ProductMapper(Mapper):
    kind = "product"
    model = "product.template"
    resource = "product"
    binds = True
    parts = {"variant": "product.product"}
    personal = False

    # === WHICH === #

    def due(self, record_ids=None):
        """Products that are in the store and match the flow's domain; where the flow creates
        products, also those that are not there yet."""
        if record_ids is not None and not record_ids:
            return []
        found, domain = self._bound_templates(record_ids), self.flow._get_domain()
        templates_sudo = self.env[self.model].sudo().with_context(active_test=False)
        if found and not domain.is_true():
            found = templates_sudo.search(domain & Domain("id", "in", found)).ids
        if self.flow.product_scope == "filter":
            chosen = Domain("id", "in", record_ids) if record_ids is not None else Domain.TRUE
            found = {*found, *templates_sudo.search(domain & chosen & self._new()).ids}
        return sorted(found)

    def _new(self):
        """What may be created in the store."""
        company = self.connection.company_id
        return Domain(
            [
                ("active", "=", True),
                ("sale_ok", "=", True),
                ("company_id", "in", [False, company.id]),
            ]
        )

    def _bound_templates(self, record_ids):
        """Templates that are bound, or of which a variant is."""
        self.env["commerce.binding"].flush_model()
        self.env["product.product"].flush_model(["product_tmpl_id"])
        chosen = SQL("TRUE") if record_ids is None else SQL("id = ANY(%s)", list(record_ids))
        self.env.cr.execute(
            SQL(
                """SELECT id FROM (
                          SELECT res_id AS id FROM commerce_binding
                           WHERE connection_id = %(connection)s AND resource = 'product'
                             AND model = 'product.template'
                          UNION
                          SELECT variant.product_tmpl_id FROM commerce_binding AS binding
                            JOIN product_product AS variant ON variant.id = binding.res_id
                           WHERE binding.connection_id = %(connection)s
                             AND binding.resource = 'variant'
                             AND binding.model = 'product.product') AS bound
                    WHERE %(chosen)s ORDER BY id""",
                connection=self.connection.id,
                chosen=chosen,
            )
        )
        return [template_id for (template_id,) in self.env.cr.fetchall()]

    # === DOCUMENTS === #

    def prepare(self, records):
        records = records.with_context(active_test=False)
        variants = records.product_variant_ids
        bound = self.connection._bindings(self.resource, records)
        parts = self.connection._bindings("variant", variants)
        seen = self.flow._seen(records.ids)
        images = self._images(records, variants)
        prices = self._prices(variants)
        return {
            record.id: self._product(
                _Known(record, bound, parts, seen.get(record.id, {}), images, prices)
            )
            for record in records
        }

    def intro(self, label):
        return self.env._(
            "Cannot send product %(product)s to %(store)s",
            product=label,
            store=self.connection.name,
        )

    def _product(self, known):
        record, label = known.record, known.record.display_name
        if not known.external_ids and not record.active:
            return Skip(self.env._("The product is archived, and not in the store."), label)
        if not known.external_ids and self.flow.product_scope != "filter":
            return Skip(self.env._("The product is not matched with one of the store."), label)
        document = self._document(known, label)
        problems = [*self._problems(document, known), *self._over_limits(document)]
        return Problems(label, tuple(problems)) if problems else document

    def _document(self, known, label):
        record, new = known.record, not known.external_ids
        owned = tuple(PRODUCT_FIELDS) if new else self._owned(record)
        variants, options = self._sold(known), self._options(known)
        given = {
            "name": record.name or "",
            "description": self._description(record),
            "status": self._status(record, new),
            "category": self._category(record),
            "tags": tuple(record.product_tag_ids.mapped("name")),
            "images": known.images.get(record._name, {}).get(record.id, ()),
        }
        return Product(
            label=label,
            external_id=next(iter(known.external_ids), ""),
            variants=tuple(self._variant(known, one, options, owned) for one in variants),
            options=tuple(ProductOption(name=name, values=values) for name, values in options),
            owned=owned,
            handle=f"{self.env['ir.http']._slug(record)}",
            reference=self._reference(record),
            seen=known.seen,
            **{name: value for name, value in given.items() if name in owned},
        )

    def _owned(self, record):
        """What is Odoo's to say of a product that is in the store. One that its staff put on sale
        is only ever taken off."""
        owned = self.flow._owned_fields()
        if self.flow.product_status == "draft" and record.active:
            return tuple(name for name in owned if name != "status")
        return owned

    def _status(self, record, new):
        if not record.active:
            return "archived"
        return self.flow.product_status if new else "active"

    def _description(self, record):
        html = record.description_ecommerce if "description_ecommerce" in record else ""
        if html and not is_html_empty(html):
            return str(html)
        return str(plaintext2html(record.description_sale)) if record.description_sale else ""

    def _category(self, record):
        names, category = [], record.categ_id
        while category:
            names.insert(0, category.name)
            category = category.parent_id
        return tuple(names)

    def _reference(self, record):
        database = self.env["ir.config_parameter"].sudo().get_param("database.uuid", "")
        return f"{database[:13]}:{record._name}:{record.id}"

    # === VARIANTS === #

    def _sold(self, known):
        """The active variants, and those archived that the store knows."""
        record = known.record
        return record.product_variant_ids.filtered(
            lambda one: one.active or not record.active or one.id in known.parts
        )

    def _options(self, known):
        """``[(name, values in their order)]`` of what the variants differ in."""
        values = self._sold(known).product_template_attribute_value_ids
        found = []
        for line in known.record.attribute_line_ids:
            own = values.filtered(lambda value, line=line: value.attribute_line_id == line)
            if len(own) > 1:
                found.append((line.attribute_id.name, tuple(own.mapped("name"))))
        return found

    def _variant(self, known, record, options, owned):
        binding = known.parts.get(record.id)
        names = {
            value.attribute_id.name: value.name
            for value in record.product_template_attribute_value_ids
        }
        given = {
            "sku": record.default_code or "",
            "barcode": record.barcode or "",
            "weight": self._weight(record),
            "price": known.prices.get(record.id),
        }
        images = known.images.get(record._name, {}).get(record.id, ())
        return ProductVariant(
            external_id=binding.external_id if binding else "",
            values=tuple(names.get(name, "") for name, _values in options),
            tracked=record.is_storable,
            active=record.active,
            image=images[0] if images and "images" in owned else None,
            handles=(binding.handles or {}) if binding else {},
            record_id=record.id,
            **{name: value for name, value in given.items() if name in owned or not binding},
        )

    def _weight(self, record):
        weight = quantity(record.weight)
        pounds = self.env["ir.config_parameter"].sudo().get_param("product.weight_in_lbs") == "1"
        return quantity(weight * KILOGRAMS_PER_POUND) if pounds else weight

    def _prices(self, variants):
        """As the connection's flow of prices says, else the sales price; none in a currency that
        is not the store's."""
        flows = self.connection.flow_ids.filtered(lambda flow: flow.kind == "price" and flow.active)
        mapper = PriceMapper(flows[:1].sudo() or self.flow)
        if mapper.flow._price_currency_problem():
            return {}
        return {number: price for number, (price, _before) in mapper.prices(variants).items()}

    # === IMAGES === #

    def _images(self, records, variants):
        """``{model: {record id: images}}``, told apart by the checksums of their attachments: the
        files themselves are not read."""
        wanted = [(records, "image_1920"), (variants, "image_variant_1920")]
        found = {}
        for owners, field in wanted:
            attachments_sudo = (
                self.env["ir.attachment"]
                .sudo()
                .search(
                    [
                        ("res_model", "=", owners._name),
                        ("res_field", "=", field),
                        ("res_id", "in", owners.ids),
                    ]
                )
            )
            found[owners._name] = {
                one.res_id: (self._image(owners.browse(one.res_id), field, one),)
                for one in attachments_sudo
            }
        return found

    def _image(self, owner, field, attachment):
        """With an address that works without signing in, for some weeks."""
        kind = attachment.mimetype or "image/png"
        name = f"{owner._name.replace('.', '-')}-{owner.id}.{EXTENSIONS.get(kind, 'png')}"
        token = limited_field_access_token(owner.sudo(), field, scope="binary")
        place = f"/web/image/{owner._name}/{owner.id}/{field}/{name}?access_token={token}"
        return ProductImage(
            checksum=attachment.checksum or "",
            name=name,
            mimetype=kind,
            url=owner.get_base_url() + place,
        )

    # === WHAT IS MISSING === #

    def _problems(self, document, known):
        if len(known.external_ids) > 1:
            yield Problem(
                self.env._(
                    "its variants belong to several products of the store (%s)",
                    ", ".join(sorted(known.external_ids)),
                ),
                self.env._("Match the product again (Configuration > Matching)."),
            )
        if "name" in document.owned and not document.name.strip():
            yield Problem(self.env._("it has no name"), self.env._("Give it one."))
        if not document.variants:
            yield Problem(
                self.env._("it has no variants"),
                self.env._("Create its variants in Odoo first, then press Resend."),
            )
        yield from self._variant_problems(document, known.record)
        if any(one.price is None and not one.external_id for one in document.variants):
            words = self.flow._price_currency_problem() or self.env._("it has no price")
            yield Problem(
                words, self.env._("Choose a pricelist in the store's currency in the Prices flow.")
            )

    def _variant_problems(self, document, record):
        names = {one.id: one.display_name for one in record.product_variant_ids}
        if "sku" not in document.owned:
            return
        skus = Counter(variant.sku for variant in document.variants)
        for variant in document.variants:
            if not variant.sku:
                yield Problem(
                    self.env._("variant '%s' has no SKU", names[variant.record_id]),
                    self.env._("Set the product's Internal Reference, then press Resend."),
                )
        for sku in [sku for sku, count in skus.items() if sku and count > 1]:
            yield Problem(
                self.env._("several of its variants have SKU %s", sku),
                self.env._("Give each variant an Internal Reference of its own."),
            )

    def _over_limits(self, document):
        """What is longer, or more, than the platform takes."""
        limits = self.flow._get_supported()[self.kind].limits
        sizes = {
            self.env._("characters of the name"): ("name", len(document.name)),
            self.env._("variants"): ("variants", len(document.variants)),
            self.env._("attributes"): ("options", len(document.options)),
            self.env._("tags"): ("tags", len(document.tags)),
            self.env._("images"): ("images", len(document.images)),
            self.env._("characters of a SKU"): (
                "sku",
                max((len(variant.sku) for variant in document.variants), default=0),
            ),
        }
        for words, (name, size) in sizes.items():
            if name in limits and size > limits[name]:
                yield Problem(
                    self.env._(
                        "the store takes %(limit)s %(what)s at most, here are %(size)s",
                        limit=limits[name],
                        what=words,
                        size=size,
                    ),
                    self.env._("Shorten or split the product, then press Resend."),
                )


class _Known:
    """A template with all that was read for it."""

    def __init__(self, record, bound, parts, seen, images, prices):
        self.record = record
        self.parts = {
            variant.id: parts[variant.id]
            for variant in record.product_variant_ids
            if variant.id in parts
        }
        self.seen = seen
        self.images = images
        self.prices = prices
        self.external_ids = self._external_ids(bound.get(record.id))

    def _external_ids(self, binding):
        """Of the product in the store: its own, else what its variants were matched with. A simple
        product is its own variant there, without a parent."""
        if binding:
            return {binding.external_id}
        return {part.parent_id or part.external_id for part in self.parts.values()}

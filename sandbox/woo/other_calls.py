"""What the addresses of customers, webhooks and of the store itself do."""

from . import customers, info, products, webhooks
from .calls import check_force, created, listing, refuse_own_id, run_batch

# === CUSTOMERS === #


def list_customers(call):
    def show(documents):
        return [customers.show(call.site, document) for document in documents]

    conditions = customers.list_conditions(call.site, call.params)
    return listing(call, customers.KIND, conditions, customers.order_by(call.params), show)


def get_customer(call):
    return customers.show(call.site, customers.get(call.site, call.id))


def create_customer(call):
    return created(call, _create_customer(call, call.params))


def _create_customer(call, item):
    refuse_own_id(item, "customer")
    return customers.show(call.site, customers.create(call.site, item))


def update_customer(call):
    return _update_customer(call, call.id, call.params)


def _update_customer(call, customer_id, item):
    customer = customers.get(call.site, customer_id, 400)
    return customers.show(call.site, customers.update(call.site, customer, item))


def delete_customer(call):
    check_force(call, "Customers")
    return _delete_customer(call, call.id)


def _delete_customer(call, customer_id):
    customer = customers.get(call.site, customer_id)
    call.site.store.delete(customers.KIND, customer_id)
    call.site.emit("customer.deleted", customer_id)
    return customers.show(call.site, customer)


def batch_customers(call):
    return run_batch(call, customers.KIND, _create_customer, _update_customer, _delete_customer)


# === WEBHOOKS === #


def list_webhooks(call):
    def show(documents):
        return [webhooks.show(call.site, document) for document in documents]

    conditions = webhooks.list_conditions(call.site, call.params)
    return listing(call, webhooks.KIND, conditions, products.order_by(call.params), show)


def get_webhook(call):
    return webhooks.show(call.site, webhooks.get(call.site, call.id, 400))


def create_webhook(call):
    return created(call, _create_webhook(call, call.params))


def _create_webhook(call, item):
    refuse_own_id(item, "shop_webhook")
    return webhooks.show(call.site, webhooks.create(call.site, item))


def update_webhook(call):
    return _update_webhook(call, call.id, call.params)


def _update_webhook(call, webhook_id, item):
    webhook = webhooks.get(call.site, webhook_id, 400)
    return webhooks.show(call.site, webhooks.update(call.site, webhook, item))


def delete_webhook(call):
    check_force(call, "Webhooks")
    return _delete_webhook(call, call.id)


def _delete_webhook(call, webhook_id):
    webhook = webhooks.get(call.site, webhook_id)
    call.site.store.delete(webhooks.KIND, webhook_id)
    return webhooks.show(call.site, webhook)


def batch_webhooks(call):
    return run_batch(call, webhooks.KIND, _create_webhook, _update_webhook, _delete_webhook)


# === THE STORE ITSELF === #


def told(describe):
    """A handler of an address that only tells something: ``describe(site, params)``."""
    return lambda call: describe(call.site, call.params)


def get_currency(call):
    return info.currency(call.site, call.ids["code"].upper())

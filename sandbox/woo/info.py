"""What a store says of itself: WordPress's index, system status, settings, taxes, zones."""

from . import orders, products

CURRENCIES = {  # code -> (name, symbol as WooCommerce writes it)
    "EUR": ("Euro", "&euro;"),
    "USD": ("United States (US) dollar", "$"),
    "GBP": ("Pound sterling", "&pound;"),
    "CHF": ("Swiss franc", "CHF"),
    "SEK": ("Swedish krona", "kr"),
    "JPY": ("Japanese yen", "&yen;"),
}
NAMESPACES = ("oembed/1.0", "wc/v1", "wc/v2", "wc/v3", "wc-analytics", "wc/store/v1", "wp/v2")
GATEWAYS = (
    ("bacs", "Direct bank transfer", True),
    ("cheque", "Check payments", False),
    ("cod", "Cash on delivery", True),
    ("sandbox_card", "Card (invented)", True),
)
ZONES = ((0, "Locations not covered by your other zones", 0), (1, "Domestic", 1))


def index(site, params):
    """``/wp-json/``: open to everybody, no key needed."""
    return {
        "name": site.title,
        "description": "Invented goods for invented people",
        "url": site.url,
        "home": site.url,
        "gmt_offset": site.utc_offset.total_seconds() / 3600,
        "timezone_string": "",
        "page_for_posts": 0,
        "page_on_front": 0,
        "show_on_front": "posts",
        "namespaces": list(NAMESPACES),
        "authentication": {},
        "routes": {},
    }


def namespace_index(site, params):
    return {"namespace": "wc/v3", "routes": {}}


def system_status(site, params):
    """The parts a connection test reads: who answers there, in which version."""
    return {
        "environment": {
            "home_url": site.url,
            "site_url": site.url,
            "version": site.version,
            "wp_version": site.wp_version,
            "wp_multisite": False,
            "wp_memory_limit": 268435456,
            "server_info": "sandbox",
            "php_version": "8.3.0",
            "language": "en_US",
        },
        "database": {"wc_database_version": site.version, "database_prefix": "wp_"},
        "active_plugins": [
            {
                "plugin": "woocommerce/woocommerce.php",
                "name": "WooCommerce",
                "version": site.version,
            }
        ],
        "theme": {"name": "Sandbox", "version": "1.0"},
        "settings": {
            "api_enabled": True,
            "force_ssl": False,
            "currency": site.currency,
            "currency_symbol": site.currency_symbol(site.currency),
            "currency_position": "left",
            "thousand_separator": ",",
            "decimal_separator": ".",
            "number_of_decimals": 2,
            "geolocation_enabled": False,
            "HPOS_enabled": True,
        },
        "security": {"secure_connection": False, "hide_errors": True},
        "pages": [],
        "post_type_counts": [
            {"type": "product", "count": str(site.store.count(products.KIND))},
            {"type": "shop_order", "count": str(site.store.count(orders.KIND))},
        ],
    }


def current_currency(site, params):
    return currency(site, site.currency)


def currency(site, code):
    name = CURRENCIES.get(code, (code, code))[0]
    return {"code": code, "name": name, "symbol": site.currency_symbol(code)}


def general_settings(site, params):
    values = {
        "woocommerce_currency": ("Currency", "select", site.currency),
        "woocommerce_default_country": ("Country / State", "select", site.country),
        "woocommerce_calc_taxes": ("Enable taxes", "checkbox", "yes"),
        "woocommerce_price_num_decimals": ("Number of decimals", "number", "2"),
    }
    return [_setting("general", name, *value) for name, value in values.items()]


def product_settings(site, params):
    unit = site.settings()["weight_unit"]
    return [_setting("products", "woocommerce_weight_unit", "Weight unit", "select", unit)]


def tax_settings(site, params):
    included = "yes" if site.prices_include_tax else "no"
    name = "woocommerce_prices_include_tax"
    return [_setting("tax", name, "Prices entered with tax", "radio", included)]


def _setting(group, name, label, kind, value):
    return {
        "id": name,
        "label": label,
        "description": "",
        "type": kind,
        "default": "",
        "value": value,
        "group_id": group,
    }


def taxes(site, params):
    return [
        {
            "id": rate["id"],
            "country": rate["country"],
            "state": "",
            "postcode": "",
            "city": "",
            "rate": rate["rate"],
            "name": rate["name"],
            "priority": rate["priority"],
            "compound": rate["compound"],
            "shipping": rate["shipping"],
            "order": rate["id"],
            "class": rate["class"],
            "postcodes": [],
            "cities": [],
        }
        for rate in site.tax_rates
    ]


def payment_gateways(site, params):
    return [
        {
            "id": name,
            "title": title,
            "description": "",
            "order": order,
            "enabled": enabled,
            "method_title": title,
            "method_description": "",
            "method_supports": ["products", "refunds"],
            "settings": {},
        }
        for order, (name, title, enabled) in enumerate(GATEWAYS)
    ]


def shipping_zones(site, params):
    return [{"id": number, "name": name, "order": order} for number, name, order in ZONES]


def shipping_methods(site, params):
    return [
        {"id": "flat_rate", "title": "Flat rate", "description": "A fixed charge."},
        {"id": "free_shipping", "title": "Free shipping", "description": "No charge."},
        {"id": "local_pickup", "title": "Local pickup", "description": "Collected."},
    ]


def orders_totals(site, params):
    """``/reports/orders/totals``: how many orders there are of each status."""
    rows = site.store.rows(
        "SELECT status, count(*) FROM document WHERE kind = ? GROUP BY status", [orders.KIND]
    )
    counts = dict(rows)
    shown = [status for status in orders.STATUSES if "draft" not in status]
    return [
        {"slug": status, "name": orders.status_name(status), "total": counts.get(status, 0)}
        for status in shown
    ]

"""A real Medusa store, from npm (MIT licence), for the tests that ask it what it really does.

It is never committed: the cache folder keeps the packages, PostgreSQL a migrated database that each
run gets a clone of. It takes some 850 MB of memory: one at a time.
"""

import contextlib
import json
import os
import resource
import secrets
import shutil
import urllib.error
import urllib.parse
import urllib.request

from . import workspace
from .console import SetupError, step
from .files import digest, ensure_folder, locked, run_logged
from .process import HOST, Service, free_port
from .settings import cache

RELEASE = "2.21.2"
PACKAGES = {
    "@medusajs/medusa": RELEASE,
    "@medusajs/framework": RELEASE,
    "@medusajs/cli": RELEASE,
    "@swc/core": "1.15.3",
    "@types/node": "20.19.0",
    "ts-node": "10.9.2",
    "typescript": "5.9.3",
}
CLI = "node_modules/@medusajs/cli/cli.js"
EMAIL, PASSWORD = "admin@example.com", "admin"
#: Seconds from start to the first answer, on a machine that does other things as well.
STARTS_WITHIN = 240

# ``databaseDriverOptions``: to PostgreSQL's socket there is no TLS.
CONFIG = """\
import { defineConfig } from "@medusajs/framework/utils"

module.exports = defineConfig({
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    databaseDriverOptions: { ssl: false, connection: { ssl: false } },
    http: {
      storeCors: "",
      adminCors: "",
      authCors: "",
      jwtSecret: process.env.JWT_SECRET,
      cookieSecret: process.env.COOKIE_SECRET,
    },
  },
  admin: { disable: true },
})
"""
TSCONFIG = {
    "compilerOptions": {
        "target": "ES2021",
        "module": "Node16",
        "moduleResolution": "Node16",
        "esModuleInterop": True,
        "emitDecoratorMetadata": True,
        "experimentalDecorators": True,
        "skipLibCheck": True,
        "strictNullChecks": True,
    },
    "ts-node": {"swc": True},
    "include": ["**/*"],
    "exclude": ["node_modules"],
}


# === WHAT IS PREPARED ONCE === #


def folder():
    """Return the folder with Medusa's packages; they are fetched on first use."""
    target = cache() / f"medusa-{digest(json.dumps(PACKAGES), CONFIG, json.dumps(TSCONFIG))}"
    return ensure_folder(target, "Installing Medusa with npm", _install, lock="lock-medusa")


def _install(target):
    if not shutil.which("npm"):
        raise SetupError("Medusa comes from npm, and there is none: install Node.js.")
    manifest = {"name": "store", "version": "0.0.0", "private": True, "dependencies": PACKAGES}
    (target / "package.json").write_text(json.dumps(manifest, indent=2))
    (target / "tsconfig.json").write_text(json.dumps(TSCONFIG, indent=2))
    (target / "medusa-config.ts").write_text(CONFIG)
    options = ("--no-audit", "--no-fund", "--ignore-scripts", "--cache", target / ".npm")
    run_logged(["npm", "install", *options], "npm-medusa", cwd=str(target))
    shutil.rmtree(target / ".npm")


def template(databases):
    """Return the name of a migrated database with an administrator; it is made on first use."""
    packages = folder()
    name = f"cs_medusa_{digest(packages.name, EMAIL, PASSWORD)}"
    with locked("lock-medusa"):
        if name not in databases.names(name):
            draft = f"{name}_partial"
            databases.drop(draft)
            _execute(databases, f'CREATE DATABASE "{draft}"')
            with step("Preparing Medusa's database"):
                _run_cli(databases, draft, "db:migrate")
                _run_cli(databases, draft, "user", "-e", EMAIL, "-p", PASSWORD)
            _execute(databases, f'ALTER DATABASE "{draft}" RENAME TO "{name}"')
    return name


def _run_cli(databases, database, *arguments):
    command = ["node", CLI, *arguments]
    environ = _environ(databases.connection, database)
    name = f"medusa-{arguments[0].partition(':')[0]}"
    run_logged(command, name, cwd=str(folder()), env=environ, preexec_fn=_lift_limit)


def _lift_limit():
    """Odoo bounds the address space of its process and of what that starts; Node reserves more."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _execute(databases, statement):
    with databases.connection.cursor() as cursor:
        cursor.execute(statement)


def _environ(connection, database):
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "ODOO_"))}
    return {
        **inherited,
        "DATABASE_URL": _database_url(connection, database),
        "JWT_SECRET": secrets.token_hex(16),
        "COOKIE_SECRET": secrets.token_hex(16),
        "MEDUSA_DISABLE_TELEMETRY": "true",
        "NODE_ENV": "production",
    }


def _database_url(connection, database):
    """``connection`` as Node's PostgreSQL driver reads it: a socket's folder is its host."""
    quote = urllib.parse.quote
    login = quote(connection.user, safe="")
    if connection.password:
        login += ":" + quote(connection.password, safe="")
    host = quote(connection.host, safe="")
    return f"postgres://{login}@{host}:{connection.port}/{database}"


# === A RUNNING STORE === #


@contextlib.contextmanager
def store(databases, files=None, environ=None):
    """Yield a running :class:`Store` with an empty catalogue; its database is dropped afterwards.

    :param databases: :class:`database.Databases`, for the server
    :param files: ``{path below the project: text}``, such as a subscriber of ours
    :param environ: further environment variables for it
    """
    source = template(databases)
    database = f"cs_{workspace.KEY}_run_medusa_{os.getpid()}"
    databases.drop(database)
    _execute(databases, f'CREATE DATABASE "{database}" TEMPLATE "{source}"')
    project = _project(files or {})
    try:
        with _started(databases, database, project, environ or {}) as service:
            yield Store(service.url)
    finally:
        shutil.rmtree(project, ignore_errors=True)
        databases.drop(database)


def _project(files):
    """A project of the run's own that shares the packages."""
    project = workspace.FOLDER / f"medusa-{os.getpid()}"
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir(parents=True)
    for name in ("package.json", "tsconfig.json", "medusa-config.ts", "node_modules"):
        (project / name).symlink_to(folder() / name)
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return project


def _started(databases, database, project, environ):
    port = free_port()
    command = ["node", CLI, "start", "-H", HOST, "-p", port]
    environ = {**_environ(databases.connection, database), **environ}
    log = workspace.FOLDER / "logs" / "medusa.log"
    options = {"cwd": project, "env": environ, "preexec_fn": _lift_limit}
    service = Service("Medusa", command, port, log, "/health", **options)
    try:
        return service.wait_until_ready(STARTS_WITHIN)
    except BaseException:
        service.stop()
        raise


class Refused(Exception):
    """Medusa refuses a request: ``status``, and its ``type`` and words."""

    def __init__(self, status, data):
        super().__init__(f"{status}: {data}")
        self.status = status
        self.data = data


class Store:
    """Speaks to a running store by its Admin API, as a person at its dashboard would.

    ``key`` is a secret API key.
    """

    def __init__(self, url):
        self.url = url
        self._authorization = ""
        login = {"email": EMAIL, "password": PASSWORD}
        self._authorization = "Bearer " + self.post("/auth/user/emailpass", login)["token"]
        key = self.post("/admin/api-keys", {"title": "Odoo", "type": "secret"})["api_key"]
        self.key = key["token"]

    def request(self, method, path, body=None, **query):
        """:return: the answer's JSON
        :raise Refused: with a status of 400 or above
        """
        url = self.url + path + ("?" + urllib.parse.urlencode(query) if query else "")
        request = urllib.request.Request(url, method=method)
        request.add_header("Content-Type", "application/json")
        if self._authorization:
            request.add_header("Authorization", self._authorization)
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise Refused(error.code, json.loads(error.read())) from error

    def get(self, path, **query):
        return self.request("GET", path, **query)

    def post(self, path, body=None, **query):
        return self.request("POST", path, body or {}, **query)

    # === WHAT A STORE NEEDS TO SELL === #

    def furnish(self, currency="eur", country="de", tax=19):
        """A place, a region with its tax, a way of shipping; what it needs to take orders."""
        self.channel = self.get("/admin/sales-channels")["sales_channels"][0]["id"]
        self.currency, self.country = currency, country
        self._offer(currency)
        self.region = self._region(currency, country, tax)
        self.location = self.make_location("Warehouse")
        self.shipping = self._shipping(country, currency)
        return self

    def _offer(self, currency):
        shop = self.get("/admin/stores")["stores"][0]
        currencies = [{"currency_code": currency, "is_default": True}]
        self.post(f"/admin/stores/{shop['id']}", {"supported_currencies": currencies})

    def _region(self, currency, country, tax):
        region = {
            "name": "Europe",
            "currency_code": currency,
            "countries": [country],
            "payment_providers": ["pp_system_default"],
        }
        rate = {"rate": tax, "code": f"vat{tax}", "name": f"VAT {tax}%"}
        rates = {"country_code": country, "provider_id": "tp_system", "default_tax_rate": rate}
        self.post("/admin/tax-regions", rates)
        return self.post("/admin/regions", region)["region"]["id"]

    def make_location(self, name):
        """:return: the id of a new stock location that the sales channel sells from"""
        place = self.post("/admin/stock-locations", {"name": name})["stock_location"]["id"]
        self.post(f"/admin/stock-locations/{place}/sales-channels", {"add": [self.channel]})
        return place

    def _shipping(self, country, currency):
        place = f"/admin/stock-locations/{self.location}"
        self.post(f"{place}/fulfillment-providers", {"add": ["manual_manual"]})
        self.post(f"{place}/fulfillment-sets", {"name": "Parcels", "type": "shipping"})
        found = self.get(place, fields="id,*fulfillment_sets")["stock_location"]
        parcels = found["fulfillment_sets"][0]["id"]
        zone = {
            "name": "Home",
            "geo_zones": [{"type": "country", "country_code": country}],
        }
        made = self.post(f"/admin/fulfillment-sets/{parcels}/service-zones", zone)
        profiles = self.get("/admin/shipping-profiles")["shipping_profiles"]
        self.profile = profiles[0]["id"]
        option = {
            "name": "Parcel",
            "service_zone_id": made["fulfillment_set"]["service_zones"][0]["id"],
            "shipping_profile_id": self.profile,
            "provider_id": "manual_manual",
            "price_type": "flat",
            "type": {"label": "Standard", "description": "", "code": "standard"},
            "prices": [{"currency_code": currency, "amount": 5}],
        }
        return self.post("/admin/shipping-options", option)["shipping_option"]["id"]

    # === GOODS AND ORDERS === #

    def make_product(self, sku, price="10.00", title=None, values=(), stock=None, **fields):
        """A published product, sold in one variant or in several (``values`` of its option).

        :return: the product; each of its ``variants`` with its ``inventory_item_id``
        """
        values = list(values) or ["Default"]
        prices = [{"currency_code": self.currency, "amount": float(price)}]
        variants = [
            {
                "title": value,
                "sku": sku if len(values) == 1 else f"{sku}-{value}",
                "options": {"Kind": value},
                "manage_inventory": True,
                "prices": prices,
            }
            for value in values
        ]
        product = {
            "title": title or f"Product {sku}",
            "status": "published",
            "options": [{"title": "Kind", "values": values}],
            "variants": variants,
            "sales_channels": [{"id": self.channel}],
            "shipping_profile_id": self.profile,
            **fields,
        }
        made = self.read_product(self.post("/admin/products", product)["product"]["id"])
        if stock is not None:
            for variant in made["variants"]:
                self.set_stock(variant["inventory_item_id"], stock)
        return made

    def read_product(self, product_id):
        fields = "*variants,*variants.prices,*variants.inventory_items,*options,*options.values"
        product = self.get(f"/admin/products/{product_id}", fields=f"+status,{fields}")["product"]
        for variant in product["variants"]:
            links = variant.get("inventory_items") or [{}]
            variant["inventory_item_id"] = links[0].get("inventory_item_id")
        return product

    def set_stock(self, inventory_item_id, quantity, location=None):
        path = f"/admin/inventory-items/{inventory_item_id}/location-levels"
        level = {"location_id": location or self.location, "stocked_quantity": quantity}
        return self.post(path, level)

    def place_order(self, lines, email="jo@example.com", **fields):
        """An order, made as a draft and converted.

        :param lines: ``[(variant id, quantity), ...]``
        """
        address = {
            "first_name": "Jo",
            "last_name": "Example",
            "address_1": "Main Street 1",
            "city": "Sampletown",
            "postal_code": "12345",
            "country_code": self.country,
            "phone": "+49 30 1234567",
        }
        draft = {
            "email": email,
            "region_id": self.region,
            "sales_channel_id": self.channel,
            "items": [{"variant_id": variant, "quantity": count} for variant, count in lines],
            "shipping_methods": [
                {"shipping_option_id": self.shipping, "name": "Parcel", "amount": 5}
            ],
            "shipping_address": address,
            "billing_address": address,
            **fields,
        }
        made = self.post("/admin/draft-orders", draft)["draft_order"]
        return self.post(f"/admin/draft-orders/{made['id']}/convert-to-order")["order"]

"""script/screenshots [FOLDER]: pictures of the screens, with a company's invented data.

Without an argument: the main screens, for the documentation, into docs/images, some of them also
for the list of apps. With a folder: every screen in the width of a desk and of a phone, to look at.

script/screenshots --icon: static/description/icon.png, from icon.svg beside it.
"""

import contextlib
import dataclasses
import io
import json
import os
import shutil
from pathlib import Path

from cryptography.fernet import Fernet
from PIL import Image

from .browser import chromium
from .console import say
from .demo import demonstration
from .settings import CHECKOUT

DESK = (1366, 900)
PHONE = (400, 800)
DESCRIPTION = CHECKOUT / "static" / "description"

#: Nothing is being loaded, and the view has something in it.
LOADED = (
    "document.querySelector('.o_form_renderer, .o_kanban_renderer, .o_list_renderer,"
    " .o_graph_renderer, .o_pivot')"
    " && !document.querySelector('.o_loading_indicator')"
    " && [...document.images].every(image => image.complete)"
)


@dataclasses.dataclass(frozen=True)
class Screen:
    """:param path: below /odoo/, with ``{names}`` of :meth:`showcase.Showcase.build`
    :param main: the documentation shows it
    :param listed: static/description/index.html shows it
    :param script: JavaScript to run before the picture is taken
    """

    name: str
    path: str
    main: bool = False
    listed: bool = False
    script: str = ""


def _tab(name):
    return f"document.querySelector('.o_notebook [name={name}]').click()"


def _press(name):
    return f"document.querySelector('button[name={name}]')?.click()"


SCREENS = (
    Screen("overview", "commerce-sync", main=True, listed=True),
    Screen("problems", "commerce-problems", main=True, listed=True),
    Screen("problem-group", "commerce-problems/{problem}"),
    Screen("problem", "commerce-jobs/{failed}", main=True),
    Screen("failed-jobs", "commerce-failed"),
    Screen("product", "action-product.product_normal_action_sell/{product}", main=True),
    Screen("invoice", "action-account.action_move_out_invoice_type/{invoice}"),
    Screen("sale", "action-sale.action_orders/{sale}"),
    Screen("delivery", "action-stock.action_picking_tree_all/{delivery}"),
    Screen("contact", "action-base.action_partner_form/{contact}"),
    Screen("bulk-resend", "action-commerce_sync.commerce_bulk_resend_action"),
    Screen("preview", "commerce-connections/{shop}", script=_press("action_preview")),
    Screen("reconciliations", "commerce-reconciliation"),
    Screen("locations", "commerce-locations"),
    Screen("taxes", "commerce-taxes"),
    Screen("jobs", "commerce-jobs"),
    Screen("job-waiting", "commerce-jobs/{waiting}"),
    Screen("job-technical", "commerce-jobs/{failed}", script=_tab("technical")),
    Screen("sync-log", "commerce-sync-log", main=True),
    Screen("attempt", "commerce-sync-log/{attempt}"),
    Screen("sync-log-pivot", "commerce-sync-log?view_type=pivot"),
    Screen("sync-log-graph", "commerce-sync-log?view_type=graph"),
    Screen("received", "commerce-received"),
    Screen("runs", "commerce-runs"),
    Screen("run", "commerce-runs/{run}"),
    Screen("connections", "commerce-connections"),
    Screen("connection", "commerce-connections/{shop}", main=True),
    Screen("connection-flows", "commerce-connections/{shop}", main=True, script=_tab("flows")),
    Screen("connection-limits", "commerce-connections/{shop}", script=_tab("limits")),
    Screen("connection-down", "commerce-connections/{outlet}"),
    Screen("connection-paused", "commerce-connections/{trade}"),
    Screen("connection-new", "commerce-connections/new"),
    Screen("flows", "commerce-flows"),
    Screen("flow-stock", "commerce-flows/{stock_flow}"),
    Screen("flow-invoices", "commerce-flows/{invoice_flow}"),
    Screen("flow-orders", "commerce-flows/{order_flow}"),
    Screen("flow-retry", "commerce-flows/{stock_flow}", script=_tab("retry")),
    Screen("flow-new", "commerce-flows/new"),
    Screen("matchings", "commerce-matching"),
    Screen("matching", "commerce-matching/{preview}", main=True),
    Screen("matching-done", "commerce-matching/{matching}"),
    Screen("matching-new", "commerce-matching/new"),
    Screen("bindings", "commerce-bindings"),
    Screen("binding", "commerce-bindings/{binding}"),
    Screen("comparisons", "commerce-reconciliation"),
    Screen("comparisons-graph", "commerce-reconciliation?view_type=graph"),
    Screen("comparison", "commerce-reconciliation/{comparison}"),
    Screen("differences", "commerce-differences", main=True),
    Screen(
        "repair",
        "commerce-reconciliation/{comparison}",
        script="document.querySelector('[name=action_repair_all]').click();"
        " new Promise((done) => setTimeout(done, 2000))",
    ),
    Screen("flow-comparing", "commerce-flows/{stock_flow}", script=_tab("reconciliation")),
)


def main(arguments):
    if {"-h", "--help"} & set(arguments) or len(arguments) > 1:
        print(__doc__)
        return 0 if len(arguments) == 1 else 2
    if arguments == ["--icon"]:
        draw_icon()
    elif arguments:
        take_all(Path(arguments[0]))
    else:
        take_main(CHECKOUT / "docs" / "images")
    return 0


def draw_icon():
    """Render the icon in the size that Odoo shows."""
    with chromium() as browser:
        browser.resize(128, 128)
        browser.open((DESCRIPTION / "icon.svg").as_uri())
        browser.wait_for("document.readyState === 'complete'")
        (DESCRIPTION / "icon.png").write_bytes(browser.picture(transparent=True))


def take_main(folder):
    screens = [screen for screen in SCREENS if screen.main]
    with _showcase() as camera:
        for screen in screens:
            camera.take(screen, DESK, folder / f"{screen.name}.png")
            if screen.listed:
                shutil.copy(folder / f"{screen.name}.png", DESCRIPTION)
        camera.take(SCREENS[0], PHONE, folder / "overview-phone.png")


def take_all(folder):
    with _showcase() as camera:
        for screen in SCREENS:
            camera.take(screen, DESK, folder / f"{screen.name}.png")
            camera.take(screen, PHONE, folder / f"{screen.name}-phone.png")
    for error in camera.browser.errors:
        say(f"error on a page: {error}")


@contextlib.contextmanager
def _showcase():
    """Yield a :class:`Camera` in front of an Odoo in which something is going on."""
    from showcase import Showcase  # finds this package beside it, like devenv.demo's scenario

    # credentials are to be seen as they should be kept
    os.environ.setdefault("COMMERCE_SYNC_KEY", Fernet.generate_key().decode())
    with chromium() as browser, demonstration() as context:
        ids = Showcase(context).build()
        yield Camera(browser, context.odoo.url, ids).sign_in(context)


class Camera:
    """:param ids: what the paths of the screens name"""

    def __init__(self, browser, url, ids):
        self.browser = browser
        self.url = url
        self.ids = ids

    def sign_in(self, context):
        """:param context: :class:`demo.Context`"""
        params = {"db": context.database, "login": context.login, "password": context.password}
        body = json.dumps({"params": params})
        # any page of the server will do; this one runs no scripts that could get in the way
        self.browser.open(f"{self.url}/web/health")
        self.browser.wait_for("document.readyState === 'complete'")
        answer = self.browser.run(
            f"""fetch("/web/session/authenticate", {{
                method: "POST", headers: {{"Content-Type": "application/json"}},
                body: {json.dumps(body)},
            }}).then((response) => response.json())"""
        )
        # the server writes some times into its messages: as this person's clock has them
        self.browser.set_timezone(answer["result"]["user_context"]["tz"] or "UTC")
        return self

    def take(self, screen, size, path):
        self.browser.resize(*size, phone=size == PHONE)
        self.browser.open(f"{self.url}/odoo/{screen.path.format(**self.ids)}")
        # the first page of a new database waits for its style sheets to be made
        self.browser.wait_for(LOADED, timeout=180)
        if screen.script:
            self.browser.run(screen.script)
        self.browser.settle()
        if self.browser.run("document.querySelectorAll('.o_error_dialog').length"):
            raise RuntimeError(f"{screen.name} shows an error.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(shrunk(self.browser.picture()))
        say(f"  {path}")


def shrunk(png):
    """Return the picture with 256 colours: a third of the bytes, and no eye sees it."""
    result = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(result, "PNG", optimize=True)
    return result.getvalue()

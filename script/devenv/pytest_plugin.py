"""Part of script/test that runs inside pytest: what is not run is named, with its reason.

A test that needs more than Odoo says so by a pytest marker or by a tag of Odoo's
(``@tagged("post_install", "-at_install", "browser")``): ``browser``, ``node`` or ``slow``.
"""

import collections
import shutil

import pytest

_BROWSERS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")

# By marker: why it is left out by default, and the programs of which one must be there.
_NEEDS = {
    "browser": ("needs a browser", _BROWSERS),
    "node": ("needs Node.js", ("node",)),
    "slow": ("takes long", ()),
}

_left_out = pytest.StashKey()


def pytest_addoption(parser):
    parser.addoption(
        "--all", action="store_true", help="also run what needs a browser or Node, or takes long"
    )


def pytest_configure(config):
    for marker, (reason, _) in _NEEDS.items():
        config.addinivalue_line("markers", f"{marker}: {reason}; run with --all only")
    config.stash[_left_out] = collections.Counter()


def pytest_collection_modifyitems(config, items):
    for item in items:
        for tag in _NEEDS.keys() & set(getattr(item.cls, "test_tags", ())):
            item.add_marker(tag)
    if config.getoption("--all"):
        return
    special = [item for item in items if _needs(item)]
    config.stash[_left_out].update(_needs(item)[0] for item in special)
    config.hook.pytest_deselected(items=special)
    items[:] = [item for item in items if not _needs(item)]


def _needs(item):
    return [marker for marker in _NEEDS if item.get_closest_marker(marker)]


def pytest_runtest_setup(item):
    for marker in _needs(item):
        reason, programs = _NEEDS[marker]
        if programs and not any(map(shutil.which, programs)):
            pytest.fail(f"{reason}, and there is none: install one of {', '.join(programs)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """With --all, a test that was asked for and skips itself has failed.

    Odoo skips a tour whose browser does not start.
    """
    report = yield
    if report.skipped and _needs(item):
        report.outcome = "failed"
        report.longrepr = f"skipped although --all asks for it: {report.longrepr[-1]}"
    return report


def pytest_terminal_summary(terminalreporter, config):
    skipped = collections.Counter(
        report.longrepr[-1] for report in terminalreporter.getreports("skipped")
    )
    if not (skipped or config.stash[_left_out]):
        return
    terminalreporter.section("not run")
    for marker, count in config.stash[_left_out].items():
        reason = _NEEDS[marker][0]
        terminalreporter.line(f"{count} x {marker}: {reason} (script/test --all runs it)")
    for reason, count in skipped.items():
        terminalreporter.line(f"{count} x {reason}")

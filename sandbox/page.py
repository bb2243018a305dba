"""The web page of a sandbox: one document, no scripts, nothing from elsewhere.

A platform hands over sections (see ``Table`` and ``cards``). Everything that is no ``Html`` is
escaped on its way into a tag.
"""

from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from . import faults

RECENT_REQUESTS = 12
LIVE_SECONDS = 3

# The parameter of a fault that the page asks for: kind -> (name, unit, default)
FAULT_INPUTS = {
    "slow": ("seconds", "s", "3"),
    "latency": ("ms", "ms", "200"),
    "rate_limit": ("retry_after", "s", "5"),
    "timeout": ("seconds", "s", "60"),
    "bad_item": ("sku", "", ""),
}

STYLE = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


class Html(str):
    """Text that is HTML already, and safe."""

    __slots__ = ()


def html(value):
    return value if isinstance(value, Html) else Html(escape(str(value)))


def join(parts, between=""):
    return Html(html(between).join(html(part) for part in parts))


def tag(kind, /, *content, **attributes):
    """``tag("td", "5 < 6", class_="num")`` -> ``<td class="num">5 &lt; 6</td>``"""
    given = [
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    ]
    return Html(f"<{kind}{''.join(given)}>{join(content)}</{kind}>")


def field_input(name, **attributes):
    return Html(tag("input", name=name, **attributes).removesuffix("</input>"))


def badge(text, kind=""):
    return tag("span", text, class_=f"badge {kind}".strip())


def link(text, url):
    """A link to a web address; anything else, such as a script, stays text."""
    safe = url.startswith(("http://", "https://"))
    return tag("a", text, href=url, rel="noreferrer", target="_blank") if safe else html(text)


def button(label, action, css=None, **values):
    """A form of one button that posts to the sandbox's own API."""
    hidden = [field_input(name, type="hidden", value=value) for name, value in values.items()]
    inside = [*hidden, tag("button", label, class_=css)]
    return tag("form", *inside, method="post", action=f"/_sandbox/form/{action}")


@dataclass
class Table:
    """``columns``: pairs (label, css). A row: (css, cells)."""

    title: str
    columns: list
    rows: list
    empty: str = "Nothing yet."
    aside: str = ""
    head: list = field(default_factory=list)  # what stands beside the title

    def render(self):
        labels = [tag("th", label, class_=css or None) for label, css in self.columns]
        rows = [tag("tr", *self._cells(cells), class_=css or None) for css, cells in self.rows]
        body = tag("div", tag("table", tag("tr", *labels), *rows), class_="scroll")
        aside = tag("span", self.aside, class_="soft")
        return section(self.title, body if rows else empty(self.empty), aside, *self.head)

    def _cells(self, cells):
        pairs = zip(cells, self.columns, strict=True)
        return [tag("td", cell, class_=css or None) for cell, (_label, css) in pairs]


@dataclass
class Cards:
    title: str
    cards: list  # Html, see card()
    empty: str = "Nothing yet."
    aside: str = ""
    head: list = field(default_factory=list)

    def render(self):
        body = tag("div", *self.cards, class_="cards") if self.cards else empty(self.empty)
        return section(self.title, body, tag("span", self.aside, class_="soft"), *self.head)


def card(title, badges, *blocks, fresh=False):
    top = tag("div", tag("h3", title), *badges, class_="top")
    return tag("article", top, *blocks, class_="card fresh" if fresh else "card")


def block(title, body):
    return join([tag("h4", title), body])


def definitions(pairs):
    return tag("dl", *(join([tag("dt", name), tag("dd", value)]) for name, value in pairs))


def section(title, body, *head):
    return tag("section", tag("div", tag("h2", title), *head, class_="head"), body)


def empty(text):
    return tag("p", text, class_="empty")


# === THE PARTS EVERY SANDBOX HAS === #


def render(sandbox, subtitle, sections, live=False):
    """The whole page.

    :param live: reload it every few seconds
    """
    refresh = f'<meta http-equiv="refresh" content="{LIVE_SECONDS}">' if live else ""
    parts = [_faults(sandbox), *(part.render() for part in sections), _requests(sandbox)]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{refresh}'
        f'<title>{escape(sandbox.title)}</title><link rel="icon" href="data:,">'
        f"<style>{STYLE}</style></head><body>{_header(sandbox, subtitle, live)}"
        f"{tag('main', *parts)}</body></html>"
    )


def _header(sandbox, subtitle, live):
    switch = tag("a", "Stop following" if live else "Follow live", href="/" if live else "/?live=1")
    return tag(
        "header",
        tag(
            "div",
            tag("h1", sandbox.title),
            tag("span", subtitle, class_="soft"),
            tag("span", switch, class_="push"),
            button("Place an order", "order", "main"),
        ),
    )


def _faults(sandbox):
    rules = {}
    for rule in sandbox.faults.rules():
        rules.setdefault(rule.kind, []).append(rule)
    tiles = [_fault(kind, label, rules.get(kind, [])) for kind, label in faults.KINDS.items()]
    clear = button("Switch all off", "clear-faults") if rules else ""
    state = badge(f"{len(rules)} on", "bad") if rules else badge("none on", "good")
    summary = tag("summary", tag("h2", "Faults"), state, class_="head")
    inside = [summary, tag("div", *tiles, class_="faults"), tag("div", clear, class_="foot")]
    return tag("section", tag("details", *inside, open="open" if rules else None))


def _fault(kind, label, rules):
    if rules:
        hits = sum(rule.hits for rule in rules)
        told = [label, " ", badge(_told(rules[0]), "bad"), " ", badge(_times(hits, "hit"))]
        return tag(
            "div", tag("p", *told), button("Switch off", "fault", kind=kind), class_="fault on"
        )
    inputs = [field_input("kind", type="hidden", value=kind)]
    inputs.append(field_input("on", type="hidden", value="1"))
    if kind in FAULT_INPUTS:
        name, unit, value = FAULT_INPUTS[kind]
        hint = name.replace("_", " ") if unit else name.upper()
        required = None if value else "required"
        inputs.append(
            field_input(name, title=hint, placeholder=hint, value=value, required=required)
        )
        inputs.append(tag("span", unit, class_="soft"))
    form = tag(
        "form", *inputs, tag("button", "Switch on"), method="post", action="/_sandbox/form/fault"
    )
    return tag("div", tag("p", label), form, class_="fault")


def _told(rule):
    """What the rule is limited to, in short."""
    defaults = faults.PARAMETERS.get(rule.kind, {})
    given = {name: value for name, value in rule.parameters.items() if value != defaults[name]}
    told = [f"{name.replace('_', ' ')} {_short(value)}" for name, value in given.items()]
    told += [part for part in (rule.method, rule.path) if part]
    if rule.times:
        told.append(_times(rule.times - rule.hits, "more time"))
    return ", ".join(told) or "on"


def _short(value):
    return f"{value:g}" if isinstance(value, float) else value


def _times(count, word):
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _requests(sandbox):
    totals = sandbox.journal.totals()
    last = sandbox.journal.entries()[-RECENT_REQUESTS:]
    rows = [("", _request_row(entry)) for entry in reversed(last)]
    columns = [
        ("Time (UTC)", "code wide"),
        ("Request", "code"),
        ("Items", "num"),
        ("Answer", ""),
        ("ms", "num wide"),
    ]
    aside = "{requests} requests, {items_written} items written".format(**totals)
    return Table("Last requests", columns, rows, "Nobody asked yet.", aside).render()


def _request_row(entry):
    shown = "no answer" if entry.status is None else entry.status
    answer = [badge(shown, _kind(entry))]
    if entry.fault:
        answer += [" ", badge(entry.fault, "warn")]
    if entry.refused:
        answer += [" ", badge(f"{entry.refused} refused", "warn")]
    count = sum(entry.items.values()) or entry.written or ""
    return [entry.at[11:19], f"{entry.method} {entry.path}", count, join(answer), f"{entry.ms:.1f}"]


def _kind(entry):
    return "good" if entry.status and entry.status < 400 else "bad"

"""Faults on demand: which request goes wrong, and how.

A rule names a kind of fault and the requests it applies to. The rules know nothing of a platform:
what a refused request looks like on the wire is the platform's affair.
"""

import math
import random
import re
import threading
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from time import monotonic, time

# kind -> what happens, in the words of the web page
KINDS = {
    "down": "Down: every connection is closed at once",
    "slow": "Slow: every answer takes seconds",
    "latency": "Latency: some milliseconds for each request",
    "rate_limit": "Too many requests: 429 with Retry-After",
    "http_500_before": "Error 500 before doing the work",
    "http_500_after": "Error 500 after doing the work",
    "reset": "Connection reset in mid-answer, after the work",
    "timeout": "Does the work, then never answers",
    "malformed": "Answers 200 with a body that is no JSON",
    "bad_item": "Refuses one item of a batch",
    "unauthorized": "Refuses the credentials: 401",
    "maintenance": "Maintenance mode: 503 page",
}
DELAYS = ("slow", "latency")
BEFORE_WORK = ("down", "rate_limit", "http_500_before", "unauthorized", "maintenance")
AFTER_WORK = ("http_500_after", "reset", "timeout", "malformed")

# kind -> its parameters with their defaults
PARAMETERS = {
    "slow": {"seconds": 3.0},
    "latency": {"ms": 50.0},
    # per_second: only requests beyond that many in one second are refused; 0 refuses all
    "rate_limit": {"retry_after": 2.0, "http_date": False, "per_second": 0.0},
    "timeout": {"seconds": 60.0},
    # style: truncated, notice (a PHP warning before the JSON), html, empty
    "malformed": {"style": "truncated"},
    "bad_item": {"id": None, "sku": None, "code": None, "message": None, "status": 400.0},
    "maintenance": {"retry_after": 600.0},
}
MALFORMED_STYLES = ("truncated", "notice", "html", "empty")
FIELDS = ("kind", "path", "method", "times", "probability", "seed")


class FaultError(ValueError):
    """A rule that cannot be meant; the message says why."""


@dataclass
class Rule:
    kind: str
    path: str = ""  # regular expression, searched in path and query; empty: every request
    method: str = ""  # e.g. "POST" or "PUT,POST"; empty: every method
    times: int | None = None  # goes away after so many hits; None: until it is removed
    probability: float = 1.0
    seed: int | None = None  # the same seed picks the same requests
    parameters: dict = field(default_factory=dict)
    id: int = 0
    hits: int = 0

    def __post_init__(self):
        _check(self)
        self._pattern = re.compile(self.path)
        self._methods = {name.strip().upper() for name in self.method.split(",") if name.strip()}
        self._random = random.Random(self.seed)
        self._window = [0.0, 0]  # start of the current second, requests in it

    def __getitem__(self, name):
        return self.parameters[name]

    def matches(self, method, target):
        return (not self._methods or method in self._methods) and bool(self._pattern.search(target))

    def strikes(self):
        """Draw: only called for a request that matches, under the lock of the rules."""
        if self.kind == "rate_limit" and self["per_second"]:
            return self._over_limit()
        return self.probability >= 1 or self._random.random() < self.probability

    def _over_limit(self):
        now = monotonic()
        if now - self._window[0] >= 1:
            self._window = [now, 0]
        self._window[1] += 1
        return self._window[1] > self["per_second"]

    def concerns_item(self, item):
        """Of a ``bad_item`` rule: is it this one? item: ``{"id": 7, "sku": "MUG-BLUE"}``"""
        wanted_id, wanted_sku = self["id"], self["sku"]
        if wanted_id is not None and str(item.get("id")) == str(wanted_id):
            return True
        return wanted_sku is not None and item.get("sku") == wanted_sku

    def retry_after(self):
        """The header's value: seconds, or a date, of which a fraction is cut off upwards."""
        if self.parameters.get("http_date"):
            return formatdate(math.ceil(time() + self["retry_after"]), usegmt=True)
        return str(math.ceil(self["retry_after"]))

    def as_dict(self):
        data = asdict(self)
        data.update(data.pop("parameters"))
        return data


def _check(rule):
    if rule.kind not in KINDS:
        raise FaultError(f"kind must be one of {', '.join(KINDS)}, not {rule.kind!r}")
    if not isinstance(rule.path, str) or not isinstance(rule.method, str):
        raise FaultError("path and method must be text")
    try:
        re.compile(rule.path)
    except re.error as error:
        raise FaultError(f"path is no regular expression: {error}") from error
    if rule.times is not None and (not isinstance(rule.times, int) or rule.times < 1):
        raise FaultError("times must be a positive whole number, or null")
    if not _is_number(rule.probability) or not 0 <= rule.probability <= 1:
        raise FaultError("probability must be between 0 and 1")
    rule.parameters = _parameters(rule.kind, rule.parameters)


def _parameters(kind, given):
    defaults = PARAMETERS.get(kind, {})
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise FaultError(f"{kind} knows no {', '.join(unknown)}")
    for name, value in given.items():
        number_wanted = isinstance(defaults[name], float)
        if number_wanted and (not _is_number(value) or not 0 <= value < math.inf):
            raise FaultError(f"{name} must be a number, zero or more")
    if kind == "malformed" and given.get("style", "html") not in MALFORMED_STYLES:
        raise FaultError(f"style must be one of {', '.join(MALFORMED_STYLES)}")
    if kind == "bad_item" and given.get("id") is None and given.get("sku") is None:
        raise FaultError("bad_item needs an id or a sku")
    return {**defaults, **given}


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def rule_from(data):
    """:param data: e.g. ``{"kind": "slow", "path": "/orders", "times": 2, "seconds": 1.5}``"""
    if not isinstance(data, dict):
        raise FaultError("a rule is an object")
    known = {name: data[name] for name in FIELDS if name in data}
    rest = {name: data[name] for name in data if name not in (*FIELDS, "id", "hits")}
    if "kind" not in known:
        raise FaultError("kind is missing")
    return Rule(**known, parameters=rest)


class Faults:
    """The rules in force. Earlier rules win where two would answer the same request."""

    def __init__(self):
        self._rules = []
        self._last_id = 0
        self._lock = threading.Lock()

    def add(self, rule):
        with self._lock:
            self._last_id += 1
            rule.id = self._last_id
            self._rules.append(rule)
        return rule

    def replace(self, rules):
        self.clear()
        for rule in rules:
            self.add(rule)

    def clear(self, rule_id=None, kind=None):
        """Remove one rule, all of one kind, or all; returns how many went."""
        with self._lock:
            before = len(self._rules)
            self._rules = [
                rule
                for rule in self._rules
                if (rule_id is not None and rule.id != rule_id)
                or (kind is not None and rule.kind != kind)
            ]
            return before - len(self._rules)

    def rules(self):
        with self._lock:
            return list(self._rules)

    def for_request(self, method, target):
        """The rules that strike this request; each is counted, and goes away after its last hit."""
        if not self._rules:
            return []
        with self._lock:
            struck, answered = [], False
            for rule in self._rules:
                answers = rule.kind not in DELAYS and rule.kind != "bad_item"
                if (answers and answered) or not rule.matches(method, target):
                    continue
                if rule.kind == "bad_item":
                    struck.append(rule)  # counted by item, see strike_item
                elif rule.strikes():
                    answered = answered or answers
                    struck.append(rule)
                    self._count(rule)
            return struck

    def strike_item(self, rules, item):
        """The ``bad_item`` rule among these that refuses the item, or None."""
        for rule in rules:
            if rule.kind != "bad_item" or not rule.concerns_item(item):
                continue
            with self._lock:
                if rule in self._rules and rule.strikes():
                    self._count(rule)
                    return rule
        return None

    def _count(self, rule):
        rule.hits += 1
        if rule.times is not None and rule.hits >= rule.times:
            self._rules = [other for other in self._rules if other is not rule]

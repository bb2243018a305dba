"""What a query costs, and the bucket it is paid from.

https://shopify.dev/docs/api/usage/limits#graphql-admin-api-rate-limits: a scalar costs nothing, an
object 1, a connection as many of its nodes as are asked for, a mutation 10.
"""

import threading

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    InlineFragmentNode,
    IntValueNode,
    OperationType,
    VariableNode,
    get_named_type,
    is_leaf_type,
)

MUTATION = 10
MAX_SINGLE = 1000


class Estimate:
    """The requested cost of one operation."""

    def __init__(self, schema, fragments, variables):
        self.schema = schema
        self.fragments = fragments
        self.variables = variables

    def operation(self, operation):
        root = self.schema.get_root_type(operation.operation)
        cost = self._selections(operation.selection_set, root)
        is_mutation = operation.operation == OperationType.MUTATION
        return cost + MUTATION - 1 if is_mutation else cost

    def _selections(self, selection_set, parent):
        nodes = selection_set.selections if selection_set else ()
        return sum(self._selection(node, parent) for node in nodes)

    def _selection(self, node, parent):
        if isinstance(node, FieldNode):
            return self._field(node, parent)
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition
            inner = self.schema.get_type(condition.name.value) if condition else parent
            return self._selections(node.selection_set, inner)
        if isinstance(node, FragmentSpreadNode):
            fragment = self.fragments[node.name.value]
            inner = self.schema.get_type(fragment.type_condition.name.value)
            return self._selections(fragment.selection_set, inner)
        return 0

    def _field(self, node, parent):
        found = getattr(parent, "fields", {}).get(node.name.value)
        if found is None:  # __typename
            return 0
        kind = get_named_type(found.type)
        if is_leaf_type(kind):
            return 0
        inside = self._selections(node.selection_set, kind)
        if isinstance(kind, GraphQLObjectType) and kind.name.endswith("Connection"):
            return 1 + inside * self._size(node)
        if kind.name in ("PageInfo", "UserError") or kind.name.endswith(("Edge", "UserError")):
            return inside
        return (1 + inside) * self._count(node)

    def _size(self, node):
        """How many nodes a connection is asked for."""
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                return self._number(argument.value)
        return 1

    def _count(self, node):
        """Of a plain list as many as are asked for; of ``nodes(ids: [...])``, as there are ids."""
        for argument in node.arguments or ():
            if argument.name.value == "ids" and isinstance(argument.value, VariableNode):
                return len(self.variables.get(argument.value.name.value) or ())
            if argument.name.value == "first":
                return self._number(argument.value)
        return 1

    def _number(self, value):
        if isinstance(value, IntValueNode):
            return int(value.value)
        if isinstance(value, VariableNode):
            given = self.variables.get(value.name.value)
            return given if isinstance(given, int) else 0
        return 1


def actual(value):
    """What an answer turned out to cost: its objects, each 1."""
    if isinstance(value, dict):
        return 1 + sum(actual(item) for item in value.values())
    if isinstance(value, list):
        return sum(actual(item) for item in value)
    return 0


class Bucket:
    """A leaky bucket of points: ``maximum`` of them, ``rate`` come back each second."""

    def __init__(self, clock):
        self._clock = clock  # seconds, as time.monotonic
        self._lock = threading.Lock()
        self.set(2000.0, 100.0)

    def set(self, maximum, rate):
        with self._lock:
            self.maximum, self.rate = float(maximum), float(rate)
            self._available, self._at = self.maximum, self._clock()

    def take(self, cost):
        """Whether there was enough for it; then it is paid."""
        with self._lock:
            self._refill()
            if cost > self._available:
                return False
            self._available -= cost
            return True

    def give_back(self, cost):
        with self._lock:
            self._available = min(self.maximum, self._available + cost)

    def status(self):
        with self._lock:
            self._refill()
            return {
                "maximumAvailable": self.maximum,
                "currentlyAvailable": int(self._available),
                "restoreRate": self.rate,
            }

    def _refill(self):
        now = self._clock()
        self._available = min(self.maximum, self._available + (now - self._at) * self.rate)
        self._at = now

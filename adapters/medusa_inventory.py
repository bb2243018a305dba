"""Stock to Medusa: absolute quantities per location, so that a repetition is harmless.

A batch is atomic: one item that is refused stops all. So the refused one is found, by what the
error names or by halving, and the others are sent without it.

What Medusa sells is ``stocked_quantity`` less what it has reserved for its own open orders: send
what is on hand.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from .base import Result
from .documents import InventoryLevel
from .errors import Missing, Rejected, Temporary, ValidationFailed
from .medusa_errors import about
from .medusa_values import amount, is_id, json_number, utc

#: https://docs.medusajs.com/api/admin#inventory-items_postinventoryitemslocationlevelsbatch
LEVELS_BATCH = "admin/inventory-items/location-levels/batch"
BATCH_SIZE = 100
#: Of an item without stock at that location, and alike of an item that does not exist.
NOT_STOCKED = re.compile(r"Item (\S+) is not stocked at location ([^\s,]+)")
#: Somebody else was faster to stock it there.
STOCKED_ALREADY = re.compile(r"inventory_item_id: (\S+), location_id: (\S+), already exists")
UNKNOWN_ITEM = re.compile(r"inventory_item_id: ([^\s,]+), but such entity does not exist")
#: ``Value for field 'update, 3, stocked_quantity' too small``
BY_NUMBER = re.compile(r"ield '(create|update), (\d+),")


@dataclass(eq=False)
class _Level:
    """The quantity of one item at one location, on its way. ``new``: it is not stocked there yet.
    ``turns`` keeps two requests that contradict each other from going on for ever."""

    position: int
    item: str
    location: str
    quantity: Decimal
    new: bool = False
    turns: int = 0

    def as_json(self):
        return {
            "inventory_item_id": self.item,
            "location_id": self.location,
            "stocked_quantity": json_number(self.quantity),
        }


class InventoryMixin:
    """Needs ``_api``, ``_locations`` and ``_find_items``."""

    def _push_inventory(self, documents, keys):
        items = self._inventory_items(documents)
        problems, levels = {}, []
        for position, document in enumerate(documents):
            problem = self._stock_problem(document, items.get(document.external_id))
            if problem:
                problems[position] = problem
                continue
            levels += [
                _Level(position, items[document.external_id], one.location_id, one.quantity)
                for one in document.levels
            ]
        answers = self._write_levels(levels) if levels else {}
        return [
            Result(error=problems[position])
            if position in problems
            else _read_levels(
                document, [(one, answers.get(one)) for one in levels if one.position == position]
            )
            for position, document in enumerate(documents)
        ]

    def _inventory_items(self, documents):
        """``{variant id: inventory item id}``; those that the bindings do not know are asked for.
        ``None``: nothing is counted, or the variant is put together of several items."""
        known = {
            one.external_id: one.handles["inventory_item_id"]
            for one in documents
            if one.handles.get("inventory_item_id")
        }
        unknown = {one.external_id for one in documents} - known.keys()
        asked = sorted(one for one in unknown if is_id(one))
        return {**known, **self._find_items(asked)} if asked else known

    def _stock_problem(self, document: InventoryLevel, item):
        """Why this stock cannot be sent, or ``None``."""
        label = document.label
        if not is_id(document.external_id):
            return ValidationFailed(
                f"{label}: '{document.external_id}' is not the ID of a variant in Medusa.",
                hint="Match the product again (Configuration > Matching), then press Resend.",
            )
        if not item:
            return _uncounted(label)
        for level in document.levels:
            if not level.quantity.is_finite() or level.quantity < 0:
                return ValidationFailed(
                    f"{label}: Medusa takes no quantity of {level.quantity}.",
                    hint="Correct the quantity in Odoo, then press Resend.",
                )
            # Medusa itself takes any id, and then has stock at a place that is none.
            if level.location_id not in self._locations():
                return Missing(
                    f"{label}: the store has no stock location {level.location_id}.",
                    hint="Map the warehouse to a location of the store again, then press Resend.",
                    code="location_not_found",
                )
        return None

    # === THE ATOMIC BATCH === #

    def _write_levels(self, levels):
        """:return: ``{level: row of the answer, or the error}``"""
        create = [level for level in levels if level.new]
        update = [level for level in levels if not level.new]
        body = {
            "create": [level.as_json() for level in create],
            "update": [level.as_json() for level in update],
        }
        try:
            answer = self._api("POST", LEVELS_BATCH, json=body).json()
        except (Missing, Rejected) as error:
            return self._isolate(levels, create, update, error)
        rows = [*(answer.get("created") or ()), *(answer.get("updated") or ())]
        found = {(row.get("inventory_item_id"), row.get("location_id")): row for row in rows}
        return {level: found.get((level.item, level.location)) for level in levels}

    def _isolate(self, levels, create, update, error):
        """Nothing was written. Send again what can be: with the refused ones as new (or as known),
        or without them."""
        said = getattr(error, "said", "")
        turned = _named(levels, NOT_STOCKED, said, new=False)
        turned += _named(levels, STOCKED_ALREADY, said, new=True)
        turned = [level for level in turned if level.turns < 2]
        if turned:
            for level in turned:
                level.new, level.turns = not level.new, level.turns + 1
            return self._write_levels(levels)
        if len(levels) == 1:
            return {levels[0]: error}
        refused = [level for level in levels if level.item in UNKNOWN_ITEM.findall(said)]
        for group, place in BY_NUMBER.findall(said):
            rows = create if group == "create" else update
            refused += rows[int(place) : int(place) + 1]
        if refused:
            rest = [level for level in levels if level not in refused]
            return {**dict.fromkeys(refused, error), **(self._write_levels(rest) if rest else {})}
        half = len(levels) // 2
        return self._write_levels(levels[:half]) | self._write_levels(levels[half:])


def _named(levels, pattern, said, new):
    """Those levels that an error names."""
    pairs = set(pattern.findall(said))
    return [level for level in levels if level.new is new and (level.item, level.location) in pairs]


def _read_levels(document, answers):
    """The result of one document from what became of its levels."""
    for _level, row in answers:
        if isinstance(row, Exception):
            return Result(error=about(row, document.label))
        if row is None:
            return Result(error=_unanswered(document.label))
    moments = [utc(row.get("updated_at")) for _level, row in answers]
    return Result(
        outcome="updated",
        external_id=document.external_id,
        parent_id=document.parent_id,
        updated_at=max(filter(None, moments), default=None),
        seen={level.location: amount(row, "stocked_quantity") for level, row in answers},
    )


def _unanswered(label):
    return Temporary(
        f"{label}: the store's answer says nothing about this product.",
        hint="It is sent again by itself.",
        code="item_not_answered",
        uncertain=True,
    )


def _uncounted(label):
    return Rejected(
        f"{label}: the store does not count the stock of this variant by itself.",
        hint="Was it deleted in Medusa? Then match the product again. Otherwise switch on 'Manage "
        "inventory' for the variant there. A bundle, made of several inventory items, has no "
        "stock of its own: unmatch it.",
        code="stock_not_managed",
    )

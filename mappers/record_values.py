"""Values of fields <-> values of JSON."""

import math
from datetime import date, datetime
from decimal import Decimal

from odoo import fields, models

WORDS_OF_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def walk(record, path, env):
    """The value at the end of a path of fields: plain, or the records where it ends at some.

    Through several records it is the list of their values.
    """
    *way, last = path.split(".")
    for name in way:
        record = record[name]
    field = record._fields[last]
    if field.relational:
        found = record[last]
        return found if field.type != "many2one" else (found.display_name or None)
    values = [_plain(one, field, env) for one in record]
    return values if len(record) > 1 else next(iter(values), None)


def _plain(record, field, env):
    value = record[field.name]
    if field.type == "boolean":
        return value
    if field.type in ("integer", "float", "monetary"):
        return _rounded(record, field, value, env)
    if value is False or value is None:
        return None
    return value.decode() if isinstance(value, bytes) else value


def _rounded(record, field, value, env):
    if field.type == "integer":
        return value
    if field.type == "monetary":
        currency = record[field.get_currency_field(record)]
        return round(value, currency.decimal_places if currency else 2)
    digits = field.get_digits(env)
    return round(value, digits[1]) if digits else value


def is_empty(value):
    return value is None or value == "" or value == [] or value == {}


def convert(value, value_type, form, env):
    """``value`` as the line wants it.

    :param form: for dates the pattern of ``strftime``, for numbers the digits after the point
    :raise ValueError: it cannot be, in words
    """
    if isinstance(value, list) and value_type != "auto":
        return [convert(item, value_type, form, env) for item in value]
    try:
        match value_type:
            case "text":
                return str(as_json(value))
            case "integer":
                return int(Decimal(str(value)))
            case "decimal":
                number = float(Decimal(str(value)))
                if not math.isfinite(number):
                    raise ValueError
                return round(number, int(form)) if form else number
            case "boolean":
                return value if isinstance(value, bool) else WORDS_OF_TRUTH[str(value).lower()]
            case "date":
                day = fields.Date.to_date(value)
                return day.strftime(form) if form else day
            case "datetime":
                moment = fields.Datetime.to_datetime(value)
                return moment.strftime(form) if form else moment
    except (ValueError, ArithmeticError, KeyError, TypeError) as error:
        raise ValueError(env._("%(value)r is no %(type)s", value=value, type=value_type)) from error
    return value


def as_json(value):
    """Dates in ISO 8601 (UTC), records by their names."""
    if isinstance(value, models.BaseModel):
        return [record.display_name for record in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, dict, type(None))) else str(value)


def put(values, key, value):
    """Set ``a.b.c``.

    :raise ValueError: another key has a value in the way
    """
    *way, last = key.split(".")
    for part in way:
        values = values.setdefault(part, {})
        if not isinstance(values, dict):
            raise ValueError(f"'{part}' has a value of its own")
    values[last] = value

"""A document with some of its values replaced: what a manager corrects before it is sent."""

from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from .documents import plain


def leaves(document, prefix=""):
    """``(path, value)`` of every single value of a document that takes part in its content;
    ``lines.0.sku`` is the SKU of the first line. Values as :func:`documents.plain` has them."""
    if is_dataclass(document):
        for spec in fields(document):
            if spec.metadata.get("fingerprint", True):
                yield from leaves(getattr(document, spec.name), f"{prefix}{spec.name}.")
    elif isinstance(document, dict):
        for key, value in document.items():
            yield from leaves(value, f"{prefix}{key}.")
    elif isinstance(document, (list, tuple)):
        for number, value in enumerate(document):
            yield from leaves(value, f"{prefix}{number}.")
    else:
        yield prefix.removesuffix("."), plain(document)


def corrected(document, correction):
    """``document`` with other values at some paths.

    :param dict correction: path -> text; a path that the document no longer has is left out
    :raise ValueError: a text that is no value of its field's type
    """
    for path, text in correction.items():
        document = _put(document, path.split("."), text)
    return document


def _put(value, path, text):
    if not path:
        return _typed(value, text)
    name, rest = path[0], path[1:]
    if is_dataclass(value):
        if name not in {spec.name for spec in fields(value)}:
            return value
        return replace(value, **{name: _put(getattr(value, name), rest, text)})
    if isinstance(value, dict):
        return {
            key: _put(item, rest, text) if str(key) == name else item for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return type(value)(
            _put(item, rest, text) if str(number) == name else item
            for number, item in enumerate(value)
        )
    return value


def _typed(before, text):
    """``text`` as a value of the type of the one before."""
    try:
        return _read(before, text)
    except ArithmeticError as error:  # of decimals
        raise ValueError(f"{text} is no number") from error


def _read(before, text):
    if isinstance(before, bool):
        return text.strip().lower() in ("1", "true", "yes")
    if isinstance(before, Decimal):
        return Decimal(text.strip())
    if isinstance(before, int):
        return int(text)
    if isinstance(before, datetime):
        return datetime.fromisoformat(text.strip())
    if isinstance(before, date):
        return date.fromisoformat(text.strip())
    return text

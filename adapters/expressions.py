"""JMESPath expressions that people type (https://jmespath.org): read, never run as code."""

from functools import lru_cache

import jmespath
from jmespath.exceptions import JMESPathError


@lru_cache(maxsize=2048)
def compiled(expression):
    """The parsed expression.

    :raise ValueError: it is none, in words
    """
    try:
        return jmespath.compile(expression)
    except JMESPathError as error:
        words = str(error).splitlines()[0]
        raise ValueError(f"'{expression}' is no JMESPath expression: {words}") from error


def evaluate(expression, value):
    """What the expression finds in JSON values.

    :raise ValueError: it does not fit these values, in words
    """
    try:
        return compiled(expression).search(value)
    except JMESPathError as error:
        raise ValueError(f"'{expression}': {error}") from error


def is_true(value):
    """Truth as JMESPath has it: 0 is true; empty texts, lists and objects are not."""
    return not (value is None or value is False or value in ("", [], {}))

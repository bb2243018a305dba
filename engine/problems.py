"""What is wrong, said without the document it is wrong with: failures that a person mends in one
go have the same key."""

import hashlib
import re

#: Stands for what differs from document to document.
GAP = "…"
#: Times, long hexadecimal ids, and numbers that stand alone. A SKU (``ABC-123``) is none of them:
#: it is what has to be mended, whichever document it stands in.
_PARTICULAR = re.compile(
    r"""\d{4}-\d{2}-\d{2}(?:[T\s]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?Z?
      | (?<![\w-])[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}(?![\w-])
      | (?<![\w'"#/-])[#]?\d+(?:[.,:/]\d+)*%?(?![\w'"-])""",
    re.VERBOSE | re.IGNORECASE,
)
#: The longest text that takes part in a key.
LONGEST = 500


def headline(message, *names):
    """An error's message without what is particular to its document.

    ``Cannot send invoice INV/7 to Demo Store: line 2 'Mug' has no SKU.`` becomes
    ``Line … 'Mug' has no SKU.``

    :param str message: for staff
    :param names: the document's label, its external id
    """
    text = message or ""
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, GAP)
    # an introduction that names the document says nothing about what is wrong
    intro, colon, rest = text.partition(": ")
    if colon and GAP in intro and rest.strip():
        text = rest
    text = _PARTICULAR.sub(GAP, text)
    text = " ".join(text.split())[:LONGEST]
    return text[:1].upper() + text[1:]


def problem_key(kind, code, message, *names):
    """The same for all failures that have the same cause; a short text, or ``None`` without a
    kind."""
    if not kind:
        return None
    text = "\n".join((kind, code or "", headline(message, *names)))
    return f"{kind}:{hashlib.sha256(text.encode()).hexdigest()[:16]}"

"""Strings that a model meant, where it did not write JSON's: where they end, and the same text as JSON writes it.

A quote within a text that should have been escaped looks like the text's end. As long as all quotes of an answer can be
where they ought to be, each is taken at its word. Else it is taken for an end only if what follows could follow a text:
a comma and then something that can be the next item, a bracket, a colon, the end, or the next key where a comma was
forgotten. Looking ahead is bounded, so time is linear in the text.
"""

import re
from collections.abc import Iterator

CLOSING = {'"': '"', "'": "'", "“": '"”', "”": '"”', "‘": "'’", "’": "'’", "`": "`"}  # by what opens
QUOTES = "".join(CLOSING)
_COMMENT = r"//|/\*|\#"
_KEY = rf"""(?: "(?:[^"\n\\]|\\.){{0,200}}" | [{QUOTES}][^{QUOTES}\n\\]{{0,200}}[{QUOTES}]
             | [A-Za-z_$][\w$-]{{0,100}} ) \s{{0,200}} :"""
# Possessive (`*+`): what was skipped is never looked at from its middle again.
_AFTER_VALUE_IN_OBJECT = re.compile(
    rf"\s*+(?: $ | [}}\]] | {_COMMENT} | {_KEY} | , \s*+(?: $ | [}}\],] | {_COMMENT} | {_KEY} ))", re.VERBOSE
)
_AFTER_ITEM_IN_ARRAY = re.compile(
    rf"""[^\S\n]*+\n\s*+[{QUOTES}] | \s*+(?: $ | [}}\]] | {_COMMENT}
         | , \s*+(?: $ | [{QUOTES}\[{{}}\],\d.+-] | {_COMMENT} | (?i:true|false|null|none|nan|undefined)\b ))""",
    re.VERBOSE,
)
_AFTER_KEY = re.compile(r"\s*+(?:$|[:}=])|\s++[\d{\[\"-]")
_FOLLOWS_VALUE = re.compile(rf"\s*+(?:$|[,}}\]]|{_COMMENT})")
_FOLLOWS_KEY = re.compile(r"\s*+(?:$|:)")
_TO_MEND = re.compile(r'\\(?:(["\\/bfnrt]|u[0-9a-fA-F]{4})|(.?))|["\x00-\x1f]', re.DOTALL)


class Misquoted(Exception):
    """A quote is not where it ought to be."""


def trusted_end_of(text: str, start: int, where: str) -> int:
    """As `end_of`, where every quote is believed to be right. Raises Misquoted: one is not."""
    found = next((each for each in _ends(text, start) if each[0][0] != "\\"), None)
    if found is None:
        return len(text)
    if not (_FOLLOWS_KEY if where == ":" else _FOLLOWS_VALUE).match(text, found.end()):
        raise Misquoted
    return found.start()


def end_of(text: str, start: int, where: str) -> int:
    """Index of the quote that ends the text which the quote at `start` opens; the text's length if none does.

    Args:
        text: all of it.
        start: where the string begins, with one of QUOTES.
        where: `{` for a value in an object, `[` for one in an array, `:` for a key.
    """
    after = {"{": _AFTER_VALUE_IN_OBJECT, "[": _AFTER_ITEM_IN_ARRAY, ":": _AFTER_KEY}[where]
    for found in _ends(text, start):
        if found[0][0] != "\\" and after.match(text, found.end()):
            return found.start()
    return len(text)


def _ends(text: str, start: int) -> Iterator[re.Match[str]]:
    """Quotes that may end the text, and escapes."""
    return re.compile(rf"\\.?|[{CLOSING[text[start]]}]", re.DOTALL).finditer(text, start + 1)


def written(text: str) -> str:
    """As a JSON string with its quotes; escapes in it are kept where JSON knows them."""
    return f'"{_TO_MEND.sub(_mend, text)}"'


def _mend(found: re.Match[str]) -> str:
    if found[1] is not None:
        return found[0]
    if (escaped := found[2]) is not None:
        if escaped in ("'", "`", "“", "”", "‘", "’"):
            return escaped
        if not escaped:
            return ""  # the text was cut within an escape
        return "\\n" if escaped == "\n" else "\\\\" + _TO_MEND.sub(_mend, escaped)
    return {'"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(found[0], f"\\u{ord(found[0]):04x}")

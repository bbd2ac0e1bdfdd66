"""What a model meant as JSON, rewritten as JSON: brackets, commas, quotes, keys, comments and words of other languages.

One pass from the first bracket to the one that closes it, with a stack and no recursion; each character is looked at a
bounded number of times. Nothing is invented but what must stand where something is missing: `null` for a value,
brackets at the end. Commas and colons in the text only say where an item may begin, and are written where JSON wants
them.
"""

import re
from enum import Enum, auto

from router.protocol.plugins.lenient_string import QUOTES, Misquoted, end_of, trusted_end_of, written

_DEPTH = 128  # levels; answers have under 20
_SKIPPED = re.compile(r"(?:\s+|//[^\n]*|\#[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?)+")
_KEY_WORD = re.compile(r"[^,:={}\[\]\n]+")
_VALUE_WORD = re.compile(r"(?:[^,:{}\[\]\n]|:(?=\S))+")  # a colon within is that of a URL or a time
_COMMENT = re.compile(r"\s(?://|#|/\*)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LOOSE_NUMBER = re.compile(r"([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eE][+-]?[0-9]+)?")
_LITERALS = {"true": "true", "false": "false", **dict.fromkeys(("null", "none", "undefined", "nan", "nil"), "null")}
_CLOSES = {"{": "}", "[": "]"}


class _Expects(Enum):
    ITEM = auto()  # a key in an object, a value in an array
    COLON = auto()
    VALUE = auto()  # behind a colon
    SEPARATOR = auto()


class Unmendable(Exception):
    """The text is nested too deeply."""


def rewrite(text: str, start: int) -> tuple[str, int]:
    """JSON of the value that begins with the bracket at `start`, and where it ends in `text`. Raises Unmendable."""
    try:
        return _Rewriter(text, trusts=True).run(start)
    except Misquoted:
        return _Rewriter(text, trusts=False).run(start)


class _Rewriter:
    def __init__(self, text: str, *, trusts: bool) -> None:
        """`trusts`: quotes are where they ought to be; raises Misquoted when they are not."""
        self._text = text
        self._trusts = trusts
        self._out: list[str] = []
        self._open: list[str] = []  # brackets
        self._has_item: list[bool] = []
        self._count = {"{": 0, "[": 0}  # of each in `_open`
        self._expects = _Expects.VALUE

    def run(self, at: int) -> tuple[str, int]:
        text = self._text
        self._push(text[at])
        at += 1
        while self._open:
            skipped = _SKIPPED.match(text, at)
            at = skipped.end() if skipped else at
            if at >= len(text):
                while self._open:
                    self._pop()
                break
            character = text[at]
            if character in "{[":
                self._bracket(character)
                at += 1
            elif character in "}]":
                self._close("{" if character == "}" else "[")
                at += 1
            elif character in ",:" or (character == "=" and self._expects is _Expects.COLON):
                self._punctuation(character)
                at += 2 if text.startswith("=>", at) else 1
            elif character in QUOTES:
                at = self._string(at)
            else:
                at = self._word(at)
        return "".join(self._out), at

    def _push(self, bracket: str) -> None:
        if len(self._open) >= _DEPTH:
            raise Unmendable
        self._out.append(bracket)
        self._open.append(bracket)
        self._has_item.append(False)
        self._count[bracket] += 1
        self._expects = _Expects.ITEM

    def _pop(self) -> None:
        if self._expects is _Expects.COLON:
            self._out.append(":null")
        elif self._expects is _Expects.VALUE:
            self._out.append("null")
        bracket = self._open.pop()
        self._has_item.pop()
        self._count[bracket] -= 1
        self._out.append(_CLOSES[bracket])
        self._expects = _Expects.SEPARATOR

    def _close(self, bracket: str) -> None:
        """Close what was opened by `bracket`, and what was forgotten within; a bracket too many counts for nothing."""
        if self._count[bracket]:
            while self._open[-1] != bracket:
                self._pop()
            self._pop()

    def _bracket(self, bracket: str) -> None:
        if self._open[-1] == "{" and self._expects in (_Expects.ITEM, _Expects.SEPARATOR):
            return  # no key can begin so
        self._begin()
        self._push(bracket)

    def _punctuation(self, character: str) -> None:
        if character != ",":
            if self._expects is _Expects.COLON:
                self._out.append(":")
                self._expects = _Expects.VALUE
        elif self._expects is _Expects.SEPARATOR:
            self._expects = _Expects.ITEM
        elif self._expects in (_Expects.COLON, _Expects.VALUE):
            self._out.append(":null" if self._expects is _Expects.COLON else "null")
            self._expects = _Expects.ITEM

    def _string(self, at: int) -> int:
        find = trusted_end_of if self._trusts else end_of
        end = find(self._text, at, ":" if self._is_key else self._open[-1])
        self._put(written(self._text[at + 1 : end]))
        return end + 1

    def _word(self, at: int) -> int:
        is_key = self._is_key
        found = (_KEY_WORD if is_key else _VALUE_WORD).match(self._text, at)
        if found is None:  # an `=` where a key ought to be
            return at + 1
        word = found[0].rstrip()
        if self._trusts and any(quote in word for quote in QUOTES):
            raise Misquoted
        if comment := _COMMENT.search(word):
            word = word[: comment.start()].rstrip()
        self._put(written(word.rstrip(QUOTES)) if is_key else _value(word))
        return at + len(word)

    @property
    def _is_key(self) -> bool:
        return self._open[-1] == "{" and self._expects in (_Expects.ITEM, _Expects.SEPARATOR)

    def _begin(self) -> None:
        """Write what must stand before a value, or before a key."""
        if self._expects is _Expects.COLON:
            self._out.append(":")
        elif self._expects is not _Expects.VALUE:
            if self._has_item[-1]:
                self._out.append(",")
            self._has_item[-1] = True

    def _put(self, written_: str) -> None:
        is_key = self._is_key
        self._begin()
        self._out.append(written_)
        self._expects = _Expects.COLON if is_key else _Expects.SEPARATOR


def _value(word: str) -> str:
    """A word without quotes: a number, a literal of JSON, Python or JavaScript, or a text."""
    if _NUMBER.fullmatch(word):
        return word
    if (literal := _LITERALS.get(word.lower())) is not None:
        return literal
    loose = _LOOSE_NUMBER.fullmatch(word)
    if loose and (loose[2] or loose[3] or "0" in word[: loose.start(2)]):
        sign = "-" if loose[1] == "-" else ""
        fraction = f".{loose[3] or '0'}" if "." in word else ""
        return f"{sign}{loose[2] or '0'}{fraction}{loose[4] or ''}"
    return written(word)

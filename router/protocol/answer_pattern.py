"""`response_format` of type regex: the whole answer matches a pattern, in the sense of ECMA-262 with its flag u.

An engine's compiler reads some of it otherwise: it drops a `^` or `$` in the middle, takes `.` for line breaks too, and
a set that nothing is in leaves it without any token to choose. So what is sent is written anew: sets and classes as the
characters they hold, less U+0000 and surrogates, which no answer has; anchors only where they say nothing.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from router.protocol.errors import ApiError, invalid
from router.protocol.limits import Limits
from router.protocol.pattern import TOKEN, check_pattern

Ranges = tuple[tuple[int, int], ...]  # code points, both ends within

_ALL: Ranges = ((0x01, 0xD7FF), (0xE000, 0x10FFFF))
_DIGIT: Ranges = ((0x30, 0x39),)
_WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_BREAKS: Ranges = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_SPACE: Ranges = (
    (0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F),
    (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip
_NAMED: Mapping[str, int] = MappingProxyType({"n": 0x0A, "r": 0x0D, "t": 0x09, "f": 0x0C, "v": 0x0B})
_IN_SET = re.compile(r"\\(?:u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)|.", re.DOTALL)
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


def write_pattern(pattern: object, path: str, limits: Limits) -> str:
    """The pattern for an engine.

    Raises:
        ApiError: 400, naming `path` and the position within the pattern.
    """
    if not isinstance(pattern, str) or not pattern:
        raise invalid(path, "must be a string, not empty")
    check_pattern(pattern, path, limits)
    written = []
    for found in TOKEN.finditer(pattern):
        kind, text, at = found.lastgroup, found[0], found.start()
        if kind == "set":
            written.append(_set(text, path, at))
        elif kind == "escape":
            ranges, is_class = _escape(text, path, at)
            written.append(_write(ranges) if is_class else _plain(ranges[0][0]))
        elif kind == "plain":
            written.append(_one(pattern, at, path))
        else:
            written.append(text)
    return "".join(written)


def _one(pattern: str, at: int, path: str) -> str:
    char = pattern[at]
    if char == ".":
        return _write(_without(_BREAKS))
    if char == "{":
        raise _fail(path, at, "write \\{ for a brace, {m,n} to repeat")
    if char == "^":
        follows = TOKEN.match(pattern, 1)
        if at > 0 or (follows is not None and follows.lastgroup == "quantifier"):
            raise _fail(path, at, "^ may only begin the pattern, which is for the whole answer")
        return ""
    if char == "$":
        if at + 1 < len(pattern):
            raise _fail(path, at, "$ may only end the pattern, which is for the whole answer")
        return ""
    return char


def _set(text: str, path: str, at: int) -> str:
    is_negated = text.startswith("[^")
    items = _IN_SET.findall(text[2 if is_negated else 1 : -1])
    ranges: list[tuple[int, int]] = []
    index = 0
    while index < len(items):
        first, is_class = _item(items[index], path, at)
        index += 1
        if items[index : index + 1] != ["-"] or index + 1 == len(items):
            ranges += first
            continue
        last, is_class_too = _item(items[index + 1], path, at)
        if is_class or is_class_too or first[0][0] > last[0][0]:
            raise _fail(path, at, "has a range in a set whose ends are not two characters in order")
        ranges.append((first[0][0], last[0][0]))
        index += 2
    held = _without(tuple(ranges)) if is_negated else _without(_without(tuple(ranges)))
    if not held:
        raise _fail(path, at, "has a set that nothing is in")
    return _write(held)


def _item(text: str, path: str, at: int) -> tuple[Ranges, bool]:
    return _escape(text, path, at) if text[0] == "\\" else (((ord(text), ord(text)),), False)


def _escape(text: str, path: str, at: int) -> tuple[Ranges, bool]:
    """What an escape stands for, and whether that is a class of characters."""
    name = text[1]
    for letter, ranges in (("d", _DIGIT), ("w", _WORD), ("s", _SPACE)):
        if name.lower() == letter:
            return ranges if name == letter else _without(ranges), True
    if name in _NAMED:
        code = _NAMED[name]
    elif name in "xu" and len(text) > 2:
        code = int(text[2:].strip("{}"), 16)
    elif _PUNCTUATION.fullmatch(name):
        code = ord(name)
    else:
        raise _fail(path, at, f"the escape \\{name} is not supported")
    if not any(low <= code <= high for low, high in _ALL):
        raise _fail(path, at, "has U+0000, a surrogate or what is no character")
    return ((code, code),), False


def _without(ranges: Ranges) -> Ranges:
    """All characters but these."""
    left = []
    for start, end in _ALL:
        at = start
        for low, high in sorted(ranges):
            if low > at and at <= end:
                left.append((at, min(end, low - 1)))
            at = max(at, high + 1)
        if at <= end:
            left.append((at, end))
    return tuple(left)


def _write(ranges: Ranges) -> str:
    parts = [_code(low) if low == high else f"{_code(low)}-{_code(high)}" for low, high in ranges]
    return f"[{''.join(parts)}]"


def _code(code: int) -> str:
    """A character within a set."""
    char = chr(code)
    if char.isascii() and char.isalnum():
        return char
    return f"\\u{code:04x}" if code < 0x10000 else f"\\u{{{code:x}}}"


def _plain(code: int) -> str:
    """A character outside of sets."""
    char = chr(code)
    if char in "\\^$.|?*+()[]{}":
        return f"\\{char}"
    return char if char.isprintable() else _code(code)


def _fail(path: str, at: int, problem: str) -> ApiError:
    return invalid(path, f"{problem} (at character {at + 1})")

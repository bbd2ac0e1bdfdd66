"""Regular expressions that an engine has to turn into an automaton: only what can be one, and one of bounded size.

Engines have hung on patterns (CVE-2026-55574), and some of their compilers backtrack, unroll `{n}` or copy states for
every way to read a text. So there is a list of what may be written; look-around and back-references, which make a
pattern more than a regular expression, are not in it. One pass over the pattern decides, in time linear in its length.

Schemas of tools are mostly shown to the model and never compiled; real ones have look-aheads. For those only the sizes
are bounded (`is_compiled=False`).
"""

import re

from router.protocol.errors import invalid
from router.protocol.limits import Limits

TOKEN = re.compile(
    r"""
    (?P<quantifier>[*+]|\?|\{\d+(?:,\d*)?\})\??
    | (?P<look>\(\?<?[=!])
    | (?P<open>\((?:\?:)?)(?!\?)
    | (?P<special>\(\?)
    | (?P<close>\))
    | (?P<bar>\|)
    | (?P<set>\[\^?(?:[^\]\\]|\\.)+\])
    | (?P<escape>\\(?:[dDwWsSnrtfv!-/:-@\[-`{-~] | x[0-9a-fA-F]{2} | u[0-9a-fA-F]{4} | u\{[0-9a-fA-F]{1,6}\}
                   | [pP]\{\w{1,40}\}))
    | (?P<back>\\(?:[1-9]|k|g))
    | (?P<odd>\\|\[\^?\])
    | (?P<open_set>\[)
    | (?P<plain>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_MAX_DIGITS = 9  # of a number in {n}
_WHY = {
    "look": "look-ahead and look-behind are not supported",
    "special": "groups of this kind are not supported: write (…) or (?:…)",
    "back": "back-references are not supported",
    "odd": "has an escape or a set that is not supported, or not closed",
    "open_set": "has an escape or a set that is not supported, or not closed",
}


class _Group:
    """An open group, or the whole: the most of what was found in it so far, and its last item alone."""

    __slots__ = ("can_repeat", "item", "most")

    def __init__(self) -> None:
        self.most = (1, 0)  # product of {n} within each other, * and + within each other
        self.item = (1, 0)
        self.can_repeat = False  # there is an item that a quantifier could stand behind

    def add(self, item: tuple[int, int], *, can_repeat: bool = True) -> None:
        self.item, self.can_repeat = item, can_repeat
        self.most = _most(self.most, item)


def check_pattern(pattern: object, path: str, limits: Limits, *, is_compiled: bool = True) -> None:
    """Check a regular expression.

    Raises:
        ApiError: 400, naming `path` and the position within the pattern.
    """
    if not isinstance(pattern, str):
        raise invalid(path, "must be a string")
    if len(pattern) > limits.pattern_chars:
        problem = f"at most {limits.pattern_chars} characters, got {len(pattern)}"
        raise invalid(path, problem, limit="pattern_chars")
    if "\0" in pattern:
        raise invalid(path, "must not contain a NUL character")
    groups = [_Group()]
    for found in TOKEN.finditer(pattern):
        kind, at = found.lastgroup or "", found.start()
        if kind in _WHY and is_compiled:
            raise invalid(path, f"{_WHY[kind]} (at character {at + 1})")
        if kind in ("open", "look", "special"):
            groups.append(_Group())
            if len(groups) > limits.pattern_depth + 1:
                problem = f"groups may be nested {limits.pattern_depth} deep (at character {at + 1})"
                raise invalid(path, problem, limit="pattern_depth")
        elif kind == "close":
            if len(groups) > 1:
                inner = groups.pop().most
                groups[-1].add(inner)
            elif is_compiled:
                raise invalid(path, f"a parenthesis closes what was not opened (at character {at + 1})")
        elif kind == "quantifier":
            _repeat(groups[-1], found["quantifier"], path, at, limits, is_compiled)
        elif kind == "bar":
            groups[-1].can_repeat = False
        else:
            groups[-1].add((1, 0))
            if kind == "open_set":
                break  # all the rest is within it; to look for its end once more from each "[" would take for ever
    if len(groups) > 1 and is_compiled:
        raise invalid(path, "a parenthesis is not closed")


def _repeat(group: _Group, written: str, path: str, at: int, limits: Limits, is_compiled: bool) -> None:
    if not group.can_repeat and is_compiled:
        raise invalid(path, f"there is nothing to repeat (at character {at + 1})")
    times, depth = group.item
    if written[0] == "{":
        low, comma, high = written[1:-1].partition(",")
        if max(len(low), len(high)) > _MAX_DIGITS:
            raise _too_often(path, limits)
        if high and int(low) > int(high):
            raise invalid(path, f"the smaller number comes first (at character {at + 1})")
        times *= max(1, int(low), int(high or 0))
        depth += comma != "" and not high
    else:
        depth += written != "?"
    if times > limits.pattern_repeat:
        raise _too_often(path, limits)
    if depth > limits.pattern_quantifiers:
        problem = f"* and + may be nested {limits.pattern_quantifiers} deep (at character {at + 1})"
        raise invalid(path, problem, limit="pattern_quantifiers")
    group.add((times, depth), can_repeat=False)


def _too_often(path: str, limits: Limits) -> Exception:
    problem = f"may repeat at most {limits.pattern_repeat} times, repetitions within each other multiplied"
    return invalid(path, problem, limit="pattern_repeat")


def _most(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return max(one[0], other[0]), max(one[1], other[1])

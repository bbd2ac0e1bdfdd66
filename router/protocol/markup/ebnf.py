"""A grammar as it is written: GBNF, the EBNF that vLLM's xgrammar reads.

Expressions are texts. A rule's name stands for its body; equal bodies are one rule, so what many fields have in common
is written once. Everything but printable ASCII is escaped, so no caller's text can end a literal or begin a rule.
"""

from collections.abc import Sequence

from router.protocol.errors import invalid
from router.protocol.limits import Limits

EMPTY = '""'
_NAMED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def literal(text: str) -> str:
    """An expression for this text alone."""
    return f'"{"".join(map(_escaped, text))}"'


def any_of(alternatives: Sequence[str]) -> str:
    """One of several expressions, as one that may be repeated or stand beside others."""
    different = tuple(dict.fromkeys(alternatives))
    return different[0] if len(different) == 1 else f"({' | '.join(different)})"


def optional(expression: str) -> str:
    """The expression or nothing."""
    return f"({expression})?"


def repeated(item: str, least: int, most: int | None) -> str:
    """`item`, a rule's name or a set, so many times. `most`: None where there is no bound."""
    if most == 0:
        return EMPTY
    if (least, most) == (1, 1):
        return item
    if most is None:
        return f"{item}*" if least == 0 else f"{item}{{{least},}}"
    return f"{item}{{{least},{most}}}"


class Grammar:
    """Rules by their bodies, in the order of their making; bounded in number and bytes.

    Args:
        path: the request field that errors name.
    """

    def __init__(self, path: str, limits: Limits) -> None:
        self._path = path
        self._limits = limits
        self._names: dict[str, str] = {}
        self._bytes = 0

    def rule(self, body: str) -> str:
        """The name of the rule with that body.

        Raises:
            ApiError: 400, the grammar grows too large.
        """
        if body not in self._names:
            self._names[body] = name = f"r{len(self._names)}"
            self._bytes += len(body) + len(name) + 6  # " ::= " and a line's end
            if len(self._names) > self._limits.markup_rules:
                problem = f"needs a grammar of more than {self._limits.markup_rules} rules"
                raise invalid(self._path, problem, limit="markup_rules")
            if self._bytes > self._limits.markup_bytes:
                problem = f"needs a grammar of more than {self._limits.markup_bytes} bytes"
                raise invalid(self._path, problem, limit="markup_bytes")
        return self._names[body]

    def text(self, root: str) -> str:
        """The grammar of which `root` is the first expression."""
        lines = [f"root ::= {root}", *(f"{name} ::= {body}" for body, name in self._names.items())]
        return "\n".join(lines)


def _escaped(char: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    if " " <= char <= "~":
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

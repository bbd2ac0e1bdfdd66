"""Is this a grammar that an engine can compile in bounded time, and that some text fulfils?

vLLM takes GBNF (`root ::= …`) and Lark (`start: …`), and tells them apart by whether a line has `::=`. Both are read
here far enough to know their rules, in one pass over the text: an engine's compiler recurses over groups and unrolls
repetitions, and one that only fails while tokens are chosen has taken whole engines down (CVE-2026-105757).

Lark is llguidance's dialect without what leads out of the grammar: no directives but `%ignore`, so no schemas and
patterns that would not be checked, no templates and no attributes of rules.
"""

import re
from collections.abc import Iterator

from router.protocol.errors import invalid
from router.protocol.grammar_rules import Rules
from router.protocol.limits import Limits
from router.protocol.pattern import check_pattern

_GBNF = re.compile(
    r"""
    (?P<space>[ \t\r\n]+ | \#[^\n]*)
    | (?P<define>::=)
    | (?P<text>"(?:[^"\\\n]|\\.)*" | \[(?:[^\]\\\n]|\\.)*\])
    | (?P<name>[A-Za-z_][A-Za-z0-9_.-]*)
    | (?P<repeat>[*+?] | \{[ ]*\d+[ ]*(?:,[ ]*\d*[ ]*)?\})
    | (?P<open>\(=?)
    | (?P<close>\))
    | (?P<bar>\|)
    | (?P<odd>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_LARK = re.compile(
    r"""
    (?P<space>[ \t\r\n]+ | \#[^\n]* | //[^\n]* | %ignore\b | ->[ \t]*\w+)
    | (?P<text>"(?:[^"\\\n]|\\.)*"i?(?:[ ]*\.\.[ ]*"(?:[^"\\\n]|\\.)*")? | '(?:[^'\\\n]|\\.)*')
    | /(?P<pattern>(?:[^/\\\n]|\\.)+)/[imslux]*
    | (?P<define>[?!]*[A-Za-z_]\w*(?:\.\d+)?[ \t]*:)
    | (?P<name>[A-Za-z_]\w*)
    | (?P<repeat>[*+?] | ~[ ]*\d+(?:[ ]*\.\.[ ]*\d+)? | \{[ ]*\d+[ ]*(?:,[ ]*\d*[ ]*)?\})
    | (?P<open>[(\[])
    | (?P<close>[)\]])
    | (?P<bar>\|)
    | (?P<odd>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"(?:#|//).*")
_NUMBER = re.compile(r"\d+")
_MAX_DIGITS = 9  # of a number of repetitions
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_Token = tuple[str, str, int]  # kind, text, position


def check_grammar(grammar: object, path: str, limits: Limits) -> None:
    """Check a grammar.

    Raises:
        ApiError: 400, naming `path` and the position within the grammar.
    """
    if not isinstance(grammar, str) or not grammar.strip():
        raise invalid(path, "must be a string with a grammar")
    if (size := len(grammar.encode())) > limits.grammar_bytes:
        raise invalid(path, f"at most {limits.grammar_bytes} bytes, got {size}", limit="grammar_bytes")
    rules = Rules(path, limits)
    if found := _CONTROL.search(grammar):
        raise rules.fail(found.start(), "must not contain control characters")
    is_gbnf = any("::=" in _COMMENT.sub("", line) for line in grammar.split("\n"))
    root = "root" if is_gbnf else "start"
    for kind, text, at in _gbnf(grammar) if is_gbnf else _lark(grammar):
        match kind:
            case "define":
                rules.begin(text, at)
                root = root if is_gbnf or rules.is_defined(root) else text
            case "name":
                rules.name(text, at)
            case "text":
                rules.text(at)
            case "pattern":
                check_pattern(text, path, limits)
                rules.text(at)
            case "repeat":
                rules.repeat(*_times(text), at)
            case "open":
                rules.open(at)
            case "close":
                rules.close(at, is_optional=text == "]")
            case "bar":
                rules.bar(at)
            case _:
                raise rules.fail(at, f"{text!r} is not understood here")
    rules.check(root, len(grammar) - 1)


def _gbnf(grammar: str) -> Iterator[_Token]:
    """Tokens; a name before `::=` is a definition."""
    held: _Token | None = None
    for found in _GBNF.finditer(grammar):
        kind = found.lastgroup or ""
        if kind == "space":
            continue
        if kind == "define":
            yield ("odd", "::=", found.start()) if held is None else ("define", *held[1:])
            held = None
            continue
        if held is not None:
            yield held
        token = (kind, found[0], found.start())
        held = token if kind == "name" else None
        if held is None:
            yield token
    if held is not None:
        yield held


def _lark(grammar: str) -> Iterator[_Token]:
    for found in _LARK.finditer(grammar):
        kind = found.lastgroup or ""
        if kind == "define":
            name = found[0].lstrip("?!").rstrip(": \t").partition(".")[0]
            yield "define", name, found.start()
        elif kind != "space":
            yield kind, found[kind], found.start()


def _times(written: str) -> tuple[int, int]:
    """Least and most; as most 1 where there is no bound, and a number that is too large for one too long to read."""
    numbers = [int(number[: _MAX_DIGITS + 1]) for number in _NUMBER.findall(written)]
    if not numbers:
        return int(written == "+"), 1
    return numbers[0], numbers[-1]

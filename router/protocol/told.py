"""What callers' headers tell of them, kept with each row of the ledger: which program, which site, which session.

Headers are bytes of strangers: each is cut, and loses what cannot be printed. Of the referer no query, no fragment and
no user is kept, because those hold tokens and what people searched for.
"""

from collections.abc import Iterable
from dataclasses import dataclass

LONGEST_SESSION = 256  # characters, as at OpenRouter
_LONGEST_REFERER = 256
_LONGEST_TITLE = 128
_LONGEST_AGENT = 256


@dataclass(frozen=True, slots=True)
class Told:
    """Of one request; None: nothing was said."""

    referer: str | None = None  # `HTTP-Referer`: the site or program that asks
    title: str | None = None  # `X-OpenRouter-Title`, or `X-Title`
    user_agent: str | None = None
    session_id: str | None = None  # `X-Session-Id`; a `session_id` in the body goes before it


NOTHING_TOLD = Told()


def told_by(headers: Iterable[tuple[bytes, bytes]]) -> Told:
    """Read the headers, whose names are in lower case. Nothing in them is refused."""
    wanted = {name: value for name, value in headers if name in _NAMES}
    if not wanted:
        return NOTHING_TOLD
    referer = _text(wanted.get(b"http-referer") or wanted.get(b"referer"), 2 * _LONGEST_REFERER)
    return Told(
        referer=_without_secrets(referer)[:_LONGEST_REFERER] or None if referer else None,
        title=_text(wanted.get(b"x-openrouter-title") or wanted.get(b"x-title"), _LONGEST_TITLE),
        user_agent=_text(wanted.get(b"user-agent"), _LONGEST_AGENT),
        session_id=_text(wanted.get(b"x-session-id"), LONGEST_SESSION),
    )


def origin_of(referer: str | None) -> str:
    """Scheme and host of a referer; "" without one."""
    if referer is None:
        return ""
    scheme, mark, rest = referer.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/" if mark else ""


_NAMES = frozenset({b"http-referer", b"referer", b"x-openrouter-title", b"x-title", b"user-agent", b"x-session-id"})


def _without_secrets(referer: str) -> str:
    bare = referer.partition("#")[0].partition("?")[0]
    scheme, mark, rest = bare.partition("://")
    if not mark:
        return bare
    authority, slash, path = rest.partition("/")
    return f"{scheme}{mark}{authority.rpartition('@')[2]}{slash}{path}"


def _text(value: bytes | None, longest: int) -> str | None:
    """None: it is missing, or holds nothing."""
    if not value:
        return None
    text = value[: 4 * longest].decode(errors="replace")
    return "".join(each for each in text if each.isprintable()).strip()[:longest] or None

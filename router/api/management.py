"""What all routes of the management API do first and last: who may use them, which page is asked for, times and money.

They need a database and a management key. Without a database each says so: an operator who looks for keys must learn
what to set.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from fastapi import Request
from fastapi.responses import Response

from router.api.auth import Authenticator
from router.policy.key import NANO, Interval, Key
from router.protocol.errors import ApiError, invalid
from router.store.known_keys import KnownKeys

if TYPE_CHECKING:  # these import SQLAlchemy, which a router without a database has no use for
    from router.store.guardrails import GuardrailStore
    from router.store.keys import KeyStore
    from router.store.spent_store import SpentStore
    from router.store.workspace_budgets import WorkspaceBudgetStore
    from router.store.workspaces import WorkspaceStore

PAGE = 100  # entries of a list, as at OpenRouter
_LATEST_OFFSET = 2**31  # more is refused, not skipped
_DIGITS = 12  # of the longest number in a query that is read at all


@dataclass(frozen=True, slots=True)
class Accounts:
    """What is in the database, for those who manage it."""

    keys: "KeyStore"
    workspaces: "WorkspaceStore"
    budgets: "WorkspaceBudgetStore"
    guardrails: "GuardrailStore"
    spent: "SpentStore"
    known: KnownKeys  # what this router remembers of it, to be told what was changed


@dataclass(frozen=True, slots=True)
class Desk:
    """Where managers are let in."""

    keys: Authenticator
    accounts: Accounts | None

    async def admit(self, request: Request) -> Accounts:
        """
        Raises:
            ApiError: 404, the router has no database; 401 and 403, not with this key; 503, that cannot be told.
        """
        accounts, _ = await self.meet(request)
        return accounts

    async def meet(self, request: Request) -> tuple[Accounts, Key]:
        """As `admit`, and who it is."""
        if self.accounts is None:
            raise ApiError(
                "not_found", "This router keeps no accounts: set `database.url` in its configuration to manage keys."
            )
        return self.accounts, await self.keys.authenticate(request.scope["headers"], management=True)


def answer(body: object, status: int = 200) -> Response:
    """In JSON, for nobody else to keep."""
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type="application/json",
        headers={"cache-control": "no-store"},
    )


def missing(what: str) -> ApiError:
    """404."""
    return ApiError("not_found", f"{what} not found")


def offset_of(request: Request) -> int:
    """How many entries to skip. Raises ApiError 400."""
    return _number(request, "offset", 0, 0, _LATEST_OFFSET)


def limit_of(request: Request) -> int:
    """How many entries to list. Raises ApiError 400."""
    return _number(request, "limit", PAGE, 1, PAGE)


def page_size_of(request: Request, usual: int, most: int) -> int:
    """How many entries to list, of a list with a page of its own. Raises ApiError 400."""
    return _number(request, "limit", usual, 1, most)


def flag_of(request: Request, name: str) -> bool:
    """A switch of the query. Raises ApiError 400."""
    value = request.query_params.get(name, "false").lower()
    if value not in ("true", "false", "1", "0", ""):
        raise invalid(name, "must be true or false")
    return value in ("true", "1")


def iso(unix_s: float | None) -> str | None:
    """RFC 3339 in UTC, with milliseconds."""
    if unix_s is None:
        return None
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(field: str, text: str | None) -> float | None:
    """Unix seconds of an RFC 3339 timestamp. Raises ApiError 400."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or text.count(":") < 2 or "T" not in text.upper():
        raise invalid(field, "must be a time with seconds and a time zone, e.g. 2027-12-31T23:59:59Z")
    return found.timestamp()


def usd(nano: int) -> float:
    return nano / NANO


def nano(usd: float | None) -> int | None:
    return None if usd is None else round(usd * NANO)


def interval_word(interval: Interval) -> str | None:
    """As the API has it: a limit for ever has no word."""
    return None if interval is Interval.LIFETIME else interval.value


def listed(texts: Sequence[str] | frozenset[str] | None) -> list[str] | None:
    return None if texts is None else sorted(texts)


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and least <= int(text) <= most):
        raise invalid(name, f"must be a whole number from {least} to {most}")
    return int(text)

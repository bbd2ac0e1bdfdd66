"""GET /activity: usage of the last thirty complete days (UTC), by day, model and pool.

A request that no pool was tried for is in no row. OpenRouter's endpoints are our pools.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response

from router.api.management import Desk, answer, missing, usd
from router.policy.key import Interval
from router.protocol.errors import ApiError, invalid

if TYPE_CHECKING:  # it imports SQLAlchemy, which a router without a database has no use for
    from router.store.activity import Activity, ActivityStore

_DAYS = 30
_DAY_S = 86_400


def routes(desk: Desk, activity: "ActivityStore | None", wall_clock: Callable[[], float]) -> APIRouter:
    """The route, to be mounted under each API base.

    Args:
        desk: where managers are let in.
        activity: None without a database, as the desk's accounts.
        wall_clock: unix seconds.
    """
    router = APIRouter()

    @router.get("/activity")
    async def show(request: Request) -> Response:
        from router.store.activity import Wanted

        accounts = await desk.admit(request)
        assert activity is not None
        query = request.query_params
        since, until = _days(query.get("date"), wall_clock())
        if (group_by := query.get("group_by")) not in (None, "", "workspace"):
            raise invalid("group_by", "must be workspace")
        workspace = query.get("workspace_id")
        if workspace:
            record = await accounts.workspaces.get(workspace)
            if record is None:
                raise missing("Workspace")
            workspace = record.id
        wanted = Wanted(
            since,
            until,
            key=query.get("api_key_hash") or None,
            creator=query.get("user_id") or None,
            workspace=workspace or None,
            by_workspace=bool(group_by),
        )
        rows = await activity.rows(wanted)
        if rows is None:
            raise ApiError(
                "invalid_request",
                "This is too much for one answer; ask for one day (`date`), key (`api_key_hash`) or workspace.",
                field="date",
            )
        return answer({"data": [_object(row) for row in rows]})

    return router


def _days(date: str | None, unix_s: float) -> tuple[int, int]:
    """The first midnight and the one after the last day."""
    today = Interval.DAILY.start(unix_s)
    first = today - _DAYS * _DAY_S
    if not date:
        return first, today
    try:
        asked = datetime.strptime(date[:10], "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        asked = None
    if asked is None or len(date) != len("2026-11-26"):
        raise invalid("date", "must be a day as in 2026-11-26")
    start = int(asked.timestamp())
    if not first <= start < today:
        raise invalid("date", f"must be one of the last {_DAYS} complete days (UTC)")
    return start, start + _DAY_S


def _object(row: "Activity") -> dict[str, object]:
    shown: dict[str, object] = {
        "date": datetime.fromtimestamp(row.day, UTC).date().isoformat(),
        "model": row.model,
        "model_permaslug": row.model,
        "endpoint_id": row.pool,
        "provider_name": row.provider,
        "usage": usd(row.cost),
        "byok_usage_inference": 0.0,
        "requests": row.requests,
        "prompt_tokens": row.prompt_tokens,
        "completion_tokens": row.completion_tokens,
        "reasoning_tokens": row.reasoning_tokens,
        "cached_tokens": row.cached_tokens,
    }
    if row.workspace is not None:
        shown["workspace_id"] = row.workspace
    return shown

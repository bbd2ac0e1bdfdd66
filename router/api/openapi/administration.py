"""The routes that administer keys, workspaces and guardrails."""

from collections.abc import Mapping

from router.api.openapi.failures import MANAGEMENT
from router.api.openapi.operation import Operation, in_path, query
from router.api.openapi.shape import Json

_FLAG: Json = {"enum": ["true", "false"]}
_OFFSET = query("offset", {"type": "integer", "minimum": 0, "maximum": 2**31}, "How many to skip")
_LIMIT = query("limit", {"type": "integer", "minimum": 1, "maximum": 100}, "How many at most")
_WORKSPACE = query("workspace_id", {"type": "string"}, "Of which workspace")
_PAGE = (_OFFSET, _LIMIT)
_SWITCHES = tuple(query(name, _FLAG) for name in ("include_disabled", "include_expired"))
_EXAMPLES: Mapping[str, Json] = {
    "CreateKey": {"name": "a service", "limit": 10.0, "limit_reset": "monthly", "rates": {"requests_per_min": 600}},
    "UpdateKey": {"name": "another service", "disabled": False},
    "CreateWorkspace": {"name": "Research", "slug": "research"},
    "UpdateWorkspace": {"name": "Development"},
    "PutBudget": {"limit_usd": 100.0},
    "CreateGuardrail": {"name": "small models", "limit_usd": 5.0, "reset_interval": "daily"},
    "UpdateGuardrail": {
        "content_filters": [{"pattern": "PRJ-[0-9]{4}", "action": "redact", "label": "[PROJECT]"}],
        "content_filter_builtins": [{"slug": "regex-prompt-injection", "action": "block"}],
        "enforce_zdr_other": True,
    },
    "KeyHashes": {"key_hashes": ["0" * 64]},
}


def operations() -> Mapping[str, Operation]:
    """By method and path."""
    return {**_keys(), **_workspaces(), **_guardrails()}


def _managed(
    summary: str, answer: str, tag: str, *parameters: Json, body: str | None = None, status: int = 200
) -> Operation:
    return Operation(
        summary,
        answer,
        tag,
        key="management",
        status=status,
        body=body,
        example=None if body is None else _EXAMPLES[body],
        parameters=parameters,
        errors=(*MANAGEMENT, 400),
    )


def _keys() -> dict[str, Operation]:
    one, tag = in_path("key_hash", "The SHA-256 of its secret, in hexadecimal digits"), "keys"
    own = Operation("What the asking key is and has left.", "OwnKey", tag)
    return {
        "GET /key": own,
        "GET /auth/key": own,
        "GET /keys": _managed("The keys of a workspace.", "Keys", tag, *_SWITCHES, _OFFSET, _WORKSPACE),
        "POST /keys": _managed(
            "Make a key; its secret is shown this once.", "NewKey", tag, body="CreateKey", status=201
        ),
        "GET /keys/{key_hash}": _managed("One key.", "OneKey", tag, one),
        "PATCH /keys/{key_hash}": _managed("Change it.", "OneKey", tag, one, body="UpdateKey"),
        "DELETE /keys/{key_hash}": _managed("Delete it; its rows in the ledger stay.", "Deleted", tag, one),
    }


def _workspaces() -> dict[str, Operation]:
    one, tag = in_path("reference", "Id or slug"), "workspaces"
    interval: Json = {
        "name": "interval",
        "in": "path",
        "required": True,
        "schema": {"enum": ["daily", "weekly", "monthly", "lifetime"]},
    }
    path = "/workspaces/{reference}"
    return {
        "GET /workspaces": _managed("The workspaces.", "Workspaces", tag, *_PAGE),
        "POST /workspaces": _managed("Make one.", "OneWorkspace", tag, body="CreateWorkspace", status=201),
        f"GET {path}": _managed("One.", "OneWorkspace", tag, one),
        f"PATCH {path}": _managed("Change it.", "OneWorkspace", tag, one, body="UpdateWorkspace"),
        f"DELETE {path}": _managed("Delete it, when no key is in it.", "Deleted", tag, one),
        f"GET {path}/budgets": _managed("Its budgets.", "Budgets", tag, one),
        f"GET {path}/budgets/{{interval}}": _managed("One of them.", "OneBudget", tag, one, interval),
        f"PUT {path}/budgets/{{interval}}": _managed("Set it.", "OneBudget", tag, one, interval, body="PutBudget"),
        f"DELETE {path}/budgets/{{interval}}": _managed("Take it away.", "Deleted", tag, one, interval),
    }


def _guardrails() -> dict[str, Operation]:
    one, tag = in_path("guardrail", "Its id"), "guardrails"
    path = "/guardrails/{guardrail}"
    return {
        "GET /guardrails": _managed("The guardrails of a workspace.", "Guardrails", tag, *_PAGE, _WORKSPACE),
        "POST /guardrails": _managed("Make one.", "OneGuardrail", tag, body="CreateGuardrail", status=201),
        "GET /guardrails/assignments/keys": _managed("Which keys all of them hold for.", "Assignments", tag, *_PAGE),
        f"GET {path}": _managed("One.", "OneGuardrail", tag, one),
        f"PATCH {path}": _managed("Change it.", "OneGuardrail", tag, one, body="UpdateGuardrail"),
        f"DELETE {path}": _managed("Delete it.", "Deleted", tag, one),
        f"GET {path}/assignments/keys": _managed("Which keys it holds for.", "Assignments", tag, one, *_PAGE),
        f"POST {path}/assignments/keys": _managed("Let it hold for these too.", "Assigned", tag, one, body="KeyHashes"),
        f"POST {path}/assignments/keys/remove": _managed(
            "And for these no more.", "Unassigned", tag, one, body="KeyHashes"
        ),
    }

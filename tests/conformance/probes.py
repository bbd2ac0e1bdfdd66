"""How each route is asked: a request that is answered well, with whatever it needs made first."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import httpx

from tests.conformance.served import Served

Probe = Callable[[Served], httpx.Response]
ASKED: list[Any] = [{"role": "user", "content": "What is 7 plus 5?"}]
CREATED = 201


def _infer(path: str, body: dict[str, Any]) -> Probe:
    """`body`: with the name of the field of Served that has its model."""

    def probe(served: Served) -> httpx.Response:
        return served.ask("POST", path, json={**body, "model": getattr(served, body["model"])})

    return probe


def _look(path: str) -> Probe:
    def probe(served: Served) -> httpx.Response:
        return served.ask("GET", path.format(model=served.model))

    return probe


def _generation(served: Served) -> httpx.Response:
    answer = _infer("/chat/completions", SMALL)(served)
    return served.ask("GET", "/generation", params={"id": answer.json()["id"]})


SMALL: dict[str, Any] = {"model": "model", "messages": ASKED, "max_tokens": 6}
RULES: dict[str, Any] = {
    "content_filters": [{"pattern": "sk-[a-z]+", "action": "redact", "label": "[API_KEY]"}],
    "content_filter_builtins": [{"slug": "regex-prompt-injection", "action": "block", "scan_scope": "user_only"}],
    "enforce_zdr": True,
}


def made(served: Served, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a POST of the management API has made."""
    answer = served.ask("POST", path, key=served.management_key, json=body)
    assert answer.status_code == CREATED, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def key(served: Served) -> str:
    """A fresh key's hash."""
    return str(made(served, "/keys", {"name": "probe", "limit": 1.0})["hash"])


def guardrail(served: Served) -> str:
    return str(made(served, "/guardrails", {"name": "probe", "limit_usd": 1.0, "reset_interval": "daily"})["id"])


def workspace(served: Served) -> str:
    return str(made(served, "/workspaces", {"name": "Probe", "slug": f"probe-{uuid4().hex[:12]}"})["id"])


def _manage(
    method: str, path: str, make: Callable[[Served], str] | None = None, body: dict[str, Any] | None = None
) -> Probe:
    """`make`: what `{}` in the path stands for."""

    def probe(served: Served) -> httpx.Response:
        where = path if make is None else path.format(make(served))
        return served.ask(method, where, key=served.management_key, json=body)

    return probe


def _assign(path: str) -> Probe:
    def probe(served: Served) -> httpx.Response:
        body = {"key_hashes": [key(served)]}
        return served.ask("POST", path.format(guardrail(served)), key=served.management_key, json=body)

    return probe


def preset(served: Served) -> str:
    """A fresh one's slug, in its first version."""
    slug = f"probe-{uuid4().hex[:12]}"
    answer = served.ask("POST", f"/presets/{slug}/chat/completions", json={**SMALL, "model": served.model})
    assert answer.is_success, answer.text
    return slug


def _preset(method: str, path: str, body: dict[str, Any] | None = None) -> Probe:
    """With the key of those who infer."""

    def probe(served: Served) -> httpx.Response:
        whole = None if body is None else {**body, "model": served.model}
        return served.ask(method, path.format(preset(served)), json=whole)

    return probe


def file(served: Served) -> str:
    """A fresh one's id."""
    return str(_uploaded(served).json()["id"])


def _uploaded(served: Served) -> httpx.Response:
    return served.ask("POST", "/files", files={"file": ("notes.txt", b"two blue circles", "text/plain")})


def batch(served: Served) -> str:
    """The id of one that is over."""
    path = f"/batches/{_submitted(served).json()['id']}"
    served.ask("POST", f"{path}/cancel")
    while served.ask("GET", path).json()["status"] not in ("completed", "cancelled"):
        pass
    return path.rpartition("/")[2]


def _submitted(served: Served) -> httpx.Response:
    one = {"custom_id": "one", "body": {"messages": ASKED, "max_tokens": 6}}
    body = {"endpoint": "/v1/chat/completions", "model": served.model, "requests": [one], "completion_window": "24h"}
    return served.ask("POST", "/batches", json=body)


def _kept(method: str, path: str, make: Callable[[Served], str]) -> Probe:
    """With the key of those who infer."""

    def probe(served: Served) -> httpx.Response:
        return served.ask(method, path.format(make(served)))

    return probe


def _budget(method: str) -> Probe:
    """On a workspace that has one."""

    def probe(served: Served) -> httpx.Response:
        path = f"/workspaces/{workspace(served)}/budgets/monthly"
        put = served.ask("PUT", path, key=served.management_key, json={"limit_usd": 5.0})
        return put if method == "PUT" else served.ask(method, path, key=served.management_key)

    return probe


PROBES: Mapping[str, Probe] = {
    "POST /chat/completions": _infer("/chat/completions", SMALL),
    "POST /responses": _infer("/responses", {"model": "model", "input": "What is 7 plus 5?", "max_output_tokens": 16}),
    "POST /messages": _infer("/messages", SMALL),
    "POST /embeddings": _infer("/embeddings", {"model": "vector_model", "input": ["two blue circles"]}),
    "POST /rerank": _infer("/rerank", {"model": "rank_model", "query": "blue?", "documents": ["sky", "grass"]}),
    "GET /models": _look("/models"),
    "GET /models/count": _look("/models/count"),
    "GET /models/user": _look("/models/user"),
    "GET /models/{author}/{slug}/endpoints": _look("/models/{model}/endpoints"),
    "GET /model/{author}/{slug}": _look("/model/{model}"),
    "GET /endpoints/zdr": _look("/endpoints/zdr"),
    "GET /providers": _look("/providers"),
    "GET /generation": _generation,
    "GET /key": _look("/key"),
    "GET /keys": _manage("GET", "/keys"),
    "POST /keys": _manage("POST", "/keys", body={"name": "probe", "limit": 2.0, "limit_reset": "daily"}),
    "GET /keys/{hash}": _manage("GET", "/keys/{}", key),
    "PATCH /keys/{hash}": _manage("PATCH", "/keys/{}", key, {"name": "renamed", "limit": None}),
    "DELETE /keys/{hash}": _manage("DELETE", "/keys/{}", key),
    "GET /credits": _manage("GET", "/credits"),
    "GET /activity": _manage("GET", "/activity"),
    "GET /presets": _preset("GET", "/presets"),
    "GET /presets/{slug}": _preset("GET", "/presets/{}"),
    "GET /presets/{slug}/versions": _preset("GET", "/presets/{}/versions"),
    "GET /presets/{slug}/versions/{version}": _preset("GET", "/presets/{}/versions/1"),
    "POST /presets/{slug}/chat/completions": _preset("POST", "/presets/{}/chat/completions", SMALL),
    "POST /presets/{slug}/messages": _preset("POST", "/presets/{}/messages", SMALL),
    "POST /presets/{slug}/responses": _preset("POST", "/presets/{}/responses", {"input": "Hello?"}),
    "GET /files": _look("/files"),
    "POST /files": _uploaded,
    "GET /files/{file_id}": _kept("GET", "/files/{}", file),
    "DELETE /files/{file_id}": _kept("DELETE", "/files/{}", file),
    "GET /guardrails": _manage("GET", "/guardrails"),
    "POST /guardrails": _manage("POST", "/guardrails", body={"name": "probe", "allowed_models": ["m/eyes"]}),
    "GET /guardrails/assignments/keys": _manage("GET", "/guardrails/assignments/keys"),
    "GET /guardrails/{id}": _manage("GET", "/guardrails/{}", guardrail),
    "PATCH /guardrails/{id}": _manage("PATCH", "/guardrails/{}", guardrail, RULES),
    "DELETE /guardrails/{id}": _manage("DELETE", "/guardrails/{}", guardrail),
    "GET /guardrails/{id}/assignments/keys": _manage("GET", "/guardrails/{}/assignments/keys", guardrail),
    "POST /guardrails/{id}/assignments/keys": _assign("/guardrails/{}/assignments/keys"),
    "POST /guardrails/{id}/assignments/keys/remove": _assign("/guardrails/{}/assignments/keys/remove"),
    "GET /workspaces": _manage("GET", "/workspaces"),
    "POST /workspaces": _manage("POST", "/workspaces", body={"name": "Probe", "slug": f"probe-{uuid4().hex[:12]}"}),
    "GET /workspaces/{id}": _manage("GET", "/workspaces/{}", workspace),
    "PATCH /workspaces/{id}": _manage("PATCH", "/workspaces/{}", workspace, {"name": "Renamed"}),
    "DELETE /workspaces/{id}": _manage("DELETE", "/workspaces/{}", workspace),
    "GET /workspaces/{id}/budgets": _manage("GET", "/workspaces/{}/budgets", workspace),
    "GET /workspaces/{id}/budgets/{interval}": _budget("GET"),
    "PUT /workspaces/{id}/budgets/{interval}": _budget("PUT"),
    "DELETE /workspaces/{id}/budgets/{interval}": _budget("DELETE"),
}
# What OpenRouter's document does not have, or not as JSON
BESIDE_THE_DOCUMENT: Mapping[str, Probe] = {
    "GET /files/{file_id}/content": _kept("GET", "/files/{}/content", file),
    "GET /batches": _look("/batches"),
    "POST /batches": _submitted,
    "GET /batches/{id}": _kept("GET", "/batches/{}", batch),
    "DELETE /batches/{id}": _kept("DELETE", "/batches/{}", batch),
}

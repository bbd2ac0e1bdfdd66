"""The routes that tell of models, providers, answers and money; and those for operators."""

from collections.abc import Mapping

from router.api.openapi.failures import INFORMATION
from router.api.openapi.operation import Operation, in_path, needed, query
from router.api.openapi.shape import Json
from router.protocol.model_query import CATEGORIES, INDICES, MOST, Sort
from router.protocol.provider_object import REGIONS

_TEXT: Json = {"type": "string"}
_NUMBER: Json = {"type": "number", "minimum": 0}
_AUTHOR = in_path("author", "What stands before the slash in a model's id")
_SLUG = in_path("slug", "What stands behind it")
_SWITCH: Json = {"enum": ["true", "false"]}
_OUTPUTS = query(
    "output_modalities", _TEXT, "Any of these, separated by commas, or `all`; `text` where nothing is said"
)
_LISTING = (
    _OUTPUTS,
    *(
        query(name, schema, words)
        for name, schema, words in (
            ("offset", {"type": "integer", "minimum": 0, "maximum": 2**31}, "How many to skip"),
            ("limit", {"type": "integer", "minimum": 1, "maximum": MOST}, "How many at most"),
            ("q", {"type": "string", "maxLength": 256}, "Words that are all in the name or slug"),
            ("category", {"enum": sorted(CATEGORIES)}, "What it is good at"),
            ("supported_parameters", _TEXT, "All of these, separated by commas"),
            ("input_modalities", _TEXT, "All of these, separated by commas"),
            ("sort", {"enum": [sort.value for sort in Sort]}, "In which order"),
            ("context", {"type": "integer", "minimum": 1, "maximum": 2**31}, "Tokens of context at least"),
            ("arch", _TEXT, "The tokenizer"),
            ("model_authors", _TEXT, "Any of these, separated by commas"),
            ("providers", _TEXT, "Any of these, separated by commas"),
            ("distillable", _SWITCH, "May others learn from its answers?"),
            ("zdr", _SWITCH, "Served without keeping anything"),
            ("region", {"enum": sorted(REGIONS)}, "Where it is served"),
            ("use_rss", _SWITCH, "As a feed of news"),
        )
    ),
    *(
        query(f"{end}_{name}", _NUMBER, words)
        for name, words in (
            ("price", "USD per million prompt tokens"),
            ("output_price", "USD per million tokens of the answer"),
            ("age_days", "Days since it came"),
            ("tool_success_rate", "Share of tool calls that were well made"),
            *((name, "A benchmark; no model here has one") for name in INDICES),
        )
        for end in ("min", "max")
    ),
)
_READ = (*INFORMATION, 400)
FEED = "application/rss+xml"


def operations() -> Mapping[str, Operation]:
    """By method and path, under the API's base."""
    models, usage = "models", "usage"
    return {
        "GET /models": Operation("The models.", "Models", models, parameters=_LISTING, errors=_READ, feed=FEED),
        "GET /models/count": Operation(
            "How many there are.", "ModelCount", models, parameters=(_OUTPUTS,), errors=_READ
        ),
        "GET /models/user": Operation(
            "The models that the key may use.", "Models", models, parameters=_LISTING, errors=_READ, feed=FEED
        ),
        "GET /models/{author}/{slug}/endpoints": Operation(
            "What serves a model, with prices and measured speed.",
            "ModelEndpoints",
            models,
            parameters=(_AUTHOR, _SLUG),
        ),
        "GET /model/{author}/{slug}": Operation("One model.", "OneModel", models, parameters=(_AUTHOR, _SLUG)),
        "GET /parameters/{author}/{slug}": Operation(
            "What can be asked of a model.",
            "ModelParameters",
            models,
            parameters=(_AUTHOR, _SLUG, query("provider", _TEXT, "As this one serves it")),
        ),
        "GET /endpoints/zdr": Operation("Endpoints that keep nothing.", "Endpoints", models),
        "GET /providers": Operation("Who serves models here.", "Providers", models),
        "GET /generation": Operation(
            "What became of a request: tokens, times and cost.",
            "Generation",
            usage,
            parameters=(needed("id", _TEXT, "From the answer's `id` or the header `X-Generation-Id`"),),
            errors=(*_READ, 503),
        ),
        "GET /credits": Operation("What may be spent and was.", "Credits", usage, key="management"),
        "GET /activity": Operation(
            "Usage by day, model and endpoint.",
            "Activity",
            usage,
            key="management",
            parameters=tuple(query(name, _TEXT) for name in ("date", "api_key_hash", "workspace_id", "group_by")),
            errors=_READ,
        ),
    }


def root_operations() -> Mapping[str, Operation]:
    """Those outside the API's base: for machines and operators."""
    alive: Json = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
    away: Json = {"description": "Not yet.", "content": {"application/json": {"schema": alive}}}
    anything: Json = {"type": "object"}
    own = "operation"
    return {
        "GET /healthz": Operation("Is the process alive?", alive, own, key="none", errors=(500,)),
        "GET /readyz": Operation("Does an engine answer?", alive, own, key="none", errors=(500,), more={"503": away}),
        "GET /metrics": Operation(
            "Prometheus' text.", {"type": "string"}, own, key="none", media="text/plain", errors=(500,)
        ),
        "GET /status": Operation("Models, pools, endpoints, their load.", anything, own, key="management"),
        "GET /openapi.json": Operation("This document.", anything, own, key="none", errors=(500,)),
    }

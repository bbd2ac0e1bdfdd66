"""The `plugins` of a request, and their older name for one of them, `transforms`.

A plugin that is not offered is refused by name rather than skipped: whoever asks for a web search and gets none would
take the answer for a searched one. Unknown settings of known plugins are let be, as OpenRouter does: clients send some
that have been dropped since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from router.policy.auto import AutoRouter, CostTier
from router.protocol.errors import ApiError, invalid

OFFERED = ("auto-router", "context-compression", "file-parser", "moderation", "response-healing")
PDF_ENGINES = frozenset({"native", "mistral-ocr", "cloudflare-ai", "pdf-text"})  # all mean the parser of this router
_SHOWN = 64  # characters of a caller's word in an error
_MOST_PLUGINS = 16  # there are five; each may be named once
# Of auto-router's patterns, OpenRouter's bounds
_MOST_PATTERNS = 1_024
_PATTERN_CHARS = 1_024
_PATTERNS_CHARS = 65_536
_NO_SETTINGS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Plugins:
    """What was asked for. None: not mentioned, so that the default holds; False: switched off."""

    response_healing: bool | None = None
    context_compression: bool | None = None
    file_parser: bool | None = None
    moderation: bool | None = None
    auto_router: AutoRouter | None = None


def read_plugins(plugins: object, transforms: object = None) -> Plugins:
    """Read both fields, decoded; None: absent.

    Raises:
        ApiError: 400, naming the entry and its field.
    """
    asked: dict[str, tuple[str, Mapping[str, Any]]] = {}
    entries = [] if plugins is None else plugins
    if not isinstance(entries, list):
        raise invalid("plugins", "must be an array of objects with an id")
    if len(entries) > _MOST_PLUGINS:
        raise invalid("plugins", f"at most {_MOST_PLUGINS} plugins, got {len(entries)}")
    for index, entry in enumerate(entries):
        path = f"plugins[{index}]"
        plugin_id = _id(entry, path)
        if plugin_id in asked:
            raise invalid(f"{path}.id", f"{plugin_id!r} is given twice")
        asked[plugin_id] = (path, entry)
    transformed = _read_transforms(transforms)
    compression = _switch(asked, "context-compression")
    _check_engine(asked, "context-compression", "", frozenset({"middle-out"}))
    _check_engine(asked, "file-parser", "pdf", PDF_ENGINES)
    return Plugins(
        response_healing=_switch(asked, "response-healing"),
        context_compression=transformed if compression is None else compression,
        file_parser=_switch(asked, "file-parser"),
        moderation=_switch(asked, "moderation"),
        auto_router=_read_auto(*asked["auto-router"]) if _switch(asked, "auto-router") else None,
    )


def _id(entry: object, path: str) -> str:
    if not isinstance(entry, dict):
        raise invalid(path, "must be an object with an id")
    plugin_id = entry.get("id")
    if not isinstance(plugin_id, str):
        raise invalid(f"{path}.id", "must be a string")
    if not isinstance(entry.get("enabled"), bool | None):
        raise invalid(f"{path}.enabled", "must be true or false")
    if plugin_id not in OFFERED:
        problem = f"the plugin {plugin_id[:_SHOWN]!r} is not offered here; those that are: {', '.join(OFFERED)}"
        raise invalid(f"{path}.id", problem)
    return plugin_id


def _switch(asked: Mapping[str, tuple[str, Mapping[str, Any]]], plugin_id: str) -> bool | None:
    if plugin_id not in asked:
        return None
    return asked[plugin_id][1].get("enabled") is not False


def _check_engine(
    asked: Mapping[str, tuple[str, Mapping[str, Any]]], plugin_id: str, within: str, known: frozenset[str]
) -> None:
    """`within`: the object of the plugin that holds `engine`; "": the plugin itself."""
    path, settings = asked.get(plugin_id, ("", _NO_SETTINGS))
    if within:
        settings, path = settings.get(within) or _NO_SETTINGS, f"{path}.{within}"
        if not isinstance(settings, Mapping):
            raise invalid(path, "must be an object")
    engine = settings.get("engine")
    if engine is not None and (not isinstance(engine, str) or engine not in known):
        raise invalid(f"{path}.engine", f"must be one of {', '.join(sorted(known))}")


def _read_transforms(transforms: object) -> bool | None:
    """An empty array says no, as it always has."""
    if transforms is None:
        return None
    if not isinstance(transforms, list):
        raise invalid("transforms", "must be an array of strings")
    for index, name in enumerate(transforms):
        if name != "middle-out":
            raise invalid(f"transforms[{index}]", "must be 'middle-out', the only one there is")
    return bool(transforms)


def _read_auto(path: str, settings: Mapping[str, Any]) -> AutoRouter:
    allowed = _patterns(settings, "allowed_models", path)
    tier = settings.get("cost_tier")
    if tier is not None and (not isinstance(tier, str) or tier.upper() not in CostTier.__members__):
        raise invalid(f"{path}.cost_tier", "must be low, medium, high, xhigh or max")
    excluded = _patterns(settings, "excluded_models", path)
    return AutoRouter(allowed, excluded, CostTier.LOW if tier is None else CostTier[tier.upper()])


def _patterns(settings: Mapping[str, Any], name: str, path: str) -> tuple[str, ...]:
    given = settings.get(name)
    patterns = [] if given is None else given
    if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
        raise invalid(f"{path}.{name}", "must be an array of strings")
    if len(patterns) > _MOST_PATTERNS or max(map(len, patterns), default=0) > _PATTERN_CHARS:
        raise _too_many(f"{path}.{name}")
    if sum(map(len, patterns)) > _PATTERNS_CHARS:
        raise _too_many(f"{path}.{name}")
    return tuple(patterns)


def _too_many(path: str) -> ApiError:
    problem = f"at most {_MOST_PATTERNS} patterns of {_PATTERN_CHARS} characters, {_PATTERNS_CHARS} together"
    return invalid(path, problem)

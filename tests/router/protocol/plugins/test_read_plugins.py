"""The `plugins` field, and `transforms`."""

from typing import Any

import pytest

from router.policy.auto import AutoRouter, CostTier
from router.protocol.errors import ApiError
from router.protocol.plugins.read_plugins import Plugins, read_plugins


def refused(plugins: Any, transforms: Any = None) -> str:
    with pytest.raises(ApiError) as caught:
        read_plugins(plugins, transforms)
    assert 400 == caught.value.status
    return caught.value.message


def test_nothing_is_asked_for_by_who_says_nothing() -> None:
    assert Plugins() == read_plugins(None) == read_plugins([])


def test_each_plugin_is_on_when_it_is_named_and_off_when_it_says_so() -> None:
    names = ["response-healing", "context-compression", "file-parser", "moderation"]
    assert Plugins(True, True, True, True) == read_plugins([{"id": name} for name in names])
    assert Plugins(False, False, False, False) == read_plugins([{"id": name, "enabled": False} for name in names])
    assert Plugins(True) == read_plugins([{"id": "response-healing", "enabled": True, "max_files": 3}])


def test_a_transform_is_the_older_name_of_compression() -> None:
    assert Plugins(context_compression=True) == read_plugins(None, ["middle-out"])
    assert Plugins(context_compression=False) == read_plugins(None, [])
    assert Plugins(context_compression=False) == read_plugins(
        [{"id": "context-compression", "enabled": False}], ["middle-out"]
    )


@pytest.mark.parametrize("engine", ["native", "mistral-ocr", "cloudflare-ai", "pdf-text"])
def test_all_words_for_a_pdf_engine_mean_ours(engine: str) -> None:
    assert Plugins(file_parser=True) == read_plugins([{"id": "file-parser", "pdf": {"engine": engine}}])


def test_the_auto_router_names_models() -> None:
    asked = {"id": "auto-router", "allowed_models": ["a/*"], "excluded_models": ["a/b"], "cost_tier": "low"}
    assert AutoRouter(("a/*",), ("a/b",)) == read_plugins([asked]).auto_router
    assert AutoRouter() == read_plugins([{"id": "auto-router"}]).auto_router
    assert AutoRouter(tier=CostTier.MAX) == read_plugins([{"id": "auto-router", "cost_tier": "max"}]).auto_router
    assert read_plugins([{**asked, "enabled": False}]).auto_router is None


@pytest.mark.parametrize("plugin", ["web", "web-fetch", "fusion", "pareto-router", "armor", "auto-beta-router"])
def test_what_is_not_offered_is_refused_by_name_and_what_is_offered_is_said(plugin: str) -> None:
    told = refused([{"id": "file-parser"}, {"id": plugin}])
    assert told.startswith(f"plugins[1].id: the plugin '{plugin}' is not offered")
    assert "context-compression, file-parser, moderation, response-healing" in told


@pytest.mark.parametrize(
    ("plugins", "problem"),
    [
        ({}, "plugins: must be an array"),
        ([1], "plugins[0]: must be an object"),
        ([{}], "plugins[0].id: must be a string"),
        ([{"id": 1}], "plugins[0].id: must be a string"),
        ([{"id": "web", "enabled": 1}], "plugins[0].enabled: must be true or false"),
        ([{"id": "moderation"}] * 2, "plugins[1].id: 'moderation' is given twice"),
        ([{"id": "moderation"}] * 17, "plugins: at most 16 plugins, got 17"),
        ([{"id": "auto-router", "cost_tier": "some"}], "plugins[0].cost_tier: must be low, medium"),
        ([{"id": "auto-router", "cost_tier": 1}], "plugins[0].cost_tier: must be low, medium"),
        ([{"id": "file-parser", "pdf": 1}], "plugins[0].pdf: must be an object"),
        ([{"id": "file-parser", "pdf": {"engine": "x"}}], "plugins[0].pdf.engine: must be one of cloudflare-ai"),
        ([{"id": "file-parser", "pdf": {"engine": []}}], "plugins[0].pdf.engine: must be one of"),
        ([{"id": "context-compression", "engine": "x"}], "plugins[0].engine: must be one of middle-out"),
        ([{"id": "auto-router", "allowed_models": "x"}], "plugins[0].allowed_models: must be an array of strings"),
        ([{"id": "auto-router", "excluded_models": [1]}], "plugins[0].excluded_models: must be an array of strings"),
        ([{"id": "auto-router", "allowed_models": ["x"] * 1025}], "plugins[0].allowed_models: at most 1024"),
        ([{"id": "auto-router", "allowed_models": ["x" * 1025]}], "plugins[0].allowed_models: at most 1024"),
        ([{"id": "auto-router", "allowed_models": ["x" * 1024] * 65}], "plugins[0].allowed_models: at most 1024"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_field(plugins: Any, problem: str) -> None:
    assert refused(plugins).startswith(problem)


@pytest.mark.parametrize(
    ("transforms", "problem"),
    [("middle-out", "transforms: must be an array"), (["middle-out", "x"], "transforms[1]: must be 'middle-out'")],
)
def test_transforms_are_checked_as_well(transforms: Any, problem: str) -> None:
    assert refused(None, transforms).startswith(problem)

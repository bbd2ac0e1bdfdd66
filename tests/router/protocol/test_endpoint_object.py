"""A pool as callers see it."""

from dataclasses import dataclass, replace

import pytest

from router.policy.catalog import Dialect, Pool, Price
from router.protocol.endpoint_object import Measured, Standing, endpoint_object
from router.protocol.engine_facts import EngineFacts
from tests.router.openrouter import assert_valid
from tests.router.protocol.test_model_object import CARD, POOL


@dataclass(frozen=True)
class Percentiles:
    p50: float
    p75: float
    p90: float
    p99: float


UP = Standing(2, 2)
MEASURED = Measured(Percentiles(0.25, 0.5, 1, 2), Percentiles(80.04, 60, 40, 20), 1.0, 0.99, 0.98765)


def test_every_key_of_the_document_is_there() -> None:
    for measured in (Measured(), MEASURED):
        shown = endpoint_object(CARD, POOL, 4_096, UP, measured)
        assert_valid("PublicEndpoint", shown, open_enums=True)
        newer = ("native_tools", "service_tier", "supports_diarization", "supports_tool_choice")  # of the client
        assert set(newer) <= shown.keys()


def test_what_is_measured_is_shown_in_milliseconds_and_percent() -> None:
    shown = endpoint_object(CARD, POOL, 4_096, UP, MEASURED)
    assert {"p50": 250.0, "p75": 500.0, "p90": 1_000.0, "p99": 2_000.0} == shown["latency_last_30m"]
    assert {"p50": 80.0, "p75": 60.0, "p90": 40.0, "p99": 20.0} == shown["throughput_last_30m"]
    assert (100.0, 99.0, 98.77) == (shown["uptime_last_5m"], shown["uptime_last_30m"], shown["uptime_last_1d"])


def test_what_is_not_measured_is_not_made_up() -> None:
    shown = endpoint_object(CARD, POOL, 4_096, UP)
    names = ("latency_last_30m", "throughput_last_30m", "uptime_last_5m", "uptime_last_30m", "uptime_last_1d")
    assert [None] * 5 == [shown[name] for name in names]


@pytest.mark.parametrize(("up", "known", "status"), [(2, 2, 0), (1, 2, -1), (0, 2, -2), (0, 0, -10)])
def test_a_status_says_how_many_endpoints_are_up(up: int, known: int, status: int) -> None:
    assert status == endpoint_object(CARD, POOL, 1, Standing(up, known))["status"]


@pytest.mark.parametrize(("said", "shown"), [(None, None), ("fp8", "fp8"), ("awq", "unknown")])
def test_a_quantisation_is_one_of_openrouters_words(said: str | None, shown: str | None) -> None:
    assert shown == endpoint_object(CARD, replace(POOL, quantization=said), 1, UP)["quantization"]


def test_choosing_tools_is_supported_as_far_as_the_pool_obeys() -> None:
    pools = {"tools": frozenset({"tools"}), "both": frozenset({"tools", "tool_choice"})}
    shown = {
        name: endpoint_object(CARD, replace(POOL, parameters=parameters), 1, UP)["supports_tool_choice"]
        for name, parameters in pools.items()
    }
    assert {"auto": True, "none": False, "required": False, "function": False} == shown["tools"]
    assert {"auto": True, "none": True, "required": True, "function": True} == shown["both"]


def test_engines_of_ours_cache_and_others_if_that_has_a_price() -> None:
    far = Pool("far", "m/eyes", "eyes", dialect=Dialect.OPENAI)
    dear = replace(far, price=Price(cached_prompt=0.0))
    assert [True, False, True] == [
        endpoint_object(CARD, pool, 1, UP)["supports_implicit_caching"] for pool in (POOL, far, dear)
    ]


def test_engines_say_what_they_are() -> None:
    old, new = EngineFacts("vllm", "0.28.0", 4_096), EngineFacts("vllm", "0.29.0", 8_192, parent="base")
    assert "engine" not in endpoint_object(CARD, POOL, 1, UP)
    assert endpoint_object(CARD, POOL, 1, UP, engines=[new, new])["engine"] == {
        "name": "vllm",
        "version": "0.29.0",
        "versions": {"0.29.0": 2},
        "max_model_len": 8_192,
        "parent": "base",
    }
    assert endpoint_object(CARD, POOL, 1, UP, engines=[new, old, new, EngineFacts()])["engine"] == {
        "name": "vllm",
        "version": None,
        "versions": {"0.29.0": 2, "0.28.0": 1},
        "max_model_len": 4_096,
        "parent": "base",
    }

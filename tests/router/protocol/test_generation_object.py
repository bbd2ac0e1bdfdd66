"""A row of the ledger in OpenRouter's shape."""

from router.protocol.answered import Answered, to_text
from router.protocol.entry import Entry
from router.protocol.generation_object import generation_object
from tests.router.openrouter import assert_valid

BARE = Entry(id="gen-1-a", created=1_795_651_200.5, router="r", key="k", workspace="w", kind="chat", status="ok")
FULL = Entry(
    id="gen-1-a",
    created=1_795_651_200.5,
    router="r",
    key="k",
    workspace="w",
    kind="completions",
    streamed=True,
    requested="openrouter/auto",
    model="m/eyes",
    provider="Far",
    pool="far",
    status="cancelled",
    finish_reason="stop",
    native_finish_reason="eos",
    prompt_tokens=10,
    cached_tokens=4,
    completion_tokens=3,
    cost=1_500_000_000,
    attempts=2,
    latency_ms=12,
    duration_ms=340,
    generation_ms=300,
    external_user="u",
    session_id="s",
    referer="https://a.example/b",
    title="App",
    user_agent="agent/1",
    upstream_id="chatcmpl-1",
    preset_id="p",
    service_tier="flex",
    answers=to_text([Answered("local", "local/m", "m/eyes"), Answered("Far", "far", "", 200, 9, "chatcmpl-1")]),
    media=2,
    reasoning_tokens=1,
    cache_discount=500_000_000,
    cached_from="gen-0",
)


def test_every_key_is_there_of_any_row() -> None:
    for entry in (BARE, FULL):
        # providers and tiers are OpenRouter's own: a closed list there, any name of an operator's here
        assert_valid("GenerationResponse", {"data": generation_object(entry)}, open_enums=True)


def test_money_is_in_dollars_and_times_in_milliseconds() -> None:
    shown = generation_object(FULL)
    assert (1.5, 1.5, 0.5) == (shown["usage"], shown["total_cost"], shown["cache_discount"])
    assert (12, 300, "2026-11-26T00:00:00.500+00:00") == (
        shown["latency"], shown["generation_time"], shown["created_at"],
    )  # fmt: skip


def test_who_and_where_from_is_shown() -> None:
    shown = generation_object(FULL)
    assert ("u", "s", "agent/1", "App") == (
        shown["external_user"], shown["session_id"], shown["user_agent"], shown["app_title"],
    )  # fmt: skip
    assert ("https://a.example/b", "https://a.example/") == (shown["http_referer"], shown["origin"])
    assert ("openrouter/auto", True, True, "eos") == (
        shown["router"], shown["cancelled"], shown["streamed"], shown["native_finish_reason"],
    )  # fmt: skip


def test_attempts_are_shown_in_their_order() -> None:
    assert [
        {
            "provider_name": "local",
            "endpoint_id": "local/m",
            "model_permaslug": "m/eyes",
            "status": None,
            "is_byok": False,
        },
        {
            "provider_name": "Far",
            "endpoint_id": "far",
            "model_permaslug": "m/eyes",
            "status": 200,
            "is_byok": False,
            "latency": 9,
            "id": "chatcmpl-1",
        },
    ] == generation_object(FULL)["provider_responses"]


def test_what_is_not_known_is_null() -> None:
    shown = generation_object(BARE)
    unknown = ("upstream_id", "provider_name", "router", "latency", "provider_responses", "cache_discount", "preset_id")
    assert [None] * len(unknown) == [shown[name] for name in unknown]
    assert ("", "completions") == (shown["origin"], shown["api_type"])

"""What the response cache reads and writes: headers, names, and answers under another name."""

import json
from typing import Any

import msgspec
import pytest

from router.protocol.chunk import CHAT, DONE, Identity, empty_choice
from router.protocol.plugins.cache_asked import CacheAsked, cache_key, hit_headers, miss_headers
from router.protocol.plugins.pipeline import Step, with_pipeline
from router.protocol.plugins.replay import Name, replay_stream, replay_whole

OLD, NEW = Name("gen-1-old", 1_000), Name("gen-2-new", 2_000)


def asked(**headers: str) -> CacheAsked:
    return CacheAsked.of(
        [(f"x-openrouter-{name}".replace("_", "-").encode(), v.encode()) for name, v in headers.items()]
    )


def test_nothing_is_asked_for_by_who_sends_no_header() -> None:
    assert CacheAsked(None, 300, False) == CacheAsked.of([(b"accept", b"*/*")])


@pytest.mark.parametrize(
    ("header", "preset", "is_wanted"),
    [
        (None, None, None),
        (None, b"true", True),
        (None, b"false", False),
        (None, b'"yes"', None),
        ("false", b"true", False),
        ("true", b"false", False),
        ("true", None, True),
    ],
)
def test_a_presets_no_counts_and_its_yes_where_nobody_said_anything(
    header: str | None, preset: bytes | None, is_wanted: bool | None
) -> None:
    said = asked() if header is None else asked(cache=header)
    config = {} if preset is None else {"cache_enabled": msgspec.Raw(preset)}
    assert is_wanted is said.within(config).is_wanted
    assert 60 == said.within(config | {"cache_ttl_seconds": msgspec.Raw(b"60")}).ttl_s


@pytest.mark.parametrize(("value", "is_wanted"), [("true", True), (" TRUE", True), ("false", False), ("1", None)])
def test_the_cache_is_asked_for_or_refused(value: str, is_wanted: bool | None) -> None:
    assert is_wanted is asked(cache=value).is_wanted


@pytest.mark.parametrize(
    ("value", "ttl_s"),
    [
        ("60", 60), ("60abc", 60), ("1.5", 1), ("0", 1), ("-5", 1), ("99999", 86_400), ("soon", 300), ("", 300),
        ("9" * 99, 86_400),
    ],
)  # fmt: skip
def test_a_time_to_live_is_read_as_generously_as_openrouter_reads_it(value: str, ttl_s: int) -> None:
    assert ttl_s == asked(cache_ttl=value).ttl_s


def test_an_answer_may_be_cleared_first() -> None:
    assert [True, False] == [asked(cache_clear=value).clears for value in ("true", "false")]


def key(body: bytes, account: str = "a", path: str = "/p", model: str = "m", stream: bool = False) -> bytes | None:
    return cache_key(account, path, model, stream=stream, body=body)


def test_white_space_makes_no_difference_and_everything_else_does() -> None:
    body = b'{"a": 1, "b": "x y"}'
    names = [
        key(body),
        key(b'{"b":"x y","a":1}'),
        key(b'{"a":1,"b":"xy"}'),
        key(body, account="b"),
        key(body, path="/q"),
        key(body, model="n"),
        key(body, stream=True),
    ]
    assert len(names) == len(set(names))
    assert names[0] == key(b'\n{"a":1,\t"b":"x y"}') is not None


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b'"\xff"'])
def test_what_is_no_json_has_no_name(body: bytes) -> None:
    assert key(body) is None or body == b'"\xff"'


def test_headers_tell_of_hits_and_misses() -> None:
    assert {
        b"x-openrouter-cache-status": b"HIT",
        b"x-openrouter-cache-age": b"7",
        b"x-openrouter-cache-ttl": b"60",
        b"x-openrouter-cache-source-id": b"gen-1",
    } == dict(hit_headers(age_s=7.9, ttl_s=60, source_id="gen-1"))
    assert {b"x-openrouter-cache-status": b"MISS", b"x-openrouter-cache-ttl": b"60"} == dict(miss_headers(60))


def numbers(usage: Any) -> set[Any]:
    if isinstance(usage, dict):
        return {number for value in usage.values() for number in numbers(value)}
    return {usage}


def test_a_whole_answer_gets_another_name_and_costs_nothing() -> None:
    body = {"id": OLD.generation_id, "created": OLD.created, "model": "m", "choices": [1.5], "usage": {"cost": 5}}
    again = json.loads(replay_whole(json.dumps({**body, "openrouter_metadata": {}}).encode(), NEW))
    usage = again.pop("usage")
    assert {"id": NEW.generation_id, "created": NEW.created, "model": "m", "choices": [1.5]} == again
    assert {0, None} == numbers(usage)


def test_a_stream_is_told_again_chunk_by_chunk() -> None:
    tricky = f'"id":"{OLD.generation_id}" "usage": "created":{OLD.created}, "openrouter_metadata": \n\n x'

    def stream(name: Name, usage: dict[str, Any]) -> bytes:
        identity = Identity(name.generation_id, "m", "local", name.created)
        choice = {"index": 0, "delta": {"role": "assistant", "content": tricky}, "finish_reason": None}
        last = empty_choice(CHAT, "stop", "stop")
        return (
            identity.chunk(CHAT, {"choices": [choice]})
            + identity.chunk(CHAT, {"choices": [choice, choice]})
            + identity.chunk(CHAT, {"choices": [last], **usage})
            + DONE
        )

    recorded = b": OPENROUTER PROCESSING\n\n" + stream(OLD, {"usage": {"cost": 5}, "openrouter_metadata": {"a": 1}})
    again = replay_stream(recorded, OLD, NEW)
    assert again.endswith(DONE)
    expected = [json.loads(e[6:]) for e in stream(NEW, {}).split(b"\n\n") if e.startswith(b"data: {")]
    told = [json.loads(e[6:]) for e in again.split(b"\n\n") if e.startswith(b"data: {")]
    assert {0, None} == numbers(told[-1].pop("usage"))
    assert expected == told


def test_a_chunk_that_begins_otherwise_gets_the_name_as_well() -> None:
    event = b'data: {"object":"x","id":"gen-1-old"}\n\n'
    assert b'data: {"object":"x","id":"gen-2-new","created":2000}\n\n' == replay_stream(event, OLD, NEW)


def test_steps_of_the_pipeline_come_behind_those_that_are_there() -> None:
    step = Step("plugin", "file-parser", "read 1 file")
    fields = {"type": "plugin", "name": "file-parser", "summary": "read 1 file", "cost_usd": 0, "data": {}}
    assert {"a": 1, "pipeline": [fields]} == with_pipeline({"a": 1}, [step])
    assert {"pipeline": [{}, fields]} == with_pipeline({"pipeline": [{}]}, [step])
    assert {"a": 1} == with_pipeline({"a": 1}, [])

import msgspec
import pytest

from router.protocol.entry import Entry, Opened

OPENED = Opened(
    id="gen-1", created=1_764_000_000.25, router="r1", key="k", workspace="w", kind="chat", streamed=True, requested="m"
)
FULL = Entry(
    id="gen-1",
    created=1_764_000_000.25,
    router="r1",
    key="k",
    workspace="w",
    kind="completions",
    streamed=True,
    requested="m",
    model="m2",
    provider="local",
    pool="p",
    status="broken",
    http_status=502,
    finish_reason="stop",
    native_finish_reason="stop",
    prompt_tokens=1,
    cached_tokens=2,
    completion_tokens=3,
    image_tokens=4,
    is_exact=False,
    cost=5,
    attempts=6,
    latency_ms=8,
    duration_ms=9,
    generation_ms=10,
    external_user="u",
    session_id="s",
    referer="https://app.example/",
    title="App",
    user_agent="tests/1",
    upstream_id="chatcmpl-1",
    preset_id="p-1",
    service_tier="default",
    answers="[]",
    media=11,
    reasoning_tokens=12,
    cache_discount=13,
    cached_from="gen-0",
)


def test_an_entry_comes_back_from_the_wire_as_it_was() -> None:
    wire = msgspec.json.encode(FULL)
    assert FULL == msgspec.json.decode(wire, type=Entry)
    assert set(Entry.__struct_fields__) == set(msgspec.json.decode(wire))  # FULL leaves no field out


def test_what_is_as_usual_is_not_written() -> None:
    entry = Entry(id="gen-1", created=1.0, router="r", key="k", workspace="w", kind="chat", status="ok")
    assert b'{"id":"gen-1","created":1.0,"router":"r","key":"k","workspace":"w","kind":"chat","status":"ok"}' == (
        msgspec.json.encode(entry)
    )
    assert entry == msgspec.json.decode(msgspec.json.encode(entry), type=Entry)


def test_a_newer_routers_fields_do_not_keep_an_older_one_from_reading() -> None:
    wire = msgspec.json.encode(msgspec.structs.asdict(FULL) | {"of_tomorrow": 1})
    assert FULL == msgspec.json.decode(wire, type=Entry)


@pytest.mark.parametrize("wire", [b"{}", b'{"id":"gen-1"}', b"[]", b"null"])
def test_a_line_without_what_is_needed_is_refused(wire: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(wire, type=Entry)


def test_a_request_whose_end_nobody_wrote_was_interrupted_and_costs_nothing() -> None:
    assert (
        Entry(
            id="gen-1",
            created=1_764_000_000.25,
            router="r1",
            key="k",
            workspace="w",
            kind="chat",
            streamed=True,
            requested="m",
            status="interrupted",
            is_exact=False,
        )
        == OPENED.interrupted()
    )
    assert 0 == OPENED.interrupted().cost


def test_what_was_opened_comes_back_from_the_wire_as_it_was() -> None:
    assert OPENED == msgspec.json.decode(msgspec.json.encode(OPENED), type=Opened)

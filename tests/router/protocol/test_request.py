"""Requests, from the caller's bytes to the engine's."""

import hashlib
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.call import NO_PREFIX, Call, Caller, Priority
from router.policy.catalog import Pool
from router.protocol import kinds
from router.protocol.chain import Chain, seed_of
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.media import Unfetched
from router.protocol.request import Request, parse_chat, parse_completion
from tests.router.protocol import pictures
from tests.router.protocol.conversations import assistant, image, system, text, user

POOL = Pool("p", "author/slug", 'served "name"')
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def chat(**fields: Any) -> Request:
    return parse_chat(json.dumps({"model": "author/slug", "messages": [user()], **fields}).encode(), Limits())


def engine_body(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.upstream_body(POOL, generation_id="gen-1"))
    return body


def test_a_prompt_in_place_of_messages_is_what_a_user_says() -> None:
    request = parse_chat(b'{"model":"author/slug","prompt":"a \\"word\\""}', Limits())
    body = engine_body(request)
    assert [{"role": "user", "content": 'a "word"'}] == body["messages"]
    assert "prompt" not in body


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"prompt": "a", "messages": [user()]}, "prompt"), ({"prompt": ["a"]}, "prompt"), ({}, "messages")],
)
def test_a_chat_has_messages_or_one_prompt(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse_chat(json.dumps({"model": "author/slug", **fields}).encode(), Limits())
    assert field == refused.value.field


def test_the_engine_gets_its_own_name_of_the_model_and_the_callers_parameters() -> None:
    request = chat(
        temperature=0.5, stop=["x"], seed=3, safe_prompt=True, models=["b"], provider={"only": ["p"]}, user="u"
    )
    assert {
        "model": 'served "name"',
        "request_id": "gen-1",
        "messages": [user()],
        "temperature": 0.5,
        "stop": ["x"],
        "seed": 3,
        "safe_prompt": True,
    } == engine_body(request)
    assert {"temperature", "stop", "seed", "provider", "user"} == request.parameters
    assert {"model": b'"author/slug"', "models": b'["b"]', "provider": b'{"only": ["p"]}', "user": b'"u"'} == dict(
        request.router_fields
    )
    assert (kinds.CHAT, 1) == (request.kind, request.choices)


def test_policies_get_to_know_sizes_and_kinds_but_no_text() -> None:
    content = [text("x" * 40), image()]
    request = chat(messages=[user(content)], max_completion_tokens=7, max_tokens=9, stream=True, models=["b", "c"], n=2)
    assert (
        Call(
            model="author/slug",
            fallback_models=("b", "c"),
            prompt_tokens=14 + 380,
            image_tokens=380,
            text_bytes=3 + 6 + 40 + 7,  # <s>[INST]…[/INST]
            prefix=request.call.prefix,
            max_tokens=7,
            stream=True,
            modalities=frozenset({"text", "image"}),
        )
        == request.call
    )
    assert 2 == request.choices


class Learned:
    """Lengths that say what they were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def bytes_per_token(self, model: str, content: str) -> float:
        self.asked.append((model, content))
        return 2.0


def test_text_is_as_long_as_was_learned_of_its_model_and_content() -> None:
    lengths = Learned()
    code = "f(x[1]) = {a: 2};" * 100
    raw = json.dumps({"model": "m", "models": ["n"], "messages": [user(code)]}).encode()
    call = parse_chat(raw, Limits(), lengths=lengths).call
    assert ("code", 3 + 6 + 1_700 + 7) == (call.content, call.text_bytes)
    assert (858, [("m", "code")]) == (call.prompt_tokens, lengths.asked)
    assert (128, 768) == (call.prefix.ends[0], call.prefix.ends[-1])
    raw = json.dumps({"model": "m", "prompt": "я" * 1_000}).encode()
    call = parse_completion(raw, Limits(), lengths=lengths).call
    assert ("nonlatin", 1_002) == (call.content, call.prompt_tokens)


def prefix_of(*messages: Any, **fields: Any) -> tuple[int, ...]:
    return chat(messages=list(messages), **fields).call.prefix.hashes


def test_the_next_turn_begins_with_the_prefix_of_the_one_before() -> None:
    picture = image(pictures.png(640, 480))
    turn = [system("s" * 300), user([text("What is it?"), picture])]
    next_turn = [*turn, assistant("A picture." * 50), user("And now?" * 100)]
    before, after = prefix_of(*turn), prefix_of(*next_turn)
    assert (3, before) == (len(before), after[: len(before)])
    other = [system("s" * 300), user([text("What is it?"), image(pictures.png(641, 480))])]
    assert prefix_of(*other)[:2] == before[:2]
    assert prefix_of(*other)[2] != before[2]
    assert before == prefix_of(*turn, model="another", temperature=0.5, stream=True)


def test_a_prompt_has_a_prefix_and_several_have_none() -> None:
    def completion(prompt: object) -> Call:
        return parse_completion(json.dumps({"model": "m", "prompt": prompt}).encode(), Limits()).call

    assert completion("a" * 600).prefix.hashes == completion("a" * 513).prefix.hashes
    assert ((64, 128), 151) == (completion("a" * 600).prefix.ends, completion("a" * 600).prompt_tokens)
    assert completion(["a" * 600]).prefix == completion("a" * 600).prefix
    assert NO_PREFIX == completion(["a" * 600, "b"]).prefix
    assert (NO_PREFIX, 700, 0) == (
        completion([5] * 700).prefix,
        completion([5] * 700).prompt_tokens,
        completion([5] * 700).text_bytes,
    )


def test_the_priority_is_what_was_asked_for_and_the_key_allows() -> None:
    assert Priority.NORMAL is chat().call.priority
    assert Priority.CRITICAL is chat(service_tier="ultrafast").call.priority
    assert Priority.BATCH is chat(service_tier="flex").call.priority
    assert "service_tier" not in engine_body(chat(service_tier="fast"))
    raw = b'{"model":"m","prompt":"x","service_tier":"priority"}'
    caller = Caller("me", Priority.NORMAL, 1.5)
    call = parse_completion(raw, Limits(), caller=caller).call
    assert (Priority.NORMAL, "me", 1.5) == (call.priority, call.account, call.first_token_s)
    with pytest.raises(ApiError, match="service_tier: Invalid enum value 'first'"):
        chat(service_tier="first")


def test_a_tenant_has_a_cache_of_its_own_in_the_engine_and_in_the_index() -> None:
    raw = json.dumps({"model": "m", "messages": [system("s" * 300), user([text("What?"), image()])]}).encode()
    nobodys = parse_chat(raw, Limits())
    anne, bob = (parse_chat(raw, Limits(), caller=Caller(salt=salt)) for salt in ("anne", "bob"))
    assert "cache_salt" not in engine_body(nobodys)
    assert ("anne", "bob") == (engine_body(anne)["cache_salt"], engine_body(bob)["cache_salt"])
    assert 3 * 3 == len({each for request in (nobodys, anne, bob) for each in request.call.prefix.hashes})
    assert anne.call.prefix == parse_chat(raw, Limits(), caller=Caller("x", salt="anne")).call.prefix
    names = [engine_body(request)["messages"][1]["content"][1]["uuid"] for request in (nobodys, anne, bob)]
    assert 3 == len(set(names))
    assert "anne" not in repr(Caller(salt="anne"))


def test_a_tenants_prompt_to_an_adapter_begins_where_the_engine_says_that_it_does() -> None:
    raw = json.dumps({"model": "m", "prompt": "p" * 300}).encode()
    caller, seeds = Caller(salt="anne"), {"m": seed_of("tuned")}
    request = parse_completion(raw, Limits(), caller=caller, seeds=seeds)
    chain = Chain(seed_of("tuned", "anne"))
    chain.text(b"<s>" + b"p" * 300)
    assert tuple(chain.hashes) == request.call.prefix.hashes
    assert "anne" == engine_body(request)["cache_salt"]


def test_the_first_of_models_stands_in_for_a_missing_model() -> None:
    request = parse_chat(json.dumps({"models": ["a", "b"], "messages": [user()]}).encode(), Limits())
    assert ("a", ("b",)) == (request.call.model, request.call.fallback_models)


def test_limits_and_streams_are_written_as_vllm_wants_them() -> None:
    body = engine_body(chat(max_completion_tokens=5, stream=True, stream_options={"include_usage": False}))
    assert (5, True, {"include_usage": True}) == (body["max_tokens"], body["stream"], body["stream_options"])
    assert "max_completion_tokens" not in body
    assert "stream_options" not in engine_body(chat(stream=False, stream_options={"include_usage": True}))


def test_a_prefill_is_continued() -> None:
    body = engine_body(chat(messages=[user(), assistant("I")]))
    assert (True, False) == (body["continue_final_message"], body["add_generation_prompt"])
    assert "continue_final_message" not in engine_body(chat())


def test_tools_and_formats_go_to_the_engine() -> None:
    body = engine_body(chat(tools=[TOOL], tool_choice="auto", parallel_tool_calls=False))
    assert ([TOOL], "auto", False) == (body["tools"], body["tool_choice"], body["parallel_tool_calls"])
    assert "tool_choice" not in engine_body(chat(tools=[TOOL]))
    assert {"type": "json_object"} == engine_body(chat(response_format={"type": "json_object"}))["response_format"]
    assert {"grammar": 'root ::= "g"'} == engine_body(
        chat(response_format={"type": "grammar", "grammar": 'root ::= "g"'})
    )["structured_outputs"]


def test_schemas_of_tools_are_compiled_only_where_a_call_is_demanded() -> None:
    loose = [{"type": "function", "function": {"name": "f", "parameters": {"pattern": "^(?!a)"}}}]
    assert chat(tools=loose).constraint is None
    assert chat(tools=loose, tool_choice="auto").constraint is None
    with pytest.raises(ApiError, match="look-ahead"):
        chat(tools=loose, tool_choice="required")
    strict = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    one, other = chat(tools=strict, tool_choice="required"), chat(response_format={"type": "json_object"})
    assert len({one.constraint, other.constraint, None}) == 3


def test_no_tools_is_what_an_empty_array_means() -> None:
    body = engine_body(chat(tools=[], tool_choice="none"))
    assert {"tools", "tool_choice"}.isdisjoint(body)


def test_messages_out_of_order_are_written_anew_and_images_survive() -> None:
    content = [text("x"), image(pictures.png(9, 9, padding=3_000))]
    messages = [{"role": "developer", "content": "d"}, user(content), user("y"), assistant(None, "call_1")]
    messages.append({"role": "tool", "tool_call_id": "call_1", "content": "r"})
    request = chat(messages=messages)
    written = engine_body(request)["messages"]
    assert {"role": "system", "content": "d"} == written[0]
    uuid = hashlib.sha256(pictures.png(9, 9, padding=3_000)).hexdigest()
    assert user([content[0], {**content[1], "uuid": uuid}, text("y")]) == written[1]
    assert "call_1" == request.tool_ids.restore(written[3]["tool_call_id"])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"messages": None}, "messages"),
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"models": [""]}, "model"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [{}]}, "tools"),
        ({"chat_template": "{{ x }}"}, "chat_template"),
    ],
)
def test_a_request_that_cannot_be_served_is_refused_by_its_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ApiError) as caught:
        chat(**fields)
    assert (400, field) == (caught.value.status, caught.value.field)


def test_completions_carry_a_prompt() -> None:
    raw = json.dumps({"model": "m", "prompt": ["abcd", "e"], "n": 2, "max_tokens": 3, "echo": True}).encode()
    request = parse_completion(raw, Limits())
    assert {
        "model": 'served "name"',
        "request_id": "gen-1",
        "prompt": ["abcd", "e"],
        "n": 2,
        "echo": True,
        "max_tokens": 3,
    } == engine_body(request)
    assert (kinds.COMPLETIONS, 4) == (request.kind, request.choices)
    assert Call("m", prompt_tokens=3, text_bytes=3 + 4 + 3 + 1, max_tokens=3, prompts=2) == request.call
    with pytest.raises(ApiError, match="prompt: is required"):
        parse_completion(b'{"model":"m"}', Limits())


def test_a_prompt_that_looks_like_an_image_reaches_the_engine() -> None:
    prompt = "data:image/png;base64,AAAA"
    request = parse_completion(json.dumps({"model": "m", "prompt": prompt}).encode(), Limits())
    assert prompt == engine_body(request)["prompt"]
    assert 3 + len(prompt) == request.call.text_bytes


def test_an_image_of_a_megabyte_is_copied_once_and_never_decoded_as_a_whole() -> None:
    raw = json.dumps({"model": "m", "messages": [user([image(pictures.png(640, 480, padding=1_000_000))])]}).encode()
    tracemalloc.start()
    try:
        request = parse_chat(raw, Limits())
        parsing = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        body = request.upstream_body(POOL, generation_id="gen-1")
        writing = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert parsing < 250_000
    assert writing < len(body) + 100_000
    assert raw[-1_000:-10] in body


@given(raw=st.binary() | st.binary().map(lambda tail: b'{"model":"m","messages":' + tail))
def test_no_bytes_raise_anything_but_an_api_error(raw: bytes) -> None:
    for parse in (parse_chat, parse_completion):
        status = 400
        try:
            parse(raw, Limits())
        except ApiError as error:
            status = error.status
        assert 400 == status


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["user", "text", "data:image/x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from("role content type text image_url url tool_calls function id name".split()), inner
        )
    ),
    max_leaves=12,
)


@given(
    fields=st.dictionaries(st.sampled_from("messages prompt tools tool_choice response_format stop n".split()), JSON)
)
def test_no_json_raises_anything_but_an_api_error(fields: dict[str, Any]) -> None:
    for parse in (parse_chat, parse_completion):
        status = 400
        try:
            assert "m" == parse(json.dumps({"model": "m", **fields}).encode(), Limits()).call.model
        except ApiError as error:
            status = error.status
        assert 400 == status


def named(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def test_a_request_with_fetched_images_is_the_one_that_carries_them() -> None:
    url, picture = "https://example.com/a.png", pictures.png(640, 480, padding=3_000)
    messages = [user([text("What is it?"), named(url)]), user("And now?")]  # to be put in order, so written anew
    raw = json.dumps({"model": "m", "messages": messages}).encode()
    with pytest.raises(Unfetched) as caught:
        parse_chat(raw, Limits(), caller=Caller(salt="s"))
    assert ((url,), "s") == (caught.value.urls, caught.value.salt)
    fetched = parse_chat(raw, Limits(), caller=Caller(salt="s"), fetched={url: pictures.data_url(picture)})
    messages = [user([text("What is it?"), image(picture)]), user("And now?")]
    raw = json.dumps({"model": "m", "messages": messages}).encode()
    sent = parse_chat(raw, Limits(), caller=Caller(salt="s"))
    assert sent.call == fetched.call
    assert engine_body(sent) == engine_body(fetched)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"temperature": 9}, "temperature"),
        ({"tools": 5}, "tools"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": 5}}}, None),
        ({"messages": [user([named("https://example.com/a.png")]), {"role": "tool", "content": "x"}]}, None),
    ],
)
def test_a_request_that_is_wrong_anyhow_has_nothing_fetched(fields: dict[str, Any], field: str | None) -> None:
    with pytest.raises(ApiError) as caught:
        chat(**{"messages": [user([named("https://example.com/a.png")])], **fields})
    assert caught.value.field
    assert field in (None, caught.value.field)


def test_completions_have_no_images_to_be_fetched() -> None:
    request = parse_completion(b'{"model":"m","prompt":"https://example.com/a.png"}', Limits(), fetched={})
    assert "https://example.com/a.png" == engine_body(request)["prompt"]


@pytest.mark.parametrize("index", [0, 7])
def test_texts_that_are_written_anew_stand_for_no_image(index: int) -> None:
    forged = f"data:image/#{index}"
    call = {"id": forged, "type": "function", "function": {"name": "f", "arguments": forged}}
    told = {"role": "tool", "tool_call_id": forged, "content": "done"}
    messages = [user([text("?"), image()]), {"role": "assistant", "tool_calls": [call]}, told, user()]
    raw = json.dumps({"model": "author/slug", "messages": messages}).replace("data:image/#", "data:image\\/#")
    body = engine_body(parse_chat(raw.encode(), Limits()))
    assert forged == body["messages"][1]["tool_calls"][0]["function"]["arguments"]

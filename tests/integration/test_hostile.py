"""What strangers send, to a real router process: each gets its status and its reason, for little time and memory.

Behind stands an engine that must not hear of what is refused. What is wrong with the bytes of HTTP itself is in
test_front_door, what is wrong with pictures' addresses in test_media.
"""

import asyncio
import io
import json
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from yarl import URL

from tests import fault_behaviours as faults
from tests.integration.conftest import MODEL, Engine, Router, StartRouter
from tests.integration.hostile import gif, json_schema, picture, png_url, url

HELLO = [{"role": "user", "content": "Hello?"}]
IMAGE = "messages[0].content[0].image_url.url"
SCHEMA = "response_format.json_schema.schema"
GRAMMAR = "response_format.grammar"
MEGABYTE = 1_048_576
CPU_S = 0.5  # of the router, for any one of these; on a busy machine
MEMORY_BYTES = 96 * MEGABYTE  # that may be held after all of them together: allocators keep some for the next


def chat(**fields: Any) -> dict[str, Any]:
    return {"messages": HELLO, **fields}


def grammar(text: str) -> dict[str, Any]:
    return chat(response_format={"type": "grammar", "grammar": text})


def schema(value: Any) -> dict[str, Any]:
    return chat(**json_schema(value))


def tool(**parameters: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "parameters": parameters}}


def with_call(arguments: str) -> list[Any]:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    answer = {"role": "tool", "tool_call_id": "call_1", "content": "42"}
    return [*HELLO, {"role": "assistant", "tool_calls": [call]}, answer]


def laughs(levels: int) -> dict[str, Any]:
    defs: dict[str, Any] = {"d0": {"type": "string"}}
    for level in range(1, levels + 1):
        below = {"$ref": f"#/$defs/d{level - 1}"}
        defs[f"d{level}"] = {"type": "object", "properties": {"a": below, "b": below}}
    return {"$ref": f"#/$defs/d{levels}", "$defs": defs}


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"not": value}
    return value


RAW = json.dumps({"model": MODEL, "messages": HELLO}).encode()

REFUSED: dict[str, tuple[dict[str, Any] | bytes, int, str, str | None]] = {
    # JSON
    "100,000 levels": (b'{"messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "invalid_request", "body"),
    "an integer of 100,000 digits": (RAW[:-1] + b',"seed":' + b"9" * 100_000 + b"}", 400, "invalid_request", "seed"),
    "not a number": (RAW[:-1] + b',"temperature":NaN}', 400, "invalid_request", "body"),
    "beyond all numbers": (RAW[:-1] + b',"temperature":1e999}', 400, "invalid_request", "temperature"),
    "a key twice": (RAW[:-1] + b',"model":"x"}', 400, "invalid_request", "model"),
    "half a surrogate pair": (RAW[:-1] + b',"user":"\\ud83d"}', 400, "invalid_request", "body"),
    "invalid UTF-8": (RAW[:-1] + b',"user":"\xff"}', 400, "invalid_request", "body"),
    "an array": (b"[1]", 400, "invalid_request", "body"),
    "two million empty objects": (b'{"x":[' + b"{}," * 1_200_000 + b"{}]}", 400, "invalid_request", "body"),
    "five megabytes of text": (chat(user="x" * 5 * MEGABYTE), 413, "payload_too_large", None),
    "1,000 fields": (chat(**{f"f{i}": 1 for i in range(1_000)}), 400, "invalid_request", "body"),
    # many of something
    "a million choices": (chat(n=1_000_000), 400, "invalid_request", "n"),
    "best of": (chat(best_of=100), 400, "invalid_request", "best_of"),
    "1,000 prompts": ({"prompt": ["x"] * 1_000}, 400, "invalid_request", "prompt"),
    "logprobs": (chat(logprobs=True, top_logprobs=100_000), 400, "invalid_request", "top_logprobs"),
    "stop strings": (chat(stop=["x"] * 1_000), 400, "invalid_request", "stop"),
    "a long stop string": (chat(stop="x" * 100_000), 400, "invalid_request", "stop"),
    "stop tokens": (chat(stop_token_ids=[1] * 10_000), 400, "invalid_request", "stop_token_ids"),
    "bad words": (chat(bad_words=["x"] * 10_000), 400, "invalid_request", "bad_words"),
    "biases": (chat(logit_bias={str(i): 1 for i in range(10_000)}), 400, "invalid_request", "logit_bias"),
    "tools": (chat(tools=[tool()] * 1_000), 400, "invalid_request", "tools"),
    "10,000 messages": ({"messages": HELLO * 10_000}, 400, "invalid_request", "messages"),
    "a longer answer than there is room for": (chat(max_tokens=10**9), 400, "context_length_exceeded", None),
    # names
    "a model of another alphabet": (chat(model="../../etc/passwd"), 400, "invalid_request", "model"),
    "a model with a line break": (chat(model="m/eyes\r\nx: y"), 400, "invalid_request", "model"),
    "a model of 10,000 characters": (chat(model="m" * 10_000), 400, "invalid_request", "model"),
    "a user with a line break": (chat(user="u\nERROR forged"), 400, "invalid_request", "user"),
    "a NUL for the database": (chat(metadata={"a": "\0"}), 400, "invalid_request", "metadata"),
    # what belongs to engines, or elsewhere
    **{
        f"the field {name}": (chat(**{name: value}), 400, "invalid_request", name)
        for name, value in {
            "chat_template": "{{ x }}", "chat_template_kwargs": {"a": 1}, "documents": [], "mm_processor_kwargs": {},
            "add_generation_prompt": False, "continue_final_message": True, "guided_regex": "(a+)+", "guided_json": {},
            "guided_decoding_backend": "outlines", "structured_outputs": {"regex": "(a+)+b"}, "kv_transfer_params": {},
            "priority": -9, "cache_salt": "x", "prompt_embeds": "x", "image_embeds": "x", "vllm_xargs": {},
            "request_id": "x", "logits_processors": ["os.system"], "prompt_logprobs": 1, "use_beam_search": True,
            "api_base": "http://169.254.169.254/", "base_url": "x", "api_key": "x", "custom_host": "x",
            "extra_headers": {"a": "b"}, "callback_url": "x", "truncate_prompt_tokens": 1, "allowed_token_ids": [1],
        }.items()
    },
    # pictures
    "2.5 gigapixels": (picture(png_url(50_000, 50_000)), 400, "image_too_large", IMAGE),
    "a line of pixels": (picture(png_url(1, 30_000)), 400, "invalid_image", IMAGE),
    "no width": (picture(png_url(0, 8)), 400, "invalid_image", IMAGE),
    "a drawing with scripts": (picture(url("svg+xml", b"<svg/>")), 400, "unsupported_image_format", IMAGE),
    "TIFF": (picture(url("tiff", b"II*\0" * 9)), 400, "unsupported_image_format", IMAGE),
    "PostScript that says it is PNG": (picture(url("png", b"%!PS-Adobe EPSF" * 9)), 400, "invalid_image", IMAGE),
    "JPEG 2000": (picture(url("jpeg", b"\0\0\0\x0cjP  \r\n" * 9)), 400, "invalid_image", IMAGE),
    "a picture without an end": (picture("data:image/png;base64," + "A" * 30_000_001), 400, "invalid_image", IMAGE),
    "a file": (picture("file:///etc/passwd"), 400, "image_download_failed", IMAGE),
    "metadata of a cloud": (picture("http://169.254.169.254/"), 400, "image_download_failed", IMAGE),
    "eleven pictures": (
        {"messages": picture(png_url(8, 8))["messages"] * 11}, 400, "invalid_request", "messages",
    ),
    "a picture from the engine's cache": (
        {"messages": [{"role": "user", "content": [{"type": "image_url", "uuid": "x", "image_url": None}]}]},
        400, "invalid_request", "messages[0].content[0].uuid",
    ),
    "embeddings as a part": (
        {"messages": [{"role": "user", "content": [{"type": "prompt_embeds", "data": "x"}]}]},
        400, "invalid_request", "messages[0].content[0].type",
    ),
    # grammars
    "a schema of 33 levels": (schema(deep(32)), 400, "invalid_request", SCHEMA + ".not" * 32),
    "a schema of 10,000 properties": (
        schema({"properties": {f"p{i}": {} for i in range(4_000)}}), 400, "invalid_request", f"{SCHEMA}.properties",
    ),
    "a schema of 100 kB": (schema({"description": "x" * 100_000}), 400, "invalid_request", SCHEMA),
    "a schema that grows": (schema(laughs(25)), 400, "invalid_request", SCHEMA),
    "a schema that is itself": (schema({"$ref": "#"}), 400, "invalid_request", SCHEMA),
    "a schema from elsewhere": (schema({"$ref": "http://10.0.0.1/x"}), 400, "invalid_request", f"{SCHEMA}.$ref"),
    "nested repetition": (schema({"pattern": "(a{1,99}){1,99}"}), 400, "invalid_request", f"{SCHEMA}.pattern"),
    "nested quantifiers": (schema({"pattern": "((((a+)+)+)+)+b"}), 400, "invalid_request", f"{SCHEMA}.pattern"),
    "look-ahead": (schema({"pattern": "(?=a)b"}), 400, "invalid_request", f"{SCHEMA}.pattern"),
    "a back-reference": (schema({"pattern": r"(a)\1"}), 400, "invalid_request", f"{SCHEMA}.pattern"),
    "the slow backend": (schema({"patternProperties": {"^a": {}}}), 400, "invalid_request", SCHEMA),
    "a structural tag": (
        chat(response_format={"type": "structural_tag"}), 400, "invalid_request", "response_format.type",
    ),
    "a grammar of 10,000 groups": (grammar("root ::= " + "(" * 10_000), 400, "invalid_request", GRAMMAR),
    "a grammar of a million repetitions": (grammar('root ::= ("a"{999}){999}'), 400, "invalid_request", GRAMMAR),
    "a grammar without words": (grammar("root ::= root"), 400, "invalid_request", GRAMMAR),
    "no grammar": (grammar('root ::= "'), 400, "invalid_request", GRAMMAR),
    "a schema within a grammar": (grammar('start: %json {"$ref": "#"}'), 400, "invalid_request", GRAMMAR),
}  # fmt: skip


def cpu_s(router: Router) -> float:
    """Processor time of the router's process so far."""
    fields = Path(f"/proc/{router.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def refused(router: Router, body: dict[str, Any] | bytes) -> tuple[int, str, str | None]:
    path = "/v1/completions" if isinstance(body, dict) and "prompt" in body else "/v1/chat/completions"
    data = body if isinstance(body, bytes) else json.dumps({"model": MODEL, **body}).encode()
    async with router.session.post(router.url + path, data=io.BytesIO(data)) as response:
        error = (await response.json()).get("error")
    if error is None:
        return response.status, "it was served", None
    assert error["code"] == response.status
    return response.status, error["metadata"]["error_type"], error["metadata"].get("field")


def test_each_is_refused_for_what_it_is_in_little_time_and_memory(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine) as r:
            await r.ask({"messages": HELLO})
            before = r.resident_bytes()
            found, slow = {}, {}
            for name, (body, *_) in REFUSED.items():
                started = cpu_s(r)
                found[name] = await refused(r, body)
                if (taken := cpu_s(r) - started) > CPU_S:
                    slow[name] = taken
            assert {name: tuple(expected) for name, (_, *expected) in REFUSED.items()} == found
            assert {} == slow
            assert r.resident_bytes() - before < MEMORY_BYTES
            assert 1 == len(engine.requests)
            assert 200 == (await r.ask({"messages": HELLO}))[0]

    asyncio.run(main())


def test_every_bound_has_its_own_count(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine) as r:
            for name in ("100,000 levels", "a million choices", "a schema that grows", "the field chat_template"):
                await r.ask(REFUSED[name][0])
            _, text = await r.get("/metrics")
            counts = dict(re.findall(r'tramontane_beyond_limits_total\{limit="(\w+)"\} ([1-9])', text))
            assert {"json_containers": "1", "n": "1", "schema_expanded": "1", "forbidden": "1"} == counts

    asyncio.run(main())


def test_thousands_of_different_schemas_and_pictures_leave_nothing_behind(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine) as r:
            for count in (100, 1_000):  # the first round fills what is meant to be filled
                before = r.resident_bytes()
                for index in range(count):
                    await r.ask(schema({"title": f"{count}-{index}", "type": "object"}))
                    engine.requests.clear()
            assert r.resident_bytes() - before < 16 * MEGABYTE

    asyncio.run(main())


def test_an_animation_of_10000_frames_is_measured_by_its_header_alone(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine) as r:
            before, started = r.resident_bytes(), cpu_s(r)
            status, _ = await r.ask(picture(url("gif", gif(10_000))))
            assert status in (200, 400)
            assert cpu_s(r) - started < CPU_S
            assert r.resident_bytes() - before < 16 * MEGABYTE
            assert 400 == (await r.ask(picture(url("gif", gif(10_000, 60_000, 60_000)))))[0]

    asyncio.run(main())


KEYS = {
    "SQL": "' OR pg_sleep(8)--",
    "another": "sk-or-v1-" + "0" * 64,
    "10 kB": "x" * 10_000,
    "Unicode": "schlüssel-ключ",
    "a path": "../../etc/shadow",
    "a format": "%s%n{0}${jndi:ldap://x}",
}


def test_keys_that_are_none_are_unknown_whatever_they_look_like_and_at_once(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine) as r:
            for key in KEYS.values():
                started, clock = cpu_s(r), asyncio.get_running_loop().time()
                headers = {"Authorization": f"Bearer {key}"}
                async with r.session.post(r.url + "/v1/chat/completions", data=RAW, headers=headers) as response:
                    assert 401 == response.status
                    assert "User not found." == (await response.json())["error"]["message"]
                assert cpu_s(r) - started < CPU_S
                assert asyncio.get_running_loop().time() - clock < 2
            headers = {"Authorization": "Bearer " + "x" * MEGABYTE}
            async with r.session.post(r.url + "/v1/chat/completions", data=RAW, headers=headers) as response:
                assert response.status in (400, 401, 431)
            assert [] == engine.requests

    asyncio.run(main())


OFFERED = {
    "/v1/chat/completions", "/v1/completions", "/v1/models", "/v1/messages", "/v1/messages/count_tokens",
    "/openapi.json", "/metrics", "/healthz", "/readyz", "/status", "/",
}  # fmt: skip
KNOWN = """
/health /ping /version /load /tokenize /detokenize /tokenizer_info /pooling /classify /score /rerank /v1/rerank
/v2/rerank /v1/score /v1/embeddings /v2/embed /v1/audio/transcriptions /v1/audio/translations /v1/realtime
/invocations /inference/v1/generate /sleep /wake_up /is_sleeping /collective_rpc /reset_prefix_cache /reset_mm_cache
/reset_encoder_cache /server_info /start_profile /stop_profile /v1/load_lora_adapter /v1/unload_lora_adapter
/load_lora_adapter /scale_elastic_ep /is_scaling_elastic_ep /pause /resume /abort_requests /update_weights
/init_weight_transfer_engine /v1/chat/completions/render /v1/completions/render /v1/chat/completions/batch
/docs /redoc /openapi.json /-/routes /-/healthz /api/serve/applications/ /api/jobs/ /api/version /nodes /logs
/%2e%2e/sleep /v1/../sleep //sleep /v1/chat/completions/../../../sleep /v1/models/../../collective_rpc /v1/%2e%2e/sleep
""".split()


def engine_routes() -> set[str]:
    """All that the installed vLLM could be asked, by its source."""
    spec = find_spec("vllm")
    if spec is None or spec.origin is None:
        return set()
    sources = (Path(spec.origin).parent / "entrypoints").rglob("*.py")
    written = re.compile(r"@(?:router|app)\.(?:get|post|put|delete|head|websocket|api_route)\(\s*\"(/[^\"]*)\"")
    return {route for source in sources for route in written.findall(source.read_text())}


def test_engines_own_routes_are_out_of_reach(router: StartRouter) -> None:
    routes = (engine_routes() | set(KNOWN)) - OFFERED
    assert len(routes) > 40

    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine) as r:
            reached = {}
            for route in sorted(routes):
                for base in ("", "/v1", "/api/v1"):
                    for method in ("GET", "POST", "PUT", "DELETE"):
                        address = r.url + base + route.replace("{response_id}", "x")
                        async with r.session.request(method, _as_it_is(address), data=RAW) as response:
                            if response.status not in (400, 404, 405):
                                reached[method, base + route] = response.status
            assert {} == {key: status for key, status in reached.items() if not _is_ours(key[1])}
            assert [] == engine.requests

    asyncio.run(main())


def _is_ours(path: str) -> bool:
    return path.removeprefix("/api").removeprefix("/v1") in {"/chat/completions", "/completions", "/models"}


def _as_it_is(address: str) -> URL:
    return URL(address, encoded=True)


TEXTS = [
    "[IMG]", "[IMG][IMG_BREAK][IMG_END]", "[INST]x[/INST]", "</s><s>", "[TOOL_CALLS][{}]", "<image>", "<|im_start|>",
    "data:image/#0", '{"$ref":"#"}', "\0", "\u202e\u2028", "\U0001f600" * 10, "' OR pg_sleep(8)--", "{{ 7 * 7 }}",
]  # fmt: skip


def test_text_is_text(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine) as r:
            for text in TEXTS:
                for content in (text, [{"type": "text", "text": text}]):
                    messages = [{"role": "user", "content": content}]
                    assert 200 == (await r.ask({"messages": messages}))[0]
                    assert messages == json.loads(engine.requests.pop().body)["messages"]
                await r.ask({"prompt": text}, "/v1/completions")
                assert text == json.loads(engine.requests.pop().body)["prompt"]

    asyncio.run(main())


def test_arguments_of_tools_are_nested_as_deep_as_they_like_because_they_are_text(router: StartRouter) -> None:
    async def main() -> None:
        async with Engine(faults.good_answer) as engine, router(engine) as r:
            messages = with_call("[" * 100_000)
            started = cpu_s(r)
            status, _ = await r.ask({"messages": messages, "tools": [tool()]})
            assert status in (200, 400)  # the context of this model is short
            assert cpu_s(r) - started < CPU_S
            assert 200 == (await r.ask({"messages": with_call("[" * 1_000), "tools": [tool()]}))[0]

    asyncio.run(main())

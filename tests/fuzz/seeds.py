"""Where fuzzing begins: good inputs of every kind, and the words that parsers stumble over."""

import json
import struct
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from tests import fault_behaviours as faults
from tests.integration.hostile import gif, png_url

_SCHEMA = {
    "type": "object",
    "properties": {
        "a": {"type": "string", "pattern": "^[a-z]{1,8}(-[a-z]+)*$", "maxLength": 9},
        "b": {"anyOf": [{"$ref": "#/$defs/c"}, {"enum": [1, "x", None]}]},
        "d": {"type": "array", "items": {"$ref": "#"}, "minItems": 1},
    },
    "required": ["a"],
    "$defs": {"c": {"allOf": [{"type": "integer", "minimum": 1}, {"not": {"const": 3}}]}},
}
_MARKUP = {
    "type": "object",
    "properties": {
        "a": {"type": "string", "maxLength": 9},
        "b": {"anyOf": [{"$ref": "#/$defs/c"}, {"enum": [1, "x", None]}]},
        "d": {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 3},
        "e": {"$ref": "#"},
    },
    "required": ["a"],
    "$defs": {"c": {"type": "integer", "minimum": 1, "maximum": 99}},
}
_TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": _SCHEMA}}
_CHAT = {
    "model": "a/m",
    "models": ["a/n"],
    "messages": [
        {"role": "system", "content": "Be short."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": 'é\n"x" [IMG]'},
                {"type": "image_url", "image_url": {"url": png_url(8, 8)}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":[1,{"b":"\\n"}]}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
        {"role": "user", "content": "data:image/#0 \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")},
    ],
    "tools": [_TOOL],
    "tool_choice": "auto",
    "temperature": 0.5,
    "top_p": 0.9,
    "max_tokens": 10,
    "stop": ["a"],
    "logit_bias": {"1": 1},
    "logprobs": True,
    "top_logprobs": 2,
    "stream": True,
    "n": 2,
    "seed": 1,
    "user": "u",
    "metadata": {"k": "v"},
    "provider": {"order": ["x"], "allow_fallbacks": False},
    "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": _SCHEMA}},
    "unknown": {"x": [1, 2.5e3, None]},
}
_COMPLETION = {"model": "a/m", "prompt": ["Once", "upon"], "max_tokens": 5, "echo": True, "logprobs": 1, "stop": "x"}
_GRAMMAR = b'root ::= item ("," item)* # list\nitem ::= [a-z]+ | "\\"" (digit{1,3} | root?) "\\""\ndigit ::= [0-9]\n'
_LARK = b'start: item ("," item)* -> list\nitem: /[a-z]+/i | "x".."z" ~ 1..3 | [DIGIT]\nDIGIT.2: "0" // no more\n'
_JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(11) + b"\xff\xc0\x00\x11\x08\x00\x10\x00\x20\x03"
_WEBP = b"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x07\0\0\x07\0\0"
_STORED = {
    "type": "BlockStored",
    "block_hashes": [1, b"x" * 32],
    "parent_block_hash": None,
    "token_ids": [1, 2, 3, 4],
    "block_size": 2,
    "medium": "GPU",
    "extra_keys": [None, [["uuid", 1]]],
}
_ROWS = (struct.pack("<Q", 5), struct.pack("<QIII", 9, 1, 2, 3), struct.pack("<Qd", 9, 0.5))
_GOSSIP = ["router-1", 7, 1, 0, 1, 0.1, False, 2, *_ROWS, [struct.pack("<QQQ", 1, 2, 3)]]
_ERROR = {
    "message": "no /usr/lib/x at 10.0.0.1:80 for sk-or-v1-0123456789",
    "type": "x",
    "param": "body.stop",
    "code": 400,
}
_STREAM = b"".join(faults.STREAM)
_TEXTS = b"""Traceback (most recent call last): File "/app/x.py", line 3, in run https://u:p@h/x fe80::1%eth0 [::1]:80
C:\\Users\\x \\\\server\\share\\y ~/a/b Bearer abcdefgh eyJhbGciOi.eyJzdWIiOi.c2ln AKIAIOSFODNN7EX 0x7f3a2b a@b.c"""


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


_RESPONSES = {
    "model": "a/m",
    "instructions": "Be short.",
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": 'é\n"x" [IMG]'},
                {"type": "input_image", "image_url": png_url(8, 8)},
            ],
        },
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":"data:image/#0"}'},
        {"type": "function_call_output", "call_id": "c1", "output": "42"},
        {
            "type": "message",
            "role": "assistant",
            "id": "m",
            "status": "completed",
            "content": [{"type": "output_text", "text": "a"}],
        },
        {"role": "user", "content": "data:image/#0"},
    ],
    "tools": [{"type": "function", "name": "f", "parameters": _SCHEMA}],
    "tool_choice": {"type": "function", "name": "f"},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": _SCHEMA}},
    "max_output_tokens": 10,
    "metadata": {"k": "v"},
}
_MESSAGES = {
    "model": "a/m",
    "max_tokens": 10,
    "system": [{"type": "text", "text": "Be short.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": 'é\n"x" [IMG]'},
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": png_url(8, 8).partition(",")[2]},
                },
            ],
        },
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {"a": "cut:0"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "data:image/#0"}]},
    ],
    "tools": [{"name": "f", "input_schema": _SCHEMA}],
    "tool_choice": {"type": "any"},
    "stop_sequences": ["a"],
    "stream": True,
}

SEEDS: Mapping[str, tuple[bytes, ...]] = MappingProxyType(
    {
        "chat": (
            _json(_CHAT),
            msgspec.json.encode(_CHAT),
            _json({"model": "a/m", "messages": [{"role": "user", "content": "x"}]}),
        ),
        "completions": (_json(_COMPLETION), _json({"model": "a/m", "prompt": [[1, 2], [3]]})),
        "responses": (_json(_RESPONSES), _json({"model": "a/m", "input": "x"})),
        "remembered": (_json(_RESPONSES), _json({"model": "a/m", "input": "x", "previous_response_id": "resp_0"})),
        "messages": (_json(_MESSAGES), _json({"model": "a/m", "max_tokens": 1, "messages": []})),
        "embeddings": (
            _json({"model": "a/m", "input": ["a", "data:image/#0"], "dimensions": 8}),
            _json({"model": "a/m", "input": [{"content": [{"type": "text", "text": "a"}]}]}),
            _json({"model": "a/m", "input": [[1, 2], [3]]}),
        ),
        "rerank": (_json({"model": "a/m", "query": "q", "documents": ["a", {"text": "b"}], "top_n": 1}),),
        "healing": (
            b'```json\n{a: \'x\', "b": [1, 2,], // c\n "d": True}\n``` So that is it.',
            b'{"a": "b\\"c", "d": {"e": [1, {"f": null',
        ),
        "response_format": (
            _json(_CHAT["response_format"]),
            _json({"type": "grammar", "grammar": _GRAMMAR.decode()}),
            b'{"type":"json_object"}',
            _json({"type": "xml", "schema": _MARKUP, "root": "r", "indent": True}),
            _json({"type": "yaml", "schema": _MARKUP}),
            _json({"type": "regex", "regex": r"[a-z]{1,8}(-\d+)*|\.x"}),
            _json({"type": "choice", "choice": ["yes", "no"]}),
        ),
        "schema": (_json(_SCHEMA),),
        "grammar": (_GRAMMAR, _LARK),
        "pattern": (rb"^(?:[a-z\d]+(-[^\]]{2,5})*|\.\x41?)$", b"((a+)*b|[x-z])+"),
        "events": (_STREAM, b": hi\r\n\r\ndata: a\rdata: b\r\rdata\n\n"),
        "stream": (_STREAM, b'data: {"error":{"message":"no","code":400}}\n\n', b": c\n\n" + _STREAM),
        "answer": (faults.ANSWER,),
        "error_body": (_json({"error": _ERROR}), _json(_ERROR), b'{"error":"x"}'),
        "error_text": (_TEXTS,),
        "image": (gif(2), _JPEG, _WEBP),
        "data_url": (png_url(8, 8).encode(), b"data:image/jpeg;base64,/9j/4AAQ"),
        "media_url": (b"https://example.com/a.png?x=1", b"http://[2606:4700::1111]:80/", b"https://93.184.216.34/x"),
        "gossip": (msgspec.msgpack.encode(_GOSSIP),),
        "cache_events": (
            msgspec.msgpack.encode({"ts": 1.0, "events": [_STORED, {"type": "AllBlocksCleared"}]}),
            msgspec.msgpack.encode(
                [1.0, [["BlockRemoved", [1, 2], "GPU"], ["BlockStored", *list(_STORED.values())[1:]]]]
            ),
        ),
        "metrics": (
            b'vllm:num_requests_running{engine="0"} 2.0\nvllm:cache_config_info{block_size="1",num_gpu_blocks="9"} 1\n',
        ),
        "spool": (b'3c5c1b5d {"e":{"id":"g"}}', b"00000000 {}"),
        "http_answer": (
            faults.STREAM_HEAD + b"".join(map(faults.chunk, faults.STREAM)) + b"0\r\n\r\n",
            faults.head(content_length="5") + b"hello",
        ),
    }
)

WORDS: tuple[bytes, ...] = (
    *(
        b'"',
        b"\\",
        b"\\u0000",
        b"\\ud800",
        b"\\ud83d\\ude00",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"null",
        b"true",
        b"1e999",
    ),
    *(
        b"-0",
        b"99999999999999999999",
        b"NaN",
        b"\xff",
        b"\xed\xa0\x80",
        b"\0",
        b"\r",
        b"\n",
        b"\r\n",
        b"\n\n",
        b"data:",
    ),
    *(
        b'"data:image/',
        b'"data:image/#0"',
        b"data: [DONE]\n\n",
        b"::=",
        b"(",
        b")",
        b"|",
        b"*",
        b"+",
        b"?",
        b"{1,",
        b"{999}",
    ),
    *(b"(?=", b"(?:", b"[^", b"\\1", b"$ref", b"#/$defs/", b"patternProperties", b"allOf", b"anyOf", b"enum", b"uuid"),
    *(
        b"chat_template",
        b"://",
        b"0x7f.1",
        b"[::1]",
        b"%00",
        b"@",
        b"//",
        b"/",
        b"transfer-encoding: chunked\r\n",
        b"\xdc",
    ),
    *(b"\x91", b"\xc4", b"\xdd\xff\xff\xff\xff", b"\xff\xd8", b"\xff\xc0", b"RIFF", b'"', b'"a":0,', b'"a":0,"a":0,'),
)

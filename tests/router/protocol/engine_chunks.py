"""Chunks as vLLM 0.29 writes them, byte for byte: pydantic's JSON, explicit nulls, errors with spaces."""

import json

PREFIX = (
    'data: {"id":"chatcmpl-0a1b","object":"chat.completion.chunk","created":1763800000,"model":"served","choices":['
)
TEXT_PREFIX = 'data: {"id":"cmpl-0a1b","object":"text_completion","created":1763800000,"model":"served","choices":['
DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def role(index: int = 0) -> bytes:
    choice = f'{{"index":{index},"delta":{{"role":"assistant","content":""}},"logprobs":null,"finish_reason":null}}'
    return f'{PREFIX}{choice}],"prompt_token_ids":null,"prompt_text":null}}\n\n'.encode()


def token(text: str, index: int = 0) -> bytes:
    delta = f'{{"content":{quoted(text)}}}'
    choice = f'{{"index":{index},"delta":{delta},"logprobs":null,"finish_reason":null,"token_ids":null}}'
    return f"{PREFIX}{choice}]}}\n\n".encode()


def tool_call(arguments: str) -> bytes:
    delta = f'{{"tool_calls":[{{"index":0,"function":{{"arguments":{quoted(arguments)}}}}}]}}'
    choice = f'{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":null,"token_ids":null}}'
    return f"{PREFIX}{choice}]}}\n\n".encode()


def finish(reason: str = "stop", index: int = 0, text: str = "", stop_reason: str = "null") -> bytes:
    delta = f'{{"content":{quoted(text)}}}'
    ends = f'"finish_reason":"{reason}","stop_reason":{stop_reason},"token_ids":null'
    return f'{PREFIX}{{"index":{index},"delta":{delta},"logprobs":null,{ends}}}]}}\n\n'.encode()


def usage(prompt: int = 5, completion: int = 3, cached: int | None = None, fingerprint: str | None = None) -> bytes:
    details = "" if cached is None else f',"prompt_tokens_details":{{"cached_tokens":{cached}}}'
    counts = f'"prompt_tokens":{prompt},"total_tokens":{prompt + completion},"completion_tokens":{completion}{details}'
    more = "" if fingerprint is None else f',"system_fingerprint":"{fingerprint}"'
    return f'{PREFIX}],"usage":{{{counts}}}{more}}}\n\n'.encode()


def text_token(text: str) -> bytes:
    nulls = '"logprobs":null,"finish_reason":null,"stop_reason":null,"prompt_token_ids":null,"token_ids":null'
    return f'{TEXT_PREFIX}{{"index":0,"text":{quoted(text)},{nulls}}}]}}\n\n'.encode()


def text_finish(reason: str = "length") -> bytes:
    nulls = f'"logprobs":null,"finish_reason":"{reason}","stop_reason":null,"prompt_token_ids":null,"token_ids":null'
    return f'{TEXT_PREFIX}{{"index":0,"text":"",{nulls}}}]}}\n\n'.encode()


def error(message: str = "boom", code: int = 500, kind: str = "InternalServerError") -> bytes:
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return f"data: {json.dumps(body)}\n\n".encode()

"""What engines say of themselves, read without trust."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.engine_facts import EngineFacts, parse_facts

VERSION = b'{"version":"0.29.0"}'


def models(*cards: Mapping[str, object]) -> bytes:
    return json.dumps({"object": "list", "data": [{"object": "model", **card} for card in cards]}).encode()


BASE = {"id": "eyes", "owned_by": "vllm", "root": "org/eyes", "parent": None, "max_model_len": 8_192}
ADAPTER = {"id": "eyes-law", "owned_by": "vllm", "root": "/adapters/law", "parent": "eyes", "max_model_len": None}


def test_a_model_is_read() -> None:
    assert EngineFacts("vllm", "0.29.0", 8_192, "org/eyes") == parse_facts(VERSION, models(BASE), "eyes")


def test_an_adapter_has_the_length_of_its_base() -> None:
    facts = parse_facts(VERSION, models(BASE, ADAPTER), "eyes-law")
    assert EngineFacts("vllm", "0.29.0", 8_192, "org/eyes", "eyes") == facts
    alone = parse_facts(VERSION, models(ADAPTER), "eyes-law")
    assert EngineFacts("vllm", "0.29.0", None, "/adapters/law", "eyes") == alone


def test_an_engine_that_does_not_know_the_name_is_told() -> None:
    assert EngineFacts("vllm", "0.29.0", serves=False) == parse_facts(VERSION, models(BASE), "other")


@pytest.mark.parametrize("length", [0, -1, 2**40, None])
def test_a_length_that_cannot_be_is_unknown(length: int | None) -> None:
    assert parse_facts(None, models(BASE | {"max_model_len": length}), "eyes").max_model_len is None


@pytest.mark.parametrize("answer", [None, b"", b"[]", b'{"data":{}}', b'{"data":[]}', b"[" * 5_000, b'{"\xff":1}'])
def test_what_is_no_answer_says_nothing(answer: bytes | None) -> None:
    assert EngineFacts() == parse_facts(answer, answer, "eyes")


def test_names_are_cut() -> None:
    facts = parse_facts(b'{"version":"%b"}' % (b"9" * 1_000), models(BASE | {"root": "r" * 1_000}), "eyes")
    assert ("9" * 128, "r" * 128) == (facts.version, facts.root)
    assert parse_facts(b'{"version":""}', None, "eyes").version is None


@given(st.binary(max_size=200))
def test_any_bytes_are_read(answer: bytes) -> None:
    assert parse_facts(answer, answer, "eyes").serves

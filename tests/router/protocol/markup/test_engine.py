"""The engine's own compiler takes the grammars, and what it lets through at random is an answer."""

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from tests.router.protocol.markup.sampler import sampler
from tests.router.protocol.markup.schemas import schemas
from tests.router.protocol.markup.test_answers import EVERYTHING, check_xml, check_yaml, grammar

xgrammar: Any = pytest.importorskip("xgrammar")

# Bytes, and tokens over the borders of what rules are made of.
TOKENS = [bytes([byte]) for byte in range(256)]
TOKENS += [
    b"</",
    b"><",
    b'":',
    b': "',
    b"\n  ",
    b"- ",
    b"</item>",
    b'"\n',
    b"null",
    b"true",
    b"\xc3\xa9",
    b"0.",
    b"name",
]
STOP = len(TOKENS)
CLOSERS = frozenset(TOKENS.index(token) for token in (b"<", b"</", b'"', b'"\n', b"\n", b"/"))
MOST = 1_500  # tokens


@pytest.fixture(scope="module")
def compiler() -> Any:
    info = xgrammar.TokenizerInfo(
        [*TOKENS, b"</s>"], vocab_type=xgrammar.VocabType.RAW, vocab_size=STOP + 1, stop_token_ids=[STOP]
    )
    return xgrammar.GrammarCompiler(info, max_threads=1)


def walk(compiled: Any, rng: random.Random) -> str | None:
    """A text of tokens chosen among those that the engine's mask allows; None: it would not end."""
    matcher = xgrammar.GrammarMatcher(compiled)
    mask = xgrammar.allocate_token_bitmask(1, STOP + 1)
    said = b""
    for _ in range(MOST):
        matcher.fill_next_token_bitmask(mask)
        words = [int(word) & 0xFFFFFFFF for word in mask[0]]
        allowed = [token for token in range(STOP + 1) if words[token // 32] >> token % 32 & 1]
        assert allowed, said
        closing = [token for token in allowed if token in CLOSERS or token == STOP]
        token = rng.choice(closing if closing and rng.random() < 0.3 else allowed)
        assert matcher.accept_token(token)
        if token == STOP:
            return said.decode()
        said += TOKENS[token]
    return None


@pytest.mark.parametrize("kind", ["xml", "yaml"])
def test_what_the_engine_lets_through_is_an_answer(compiler: Any, kind: str) -> None:
    schema = dict(EVERYTHING)
    if kind == "xml":
        schema["properties"] = {name.replace(" ", "_"): value for name, value in EVERYTHING["properties"].items()}
    compiled, rng = compiler.compile_grammar(grammar(kind, schema)), random.Random(3)
    said = [text for text in (walk(compiled, rng) for _ in range(60)) if text is not None]
    assert len(said) > 30
    for text in said:
        (check_xml if kind == "xml" else check_yaml)(text, schema)


@given(schemas(), st.randoms(use_true_random=False), st.sampled_from(["xml", "yaml"]))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_engine_compiles_the_grammar_of_any_schema(
    compiler: Any, schema: Any, rng: random.Random, kind: str
) -> None:
    try:
        written = grammar(kind, schema)
    except ApiError:
        assume(False)
    compiled = compiler.compile_grammar(written)
    matcher = xgrammar.GrammarMatcher(compiled)
    assert matcher.accept_string(sampler(written)(rng).encode())
    assert matcher.accept_token(STOP)
    text = walk(compiled, rng)
    if text is not None:
        (check_xml if kind == "xml" else check_yaml)(text, schema)


def test_the_largest_grammars_compile_in_seconds(compiler: Any) -> None:
    properties = {f"p{number}": {"type": "string", "maxLength": 10_000} for number in range(Limits().schema_properties)}
    for kind in ("xml", "yaml"):
        compiler.compile_grammar(grammar(kind, {"properties": properties}))

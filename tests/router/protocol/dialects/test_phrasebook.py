"""Who gets which words, and what cannot be said at all."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from router.policy.call import Call
from router.policy.catalog import Dialect, Pool
from router.protocol.dialects.phrasebook import Phrasebook
from router.protocol.dialects.source import Source
from router.protocol.dialects.words import Said, Words
from router.protocol.kinds import CHAT, COMPLETIONS, Kind
from tests.router.protocol.dialects.asked import ANTHROPIC, OPENAI, chat, other

LOCAL = Pool("local", "m", "served")
BOOK = Phrasebook({"openai/eu": Words(), "anthropic": Words(Dialect.ANTHROPIC)})


@dataclass
class Asked:
    source: Source | None
    call: Call
    kind: Kind = CHAT

    def upstream_body(self, pool: Pool, *, generation_id: str) -> bytes:
        return f"{pool.upstream_model} {generation_id}".encode()


def test_engines_of_ours_get_their_own_body() -> None:
    assert Said("/v1/chat/completions", b"served gen-1") == BOOK.say(
        Asked(None, Call("m")), LOCAL, generation_id="gen-1"
    )


@pytest.mark.parametrize(("pool", "path"), [(OPENAI, "/chat/completions"), (ANTHROPIC, "/messages")])
def test_providers_get_theirs(pool: Pool, path: str) -> None:
    assert path == BOOK.say(Asked(*chat()), pool, generation_id="gen-1").path


def test_what_was_put_together_wrongly_is_said_so() -> None:
    with pytest.raises(LookupError, match="without keeping its source"):
        BOOK.say(Asked(None, Call("m")), OPENAI, generation_id="gen-1")
    with pytest.raises(LookupError):
        BOOK.say(Asked(*chat()), replace(OPENAI, slug="nobody"), generation_id="gen-1")


GRAMMAR = {"type": "grammar", "grammar": "root ::= 'a'"}


@pytest.mark.parametrize(
    ("fields", "openai", "anthropic"),
    [
        ({}, None, None),
        ({"response_format": {"type": "json_object"}}, None, None),
        ({"response_format": GRAMMAR}, "response_format", "response_format"),
        ({"n": 2}, None, "n"),
        ({"n": 1}, None, None),
    ],
)
def test_what_cannot_be_said_of_a_chat(fields: dict[str, Any], openai: str | None, anthropic: str | None) -> None:
    asked = Asked(*chat(**fields))
    assert (None, openai, anthropic) == tuple(BOOK.cannot(asked, pool) for pool in (LOCAL, OPENAI, ANTHROPIC))


def test_anthropic_knows_chats_alone() -> None:
    assert "prompt" == BOOK.cannot(Asked(*other("completions", prompt="a"), COMPLETIONS), ANTHROPIC)
    assert "input" == BOOK.cannot(Asked(*other("embeddings", input="a")), ANTHROPIC)
    assert BOOK.cannot(Asked(None, Call("m")), ANTHROPIC) is None

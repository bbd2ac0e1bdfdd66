"""Conversations made to fit."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.body import split
from router.protocol.limits import Limits
from router.protocol.mistral import normalise
from router.protocol.plugins.compression import (
    Compressed,
    Scale,
    compress,
    is_wanted,
    room_for_prompt,
)
from router.protocol.plugins.cut_text import GAP, LEAST_BYTES, cut_content
from router.protocol.read_messages import Messages, read_messages
from router.protocol.tool_ids import ToolIds
from tests.router.protocol import pictures
from tests.router.protocol.conversations import assistant, image, system, text, tool, user

LIMITS = Limits()


def read(messages: list[dict[str, Any]]) -> Messages:
    body = split(json.dumps({"messages": messages}).encode(), LIMITS)
    return read_messages(body.fields["messages"], body, LIMITS)


def made_to_fit(messages: list[dict[str, Any]], room: int, bytes_per_token: float = 4.0) -> Compressed:
    conversation = read(messages)
    return compress(conversation.items, room, Scale(conversation.media, bytes_per_token))


def said(compressed: Compressed) -> list[Any]:
    return [None if message.content is None else json.loads(message.content) for message in compressed.messages]


def turns(count: int, size: int = 0) -> list[dict[str, Any]]:
    return [each for n in range(count) for each in (user(f"{n:<{size}}"), assistant(f"a{n:<{size}}"))]


def test_what_fits_is_left_alone() -> None:
    conversation = read([system(), *turns(2), user("end")])
    compressed = compress(conversation.items, 1_000, Scale(conversation.media, 4.0))
    assert Compressed(conversation.items, 0, 0, True) == compressed


def test_messages_go_from_the_middle_half_from_each_side() -> None:
    compressed = made_to_fit([system("rules"), *turns(20), user("end")], 13 * 13)
    assert ["rules", "0", "a0", "1", "a1", "2", "a17", "18", "a18", "19", "a19", "end"] == said(compressed)
    assert (31 - 1 - 1 + 1, 0, True) == (compressed.dropped, compressed.cut, compressed.fits)


def test_what_is_left_of_the_room_is_filled_from_whichever_side_fits() -> None:
    long = user("x" * 400)
    assert ["s", "0", "1", "2", "e"] == said(
        made_to_fit([user("s"), user("0"), user("1"), user("2"), long, user("e")], 70)
    )
    assert ["s", "2", "1", "e"] == said(made_to_fit([user("s"), long, user("2"), user("1"), user("e")], 60))
    first_half_is_short = [user("0"), user("y" * 80), user("z" * 40), long, user("e")]
    assert ["0", "y" * 80, "z" * 40, "e"] == said(made_to_fit(first_half_is_short, 100))


def test_the_last_message_of_the_user_stays_however_far_back_it_is() -> None:
    calls = [each for n in range(10) for each in (assistant("x" * 100, f"c{n}"), tool(f"c{n}", "y" * 100))]
    compressed = made_to_fit([user("the task"), *calls], 200)
    assert "the task" == said(compressed)[0]
    assert ["c9"] == [message.tool_call_id for message in compressed.messages if message.role == "tool"][-1:]
    assert compressed.fits


def test_results_go_with_their_calls() -> None:
    messages = [user(), assistant(None, "a", "b"), tool("a", "x" * 400), tool("b"), assistant("done"), user("end")]
    assert ["u", "done", "end"] == said(made_to_fit(messages, 60))


def test_results_without_a_call_stay_with_what_is_before_them() -> None:
    assert ["end"] == said(made_to_fit([tool("a", "x" * 999), tool("b"), user("end")], 60))


def test_the_longest_texts_lose_their_middle_when_nothing_else_helps() -> None:
    compressed = made_to_fit([system("short"), user("a" * 4_000 + "m" + "z" * 4_000)], 500)
    (rules, cut) = said(compressed)
    assert "short" == rules
    assert (cut[:800], cut[-800:]) == ("a" * 800, "z" * 800)
    assert GAP in cut
    assert "m" not in cut
    assert (0, 1, True) == (compressed.dropped, compressed.cut, compressed.fits)


def test_of_parts_the_longest_text_loses_its_middle() -> None:
    compressed = made_to_fit([user([text("b" * 3_000), text("a" * 300)])], 300)
    long, short = said(compressed)[0]
    assert text("a" * 300) == short
    assert long["text"].startswith("bbb")
    assert compressed.fits


def test_images_count_with_their_tokens_and_stay() -> None:
    messages = [user([text("x"), image(pictures.png(512, 512))]), assistant(), user("end")]
    assert {"dropped": 1, "fits": True} == {
        key: getattr(made_to_fit(messages, 380), key) for key in ("dropped", "fits")
    }
    compressed = made_to_fit([user([image(), image(), text("x" * 900)])], 300)
    assert (3, False) == (len(said(compressed)[0]), compressed.fits)


def test_what_cannot_be_made_to_fit_says_so() -> None:
    assert not made_to_fit([user([image()])], 100).fits
    assert not made_to_fit([user("x" * LEAST_BYTES)], 10).fits
    assert not made_to_fit([user(), assistant(None, "c" * 500)], 10).fits


def test_a_text_that_looks_like_an_image_counts_with_its_length_and_is_not_cut() -> None:
    compressed = made_to_fit([user("data:image/png;base64," + "x" * 4_000)], 100)
    assert (0, 0, False) == (compressed.dropped, compressed.cut, compressed.fits)


def test_a_cut_goes_through_no_character() -> None:
    content = cut_content(json.dumps("é" * 500 + "\U0001f600" * 500, ensure_ascii=False).encode(), 2_001)
    cut = json.loads(content)
    assert {"é", "\U0001f600", *GAP} == set(cut)
    assert json.loads(cut_content(json.dumps("é\n" * 900).encode(), 2_001)).startswith("é\né\n")


def test_a_content_without_a_long_text_stays() -> None:
    for content in (b'"short"', b'[{"type":"image_url"}]', b"[]", b'[{"text":"short"}]'):
        assert content == cut_content(content, 100)


def test_it_is_on_for_small_contexts_alone_unless_the_caller_says_otherwise() -> None:
    assert [True, False] == [is_wanted(None, length) for length in (8_192, 8_193)]
    assert [True, False] == [is_wanted(asked, 32_768) for asked in (True, False)]
    assert not is_wanted(False, 4_096)


@pytest.mark.parametrize(
    ("context", "max_tokens", "room"),
    [(8_192, 1_000, 6_832), (32_768, None, 30_156), (2_000, None, 1_425), (1_000, 2_000, 0)],
)
def test_the_answer_has_its_place_as_well(context: int, max_tokens: int | None, room: int) -> None:
    assert room == room_for_prompt(context, max_tokens)


def test_the_metadata_tells_what_was_done() -> None:
    step = Compressed([], 3, 1, True).step().fields()
    assert ("context_compression", "left out 3 messages and cut 1") == (step["type"], step["summary"])
    assert {"engine": "middle-out", "messages_dropped": 3, "messages_cut": 1} == step["data"]


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    words = st.text(alphabet='aé\n"\\', max_size=300)
    messages: list[dict[str, Any]] = []
    for turn in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["system", "user", "picture", "assistant", "calls"]))
        match kind:
            case "system" | "user" | "assistant":
                messages.append({"role": kind, "content": draw(words) + "x"})
            case "picture":
                messages.append(user([text(draw(words) + "x"), image(pictures.png(28, 28 * draw(st.integers(1, 9))))]))
            case _:
                ids = [f"{turn}-{n}" for n in range(draw(st.integers(1, 3)))]
                messages += [assistant(draw(words), *ids), *(tool(each, draw(words)) for each in ids)]
    return [*messages, user(draw(words) + "x")]


@given(messages=conversations(), room=st.integers(0, 700), bytes_per_token=st.sampled_from([1.7, 4.0]))
def test_it_fits_or_says_it_does_not_keeps_the_order_and_parts_no_call_from_its_result(
    messages: list[dict[str, Any]], room: int, bytes_per_token: float
) -> None:
    conversation = read(messages)
    scale = Scale(conversation.media, bytes_per_token)
    compressed = compress(conversation.items, room, scale)
    size = sum(map(scale.tokens, compressed.messages))
    assert compressed.fits == (size <= room)
    paths = [message.path for message in conversation.items]
    kept = [paths.index(message.path) for message in compressed.messages]
    assert sorted(set(kept)) == kept
    assert len(messages) - len(kept) == compressed.dropped
    assert len(messages) - 1 == kept[-1]
    assert {n for n, message in enumerate(messages) if message["role"] == "system"} <= set(kept)
    again = read(messages)
    assert compressed == compress(again.items, room, Scale(again.media, bytes_per_token))
    normalise(compressed.messages, ToolIds())  # raises if a call has no result, or a result no call

"""Token ids to the bytes they stand for."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mistral_common.tokens.tokenizers.base import SpecialTokenPolicy
from mistral_common.tokens.tokenizers.tekken import Tekkenizer

from router.protocol.vocabulary import Vocabulary, parse_vocabulary

TEKKEN = Path(__file__).parents[3] / "serving" / "pocket" / "weights" / "tekken.json"
JUDGE = Tekkenizer.from_file(TEKKEN)
OURS = parse_vocabulary(TEKKEN.read_bytes())


def tekken(*pieces: bytes, **changes: Any) -> bytes:
    """A file with room for 20 special tokens."""
    vocab = [
        {"rank": rank, "token_bytes": base64.b64encode(piece).decode(), "token_str": None}
        for rank, piece in enumerate(pieces)
    ]
    config = {"default_vocab_size": 20 + len(pieces), "default_num_special_tokens": 20}
    return json.dumps({"config": config, "vocab": vocab, **changes}).encode()


def test_the_bytes_of_every_token_are_those_of_mistrals_own_tokenizer() -> None:
    assert [JUDGE.id_to_byte_piece(each, SpecialTokenPolicy.KEEP) for each in range(JUDGE.n_words)] == [
        OURS.bytes_of([each]) for each in range(len(OURS))
    ]


@given(text=st.text(max_size=40))
def test_a_text_that_was_cut_into_tokens_is_whole_again(text: str) -> None:
    ids = JUDGE.encode(text, bos=True, eos=True)
    assert f"<s>{text}</s>".encode() == OURS.bytes_of(ids)


def test_an_image_is_a_run_of_three_kinds_of_token() -> None:
    assert (13, {10, 12, 13}) == (OURS.image_end, set(OURS.image_ids))


def test_a_file_that_names_no_special_tokens_means_the_usual_ones() -> None:
    vocabulary = parse_vocabulary(tekken(b"a", b"b"))
    assert b"<s>[SYSTEM_PROMPT]a[/SYSTEM_PROMPT]b[TOOL_CONTENT]" == vocabulary.bytes_of([1, 17, 20, 18, 21, 19])
    assert "Vocabulary(22 tokens)" == repr(vocabulary)


def test_special_tokens_without_a_name_are_called_by_their_number() -> None:
    special = [{"rank": 3, "token_str": "[IMG_END]", "is_control": True}]
    vocabulary = parse_vocabulary(tekken(b"a", special_tokens=special))
    assert b"<SPECIAL_0>[IMG_END]" == vocabulary.bytes_of([0, 3])


def test_pieces_beyond_the_size_that_is_used_are_left_out() -> None:
    config = {"default_vocab_size": 21, "default_num_special_tokens": 20}
    vocabulary = parse_vocabulary(tekken(b"a", b"b", config=config))
    with pytest.raises(IndexError):
        vocabulary.bytes_of([20, 21])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"vocab": []}',
        tekken(b"a").replace(b'"YQ=="', b'"?"'),
        tekken(b"a", config={"default_vocab_size": 99, "default_num_special_tokens": 20}),
        tekken(b"a", config={"default_vocab_size": 19, "default_num_special_tokens": 20}),
        tekken(b"a", config={"default_vocab_size": 0, "default_num_special_tokens": -1}),
        tekken(b"a", special_tokens=[]),
    ],
    ids=["empty", "binary", "list", "no config", "no base64", "too few", "too many", "negative", "no images"],
)
def test_what_is_no_vocabulary_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"vocabulary|special token"):
        parse_vocabulary(content)


def test_a_vocabulary_can_be_made_of_its_pieces() -> None:
    assert b"[IMG_END]xy" == Vocabulary(["[IMG_END]"], [b"x", b"y"]).bytes_of([0, 1, 2])

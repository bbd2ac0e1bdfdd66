"""The cut tokenizer is a Tekken file like any other, only smaller."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from mistral_common.tokens.tokenizers.base import TokenizerVersion

from serving.pocket.export import WEIGHTS
from serving.pocket.render import Renderer
from serving.pocket.tokenizer import FULL, SPECIAL_SLOTS, cut, generator_texts
from serving.pocket.words import CITIES, CODE_WORDS, COLOURS, NAMES

TOKENIZER = Renderer(WEIGHTS / "tekken.json").tokenizer


@given(st.text())
def test_any_text_survives_encoding(text: str) -> None:
    assert text == TOKENIZER.decode(TOKENIZER.encode(text, bos=False, eos=False))


def test_words_to_copy_are_single_tokens() -> None:
    for word in (*NAMES, *CITIES, *CODE_WORDS, *COLOURS):
        assert 1 == len(TOKENIZER.encode(f" {word}", bos=False, eos=False)), word


def test_special_tokens_have_the_ids_of_mistral_small() -> None:
    names = {"<s>": 1, "</s>": 2, "[INST]": 3, "[TOOL_CALLS]": 9, "[IMG]": 10, "[SYSTEM_PROMPT]": 17}
    assert names == {name: TOKENIZER.get_special_token(name) for name in names}
    assert TokenizerVersion.v7 == TOKENIZER.version
    assert SPECIAL_SLOTS == TOKENIZER.num_special_tokens


def test_text_is_never_read_as_a_special_token() -> None:
    ids = TOKENIZER.encode("[INST] [IMG] </s>", bos=False, eos=False)
    assert all(token >= SPECIAL_SLOTS for token in ids)


def test_the_stored_file_is_what_the_cut_gives() -> None:
    full = json.loads(FULL.read_text(encoding="utf-8"))
    stored = json.loads((WEIGHTS / "tekken.json").read_text(encoding="utf-8"))
    assert stored == cut(generator_texts(seed=1), full)

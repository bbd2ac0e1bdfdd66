"""Token counts exactly as vLLM's with a Mistral model: by mistral-common, from the model's own tekken.json.

Slow beside the simulator's own way (a millisecond for a short prompt), and meant for comparisons with a real engine.
"""

import re
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench.simulator.ask import Message, bad_request
from bench.simulator.picture import look_at
from bench.simulator.prompt import IMAGE, Picture, Prompt
from bench.simulator.words import Word

_PLAIN = re.compile(rb" [a-z]{2,}")  # Tekken cuts such a word from its neighbours, so it stays one token in any text


class MistralTokens:
    """One model's tokenizer."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds a `tekken.json`. Raises ValueError: mistral-common is not there, or the file is not."""
        try:
            from mistral_common.exceptions import MistralCommonException
            from mistral_common.protocol.instruct.request import ChatCompletionRequest
            from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
        except ImportError:
            raise ValueError("tokenizer needs the package mistral-common, which comes with vLLM") from None
        file = folder / "tekken.json"
        if not file.is_file():
            raise ValueError(f"tokenizer: there is no tekken.json in {folder}")
        self._request: Any = ChatCompletionRequest.from_openai
        self._refusal: type[Exception] = MistralCommonException
        self._tokenizer: Any = MistralTokenizer.from_file(str(file))
        self._tekken: Any = self._tokenizer.instruct_tokenizer.tokenizer

    @property
    def words(self) -> Sequence[Word]:
        first, end = self._tekken.num_special_tokens, self._tekken.n_words
        pieces = ((at, self._tekken.id_to_byte_piece(at)) for at in range(first, end))
        return [Word(at, piece) for at, piece in pieces if _PLAIN.fullmatch(piece)]

    def chat(self, messages: Sequence[Message], *, goes_on: bool) -> Prompt:
        seen = [
            look_at(part.image_url.url, part.uuid)
            for message in messages
            for part in message.parts()
            if part.image_url is not None
        ]
        try:
            request = self._request(msgspec.to_builtins(list(messages)), continue_final_message=goes_on)
            ids = array("I", self._tokenizer.encode_chat_completion(request).tokens)
        except (self._refusal, ValueError) as error:  # pydantic's errors are ValueErrors
            raise bad_request(str(error)) from None
        pictures: list[Picture] = []
        at = 0
        for each in seen:
            at = ids.index(IMAGE, at)
            tokens = each.rows * (each.columns + 1)
            pictures.append(Picture(at, tokens, each.width, each.height, each.identifier))
            at += tokens
        return Prompt(ids, tuple(pictures))

    def text(self, text: str) -> Prompt:
        return Prompt(array("I", self._tekken.encode(text, bos=True, eos=False)))

"""The fast renderer writes exactly what mistral-common writes, for every task and every kind of training sample."""

from __future__ import annotations

from random import Random

import pytest
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from serving.pocket import mix
from serving.pocket.chat import Chat, to_openai
from serving.pocket.evaluate import TASKS, cases
from serving.pocket.export import WEIGHTS
from serving.pocket.render import IMG, IMG_BREAK, IMG_END, Renderer, grid_of, image_tokens

RENDERER = Renderer(WEIGHTS / "tekken.json")
MISTRAL = MistralTokenizer.from_file(str(WEIGHTS / "tekken.json"))


def ids_by_mistral(chat: Chat) -> list[int]:
    request = ChatCompletionRequest.from_openai(**to_openai(chat))
    return list(MISTRAL.encode_chat_completion(request).tokens)


@pytest.mark.parametrize("task", TASKS)
def test_prompts_are_rendered_as_mistral_common_renders_them(task: str) -> None:
    for case in cases(task, seed=11, count=6):
        prompt = Chat(case.chat.messages[:-1], case.chat.tools)
        assert ids_by_mistral(prompt) == RENDERER.prompt(case.chat).ids


@pytest.mark.parametrize("group", mix.GROUPS)
def test_training_samples_are_rendered_as_mistral_common_renders_them(group: str) -> None:
    rng = Random(f"test {group}")
    for _ in range(8):
        chat = mix.sample(group, rng)
        prompt = Chat(chat.messages[:-1], chat.tools)
        rendered = RENDERER.render(chat)
        answer = rendered.ids[len(RENDERER.prompt(chat).ids) :]
        assert ids_by_mistral(prompt) == rendered.ids[: len(rendered.ids) - len(answer)]
        forced = len(RENDERER.tokenizer.encode(chat.messages[-1].forced, bos=False, eos=False))
        assert [False] * forced + [True] * (len(answer) - forced) == rendered.learn[-len(answer) :]
        assert chat.messages[-1].forced == RENDERER.tokenizer.decode(answer[:forced])


def test_only_answers_are_learnt_from() -> None:
    rng = Random("learnt")
    for group in mix.GROUPS:
        rendered = RENDERER.render(mix.sample(group, rng))
        learnt = [token for token, learned in zip(rendered.ids, rendered.learn, strict=True) if learned]
        assert learnt.count(2) >= 1
        assert not {1, 3, 4, IMG, IMG_BREAK, IMG_END} & set(learnt)


@pytest.mark.parametrize(
    ("width", "height", "columns", "rows"), [(112, 112, 4, 4), (113, 84, 5, 3), (28, 56, 1, 2), (100, 120, 4, 5)]
)
def test_a_picture_takes_one_token_per_square_and_one_per_row(width: int, height: int, columns: int, rows: int) -> None:
    tokens = image_tokens(width, height)
    assert (columns, rows) == grid_of(width, height)
    assert rows * (columns + 1) == len(tokens)
    assert columns * rows == tokens.count(IMG)
    assert rows - 1 == tokens.count(IMG_BREAK)
    assert IMG_END == tokens[-1]

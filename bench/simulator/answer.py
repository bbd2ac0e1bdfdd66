"""What an engine will answer, decided when it is asked: how many tokens, which words, why it ends.

The length is `max_tokens` where the request sets it, else drawn: from the prompt and the seed, so the same request has
the same answer. A stop string that turns up in the nonsense ends the answer there, as vLLM does it.
"""

import random
from array import array
from dataclasses import dataclass
from zlib import crc32

from bench.simulator.ask import ChatAsk, TextAsk, bad_request
from bench.simulator.prompt import Prompt
from bench.simulator.words import END_OF_ANSWER, Word, Words

_SPREAD = 0.8  # sigma of the lengths' log-normal distribution: one in ten is three times the median


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole of an answer."""

    words: tuple[Word, ...]  # one per token; the last may be the end-of-answer token, without text
    finish_reason: str  # "length" or "stop"
    stop_reason: str | None = None  # the stop string

    @property
    def ids(self) -> "array[int]":
        return array("I", [word.id for word in self.words])

    @property
    def text(self) -> bytes:
        return b"".join([word.text for word in self.words])


def check_length(prompt: Prompt, ask: ChatAsk | TextAsk, context: int) -> None:
    """Does it fit into the context? Raises Refused (400) in vLLM's words."""
    given, wanted = len(prompt.ids), ask.limit or 0
    field = ask.limit_field
    if ask.limit is not None and ask.limit < 1:
        raise bad_request(f"{field} must be at least 1, got {ask.limit}. (parameter={field}, value={ask.limit})", field)
    if wanted > context:
        raise bad_request(
            f"{field}={wanted} cannot be greater than max_model_len=max_total_tokens={context}. Please request fewer "
            f"output tokens. (parameter={field}, value={wanted})",
            field,
        )
    room = context - wanted
    if given <= room:
        if given == context:
            raise bad_request("max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)", "max_tokens")
        return
    about, count = "", given
    if isinstance(ask, TextAsk) and not isinstance(ask.prompt, list):  # vLLM cuts a text off one token past the room
        about, count = "at least ", room + 1
    raise bad_request(
        f"This model's maximum context length is {context} tokens. However, you requested {wanted} output tokens and "
        f"your prompt contains {about}{count} input tokens, for a total of {about}{count + wanted} tokens. Please "
        "reduce the length of the input prompt or the number of requested output tokens. "
        f"(parameter=input_tokens, value={count})",
        "input_tokens",
    )


def answer_to(prompt: Prompt, ask: ChatAsk | TextAsk, words: Words, *, context: int, median: int, seed: int) -> Answer:
    """Decide.

    Args:
        prompt: what was asked; it fits (see `check_length`).
        ask: limits and stop strings.
        words: to make the text of.
        context: tokens of prompt and answer together, at most.
        median: of lengths that the request leaves open, tokens.
        seed: of lengths and words.
    """
    start = crc32(prompt.ids, seed)
    room = context - len(prompt.ids)
    if ask.limit is not None:
        answer = Answer(tuple(words.take(start, max(1, min(ask.limit, room)))), "length")
    elif ask.ignore_eos:
        answer = Answer(tuple(words.take(start, max(1, room))), "length")
    else:
        drawn = round(median * random.Random(start).lognormvariate(0.0, _SPREAD))
        count = max(drawn, (ask.min_tokens or 0) + 1, 1)
        if count >= room:
            answer = Answer(tuple(words.take(start, max(1, room))), "length")
        else:
            answer = Answer((*words.take(start, count - 1), Word(END_OF_ANSWER, b"")), "stop")
    return _cut(answer, ask)


def _cut(answer: Answer, ask: ChatAsk | TextAsk) -> Answer:
    """End it before the first stop string that occurs after `min_tokens`."""
    if not ask.stops:
        return answer
    text = b""
    for index, word in enumerate(answer.words):
        text += word.text
        if index < (ask.min_tokens or 0):
            continue
        found = [(at, stop) for stop in ask.stops if (at := text.find(stop.encode())) >= 0]
        if not found:
            continue
        at, stop = min(found)
        kept: list[Word] = []
        left = at
        for each in answer.words[: index + 1]:
            kept.append(Word(each.id, each.text[:left]))
            left -= len(kept[-1].text)
        return Answer(tuple(kept), "stop", stop)
    return answer

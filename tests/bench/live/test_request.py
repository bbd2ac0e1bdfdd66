import json
import random
from itertools import pairwise

from bench.live.chats import Pace, with_long_beginnings, with_pictures
from bench.live.foretold import foretold
from bench.live.request import Texts, of_trace
from bench.simulator.ask import read_chat
from bench.simulator.prompt import block_names
from bench.simulator.tokenizer import FourBytes
from bench.traces.arrival import Arrival, chain

PACE = Pace(chats_per_s=1.0, turns=3, pause_s=2.0, seconds=20.0)


def names(body: bytes) -> tuple[int, ...]:
    prompt = FourBytes().chat(read_chat(body).messages, goes_on=False)
    return block_names(prompt.ids, prompt.pictures, 16)


def tokens(body: bytes) -> int:
    return len(FourBytes().chat(read_chat(body).messages, goes_on=False).ids)


def test_a_traces_prompts_have_its_lengths_and_share_what_it_says() -> None:
    arrivals = [
        Arrival(0.0, 1300, 5, chain((7, 8, 9), 1300, 512)),
        Arrival(1.5, 1100, 6, chain((7, 8, 10), 1100, 512)),
        Arrival(2.0, 40, 1),
        Arrival(3.0, 40, 1),
        Arrival(4.0, 1, 1),
    ]
    asked = list(of_trace(arrivals, "m", Texts("a")))
    assert [1300, 1100, 40, 40, 4] == [tokens(each.body) for each in asked]
    assert [0.0, 1.5, 2.0, 3.0, 4.0] == [each.at_s for each in asked]
    assert [5, 6, 1, 1, 1] == [json.loads(each.body)["max_tokens"] for each in asked]
    first, second = names(asked[0].body), names(asked[1].body)
    shared = sum(one == other for one, other in zip(first, second, strict=False))
    assert 1024 // 16 == shared
    assert set() == set(names(asked[2].body)) & set(names(asked[3].body))


def test_runs_of_different_salts_share_nothing() -> None:
    arrivals = [Arrival(0.0, 1300, 5, chain((7, 8, 9), 1300, 512))]
    (one,), (other,) = (of_trace(arrivals, "m", Texts(salt)) for salt in "ab")
    assert set() == set(names(one.body)) & set(names(other.body))


def test_texts_are_as_long_as_asked_for_and_the_same_for_the_same_name() -> None:
    texts = Texts("a")
    assert [5, 100, 200_000] == [len(texts.of("x", length)) for length in (5, 100, 200_000)]
    assert texts.of("x", 100) == Texts("a").of("x", 100) != texts.of("y", 100)


def test_turns_come_in_order_and_each_goes_on_with_its_chat() -> None:
    asked = list(with_pictures("m", Texts("a"), random.Random(1), PACE))
    assert all(one.at_s <= other.at_s for one, other in pairwise(asked))
    lengths = sorted(len(json.loads(each.body)["messages"]) for each in asked)
    chats = len(asked) // 3
    assert [2] * chats + [4] * chats + [6] * chats == lengths
    assert chats > 10


def test_chats_differ_by_their_pictures_alone() -> None:
    asked = list(with_pictures("m", Texts("a"), random.Random(1), PACE))
    known = foretold(asked, sees_pictures=True)
    text = foretold(asked, sees_pictures=False)
    everything = sum(tokens(each.body) for each in asked)
    assert 0.4 < known / everything < 0.8
    assert text / everything < 0.1


def test_long_beginnings_are_each_chats_own() -> None:
    asked = list(
        with_long_beginnings("m", Texts("a"), random.Random(1), PACE, first_bytes=4000, more_bytes=200, max_tokens=8)
    )
    firsts = {names(each.body)[:10] for each in asked}
    assert len(asked) // 3 == len(firsts)
    assert 1003 == min(tokens(each.body) for each in asked)

"""What is known of an engine's cache, whatever gets lost on the way."""

import asyncio
from collections.abc import AsyncGenerator, Iterable

import pytest

from router.policy.catalog import EndpointId
from router.policy.prefix import PrefixIndex, PrefixSettings
from router.policy.replica_cache import ReplicaCache
from router.protocol.chain import Chain
from router.protocol.engine_blocks import EngineBlocks
from router.protocol.vocabulary import Vocabulary
from router.upstream.kv_event_feed import FeedLost, Message
from router.upstream.kv_event_follower import Follower
from tests.router.upstream.publisher import CLEARED, Journal, removed, stored

E = EndpointId("e")
A, B, C, D = 1, 2, 3, 4  # tokens, each a block of the router long
VOCABULARY = Vocabulary(["[IMG_END]"], [bytes([each]) * 256 for each in (A, B, C, D)])


def chain(*tokens: int) -> list[int]:
    made = Chain()
    made.text(VOCABULARY.bytes_of(tokens))
    return made.hashes


class Past:
    """A replay of a journal. `drops` are lost on the way, each once; `stalls` times it ends without its mark."""

    def __init__(self, journal: Journal, drops: Iterable[int] = (), stalls: int = 0) -> None:
        self.journal = journal
        self.drops = set(drops)
        self.stalls = stalls
        self.asked: list[int] = []

    async def replay(self, first: int) -> AsyncGenerator[Message, None]:
        self.asked.append(first)
        for number, batch in list(self.journal.buffer):
            if number < first:
                continue
            if number in self.drops:
                self.drops.discard(number)
                continue
            yield Message(number, batch)
        if self.stalls:
            self.stalls -= 1
            raise TimeoutError


class Engine:
    """A journal, who follows it, and the index that is kept."""

    def __init__(self, keep: int = 100, drops: Iterable[int] = (), stalls: int = 0) -> None:
        self.journal = Journal(keep)
        self.past = Past(self.journal, drops, stalls)
        self.index = PrefixIndex(PrefixSettings())
        self.follower = Follower(E, EngineBlocks(VOCABULARY, ReplicaCache(100)), self.index)

    def catch_up(self) -> None:
        asyncio.run(self.follower.catch_up(self.past))

    def hear(self, numbered: tuple[int, bytes]) -> None:
        """What `follow` does with a live message."""
        if not self.follower.take(Message(*numbered)):
            self.catch_up()

    def depth(self, *tokens: int) -> int:
        return self.index.depths(chain(*tokens)).get(E, 0)


AB = stored([1], [A, B])
CD = stored([2], [C, D], parent=1)


def test_an_engine_that_has_published_nothing_holds_nothing() -> None:
    engine = Engine()
    engine.index.add(E, chain(A))
    engine.catch_up()
    assert (0, True) == (engine.depth(A), engine.follower.is_exact)


def test_what_was_published_before_is_known_and_what_comes_then_too() -> None:
    engine = Engine()
    engine.journal.add(AB)
    engine.catch_up()
    assert 2 == engine.depth(A, B, C, D)
    engine.hear(engine.journal.add(CD))
    assert 4 == engine.depth(A, B, C, D)
    engine.hear(engine.journal.add(removed(2)))
    assert 2 == engine.depth(A, B, C, D)
    assert [0] == engine.past.asked


def test_a_gap_is_filled() -> None:
    engine = Engine()
    engine.catch_up()
    engine.hear(engine.journal.add(AB))
    engine.journal.add(CD)
    engine.hear(engine.journal.add(removed(9)))
    assert 4 == engine.depth(A, B, C, D)
    assert ([0, 0], 0) == (engine.past.asked, engine.follower.lost_total)


def test_messages_that_were_replayed_already_change_nothing() -> None:
    engine = Engine()
    first, second = engine.journal.add(AB), engine.journal.add(removed(1))
    engine.catch_up()
    engine.hear(first)
    engine.hear(second)
    assert (0, [0]) == (engine.depth(A), engine.past.asked)


def test_an_engine_that_has_started_anew_is_read_anew() -> None:
    engine = Engine()
    for event in (AB, CD, removed(2)):
        engine.journal.add(event)
    engine.catch_up()
    engine.journal.restart()
    engine.journal.add(stored([8], [C, D]))
    engine.hear(engine.journal.add(removed(9)))  # number 1, made after number 2 of the other
    assert (0, 2) == (engine.depth(A, B), engine.depth(C, D))
    assert engine.follower.is_exact


def test_an_engine_that_has_started_anew_while_nobody_listened_is_recognised_by_its_last_batch() -> None:
    engine = Engine()
    engine.journal.add(AB)
    engine.catch_up()
    engine.follower.stop()
    engine.journal.restart()
    engine.journal.add(stored([1], [C, D]))
    engine.journal.add(removed(9))
    engine.catch_up()
    assert (0, 2) == (engine.depth(A, B), engine.depth(C, D))


def test_an_engine_that_has_started_anew_and_done_nothing_yet_holds_nothing() -> None:
    engine = Engine()
    engine.journal.add(AB)
    engine.catch_up()
    engine.journal.restart()
    engine.catch_up()
    assert (0, True) == (engine.depth(A, B), engine.follower.is_exact)


def test_who_comes_late_goes_by_what_is_sent_until_nearly_all_is_known() -> None:
    engine = Engine(keep=1)
    engine.journal.add(AB)
    engine.journal.add(CD)  # of which the beginning is not known
    engine.index.add(E, chain(A, B))
    engine.catch_up()
    assert (2, False, 0) == (engine.depth(A, B), engine.follower.is_exact, engine.follower.lost_total)
    for name in range(1_023):
        engine.hear(engine.journal.add(stored([10 + name % 50], [A, B])))
    assert engine.follower.is_exact


def test_an_emptied_cache_is_known_whole() -> None:
    engine = Engine(keep=1)
    engine.journal.add(AB)
    engine.journal.add(CD)
    engine.index.add(E, chain(A, B))
    engine.catch_up()
    engine.hear(engine.journal.add(CLEARED, stored([5], [C, D])))
    assert (0, 2, True) == (engine.depth(A, B), engine.depth(C, D), engine.follower.is_exact)


def test_what_the_replay_no_longer_has_is_lost_and_what_was_known_is_a_belief() -> None:
    engine = Engine(keep=2)
    engine.journal.add(AB)
    engine.catch_up()
    for name in range(10, 15):
        lost = engine.journal.add(removed(name))
    engine.hear(lost)
    assert (2, False, 3) == (engine.depth(A, B), engine.follower.is_exact, engine.follower.lost_total)
    assert 0 == len(engine.follower.blocks.cache)


def test_what_a_replay_drops_on_the_way_is_asked_for_again() -> None:
    engine = Engine(drops=[1])
    for event in (AB, CD, removed(2)):
        engine.journal.add(event)
    engine.catch_up()
    assert (2, [0, 0]) == (engine.depth(A, B, C, D), engine.past.asked)
    assert engine.follower.is_exact


def test_a_number_that_was_never_used_is_a_loss_not_an_endless_question() -> None:
    engine = Engine()
    engine.journal.add(AB)
    engine.journal.add(CD)
    engine.journal.add(removed(9))
    del engine.journal.buffer[1]
    engine.catch_up()
    assert ([0, 0], False, 1) == (engine.past.asked, engine.follower.is_exact, engine.follower.lost_total)


def test_a_replay_that_stalls_is_asked_again_as_long_as_it_gets_on() -> None:
    engine = Engine(stalls=1)
    engine.journal.add(AB)
    engine.catch_up()
    assert (2, [0, 0]) == (engine.depth(A, B), engine.past.asked)
    engine.past.stalls = 1
    with pytest.raises(TimeoutError):
        engine.catch_up()


def test_a_batch_that_cannot_be_read_is_a_loss() -> None:
    engine = Engine()
    engine.catch_up()
    engine.hear(engine.journal.add(AB))
    engine.hear(engine.journal.add(batch=b"garbage"))
    assert (False, 1) == (engine.follower.is_exact, engine.follower.lost_total)
    engine.hear(engine.journal.add(CLEARED, stored([5], [C, D])))
    assert (2, True) == (engine.depth(C, D), engine.follower.is_exact)
    engine.hear((1, b"garbage"))  # old, or of a new engine: only the replay can tell
    assert ([0, 2], 2) == (engine.past.asked, engine.depth(C, D))


def test_when_nobody_tells_any_more_what_was_told_is_believed_until_it_is_told_again() -> None:
    engine = Engine()
    engine.journal.add(AB)
    engine.catch_up()
    engine.follower.stop()
    engine.follower.stop()
    assert (2, False) == (engine.depth(A, B), engine.follower.is_exact)
    engine.journal.add(removed(1))
    engine.catch_up()
    assert (0, True, [0, 0]) == (engine.depth(A, B), engine.follower.is_exact, engine.past.asked)


def test_an_engine_that_is_silent_is_asked_whether_something_was_lost() -> None:
    engine = Engine()

    class Live:
        async def next(self, patience_s: float) -> Message | None:
            assert 30.0 == patience_s
            if engine.journal.buffer:
                raise FeedLost
            engine.journal.add(AB)  # and nobody hears it
            return None

    with pytest.raises(FeedLost):
        asyncio.run(engine.follower.follow(Live(), engine.past, quiet_s=30.0))
    assert 2 == engine.depth(A, B)


def test_live_messages_are_followed() -> None:
    engine = Engine()

    class Live:
        async def next(self, patience_s: float) -> Message | None:
            if len(engine.journal.buffer) == 2:
                raise FeedLost
            return Message(*engine.journal.add(AB if not engine.journal.buffer else CD))

    with pytest.raises(FeedLost):
        asyncio.run(engine.follower.follow(Live(), engine.past, quiet_s=30.0))
    assert (4, [0]) == (engine.depth(A, B, C, D), engine.past.asked)

"""The fast engine, and that it tells the same story as the one that steps."""

import random
from dataclasses import replace

import pytest

from bench.fleet.replica import NEVER, Replica
from bench.fleet.visit import Visit
from bench.physics.engine import Engine, EngineSettings, Job
from bench.physics.hardware import Hardware, hardware
from bench.traces.arrival import Arrival, chain

H200 = hardware("h200")
BLOCK = 512
Times = dict[int, tuple[float, float]]  # first token and end, by the request's number


def requests(seed: int, count: int, rate: float) -> list[Arrival]:
    """Chats of which some share their beginnings; only whole blocks have a name, as in vLLM."""
    rng, at_s, made = random.Random(seed), 0.0, []
    for number in range(count):
        at_s += rng.expovariate(rate)
        tokens = int(rng.lognormvariate(7.5, 1.2)) + 1
        tokens += tokens % BLOCK == 0  # of a prompt that is all cached, vLLM computes the last block, the other a token
        family, shared, whole = rng.randrange(6), rng.randrange(1, 12), tokens // BLOCK
        names = tuple(
            family * 1000 + index if index < shared else (number + 1) * 100_000 + index for index in range(whole)
        )
        made.append(
            Arrival(at_s, tokens, rng.choice([1, 2, 30, 200, rng.randrange(1, 600)]), chain(names, tokens, BLOCK))
        )
    return made


def by_steps(arrivals: list[Arrival], on: Hardware, **settings: int) -> tuple[Times, list[int]]:
    """One step after the other, as vLLM does it."""
    engine = Engine(on, EngineSettings(block_size=BLOCK, **settings))
    now, first, ended, order = 0.0, {}, {}, []
    pending = list(enumerate(arrivals))
    while pending or engine.has_work:
        if not engine.has_work:
            now = max(now, pending[0][1].at_s)
        while pending and pending[0][1].at_s <= now:
            number, arrival = pending.pop(0)
            engine.submit(Job(number, arrival.prompt_tokens, arrival.output_tokens, arrival.prefix.hashes))
        step = engine.step()
        assert step is not None
        now += step.duration_s
        for job_id in step.first_tokens:
            first[job_id] = now
        for job_id in step.finished:
            ended[job_id] = now
            order.append(int(job_id))
    assert not engine.preemptions
    return {number: (first[number], ended[number]) for number in range(len(arrivals))}, order


def by_jumps(arrivals: list[Arrival], on: Hardware, *, chunk: int = 2048, most: int = 1024) -> tuple[Times, list[int]]:
    """Event by event."""
    times: Times = {}
    order: list[int] = []
    numbers: dict[int, int] = {}

    def ended(visit: Visit, now: float) -> None:
        times[numbers[id(visit)]] = (visit.first_s, now)
        order.append(numbers[id(visit)])

    replica = Replica(
        on, chunk=chunk, most_running=most, block_tokens=BLOCK, on_first_token=lambda visit, now: None, on_end=ended
    )
    kept = []
    for number, arrival in enumerate(arrivals):
        while replica.due <= arrival.at_s:
            replica.advance()
        visit = Visit(arrival)
        kept.append(visit)
        numbers[id(visit)] = number
        replica.submit(visit, arrival.at_s)
    while replica.due != NEVER:
        replica.advance()
    assert (0, 0) == (replica.running, replica.waiting)
    return times, order


@pytest.mark.parametrize("rate", [0.3, 2.0, 5.0])
@pytest.mark.parametrize("seed", range(3))
def test_jumping_over_steps_gives_the_same_times_and_order_as_taking_them(seed: int, rate: float) -> None:
    roomy = replace(H200, kv_tokens=100_000_000)  # neither evicts nor preempts
    arrivals = requests(seed, 300, rate)
    expected, expected_order = by_steps(arrivals, roomy)
    times, order = by_jumps(arrivals, roomy)
    assert expected_order == order
    for number, (first_s, end_s) in expected.items():
        assert pytest.approx((first_s, end_s), abs=1e-6) == times[number]


def test_they_agree_where_sequences_and_tokens_of_a_step_are_few() -> None:
    roomy = replace(H200, kv_tokens=100_000_000)
    arrivals = requests(7, 200, 3.0)
    expected, expected_order = by_steps(arrivals, roomy, max_num_batched_tokens=300, max_num_seqs=8)
    times, order = by_jumps(arrivals, roomy, chunk=300, most=8)
    assert expected_order == order
    assert pytest.approx(sum(end for _, end in expected.values())) == sum(end for _, end in times.values())


def test_they_agree_nearly_where_memory_is_short_and_only_one_of_them_preempts() -> None:
    tight = replace(H200, kv_tokens=60_000)
    arrivals = [each for each in requests(3, 300, 2.0) if each.prompt_tokens < 30_000]
    times, _ = by_jumps(arrivals, tight)
    engine_times, _ = by_steps(arrivals, replace(H200, kv_tokens=100_000_000))
    assert len(arrivals) == len(times)
    assert sum(end for _, end in times.values()) > sum(end for _, end in engine_times.values())


def test_blocks_enter_and_leave_the_cache_as_they_are_told() -> None:
    small = replace(H200, kv_tokens=20 * BLOCK)
    held: set[int] = set()
    cached: list[int] = []
    replica = Replica(
        small,
        chunk=2048,
        most_running=64,
        block_tokens=BLOCK,
        on_first_token=lambda visit, now: cached.append(visit.cached),
        on_end=lambda visit, now: None,
    )
    replica.on_stored, replica.on_removed = held.update, held.difference_update
    now = 0.0
    for names in ((1, 2, 3), (1, 2, 3), (1, 4), tuple(range(100, 119)), (1, 2, 3)):
        tokens = len(names) * BLOCK + 1
        replica.submit(Visit(Arrival(now, tokens, 2, chain(names, tokens, BLOCK))), now)
        while replica.due != NEVER:
            now = replica.due
            replica.advance()
        assert set(names) <= held
        assert len(held) <= 20
    assert [0, 3 * BLOCK, BLOCK, 0, 0] == cached


def test_what_can_never_fit_is_known() -> None:
    replica = Replica(
        hardware("h100"),
        chunk=2048,
        most_running=64,
        block_tokens=BLOCK,
        on_first_token=lambda visit, now: None,
        on_end=lambda visit, now: None,
    )
    assert replica.fits(Visit(Arrival(0, 141_000, 800)))
    assert not replica.fits(Visit(Arrival(0, 141_000, 900)))


def test_a_batch_must_leave_room_for_prompts() -> None:
    with pytest.raises(ValueError, match="chunk must be above most_running"):
        Replica(
            H200,
            chunk=64,
            most_running=64,
            block_tokens=BLOCK,
            on_first_token=lambda visit, now: None,
            on_end=lambda visit, now: None,
        )


def test_images_are_encoded_before_their_tokens_are_computed() -> None:
    def seconds(images: tuple[int, ...]) -> float:
        arrival = Arrival(0.0, 1000, 1, images=images)
        return by_jumps([arrival], H200)[0][0][0]

    assert pytest.approx(0.0147) == seconds((5476 // 4,)) - seconds(())

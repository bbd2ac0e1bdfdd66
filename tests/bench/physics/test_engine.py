import random
from collections import Counter

import pytest

from bench.physics.engine import Admission, Engine, EngineSettings, Image, Job, JobId, Removed, Step, Stored
from bench.physics.hardware import hardware

H200 = hardware("h200")


def engine(**settings: int | bool) -> Engine:
    return Engine(H200, EngineSettings(**settings))  # type: ignore[arg-type]


def steps(at: Engine) -> list[Step]:
    return list(iter(at.step, None))


def test_a_job_gets_its_tokens_one_by_one_and_leaves_nothing_held() -> None:
    alone = engine()
    alone.submit(Job("a", 100, 3))
    assert (0, 1, True) == (alone.running, alone.waiting, alone.has_work)
    first, second, third = steps(alone)
    assert (("a",), ("a",), ()) == (first.first_tokens, first.token_owners, first.finished)
    assert ((), ("a",)) == (second.first_tokens, second.token_owners)
    assert ("a",) == third.finished
    assert (100, 1, 1) == (first.tokens, second.tokens, third.tokens)
    assert H200.step.seconds([(100, 0)], 0, 0) == first.duration_s
    assert H200.step.seconds([], 1, 101) == second.duration_s
    assert (0, 0, 0.0, False) == (alone.running, alone.waiting, alone.kv_usage, alone.has_work)


def test_a_long_prompt_comes_in_chunks_and_decodes_go_along() -> None:
    busy = engine()
    busy.submit(Job("short", 10, 5))
    busy.submit(Job("long", 5000, 1))
    done = steps(busy)
    assert [2048, 2048, 1 + 5000 - (2048 - 10) - 2047] == [step.tokens for step in done[:3]]
    assert ("short",) == done[0].token_owners
    assert ("long",) == done[2].first_tokens
    assert ("short", "long") == done[2].token_owners


def test_a_cached_prefix_is_not_computed_again_but_one_token_always_is() -> None:
    warm = engine()
    names = tuple(range(4))
    warm.submit(Job("a", 64, 1, names))
    (cold,) = steps(warm)
    warm.submit(Job("b", 64, 1, names))
    warm.submit(Job("c", 70, 1, names))
    (hit,) = steps(warm)
    assert (Admission("a", 0),) == cold.admitted
    assert (Stored("a", 0, names, None),) == cold.events
    assert (Admission("b", 48), Admission("c", 64)) == hit.admitted
    assert 16 + 6 == hit.tokens
    assert (198, 112) == (warm.queried_tokens, warm.hit_tokens)


def test_generated_blocks_are_cached_and_say_their_parent() -> None:
    chat = engine()
    chat.submit(Job("turn 1", 30, 20, (1, 2, 3)))
    events = [event for step in steps(chat) for event in step.events]
    assert [Stored("turn 1", 0, (1,), None), Stored("turn 1", 1, (2,), 1), Stored("turn 1", 2, (3,), 2)] == events
    chat.submit(Job("turn 2", 60, 1, (1, 2, 3)))
    assert (Admission("turn 2", 48),) == steps(chat)[0].admitted


def test_without_prefix_caching_nothing_is_found() -> None:
    plain = engine(prefix_caching=False)
    for name in ("a", "b"):
        plain.submit(Job(name, 64, 1, (1, 2, 3, 4)))
        (step,) = steps(plain)
        assert ((Admission(name, 0),), ()) == (step.admitted, step.events)


def test_no_more_run_at_once_than_sequences_are_allowed() -> None:
    narrow = engine(max_num_seqs=2)
    for number in range(5):
        narrow.submit(Job(number, 10, 2))
    narrow.step()
    assert (2, 3) == (narrow.running, narrow.waiting)


def test_a_prompt_waits_until_all_of_it_fits() -> None:
    small = engine(kv_tokens=16 * 11)
    small.submit(Job("a", 96, 2))
    small.submit(Job("b", 80, 1))
    first = small.step()
    assert first is not None
    assert (Admission("a", 0),) == first.admitted
    assert 1 == small.waiting
    assert ["b"] == [job_id for step in steps(small) for job_id in step.first_tokens]


def test_the_last_admitted_is_preempted_and_begins_anew() -> None:
    small = engine(kv_tokens=16 * 9)
    small.submit(Job("a", 60, 30))
    small.submit(Job("b", 60, 30))
    done = steps(small)
    assert [("b",)] == [step.preempted for step in done if step.preempted]
    assert [("a",), ("b",)] == [step.finished for step in done if step.finished]
    tokens = Counter(owner for step in done for owner in step.token_owners)
    assert {"a": 30, "b": 30} == tokens
    assert ["a", "b"] == [job_id for step in done for job_id in step.first_tokens]
    assert (1, 0.0) == (small.preemptions, small.kv_usage)


def test_the_least_urgent_is_preempted_and_the_most_urgent_admitted_first() -> None:
    small = engine(kv_tokens=16 * 9, by_priority=True)
    small.submit(Job("later", 60, 30, priority=1))
    small.submit(Job("urgent", 60, 30, priority=0))
    first = small.step()
    assert first is not None
    assert ["urgent", "later"] == [admission.id for admission in first.admitted]
    assert [("later",)] == [step.preempted for step in steps(small) if step.preempted]


def test_a_victim_that_stands_before_the_urgent_one_gives_its_share_of_the_step_back() -> None:
    small = engine(kv_tokens=16 * 9, by_priority=True)
    small.submit(Job("later", 60, 30, priority=1))
    small.step()
    small.submit(Job("urgent", 60, 30, priority=0))
    done = steps(small)
    assert [("later",)] == [step.preempted for step in done if step.preempted]
    assert [("urgent",), ("later",)] == [step.finished for step in done if step.finished]


def test_an_aborted_job_frees_its_blocks_wherever_it_is() -> None:
    busy = engine(max_num_seqs=1)
    for name in ("runs", "waits", "stays"):
        busy.submit(Job(name, 100, 9))
    busy.step()
    assert ["runs", "waits", "stays"] == list(busy.jobs())
    assert busy.abort("runs")
    assert busy.abort("waits")
    assert not busy.abort("nobody")
    assert 0.0 == busy.kv_usage
    assert ["stays"] == [job_id for step in steps(busy) for job_id in step.finished]
    busy.submit(Job("last", 5, 1))
    busy.abort("last")
    assert busy.step() is None


def test_an_image_is_encoded_once() -> None:
    eyes = engine()
    pictures = (Image(at=10, tokens=1000, width=768, height=768, key=1),)
    took = []
    for number in range(2):
        eyes.submit(Job(number, 1500, 1, images=pictures))
        took += [step.duration_s for step in steps(eyes)]
    assert pytest.approx(H200.step.image_seconds(768, 768)) == took[0] - took[1]


def test_the_oldest_image_is_forgotten() -> None:
    eyes = engine(encoder_cache_tokens=1000)
    pictures = [Image(at=0, tokens=600, width=768, height=768, key=key) for key in (1, 2, 2, 1)]
    took = []
    for number, picture in enumerate(pictures):
        eyes.submit(Job(number, 700, 1, images=(picture,)))
        took += [step.duration_s for step in steps(eyes)]
    assert [True, True, False, True] == [each > min(took) + 0.001 for each in took]


def test_what_is_taken_is_told_before_what_takes_its_place() -> None:
    small = engine(kv_tokens=16 * 3)
    small.submit(Job("a", 32, 1, (1, 2)))
    small.submit(Job("b", 32, 1, (3, 4)))
    _, second = steps(small)
    assert (Removed((2, 1)), Stored("b", 0, (3, 4), None)) == second.events
    assert small.reset_prefix_cache()


@pytest.mark.parametrize(
    ("job", "complaint"),
    [
        (Job(1, 0, 1), "at least 1 token"),
        (Job(1, 1, 0), "at least 1 token"),
        (Job(1, 500_000, 2000), "do not fit"),
        (Job("there", 1, 1), "id 'there' is in use"),
    ],
)
def test_a_job_that_cannot_be_is_refused(job: Job, complaint: str) -> None:
    strict = engine()
    strict.submit(Job("there", 1, 1))
    with pytest.raises(ValueError, match=complaint):
        strict.submit(job)


@pytest.mark.parametrize(
    ("name", "value"), [("block_size", 0), ("max_num_batched_tokens", 0), ("max_num_seqs", 0), ("kv_tokens", 16)]
)
def test_settings_out_of_range_are_refused(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"^{name} must"):
        EngineSettings(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(8))
def test_every_job_gets_all_its_tokens_and_the_events_tell_the_cache(seed: int) -> None:
    rng = random.Random(seed)
    tight = engine(kv_tokens=16 * 40, max_num_batched_tokens=64, max_num_seqs=6, by_priority=bool(seed % 2))
    wanted: dict[JobId, int] = {}
    got: Counter[JobId] = Counter()
    cache: Counter[int] = Counter()
    for number in range(400):
        if number < 200 and rng.random() < 0.5:
            prompt, output, family = rng.randrange(1, 300), rng.randrange(1, 60), rng.randrange(5) * 1000
            names = tuple(family + depth for depth in range((prompt + output) // 16))
            tight.submit(Job(number, prompt, output, names, priority=rng.randrange(3)))
            wanted[number] = output
        step = tight.step()
        while number == 399 and step is not None:
            _note(step, got, cache)
            step = tight.step()
        if step is not None:
            assert step.tokens <= 64
            _note(step, got, cache)
    assert wanted == got
    assert 0.0 == tight.kv_usage
    held = {name for name in range(5000) if tight.pool.find([name], 1)}
    assert held == set(cache)
    assert tight.preemptions > 0


def _note(step: Step, got: Counter[JobId], cache: Counter[int]) -> None:
    got.update(step.token_owners)
    for event in step.events:
        if isinstance(event, Stored):
            cache.update(event.hashes)
        else:
            for name in event.hashes:
                cache[name] -= 1
                if not cache[name]:
                    del cache[name]

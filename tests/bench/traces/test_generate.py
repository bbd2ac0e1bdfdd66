import statistics
from collections import Counter
from itertools import islice, pairwise

import pytest

from bench.traces.arrival import Arrival
from bench.traces.find import find
from bench.traces.generate import generate


def ideal_hit(arrivals: list[Arrival]) -> float:
    """Share of prompt tokens that an endless cache would hold."""
    seen: set[int] = set()
    held = total = 0
    for arrival in arrivals:
        depth = 0
        while depth < len(arrival.prefix.hashes) and arrival.prefix.hashes[depth] in seen:
            depth += 1
        held += arrival.prefix.tokens(depth)
        total += arrival.prompt_tokens
        seen.update(arrival.prefix.hashes)
    return held / total


def figures(arrivals: list[Arrival]) -> dict[str, float]:
    prompts = sorted(each.prompt_tokens for each in arrivals)
    outputs = sorted(each.output_tokens for each in arrivals)
    per_window = Counter(int(each.at_s // 30) for each in arrivals)
    counts = [per_window[window] for window in range(max(per_window))]
    return {
        "prompt": statistics.fmean(prompts),
        "prompt p50": prompts[len(prompts) // 2],
        "prompt p99": prompts[int(0.99 * len(prompts))],
        "output": statistics.fmean(outputs),
        "output p99": outputs[int(0.99 * len(outputs))],
        "ideal hit": ideal_hit(arrivals),
        "rate": len(arrivals) / arrivals[-1].at_s,
        "burst": statistics.pvariance(counts) / statistics.fmean(counts),
    }


def test_generated_chats_are_like_mooncakes() -> None:
    made = figures(list(islice(generate(seed=1), 12_000)))
    # the trace's own figures, from the file
    measured = {
        "prompt": 12_035,
        "prompt p50": 6_909,
        "prompt p99": 85_401,
        "output": 342.6,
        "output p99": 1_120,
        "ideal hit": 0.374,
        "rate": 3.4,
        "burst": 2.46,
    }
    assert measured.keys() == made.keys()
    for name, value in measured.items():
        assert pytest.approx(value, rel=0.3 if name == "burst" else 0.12) == made[name], name


def test_the_recorded_trace_has_the_figures_that_the_generated_is_measured_by() -> None:
    trace = find("conversation")
    if not trace.is_recorded:
        pytest.skip("no recorded trace beside the repository")
    recorded = figures(list(trace.stream(0)))
    assert pytest.approx(12_035, rel=0.01) == recorded["prompt"]
    assert pytest.approx(0.374, abs=0.005) == recorded["ideal hit"]


def test_chats_are_the_same_for_a_seed_and_come_in_order_at_the_rate_asked_for() -> None:
    one, again, other = (list(islice(generate(seed, rate=50), 5000)) for seed in (1, 1, 2))
    assert one == again != other
    assert all(before.at_s <= after.at_s for before, after in pairwise(one))
    assert pytest.approx(50, rel=0.1) == len(one) / one[-1].at_s
    with pytest.raises(ValueError, match="rate must be above 0"):
        generate(1, rate=0)


def test_all_begin_with_one_system_prompt_and_a_chat_with_its_last_turn() -> None:
    arrivals = list(islice(generate(seed=4), 3000))
    assert {0} == {each.prefix.hashes[0] for each in arrivals}
    assert all(each.prefix.ends[-1] == each.prompt_tokens for each in arrivals)
    seen: set[int] = set()
    follow_ups = 0
    for each in arrivals:
        follow_ups += sum(name in seen for name in each.prefix.hashes) > 1
        seen.update(each.prefix.hashes)
    assert 0.2 < follow_ups / len(arrivals) < 0.4

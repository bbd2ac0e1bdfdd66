"""Bytes from strangers, of every kind that the router reads, for a bounded time.

FUZZ_SECONDS: for each target. FUZZ_SEED: where chance begins; 0 unless given, so that CI finds what it found before.
`make fuzz` takes longer, and another seed each time. What fails is kept in corpus/ and tried first from then on.
"""

import os
import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutate import mutate
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS
from tests.fuzz.watch import Watch, kept

pytestmark = pytest.mark.no_cover  # counting lines would take longer than what is measured
SECONDS = float(os.environ.get("FUZZ_SECONDS", "3"))
SEED = os.environ.get("FUZZ_SEED", "0")


@pytest.mark.parametrize("name", TARGETS)
def test_what_once_broke_it_does_so_no_more(name: str) -> None:
    watch = Watch(name)
    for path in kept(name):
        watch.feed(path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_its_own_errors_leaves_it_and_nothing_takes_long(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    watch, rng = Watch(name), random.Random(f"{SEED} {name}")
    pool = [*SEEDS[name], *(path.read_bytes() for path in kept(name))]
    for data in pool:
        watch.feed(data)
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        watch.feed(mutate(rng.choice(pool), pool, rng))
    with capsys.disabled():
        print(f" {watch.runs} inputs, worst {watch.worst_s * 1e3:.1f} ms ({len(watch.worst)} bytes)", end="")


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
@settings(max_examples=50, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
def test_hypothesis_finds_no_more(name: str, data: st.DataObject) -> None:
    """Small inputs, which it makes smaller still when one fails."""
    seed = data.draw(st.sampled_from(SEEDS[name]))
    start = data.draw(st.integers(0, len(seed)))
    end = data.draw(st.integers(start, len(seed)))
    between = data.draw(st.binary(max_size=20) | st.text(alphabet='{}[]",:\\0', max_size=20).map(str.encode))
    Watch(name).feed(seed[:start] + between + seed[end:])

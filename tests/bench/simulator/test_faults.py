import random
import re
from pathlib import Path

import pytest

from bench.simulator.faults import Fault, Faults, Kind, read_faults
from deploy.cli.simulate import DESCRIPTION


def faults(*each: Fault, now: float = 0.0) -> Faults:
    known = Faults(random.Random(0))
    known.put(each, now)
    return known


def test_one_fault_or_several_are_read() -> None:
    assert [Fault(kind=Kind.RESET)] == read_faults(b'{"fault": "reset"}')
    two = read_faults(b' [{"fault": "503", "retry_after_s": 2}, {"fault": "stall", "delay_s": 0.5}]')
    assert [(Kind.BUSY, 2), (Kind.STALL, 1)] == [(each.kind, each.retry_after_s) for each in two]


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"nonsense", b'{"fault": "flood"}', b'{"fault": "reset", "share": 2}', b'{"fault":"hang","x":1}'],
)
def test_what_is_no_fault_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (whatever the JSON library says)
        read_faults(body)


def test_a_fault_strikes_its_share_of_requests() -> None:
    known = faults(Fault(kind=Kind.RESET, share=0.25))
    struck = sum(known.draw(0.0) is not None for _ in range(1000))
    assert 200 < struck < 300


def test_a_fault_strikes_so_many_requests() -> None:
    known = faults(Fault(kind=Kind.RESET, count=2))
    assert [True, True, False] == [known.draw(0.0) is not None for _ in range(3)]
    assert [] == known.active(0.0)


def test_a_fault_ends_when_its_time_is_over() -> None:
    known = faults(Fault(kind=Kind.HANG, for_s=10.0), Fault(kind=Kind.RESET, for_s=20.0), now=100.0)
    assert frozenset({Kind.HANG}) == known.whole(109.0)
    assert frozenset() == known.whole(110.0)
    assert (110.0, 120.0, None) == tuple(known.next_end(now) for now in (100.0, 110.0, 120.0))
    assert known.draw(119.0) is not None
    assert known.draw(120.0) is None


def test_faults_of_the_whole_engine_strike_no_single_request() -> None:
    assert faults(Fault(kind=Kind.DIE)).draw(0.0) is None


def test_new_faults_take_the_place_of_the_old() -> None:
    known = faults(Fault(kind=Kind.RESET))
    known.put([], 0.0)
    assert known.draw(0.0) is None


def test_a_slow_first_token_is_ten_seconds_late_where_nothing_else_is_said() -> None:
    slow, stall = Fault(kind=Kind.SLOW), Fault(kind=Kind.STALL)
    assert ((0, 10.0), (3, None)) == ((slow.strikes_at, slow.lasts_s), (stall.strikes_at, stall.lasts_s))


def test_every_fault_is_documented_and_in_the_commands_help() -> None:
    page = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text()
    assert [str(kind) for kind in Kind] == re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)
    (listed,) = re.findall(r"kinds: (.*)", DESCRIPTION)
    assert {str(kind) for kind in Kind} == set(listed.split(", "))

import os

import pytest

from bench.proc import Process, busy_share, cpu_ticks, memory_mb

STAT = (
    "4242 ({}) S 1 4242 4242 0 -1 4194560 5000 0 3 0 731 269 11 12 20 0 5 0 900 250000000 12000 18446744073709551615"
    " 1 1 0 0 0 0 0 16781312 17642 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0"
)


@pytest.mark.parametrize("name", ["python", "a b", "weird) R 1 2 (name"])
def test_cpu_time_is_user_and_system_whatever_the_process_is_called(name: str) -> None:
    assert 731 + 269 == cpu_ticks(STAT.format(name))


def test_what_is_no_stat_is_refused() -> None:
    with pytest.raises(ValueError, match="substring not found"):
        cpu_ticks("nonsense")


def test_memory_is_told_in_megabytes() -> None:
    status = "Name:\tpython\nVmHWM:\t   70000 kB\nVmRSS:\t   61035 kB\n"
    assert (71.68, 62.49984) == (memory_mb(status, "VmHWM"), memory_mb(status, "VmRSS"))


def test_a_field_that_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="no VmRSS"):
        memory_mb("Name:\tkthreadd\n", "VmRSS")


def test_the_busy_share_leaves_out_idling_and_waiting_for_disks() -> None:
    before = "cpu  100 0 100 700 100 0 0 0 55 0\ncpu0 1 2 3 4\n"
    after = "cpu  130 5 110 745 105 0 5 0 99 0\ncpu0 1 2 3 4\n"
    assert 0.5 == busy_share(before, after)


def test_no_time_passed_is_no_load() -> None:
    line = "cpu  100 0 100 700 100 0 0 0 0 0\n"
    assert 0.0 == busy_share(line, line)


def test_a_process_can_be_read_from_outside() -> None:
    own = Process(os.getpid())
    before = own.cpu_s()
    while own.cpu_s() == before:
        sum(range(100_000))
    assert own.cpu_s() > before
    own.reset_peak()
    assert 1.0 < own.resident_mb() <= own.peak_mb() * 1.05  # the kernel counts the two at different moments

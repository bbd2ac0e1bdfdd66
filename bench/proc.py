"""CPU time and memory of a process, from /proc (Linux)."""

import os
from dataclasses import dataclass
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")  # what the kernel counts CPU time in; 10 ms almost everywhere


def cpu_ticks(stat: str) -> int:
    """User and system time of all threads, in ticks, from the text of /proc/<pid>/stat.

    Raises ValueError when the text is something else.
    """
    # The name in parentheses may itself hold blanks and parentheses (proc(5)): count from the last one.
    fields = stat[stat.rindex(")") + 2 :].split()
    return int(fields[11]) + int(fields[12])


def memory_mb(status: str, field: str) -> float:
    """A memory field (VmRSS, VmHWM, …) in MB of 10⁶ bytes, from the text of /proc/<pid>/status.

    Raises ValueError when the field is missing.
    """
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024 / 1e6
    raise ValueError(f"no {field} in the status of the process")


def busy_share(before: str, after: str) -> float:
    """Share of all CPUs' time that was not idle between two readings of /proc/stat, 0 to 1."""
    (busy_before, all_before), (busy_after, all_after) = _cpu_line(before), _cpu_line(after)
    passed = all_after - all_before
    return (busy_after - busy_before) / passed if passed else 0.0


def _cpu_line(stat: str) -> tuple[int, int]:
    # user nice system idle iowait irq softirq steal; what follows is counted in user and nice already
    times = [int(value) for value in stat.splitlines()[0].split()[1:9]]
    return sum(times) - times[3] - times[4], sum(times)


@dataclass(frozen=True, slots=True)
class Process:
    """A running process, by its id. Reading one that has ended raises FileNotFoundError or ProcessLookupError."""

    pid: int

    def cpu_s(self) -> float:
        """CPU seconds it has used, in steps of TICK_S."""
        return cpu_ticks(Path(f"/proc/{self.pid}/stat").read_text()) * TICK_S

    def resident_mb(self) -> float:
        return memory_mb(Path(f"/proc/{self.pid}/status").read_text(), "VmRSS")

    def peak_mb(self) -> float:
        """The most memory it has ever had resident, or since `reset_peak`."""
        return memory_mb(Path(f"/proc/{self.pid}/status").read_text(), "VmHWM")

    def reset_peak(self) -> None:
        """Begin a new peak at what is resident now."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

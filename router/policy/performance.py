"""How well each pool has done lately: time to the first token, throughput and uptime, measured and not made up.

Time is cut into slices, each with a sketch of its values (see sketch), so that memory is constant whatever the traffic
and old values leave by themselves. A window covers at least what was asked for, and at most one slice more.

Uptime is OpenRouter's: the share of minutes in which at least 80 % of the attempts went well, of those minutes that had
at least ten attempts. A window without such a minute is judged as if all of it were one minute: by the share of its
attempts that went well. What the caller did (400, 413, a cancellation, a deadline of its own) and back-pressure (429,
503) judges nobody: a pool that says it is full is well.
"""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from router.policy.outcome import Outcome, Phase, Verdict
from router.policy.sketch import bin_of, merged, quantiles

ROUTING_WINDOW_S = 300.0  # OpenRouter's rolling window for preferences and sorting
PUBLISHED_WINDOW_S = 1_800.0  # of the figures in `/models/…/endpoints`
DAY_S = 86_400.0

_SLICE_S = 10.0  # a thirtieth of the routing window
_SLICES = int(PUBLISHED_WINDOW_S / _SLICE_S) + 1
_MINUTE_S = 60.0
_MINUTES = int(DAY_S / _MINUTE_S) + 1
_COUNTED_ATTEMPTS = 10  # in a minute, before it counts; OpenRouter's
_GOOD_SHARE = 0.8  # of attempts, of a good minute; below it a provider is down; OpenRouter's
_OUTAGE_FAILURES = 2  # one may be chance
_FEW = 256  # values: their quantiles are worked out anew at every change, those of more once a second
_FRESH_S = 1.0
_SHARES = (0.5, 0.75, 0.9, 0.99)
_REFUSED_US = frozenset({401, 402, 404})  # the router's key, credit or name of the model; OpenRouter counts them too


def went_well(outcome: Outcome) -> bool | None:
    """What an attempt's end says of its pool; None: nothing."""
    if outcome.verdict is Verdict.OK:
        return True
    if outcome.verdict.is_fault and outcome.phase is not Phase.TOTAL:
        return False
    return False if outcome.verdict is Verdict.REJECTED and outcome.status in _REFUSED_US else None


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of a distribution; within 4 % of the true ones."""

    p50: float
    p75: float
    p90: float
    p99: float


@dataclass(frozen=True, slots=True)
class _Figures:
    """Percentiles of one window as they were worked out."""

    tick: int
    version: int
    at: float
    values: int
    percentiles: Percentiles | None


class _Slices:
    """Values of one pool and kind."""

    __slots__ = ("_figures", "_sketches", "_ticks", "_version")

    def __init__(self) -> None:
        self._ticks = array("q", [-1] * _SLICES)
        self._sketches: list[dict[int, int]] = [{} for _ in range(_SLICES)]
        self._version = 0
        self._figures: dict[int, _Figures] = {}  # by the window's length in slices

    def add(self, value: float, now: float) -> None:
        tick = int(now / _SLICE_S)
        slot = tick % _SLICES
        if self._ticks[slot] != tick:
            self._ticks[slot] = tick
            self._sketches[slot] = {}
        sketch, index = self._sketches[slot], bin_of(value)
        sketch[index] = sketch.get(index, 0) + 1
        self._version += 1

    def percentiles(self, now: float, window_s: float) -> Percentiles | None:
        tick = int(now / _SLICE_S)
        slices = _slots(window_s, _SLICE_S, _SLICES)
        known = self._figures.get(slices)
        if known is not None and known.tick == tick:
            is_new = known.version != self._version and (known.values < _FEW or now - known.at >= _FRESH_S)
            if not is_new:
                return known.percentiles
        first = tick - slices + 1
        sketch = merged(
            each for at, each in zip(self._ticks, self._sketches, strict=True) if each and first <= at <= tick
        )
        percentiles = Percentiles(*quantiles(sketch, _SHARES)) if sketch else None
        self._figures[slices] = _Figures(tick, self._version, now, sum(sketch.values()), percentiles)
        return percentiles


class _Ends:
    """How many attempts of one pool went well, and how many did not, by slices of some length."""

    __slots__ = ("_failed", "_ok", "_size", "_slice_s", "_ticks")

    def __init__(self, slice_s: float, size: int) -> None:
        self._slice_s = slice_s
        self._size = size
        self._ticks = array("q", [-1] * size)
        self._ok = array("Q", [0] * size)
        self._failed = array("Q", [0] * size)

    def add(self, ok: bool, now: float) -> None:
        tick = int(now / self._slice_s)
        slot = tick % self._size
        if self._ticks[slot] != tick:
            self._ticks[slot], self._ok[slot], self._failed[slot] = tick, 0, 0
        (self._ok if ok else self._failed)[slot] += 1

    def counts(self, now: float, window_s: float) -> Sequence[tuple[int, int]]:
        """(went well, failed) of each slice of the window that had an attempt."""
        tick = int(now / self._slice_s)
        found = []
        for each in range(tick - _slots(window_s, self._slice_s, self._size) + 1, tick + 1):
            slot = each % self._size
            if self._ticks[slot] == each:
                found.append((self._ok[slot], self._failed[slot]))
        return found


class _Record:
    """All that is known of one pool."""

    __slots__ = ("ends", "first_tokens", "minutes", "throughputs", "tools")

    def __init__(self) -> None:
        self.first_tokens = _Slices()
        self.throughputs = _Slices()
        self.ends = _Ends(_SLICE_S, _SLICES)
        self.tools = _Ends(_SLICE_S, _SLICES)
        self.minutes = _Ends(_MINUTE_S, _MINUTES)


class Performance:
    """One per router, told of every attempt's end. Times are seconds of one clock; pools go by their names.

    Windows are of at most `PUBLISHED_WINDOW_S`, for uptime of a day.
    """

    def __init__(self) -> None:
        self._records: dict[str, _Record] = {}  # as many as the configuration has pools

    def note(
        self,
        pool: str,
        now: float,
        *,
        ok: bool | None,
        first_token_s: float | None,
        tokens_per_s: float | None,
        tools_ok: bool | None = None,
    ) -> None:
        """An attempt has ended, or its first token has come.

        Args:
            pool: where it was sent.
            now: the time.
            ok: whether it went well; None: it says nothing of the pool, or is not over.
            first_token_s: seconds from sending it to the first token, of a stream.
            tokens_per_s: completion tokens by the seconds from sending it to its end.
            tools_ok: whether its tool calls were well formed; None: it had none, or nobody looked.
        """
        record = self._records.get(pool)
        if record is None:
            record = self._records[pool] = _Record()
        if ok is not None:
            record.ends.add(ok, now)
            record.minutes.add(ok, now)
        if first_token_s is not None:
            record.first_tokens.add(first_token_s, now)
        if tokens_per_s is not None:
            record.throughputs.add(tokens_per_s, now)
        if tools_ok is not None:
            record.tools.add(tools_ok, now)

    def latency(self, pool: str, now: float, window_s: float) -> Percentiles | None:
        """Seconds to the first token; None: there was none."""
        record = self._records.get(pool)
        return None if record is None else record.first_tokens.percentiles(now, window_s)

    def throughput(self, pool: str, now: float, window_s: float) -> Percentiles | None:
        """Completion tokens per second of one answer; None: there was none."""
        record = self._records.get(pool)
        return None if record is None else record.throughputs.percentiles(now, window_s)

    def uptime(self, pool: str, now: float, window_s: float) -> float | None:
        """From 0 to 1 (see above); None: nothing was sent there."""
        counts = self._of(pool, lambda record: record.minutes.counts(now, window_s))
        counted = [each for each in counts if sum(each) >= _COUNTED_ATTEMPTS]
        if counted:
            return sum(ok >= _GOOD_SHARE * (ok + failed) for ok, failed in counted) / len(counted)
        return _share(counts)

    def tool_success(self, pool: str, now: float, window_s: float) -> float | None:
        """Share of the answers with tool calls whose calls were well formed; None: not measured."""
        return _share(self._of(pool, lambda record: record.tools.counts(now, window_s)))

    def had_outage(self, pool: str, now: float, within_s: float) -> bool:
        """Did so much fail there within the last seconds that it counts as down?"""
        counts = self._of(pool, lambda record: record.ends.counts(now, within_s))
        ok, failed = sum(each[0] for each in counts), sum(each[1] for each in counts)
        return failed >= _OUTAGE_FAILURES and ok < _GOOD_SHARE * (ok + failed)

    def _of(self, pool: str, counts: Callable[[_Record], Sequence[tuple[int, int]]]) -> Sequence[tuple[int, int]]:
        record = self._records.get(pool)
        return () if record is None else counts(record)


def _slots(window_s: float, slice_s: float, most: int) -> int:
    """Slices that cover a window whose end lies within a slice."""
    return min(int(-(-window_s // slice_s)) + 1, most)


def _share(counts: Sequence[tuple[int, int]]) -> float | None:
    ok, failed = sum(each[0] for each in counts), sum(each[1] for each in counts)
    return ok / (ok + failed) if ok + failed else None

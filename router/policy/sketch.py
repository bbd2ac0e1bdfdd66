"""A histogram of positive values over logarithmic bins: any quantile with a bounded relative error, in little memory.

After DDSketch (Masson, Rim, Lee, VLDB 2019): the bin of a value is the whole part of its logarithm to the base GAMMA,
and a bin is read as the value that is at most ACCURACY away from all that fall into it. Sketches of several stretches
of time are added bin by bin, which raw quantiles cannot be.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

ACCURACY = 0.04  # relative error of a quantile, either way: measured differences between pools are larger
GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
# Values outside are counted as these: a tenth of a millisecond or a token in three hours, and a hundred thousand
# tokens or seconds. 260 bins lie between.
LEAST, MOST = 1e-4, 1e5
_LOG_GAMMA = math.log(GAMMA)
_MIDDLE = 2 / (GAMMA + 1)  # of a bin, as a share of its upper end


def bin_of(value: float) -> int:
    """The bin that a value falls into. Zero, what is below and NaN go into the first."""
    if not value > LEAST:
        value = LEAST
    return math.ceil(math.log(min(value, MOST)) / _LOG_GAMMA)


def merged(sketches: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Counts by bin of all of them together."""
    total: dict[int, int] = {}
    for sketch in sketches:
        for index, count in sketch.items():
            total[index] = total.get(index, 0) + count
    return total


def quantiles(sketch: Mapping[int, int], shares: Sequence[float]) -> list[float]:
    """The values below which these shares (ascending, 0 to 1) of all values lie. The sketch must not be empty."""
    last = sum(sketch.values()) - 1
    found: list[float] = []
    below = 0
    for index in sorted(sketch):
        below += sketch[index]
        while len(found) < len(shares) and below > shares[len(found)] * last:
            found.append(_MIDDLE * GAMMA**index)
    return found

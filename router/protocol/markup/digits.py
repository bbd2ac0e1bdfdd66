"""Numbers between bounds, as expressions over their digits.

Written so that JSON, YAML 1.1, YAML 1.2 and XML Schema read the same: no exponent, no leading zero, no `-0`. An integer
has at most 15 digits and a fraction 6, so a double holds what is written: up to 15 digits, a decimal and its double are
in the same order (D. Matula, "In-and-out conversions", CACM 11(1), 1968), and rounding never passes a bound.
"""

from router.protocol.markup.ebnf import literal, optional
from router.protocol.markup.nodes import Number

LARGEST = 10**15 - 1
LARGEST_STRICT = 10**9 - 1  # of a bound that is itself excluded: with 6 digits of fraction these are 15
_FRACTION = '"." [0-9]{1,6}'
_SOME_FRACTION = '"." [0-9]{0,5} [1-9]'  # not zero


def number(node: Number) -> list[str]:
    """Alternatives; none where no number is within the bounds."""
    if node.is_whole:
        found = [f'"-" {each}' for each in _between(max(1, -node.high), -node.low)]
        return found + _between(max(0, node.low), node.high)
    negative: list[str] = []
    if node.low < 0:
        nearest, is_excluded = (0, True) if node.high >= 0 else (-node.high, node.is_high_excluded)
        negative = _decimals(nearest, is_excluded, -node.low, node.is_low_excluded)
    found = [f'"-" {each}' for each in negative]
    if node.high >= 0:
        is_excluded = node.low >= 0 and node.is_low_excluded
        found += _decimals(max(0, node.low), is_excluded, node.high, node.is_high_excluded)
    return found


def _decimals(low: int, is_low_excluded: bool, high: int, is_high_excluded: bool) -> list[str]:
    """Decimals from `low` to `high`, both at least 0."""
    found = []
    if is_low_excluded and low < high:
        found.append(f"{literal(str(low))} {_SOME_FRACTION}")
    found += [f"{each} {optional(_FRACTION)}" for each in _between(low + is_low_excluded, high - 1)]
    if not is_high_excluded and (low < high or (low == high and not is_low_excluded)):
        found.append(literal(str(high)))
    return found


def _between(low: int, high: int) -> list[str]:
    """Integers from `low` to `high`, both at least 0."""
    found = []
    for digits in range(len(str(low)), len(str(max(high, 0))) + 1):
        least = max(low, 10 ** (digits - 1) if digits > 1 else 0)
        most = min(high, 10**digits - 1)
        if least <= most:
            found += _same_length(str(least), str(most))
    return found


def _same_length(low: str, high: str) -> list[str]:
    """Texts of digits between two of the same length: those that share more with a bound, and the block between."""
    if low == high:
        return [literal(low)]
    if set(low) == {"0"} and set(high) == {"9"}:
        return [_any_digits(len(low))]
    first, last = int(low[0]), int(high[0])
    if len(low) == 1:
        return [f"[{first}-{last}]"]
    if first == last:
        return [f"{literal(low[0])} {rest}" for rest in _same_length(low[1:], high[1:])]
    more = len(low) - 1
    found = []
    if set(low[1:]) != {"0"}:
        found += [f"{literal(low[0])} {rest}" for rest in _same_length(low[1:], "9" * more)]
        first += 1
    below: list[str] = []
    if set(high[1:]) != {"9"}:
        below = [f"{literal(high[0])} {rest}" for rest in _same_length("0" * more, high[1:])]
        last -= 1
    if first <= last:
        found.append(f"[{first}-{last}] {_any_digits(more)}")
    return found + below


def _any_digits(count: int) -> str:
    return f"[0-9]{{{count}}}" if count > 1 else "[0-9]"

"""One request of a trace."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from router.policy.call import NO_PREFIX, Prefix

IMAGE_PATCHES = 4  # patches of the vision encoder that become one token of the prompt (2 x 2 merged)


@dataclass(frozen=True, slots=True)
class Arrival:
    """When it comes and how large it is."""

    at_s: float  # since the trace began; a trace is in this order
    prompt_tokens: int  # at least 1; images included
    output_tokens: int  # at least 1
    prefix: Prefix = NO_PREFIX  # the prompt as a chain of blocks; empty where nothing is shared
    images: tuple[int, ...] = ()  # tokens of each


def faster(arrivals: Iterable[Arrival], factor: float) -> Iterator[Arrival]:
    """The same requests in 1/factor of the time. Raises ValueError unless `factor` is above 0."""
    if not factor > 0:
        raise ValueError(f"factor must be above 0, got {factor}")
    if factor == 1:
        return iter(arrivals)
    return (replace(arrival, at_s=arrival.at_s / factor) for arrival in arrivals)


def first(arrivals: Iterable[Arrival], requests: int | None, seconds: float | None = None) -> Iterator[Arrival]:
    """At most so many requests, of the first `seconds`; None: all."""
    for arrival in islice(arrivals, requests):
        if seconds is not None and arrival.at_s > seconds:
            return
        yield arrival


def chain(hashes: tuple[int, ...], prompt_tokens: int, block_tokens: int) -> Prefix:
    """Blocks of equal size; the last one ends with the prompt."""
    ends = tuple(min((index + 1) * block_tokens, prompt_tokens) for index in range(len(hashes)))
    return Prefix(hashes, ends)

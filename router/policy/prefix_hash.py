"""Prefix hash with bounded load: calls that begin alike go to the same endpoint, as long as it is not overfull.

Needs no index and no agreement between routers, so it is what is left when both are lost. Rendezvous hashing (Thaler
and Ravishankar, 1998) of the prompt's beginning over the endpoints; those with more than `bound` times the mean of
streams are passed over (Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2016).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import xxhash

from router.policy.call import Call
from router.policy.candidates import Candidates


@dataclass(frozen=True, slots=True)
class PrefixHashSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    blocks: int = 4  # of the prompt's beginning: about 256 tokens, a system prompt and the first words of a user
    bound: float = 1.25  # times the mean of streams; the paper's and smg's

    def __post_init__(self) -> None:
        if self.blocks < 1:
            raise ValueError(f"blocks must be at least 1, got {self.blocks}")
        if not self.bound > 1:
            raise ValueError(f"bound must be above 1, got {self.bound}")


class PrefixHash:
    """Balancer over the hash of a prompt's beginning."""

    def __init__(self, settings: PrefixHashSettings) -> None:
        self._settings = settings

    def costs(self, candidates: Candidates, call: Call) -> Sequence[float]:
        """The endpoint's rank for this beginning, from 0 to 1; infinity for those that are overfull."""
        hashes = call.prefix.hashes[: self._settings.blocks]
        if not hashes:  # too short to share anything
            return [float(streams) for streams in candidates.streams]
        limit = math.ceil(self._settings.bound * (sum(candidates.streams) + 1) / len(candidates))
        return [
            xxhash.xxh3_64_intdigest(endpoint.id.encode(), seed=hashes[-1]) / 2.0**64 if streams < limit else math.inf
            for endpoint, streams in zip(candidates.endpoints, candidates.streams, strict=True)
        ]

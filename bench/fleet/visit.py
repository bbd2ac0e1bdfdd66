"""One request on its way through the simulated fleet."""

from typing import TYPE_CHECKING

from bench.traces.arrival import Arrival

if TYPE_CHECKING:
    from bench.fleet.router import Router
    from router.policy.lease import Lease


class Visit:
    """Plain attributes, because a million of them are made. All times are virtual seconds."""

    __slots__ = (
        "arrival",
        "at_s",
        "cached",
        "first_s",
        "hashes",
        "lease",
        "left",
        "output",
        "past",
        "pinned",
        "private",
        "prompt",
        "router",
    )

    def __init__(self, arrival: Arrival) -> None:
        self.arrival = arrival
        self.at_s = arrival.at_s
        self.prompt = arrival.prompt_tokens
        self.output = arrival.output_tokens
        self.hashes = arrival.prefix.hashes
        self.router: Router | None = None
        self.lease: Lease | None = None
        self.first_s = 0.0  # its first token came
        # of the engine
        self.cached = 0  # prompt tokens it did not compute
        self.left = 0  # prompt tokens still to compute
        self.past = 0  # prompt tokens computed or cached
        self.pinned: tuple[int, ...] = ()  # blocks of its prompt that are held for it
        self.private = 0  # tokens held for it alone

"""What the engines themselves say they have computed, so that the ledger can be held against it.

vLLM's counters begin at zero when an engine starts. A counter that goes down is another engine on the same address: a
new epoch, all of whose tokens are new. Of the first epoch only what comes after the first look counts.
"""

from dataclasses import dataclass

from router.policy.catalog import EndpointId


@dataclass(frozen=True, slots=True)
class Reading:
    """One epoch of one engine's counters, as far as they were seen. Tokens; times in unix seconds."""

    endpoint: EndpointId
    pool: str
    epoch: int  # unix milliseconds of the first look; with router and endpoint it is unique
    first_prompt: int
    first_generation: int
    prompt: int
    generation: int
    at: float


class Meter:
    """One per router. Endpoints that are gone are forgotten; what was read of them has been written by then."""

    def __init__(self) -> None:
        self._readings: dict[EndpointId, Reading] = {}
        self._changed: dict[tuple[EndpointId, int], Reading] = {}

    def saw(self, endpoint: EndpointId, pool: str, *, prompt: int, generation: int, unix_s: float) -> None:
        """An engine told its counters."""
        last, epoch = self._readings.get(endpoint), int(unix_s * 1e3)
        if last is None:
            reading = Reading(endpoint, pool, epoch, prompt, generation, prompt, generation, unix_s)
        elif prompt < last.prompt or generation < last.generation:
            reading = Reading(endpoint, pool, epoch, 0, 0, prompt, generation, unix_s)
        elif (prompt, generation) == (last.prompt, last.generation):
            return
        else:
            first = last.first_prompt, last.first_generation
            reading = Reading(endpoint, pool, last.epoch, *first, prompt, generation, unix_s)
        self._readings[endpoint] = self._changed[endpoint, reading.epoch] = reading

    def forget(self, endpoint: EndpointId) -> None:
        """It has left for good; should its address come back, it is looked at anew."""
        self._readings.pop(endpoint, None)

    def changed(self) -> list[Reading]:
        """What was read since the last call. `unwritten` takes back what could not be written."""
        changed, self._changed = self._changed, {}
        return list(changed.values())

    def unwritten(self, readings: list[Reading]) -> None:
        """These could not be written: give them again, unless newer ones are there."""
        self._changed = {(each.endpoint, each.epoch): each for each in readings} | self._changed

"""Which endpoint holds which beginnings of prompts in its cache: the prefix index.

A prompt is a chain of block hashes, each naming its block and all before it. The index maps a hash to a bit mask of
endpoints; a chain is walked from its start, and an endpoint drops out at the first block that it lacks. The walk costs
the same for two endpoints as for two hundred.

What an endpoint holds is known in one of two ways:

- approximately: what was sent there (by any router) is there, as long as it is among the last blocks that fit into the
  engine's cache. As in vLLM, the end of a prompt is forgotten before its beginning. When answers prove the belief
  wrong (`cached_tokens` below what was expected), less is believed to fit.
- exactly: the engine tells what enters and leaves its cache. What was just sent there counts too, until it is told.

After SGLang's and llm-d's prefix-aware routers; the masks are ours.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from router.policy.catalog import EndpointId

_SHRINK, _GROW = 0.95, 1.01  # per answer that was wrong, per answer that was right
_SMALLEST_SHARE = 0.1  # of what should fit: an engine that is full of running streams keeps little else


@dataclass(frozen=True, slots=True)
class PrefixSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    # blocks in the whole index, all endpoints together: a million are about 200 MB and 64 million tokens
    max_blocks: int = 1_000_000
    # blocks of an endpoint whose engine has not told its cache's size: 500,000 tokens, an H200 with a 24B model
    blocks_per_endpoint: int = 8_000
    # blocks that may be on their way to an endpoint which tells its cache exactly: ten long prompts
    expected_blocks: int = 2_000

    def __post_init__(self) -> None:
        for name in ("max_blocks", "blocks_per_endpoint", "expected_blocks"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")


class _Shelf:
    """One endpoint's blocks."""

    __slots__ = ("bit", "expected", "fits", "fits_at_best", "told")

    def __init__(self, bit: int, fits: float) -> None:
        self.bit = bit
        self.expected: OrderedDict[int, None] = OrderedDict()  # sent there; the least recent first
        self.told: set[int] | None = None  # by the engine; None: it does not tell
        self.fits = self.fits_at_best = fits


class PrefixIndex:
    """One per router. Every method is synchronous and bounded by the number of hashes given to it."""

    def __init__(self, settings: PrefixSettings) -> None:
        self._settings = settings
        self._masks: dict[int, int] = {}
        self._shelves: dict[EndpointId, _Shelf] = {}
        self._owners: dict[int, EndpointId] = {}  # by the number of their bit, from 1
        self._limit = settings.max_blocks  # of one shelf

    def __len__(self) -> int:
        """Distinct blocks."""
        return len(self._masks)

    def blocks(self, endpoint_id: EndpointId) -> int:
        """How many blocks the endpoint is believed to hold."""
        shelf = self._shelves.get(endpoint_id)
        return 0 if shelf is None else len(shelf.expected) + len(shelf.told or ())

    def depths(self, hashes: Sequence[int]) -> Mapping[EndpointId, int]:
        """How many blocks from the start of the chain each endpoint holds; those that hold none are left out."""
        depths: dict[EndpointId, int] = {}
        masks, owners = self._masks, self._owners
        alive = masks.get(hashes[0], 0) if hashes else 0
        depth = 0
        while alive:
            depth += 1
            still = alive & masks.get(hashes[depth], 0) if depth < len(hashes) else 0
            if still != alive:
                gone = alive ^ still
                while gone:
                    number = gone.bit_length()
                    depths[owners[number]] = depth
                    gone ^= 1 << number - 1
                alive = still
        return depths

    def add(self, endpoint_id: EndpointId, hashes: Sequence[int]) -> None:
        """A prompt was sent there: its blocks are held, or will be in a moment."""
        shelf = self._shelf(endpoint_id)
        expected, told, bit, masks = shelf.expected, shelf.told, shelf.bit, self._masks
        for block in reversed(hashes):  # so that of one prompt the end is the least recent
            if block in expected:
                expected.move_to_end(block)
            elif told is None or block not in told:
                expected[block] = None
                masks[block] = masks.get(block, 0) | bit
        self._trim(shelf)

    def judge(self, endpoint_id: EndpointId, expected_tokens: int, cached_tokens: int) -> None:
        """An answer tells how much of its prompt was in the cache: was the belief right?

        Blocks of the router and of the engine end at different tokens, so small differences say nothing. Who calls
        leaves a block of each out of the comparison.
        """
        shelf = self._shelves.get(endpoint_id)
        if shelf is None or shelf.told is not None or not expected_tokens:
            return
        if cached_tokens < expected_tokens:
            shelf.fits = max(min(shelf.fits, len(shelf.expected)) * _SHRINK, shelf.fits_at_best * _SMALLEST_SHARE)
        else:
            shelf.fits = min(shelf.fits * _GROW, shelf.fits_at_best)

    def resize(self, endpoint_id: EndpointId, blocks: int) -> None:
        """The engine has told how much fits into its cache."""
        shelf = self._shelf(endpoint_id)
        if blocks != shelf.fits_at_best:
            shelf.fits = shelf.fits_at_best = max(1, blocks)
            self._trim(shelf)

    def begin_exact(self, endpoint_id: EndpointId) -> None:
        """From now on the engine tells what it holds; what was believed so far is dropped."""
        self.cleared(endpoint_id)
        self._shelf(endpoint_id).told = set()

    def end_exact(self, endpoint_id: EndpointId) -> None:
        """The engine tells no more; what it told last is all that is known."""
        shelf = self._shelves.get(endpoint_id)
        if shelf is None or shelf.told is None:
            return
        told, shelf.told = shelf.told, None
        for block in told:
            shelf.expected[block] = None
        self._trim(shelf)

    def stored(self, endpoint_id: EndpointId, hashes: Iterable[int]) -> None:
        """The engine has told that it holds these blocks. Ignored unless it is known to tell."""
        shelf = self._shelves.get(endpoint_id)
        if shelf is None or shelf.told is None:
            return
        for block in hashes:
            if len(shelf.told) >= self._limit:
                break  # a cache larger than the index may be: its beginning is known
            shelf.expected.pop(block, None)
            shelf.told.add(block)
            self._masks[block] = self._masks.get(block, 0) | shelf.bit
        self._trim(shelf)

    def removed(self, endpoint_id: EndpointId, hashes: Iterable[int]) -> None:
        """The engine has told that it dropped these blocks."""
        shelf = self._shelves.get(endpoint_id)
        if shelf is None or shelf.told is None:
            return
        for block in hashes:
            if block in shelf.told:
                shelf.told.discard(block)
                self._unmark(block, shelf.bit)

    def cleared(self, endpoint_id: EndpointId) -> None:
        """The endpoint holds nothing."""
        shelf = self._shelves.get(endpoint_id)
        if shelf is None:
            return
        for block in (*shelf.expected, *(shelf.told or ())):
            self._unmark(block, shelf.bit)
        shelf.expected.clear()
        if shelf.told is not None:
            shelf.told.clear()

    def forget(self, endpoint_id: EndpointId) -> None:
        """Drop an endpoint that has left."""
        self.cleared(endpoint_id)
        shelf = self._shelves.pop(endpoint_id, None)
        if shelf is not None:
            del self._owners[shelf.bit.bit_length()]
            self._share_out()

    def _shelf(self, endpoint_id: EndpointId) -> _Shelf:
        shelf = self._shelves.get(endpoint_id)
        if shelf is None:
            number = next(number for number in count(1) if number not in self._owners)
            shelf = self._shelves[endpoint_id] = _Shelf(1 << number - 1, self._settings.blocks_per_endpoint)
            self._owners[number] = endpoint_id
            self._share_out()
        return shelf

    def _share_out(self) -> None:
        """Each endpoint gets the same part of the index, so that all together stay within its bound."""
        self._limit = self._settings.max_blocks // max(1, len(self._shelves))
        for shelf in self._shelves.values():
            self._trim(shelf)
            if shelf.told is not None:
                while len(shelf.told) > self._limit:
                    self._unmark(shelf.told.pop(), shelf.bit)

    def _trim(self, shelf: _Shelf) -> None:
        if shelf.told is None:
            most = min(int(shelf.fits), self._limit)
        else:
            most = min(self._settings.expected_blocks, max(0, self._limit - len(shelf.told)))
        masks, others, popitem = self._masks, ~shelf.bit, shelf.expected.popitem
        for _ in range(len(shelf.expected) - most):  # on a full shelf, as many as have just come: no calls in here
            block, _ = popitem(last=False)
            left = masks.pop(block) & others
            if left:
                masks[block] = left

    def _unmark(self, block: int, bit: int) -> None:
        left = self._masks[block] & ~bit
        if left:
            self._masks[block] = left
        else:
            del self._masks[block]

"""KV blocks and their reuse, by the rules of vLLM V1's block pool.

- A full block may bear a name: the hash of its tokens and of all before it. Two blocks may bear the same one.
- A block in use has holders; one without is free but keeps its name, so that a later prompt can take it up again.
- Free blocks are taken from the front. Named ones queue at the end when their last holder goes, the tail of a sequence
  before its head (the head is shared by more); nameless ones are of no use to anybody and go to the front.
- Taking a named free block makes its name void: `removed`.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence


class BlockPool:
    """Blocks are numbered from 0. Nothing here knows of requests."""

    def __init__(self, count: int) -> None:
        """`count`: blocks, at least 1."""
        if count < 1:
            raise ValueError(f"count must be at least 1, got {count}")
        self.count = count
        self._holders = [0] * count
        self._name: list[int | None] = [None] * count
        self._named: dict[int, list[int]] = {}
        self._free: OrderedDict[int, None] = OrderedDict.fromkeys(range(count))
        self._removed: list[int] = []

    @property
    def free(self) -> int:
        """Blocks without a holder."""
        return len(self._free)

    @property
    def usage(self) -> float:
        """Share of the blocks that is held, 0 to 1."""
        return 1 - len(self._free) / self.count

    def find(self, names: Sequence[int], limit: int) -> list[int]:
        """The blocks that bear the leading `names`, at most `limit`; ends at the first that nobody bears."""
        found: list[int] = []
        for index in range(min(limit, len(names))):
            blocks = self._named.get(names[index])
            if blocks is None:
                break
            found.append(blocks[0])
        return found

    def idle(self, blocks: Iterable[int]) -> int:
        """How many of them are free: holding these costs free blocks too."""
        return sum(not self._holders[block] for block in blocks)

    def hold(self, blocks: Iterable[int]) -> None:
        """One more holder for each."""
        for block in blocks:
            if not self._holders[block]:
                del self._free[block]
            self._holders[block] += 1

    def take(self, count: int) -> list[int]:
        """Fresh blocks with one holder. Raises ValueError when there are not so many free."""
        if count > len(self._free):
            raise ValueError(f"{count} blocks wanted, {len(self._free)} free")
        taken = [self._free.popitem(last=False)[0] for _ in range(count)]
        for block in taken:
            self._holders[block] = 1
            self._forget_name(block)
        return taken

    def name(self, block: int, name: int) -> None:
        """The block is full now; it has no name yet."""
        self._name[block] = name
        self._named.setdefault(name, []).append(block)

    def release(self, blocks: Sequence[int]) -> None:
        """One holder fewer for each block of a sequence, given from its head to its tail."""
        for block in reversed(blocks):
            self._holders[block] -= 1
            if not self._holders[block]:
                self._free[block] = None
                if self._name[block] is None:
                    self._free.move_to_end(block, last=False)

    def drain_removed(self) -> tuple[int, ...]:
        """The names that became void since the last call, in order; one may occur again if two blocks bore it."""
        removed, self._removed = tuple(self._removed), []
        return removed

    def clear(self) -> bool:
        """Void all names, as vLLM's `/reset_prefix_cache` does. False, and nothing done, while any block is held."""
        if len(self._free) < self.count:
            return False
        self._name = [None] * self.count
        self._named.clear()
        return True

    def _forget_name(self, block: int) -> None:
        name = self._name[block]
        if name is None:
            return
        self._name[block] = None
        bearers = self._named[name]
        bearers.remove(block)
        if not bearers:
            del self._named[name]
        self._removed.append(name)

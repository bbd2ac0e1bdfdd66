"""What one engine's cache holds, kept in step with what the engine tells, in the router's own block hashes.

An engine's blocks and the router's end at different places, so each engine block carries the hashes of those router
blocks that end within it, and where the chain stands at its end, for the block that comes after it.

- The same block may be in an engine's cache several times (two equal prompts computed side by side): it is gone when
  its last copy is. The same text may be there as different tokens, so a hash is gone with the last block that has it.
- A block whose predecessor is not known cannot be placed and is missed. That is rare where all was told from the
  beginning. Where it was not, the knowledge is exact once nearly every block can be placed: what is unknown is then
  hardly used, and on its way out.
"""

from collections.abc import Iterable

_WINDOW = 1_024  # blocks over which those that were missed are counted
_TOLERATED = 20  # missed in a window, at most, for the knowledge to be exact: 2 %


class _Block:
    """Of the engine."""

    __slots__ = ("copies", "hashes", "last", "pending")

    def __init__(self, last: int, pending: bytes, hashes: tuple[int, ...]) -> None:
        self.last = last
        self.pending = pending
        self.hashes = hashes
        self.copies = 1


class ReplicaCache:
    """One per engine. Holds at most `max_blocks` of the engine's blocks, about 400 bytes each; more are missed."""

    def __init__(self, max_blocks: int) -> None:
        self._max_blocks = max_blocks
        self._blocks: dict[int, _Block] = {}
        self._holders: dict[int, int] = {}  # by router hash: how many engine blocks have it
        self._is_exact = True
        self._seen = 0  # blocks stored in this window
        self._missed = 0
        self.missed_total = 0

    def __len__(self) -> int:
        """Blocks of the engine, copies not counted."""
        return len(self._blocks)

    @property
    def is_exact(self) -> bool:
        """Is (nearly) all known that the engine holds?"""
        return self._is_exact

    def hashes(self) -> Iterable[int]:
        """The router's blocks that are held."""
        return self._holders.keys()

    def begin(self, *, is_whole: bool) -> None:
        """Forget all. `is_whole`: the engine's cache is empty too, or all it holds will be told."""
        self._blocks.clear()
        self._holders.clear()
        self._is_exact = is_whole
        self._seen = self._missed = 0

    def end_of(self, block: int) -> tuple[int, bytes] | None:
        """Where the chain stands at a block's end: the last hash, and the text after it. None: it is not held."""
        held = self._blocks.get(block)
        return None if held is None else (held.last, held.pending)

    def store(self, block: int, last: int, pending: bytes, hashes: tuple[int, ...]) -> list[int]:
        """The engine has stored a block (or a copy of it).

        Args:
            block: the engine's hash of it.
            last: the router's hash before the next block, at the block's end.
            pending: the text behind that hash.
            hashes: of the router's blocks that end within it.

        Returns:
            Those that were not held before.
        """
        held = self._blocks.get(block)
        if held is not None:
            held.copies += 1
        elif len(self._blocks) >= self._max_blocks:
            self.miss(1)
            return []
        else:
            self._blocks[block] = _Block(last, pending, hashes)
        self._count(1, missed=0)
        return [] if held is not None else [each for each in hashes if self._is_first(each)]

    def miss(self, blocks: int) -> None:
        """So many blocks were stored that cannot be placed."""
        self.missed_total += blocks
        self._count(blocks, missed=blocks)

    def remove(self, block: int) -> list[int]:
        """The engine has dropped a block (or a copy of it). Returns the router's blocks that are held no more."""
        held = self._blocks.get(block)
        if held is None:
            return []
        held.copies -= 1
        if held.copies:
            return []
        del self._blocks[block]
        return [each for each in held.hashes if self._was_last(each)]

    def _is_first(self, block_hash: int) -> bool:
        holders = self._holders[block_hash] = self._holders.get(block_hash, 0) + 1
        return holders == 1

    def _was_last(self, block_hash: int) -> bool:
        self._holders[block_hash] -= 1
        if self._holders[block_hash]:
            return False
        del self._holders[block_hash]
        return True

    def _count(self, seen: int, missed: int) -> None:
        self._seen += seen
        self._missed += missed
        if self._seen >= _WINDOW:
            self._is_exact = self._is_exact or self._missed <= _TOLERATED
            self._seen = self._missed = 0

"""What an engine tells of its cache's blocks, in the words of the router's chain (see chain).

An engine's block is a few tokens (16, mostly). Their bytes, in order, are the rendered conversation, except that an
image is a run of tokens that all look alike; which image it is stands in the block's extra keys. So the chain that a
request makes of its text is made again of the tokens, and a router block ends in the engine block that has its last
byte. An image counts as held when its last token is.

Extra keys are vLLM's, for each block a list of: the adapter's name, then `[identifier, offset]` of every image within
the block (its first token's place, counted from the block's start; negative if the image began before), then, in a
prompt's first block, the salt; bytes stand for embeddings instead of tokens, which no chain can name. The identifier
of an image is the `uuid` that the request gave it: its name's 32 bytes in hex, behind `adapter:` where the adapter
changes what the model sees. An image without one has another hash, which no request of ours will name.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from router.policy.replica_cache import ReplicaCache
from router.protocol.chain import Chain, seed_of
from router.protocol.kv_events import AllBlocksCleared, BlockHash, BlockRemoved, BlockStored, Event
from router.protocol.vocabulary import Vocabulary

_DIGEST_HEX = 64  # characters of a SHA-256
_FIRST_GROUP = (None, 0)  # layers of other groups hold the same tokens


@dataclass(frozen=True, slots=True)
class Change:
    """What an event did to the router's blocks that a replica holds."""

    gained: list[int]
    lost: list[int]
    is_cleared: bool = False  # all were lost


class _Unplaced(Exception):
    """A block that no chain can name."""


class EngineBlocks:
    """Of one engine: its cache, and what is needed to read its events."""

    def __init__(self, vocabulary: Vocabulary, cache: ReplicaCache) -> None:
        self._vocabulary = vocabulary
        self.cache = cache

    def apply(self, event: Event) -> Change:
        """Bring the cache in step with an event."""
        if isinstance(event, AllBlocksCleared):
            self.cache.begin(is_whole=True)
            return Change([], [], is_cleared=True)
        if event.group_idx not in _FIRST_GROUP:
            return Change([], [])
        if isinstance(event, BlockRemoved):
            return Change([], [gone for block in event.block_hashes for gone in self.cache.remove(_key(block))])
        return Change(self._store(event), [])

    def _store(self, event: BlockStored) -> list[int]:
        gained: list[int] = []
        size, hashes = event.block_size, event.block_hashes
        keys = event.extra_keys or [None] * len(hashes)
        done = 0
        try:
            if not len(event.token_ids) == size * len(hashes) or len(keys) != len(hashes):
                raise _Unplaced  # some blocks were left out, as with sliding windows
            chain = self._chain(event, keys[0] if keys else None)
            for block, extra in zip(hashes, keys, strict=True):
                before = len(chain.hashes)
                self._append(chain, event.token_ids[done * size : (done + 1) * size], extra)
                gained += self.cache.store(_key(block), chain.last, chain.pending, tuple(chain.hashes[before:]))
                done += 1
        except (_Unplaced, IndexError):  # the latter: an id of another vocabulary
            self.cache.miss(len(hashes) - done)
        return gained

    def _chain(self, event: BlockStored, first_keys: list[Any] | None) -> Chain:
        """Where the event's blocks go on."""
        if event.parent_block_hash is not None:
            end = self.cache.end_of(_key(event.parent_block_hash))
            if end is None:
                raise _Unplaced
            return Chain(*end)
        names = [key for key in first_keys or () if isinstance(key, str)]
        if event.lora_name is not None and names[:1] == [event.lora_name]:
            del names[0]
        return Chain(seed_of(event.lora_name, names[0] if names else ""))

    def _append(self, chain: Chain, token_ids: list[int], extra: list[Any] | None) -> None:
        """Let the chain grow by the tokens of one block."""
        bytes_of = self._vocabulary.bytes_of
        if not extra:
            chain.text(bytes_of(token_ids))
            return
        if any(isinstance(key, bytes) for key in extra):
            raise _Unplaced
        image_ids, image_end = self._vocabulary.image_ids, self._vocabulary.image_end
        start = 0
        for at, token_id in enumerate(token_ids):
            if token_id in image_ids:
                if start < at:
                    chain.text(bytes_of(token_ids[start:at]))
                start = at + 1
                if token_id == image_end:
                    chain.image(_digest_at(at, extra), 0)
        chain.text(bytes_of(token_ids[start:]))


def _key(block_hash: BlockHash) -> int:
    """64 bits of an engine's hash name its block: a tenth of the memory, and vLLM itself offers that."""
    return block_hash if isinstance(block_hash, int) else int.from_bytes(block_hash[-8:], "big")


def _digest_at(at: int, extra: Iterable[Any]) -> bytes:
    """The digest of the image that has the block's token `at`: of those that begin before it, the last."""
    found: str | None = None
    for key in extra:
        match key:
            case [str(identifier), int(offset)] if offset <= at:
                found = identifier
    if found is None:
        raise _Unplaced
    digest = found.rpartition(":")[2]
    try:
        if len(digest) == _DIGEST_HEX:
            return bytes.fromhex(digest)
    except ValueError:
        pass
    return sha256(found.encode()).digest()

"""A prompt as the engine computes it: token ids, the pictures among them, and the names of its blocks.

A block's name is a hash of its tokens, of the pictures in it and of the block before it, as in vLLM: the tokens of two
pictures are alike, so a picture enters by its identifier (the request's `uuid`, or a hash of its bytes) and its place.
Equal names are equal prefixes, on every engine and in every process.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

# Of one block: pictures in it, and where they begin from its start; then, of the first block, the salt.
ExtraKeys = tuple[tuple[str, int] | str, ...] | None

IMAGE, IMAGE_BREAK, IMAGE_END = 10, 12, 13  # Mistral's control tokens
_NAME_BYTES = 8


@dataclass(frozen=True, slots=True)
class Picture:
    """An image inside a prompt."""

    at: int  # prompt tokens before it
    tokens: int
    width: int  # pixels, as the engine sees it
    height: int
    identifier: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the engine is asked to go on with."""

    ids: "array[int]"
    pictures: tuple[Picture, ...] = ()


def extra_keys(pictures: Sequence[Picture], first: int, count: int, block_size: int, salt: str = "") -> list[ExtraKeys]:
    """What vLLM mixes into the names of `count` blocks from the block `first` on, besides their tokens."""
    keys: list[ExtraKeys] = []
    for start in range(first * block_size, (first + count) * block_size, block_size):
        inside: list[tuple[str, int] | str] = [
            (each.identifier, each.at - start)
            for each in pictures
            if each.at < start + block_size and each.at + each.tokens > start
        ]
        if salt and start == 0:
            inside.append(salt)
        keys.append(tuple(inside) or None)
    return keys


def block_names(ids: "array[int]", pictures: Sequence[Picture], block_size: int, salt: str = "") -> tuple[int, ...]:
    """Names of the full blocks of a sequence, 64 bits each.

    Args:
        ids: the sequence's tokens.
        pictures: those in it, in order.
        block_size: tokens of a block.
        salt: separates caches: sequences of different salts never share a block.
    """
    count = len(ids) // block_size
    extras = _extras(pictures, count, block_size)
    data = memoryview(ids).cast("B")
    size = block_size * ids.itemsize
    names: list[int] = []
    name = blake2b(salt.encode(), digest_size=_NAME_BYTES).digest()
    for block in range(count):
        digest = blake2b(name, digest_size=_NAME_BYTES)
        digest.update(data[block * size : (block + 1) * size])
        if block in extras:
            digest.update(extras[block])
        name = digest.digest()
        names.append(int.from_bytes(name, "big"))
    return tuple(names)


def _extras(pictures: Sequence[Picture], count: int, block_size: int) -> dict[int, bytes]:
    extras: dict[int, bytes] = {}
    for each in pictures:
        last = min((each.at + each.tokens - 1) // block_size, count - 1)
        for block in range(each.at // block_size, last + 1):
            key = f"{each.identifier}@{each.at - block * block_size};".encode()
            extras[block] = extras.get(block, b"") + key
    return extras

"""A prompt as a chain of block hashes, which name a prefix so that replicas that hold it can be found.

The same chain is made in two places: of requests, and of what engines say is in their caches. So the rule is exact. A
prompt is a sequence of items, text (UTF-8) or an image:

- Text is appended to what is pending. Whenever 256 bytes are pending, they are a block.
- An image: what is pending is a block, shorter than others, unless nothing is; then the image's SHA-256 is a block.
- What is pending at the end is no block.
- A block's hash is XXH3-64 of its bytes, seeded with the hash before it; the first block's seed is the chain's.

Where blocks end depends on bytes alone, so two prompts share as many hashes as they share whole blocks, whatever any
tokenizer makes of them. XXH3 is not proof against an attacker who looks for collisions; one would only send a request
to a replica that holds less than was thought.
"""

from operator import add

from xxhash import xxh3_64_intdigest

from router.policy.call import NO_PREFIX, Prefix

BLOCK_BYTES = 256  # of text: about 64 tokens, four blocks of an engine's cache; 200 hashes for 12,000 tokens
IMAGE_BYTES = 32  # of an image's block: its SHA-256


def seed_of(adapter: str | None = None, salt: str = "") -> int:
    """Where chains begin: elsewhere for each adapter and each salt, since the engine's cache parts them too; else 0.

    The model is not in it: an endpoint serves one, and its index is its own.
    """
    return salted(xxh3_64_intdigest(f"{adapter}\0".encode()) if adapter else 0, salt)


def salted(seed: int, salt: str) -> int:
    """Where chains of a tenant with this salt begin that would begin at `seed` without one."""
    return xxh3_64_intdigest(f"\0{salt}".encode(), seed) if salt else seed


class Chain:
    """Grows by items. One that is given another's `last` and `pending` goes on where the other stands.

    Attributes:
        hashes: of all blocks so far.
        last: the hash before the next block.
        pending: text that is no block yet, fewer than BLOCK_BYTES.
        text_bytes: of text so far, what was pending at the beginning included.
        image_tokens: of images so far.
    """

    __slots__ = ("_image_tokens", "_text_ends", "hashes", "image_tokens", "last", "pending", "text_bytes")

    def __init__(self, seed: int = 0, pending: bytes = b"") -> None:
        self.hashes: list[int] = []
        self.last = seed
        self.pending = pending
        self.text_bytes = len(pending)
        self.image_tokens = 0
        self._text_ends: list[int] = []  # of each block: bytes of text up to its end
        self._image_tokens: list[int] = []  # of each block: tokens of images up to its end

    def text(self, text: bytes) -> None:
        """Append text (UTF-8); it may begin and end within a character."""
        start = self.text_bytes - len(self.pending)
        self.text_bytes += len(text)
        if self.pending:
            text = self.pending + text
        whole = len(text) - len(text) % BLOCK_BYTES
        last, append = self.last, self.hashes.append
        for at in range(0, whole, BLOCK_BYTES):
            last = xxh3_64_intdigest(text[at : at + BLOCK_BYTES], last)
            append(last)
        self.last = last
        self.pending = text[whole:]
        self._text_ends += range(start + BLOCK_BYTES, start + whole + 1, BLOCK_BYTES)
        self._image_tokens += [self.image_tokens] * (whole // BLOCK_BYTES)

    def image(self, digest: bytes, tokens: int) -> None:
        """Append an image by the SHA-256 of its bytes; `tokens` are what it takes in the prompt."""
        if self.pending:
            self._block(self.pending)
            self.pending = b""
        self.image_tokens += tokens
        self._block(digest)

    def prefix(self, bytes_per_token: float) -> Prefix:
        """The chain as policies see it, with text estimated at so many bytes a token."""
        if not self.hashes:
            return NO_PREFIX
        ends = [int(size / bytes_per_token) for size in self._text_ends]
        if self.image_tokens:
            ends = list(map(add, ends, self._image_tokens))
        return Prefix(tuple(self.hashes), tuple(ends))

    def _block(self, block: bytes) -> None:
        self.last = xxh3_64_intdigest(block, self.last)
        self.hashes.append(self.last)
        self._text_ends.append(self.text_bytes)
        self._image_tokens.append(self.image_tokens)

"""A stream of a provider that is not ours, in the chunks that the rest of the router knows.

It holds a place of the provider's allotment until it is closed, and nothing that is secret between the router and the
provider leaves it, should the provider repeat it.
"""

from collections.abc import Callable, Sequence

from router.policy.outcome import Outcome
from router.upstream.reply import Reply

Translate = Callable[[bytes], bytes]


class ForeignReply:
    """Always close it. As `Reply`, for whoever relays it."""

    __slots__ = ("_free", "_inner", "_secrets", "_translate", "body", "outcome")

    def __init__(self, inner: Reply, translate: Translate, secrets: Sequence[bytes], free: Callable[[], None]) -> None:
        """`free`: gives the place back; may be called again."""
        self._inner = inner
        self._translate = translate
        self._secrets = secrets
        self._free = free
        self.outcome: Outcome = inner.outcome
        self.body = self._told(inner.body)

    def __repr__(self) -> str:
        return f"ForeignReply({self.outcome.verdict.value}, {len(self.body)} bytes)"

    async def begin(self) -> bool:
        """Read on until there is something to pass on, in `body`; False: the stream is over. Raises StreamBroken."""
        while not self.body:
            self.body = await self.read()
            if not self.body:
                return False
        return True

    async def read(self) -> bytes:
        """The next bytes; b"" at the clean end. Raises StreamBroken."""
        while data := await self._inner.read():
            if told := self._told(data):
                return told
        return b""

    def close(self) -> None:
        """Give everything back. May be repeated."""
        self._inner.close()
        self._free()

    def _told(self, data: bytes) -> bytes:
        for secret in self._secrets:
            if secret in data:
                data = data.replace(secret, b"<key>")
        return self._translate(data)

"""A skin: another API than `/chat/completions`, over the same way through the router.

The gateway answers every request in OpenRouter's chat shape. A skin rewrites what it gives out, event by event, and is
made by the parser of its route, which knows what was asked for. It holds the state of one answer.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from router.protocol.errors import ApiError

RenderError: TypeAlias = Callable[[ApiError, str], bytes]  # an error and the generation's id to a JSON body


class Skin(Protocol):
    """Writes one answer in the words of its API."""

    def feed(self, data: bytes) -> bytes:
        """A piece of a stream, of any length, to what the client gets of it now; b"": nothing yet.

        The piece holds `data:` events of chat completion chunks, `: OPENROUTER PROCESSING` comments, an error chunk in
        place of the rest, and the final `data: [DONE]`. May be cut anywhere.
        """

    def whole(self, body: bytes) -> bytes:
        """The JSON of a whole chat completion to the JSON of this API's answer."""

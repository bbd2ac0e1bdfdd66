"""What was read in a request's documents, given to the caller with the answer: `message.annotations`.

Of a stream it comes in a chunk of its own, a delta right behind the first. Pieces may be cut anywhere, so the first
chunk is gathered; all that comes after passes as bytes.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from router.protocol.skin import Skin
from router.protocol.wire import read

_MOST_HEAD = 1_048_576  # bytes gathered while the first chunk is not whole
_COMMENT = b":"
_answer = msgspec.json.Decoder(dict[str, msgspec.Raw])
_choices = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_message = msgspec.json.Decoder(dict[str, msgspec.Raw])
_chunk = msgspec.json.Decoder(dict[str, Any])


class Annotating:
    """Adds annotations to one answer, of which `inner` then makes another API's."""

    def __init__(self, annotations: Sequence[bytes], inner: Skin | None = None) -> None:
        """`annotations`: raw JSON of each."""
        self._annotations = b"[" + b",".join(annotations) + b"]"
        self._inner = inner
        self._head: bytearray | None = bytearray()  # None: they are given out, or never will be

    def feed(self, data: bytes) -> bytes:
        """See Skin."""
        out = data if self._head is None else self._first(self._head, data)
        return out if self._inner is None else self._inner.feed(out)

    def whole(self, body: bytes) -> bytes:
        """See Skin."""
        answer: dict[str, msgspec.Raw] = read(_answer, body)
        choices: list[dict[str, msgspec.Raw]] = read(_choices, answer["choices"])
        for choice in choices:
            if "message" in choice:
                message: dict[str, msgspec.Raw] = read(_message, choice["message"])
                message["annotations"] = msgspec.Raw(self._annotations)
                choice["message"] = msgspec.Raw(msgspec.json.encode(message))
        answer["choices"] = msgspec.Raw(msgspec.json.encode(choices))
        annotated = msgspec.json.encode(answer)
        return annotated if self._inner is None else self._inner.whole(annotated)

    def _first(self, head: bytearray, data: bytes) -> bytes:
        """Comments pass at once; the first chunk, when it is whole, with the annotations behind it."""
        head += data
        passed = 0
        while (end := head.find(b"\n\n", passed)) >= 0:
            event = bytes(head[passed:end])
            passed = end + 2
            if not event.startswith(_COMMENT):
                out = bytes(head[:passed]) + self._event(event) + bytes(head[passed:])
                self._head = None
                return out
        out = bytes(head[:passed])
        del head[:passed]
        if len(head) > _MOST_HEAD:
            self._head = None
            return out + bytes(head)
        return out

    def _event(self, event: bytes) -> bytes:
        try:
            chunk: dict[str, Any] = read(_chunk, event.removeprefix(b"data: "))
        except ValueError:
            return b""
        if "error" in chunk or not chunk.get("choices"):
            return b""
        delta = {"role": "assistant", "content": "", "annotations": msgspec.Raw(self._annotations)}
        choice = {"index": 0, "delta": delta, "finish_reason": None, "native_finish_reason": None, "logprobs": None}
        known = {name: chunk[name] for name in ("id", "provider", "model", "object", "created") if name in chunk}
        return b"data: " + msgspec.json.encode({**known, "choices": [choice]}) + b"\n\n"

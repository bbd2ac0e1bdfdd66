"""One content part of an answer while it is written: text, a refusal, or reasoning.

Pieces of text are kept as they came, the insides of JSON strings; joined they are the inside of one.
"""

from dataclasses import dataclass

from router.protocol.responses.events import Events


@dataclass(frozen=True, slots=True)
class PartKind:
    """What tells the kinds apart."""

    name: bytes  # type of the part
    key: bytes  # of its text, in the part and in the event that ends it
    event: bytes  # beginning of its events' names
    has_logprobs: bool = False  # and annotations


TEXT = PartKind(b"output_text", b"text", b"response.output_text", has_logprobs=True)
REFUSAL = PartKind(b"refusal", b"refusal", b"response.refusal")
REASONING = PartKind(b"reasoning_text", b"text", b"response.reasoning_text")


class Part:
    """Begins with its events, and ends with `close`. `place`: JSON members that say where it is."""

    def __init__(self, kind: PartKind, place: bytes, events: Events) -> None:
        self.kind = kind
        self._place = place
        self._events = events
        self._delta = kind.event + b".delta"
        self._begin = place + b',"delta":"'
        self._pieces: list[bytes] = []
        self._logprobs: list[bytes] = []
        self._event_logprobs: list[bytes] = []
        self._annotations: list[bytes] = []
        events.add(b"response.content_part.added", b'%b,"part":%b' % (place, self.json()))

    def add(self, text: bytes, event_logprobs: bytes = b"", logprobs: bytes = b"") -> None:
        """A piece of text, the inside of a JSON string, and what is told of its tokens (see logprobs)."""
        if text:
            self._pieces.append(text)
        if logprobs:
            self._event_logprobs.append(event_logprobs)
            self._logprobs.append(logprobs)
        end = b'","logprobs":[%b]' % event_logprobs if self.kind.has_logprobs else b'"'
        self._events.add(self._delta, self._begin + text + end)

    def annotate(self, annotation: bytes) -> None:
        """One more annotation, as JSON."""
        told = b'%b,"annotation_index":%d,"annotation":%b' % (self._place, len(self._annotations), annotation)
        self._events.add(b"response.output_text.annotation.added", told)
        self._annotations.append(annotation)

    def close(self) -> None:
        """Say that nothing more comes."""
        done = b'%b,"%b":"%b"' % (self._place, self.kind.key, b"".join(self._pieces))
        if self.kind.has_logprobs:
            done += b',"logprobs":[%b]' % b",".join(self._event_logprobs)
        self._events.add(self.kind.event + b".done", done)
        self._events.add(b"response.content_part.done", b'%b,"part":%b' % (self._place, self.json()))

    def json(self) -> bytes:
        """As far as it has come."""
        told = b'{"type":"%b","%b":"%b"' % (self.kind.name, self.kind.key, b"".join(self._pieces))
        if self.kind.has_logprobs:
            told += b',"annotations":[%b],"logprobs":[%b]' % (b",".join(self._annotations), b",".join(self._logprobs))
        return told + b"}"

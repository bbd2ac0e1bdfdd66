"""Which events of a stream the router passes on without parsing them."""

from router.protocol.chunk import Identity
from router.protocol.layout import learn

IDENTITY = Identity("gen-1", "author/slug", "local", 1_700_000_000)


def not_ordinary(stream: bytes, kind: str) -> list[bytes]:
    """The events that have to be parsed; `kind` is the value of `object` in a stream's chunks."""
    first, *events = [event for event in stream.split(b"\n\n") if event]
    layout = learn(first, kind, IDENTITY)
    assert layout is not None, first
    return [event for event in events if layout.exchange(event, is_whole=False) is None]

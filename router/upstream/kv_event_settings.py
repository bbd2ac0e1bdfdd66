"""Settings of the KV-cache events. Apart from their reader, so that they can be read without ZeroMQ."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KVEventsSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    enabled: bool = True  # whether the engines' events are followed where there is a vocabulary to read them with
    # path of the model's tekken.json, which turns the engines' tokens into text; None: there is none, so the index
    # goes by what was sent
    vocabulary: str | None = None
    # blocks of one engine's cache that are known, about 400 bytes each: 4 million tokens, more than two H200 hold
    max_blocks: int = 262_144
    timeout_s: float = 5.0  # seconds to connect, and between two messages of a replay: an engine answers within 0.1
    retry_s: float = 5.0  # seconds before a lost connection is made again: about as often as replicas change
    # seconds before an engine that publishes no events is asked again: it would have to be restarted first
    absent_s: float = 60.0
    # seconds of silence after which an engine is asked whether something was lost; an idle one says nothing
    quiet_s: float = 30.0
    # batches that wait for the router before some are dropped (and asked for again): minutes of a busy engine's steps
    queue: int = 10_000

    def __post_init__(self) -> None:
        for name in ("timeout_s", "retry_s", "absent_s", "quiet_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {getattr(self, name)}")
        for name in ("max_blocks", "queue"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

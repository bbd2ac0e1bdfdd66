"""Batches and their requests as they are kept. Values only."""

from dataclasses import dataclass

from router.policy.batch import Status
from router.protocol.batch_object import BatchShown


@dataclass(frozen=True, slots=True)
class NewBatch:
    """One that is asked for."""

    workspace: str
    key: str  # id of the key whose requests they are
    endpoint: str
    model: str
    window_h: int
    provider: bytes | None = None  # JSON
    metadata: bytes | None = None  # JSON
    input_file: str | None = None
    output_keep_s: int | None = None


@dataclass(frozen=True, slots=True)
class NewRequest:
    """One request of a batch."""

    number: int
    custom_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """What is shown of it, and what is not."""

    shown: BatchShown
    workspace: str
    key: str
    provider: bytes | None
    outcome: Status | None  # what it will be when nothing of it runs any more
    output_keep_s: int | None

    @property
    def id(self) -> str:
        return self.shown.id


@dataclass(frozen=True, slots=True)
class Claim:
    """Who runs a request: the `count`th time that it was begun. An older claim cannot end it."""

    batch: str
    number: int
    count: int


@dataclass(frozen=True, slots=True)
class Work:
    """A request that this router runs now."""

    claim: Claim
    custom_id: str
    key: str
    endpoint: str
    body: bytes
    failures: int  # attempts that counted

"""What can be asked for: the engine's route, what it puts out, and how its whole answer is read."""

from dataclasses import dataclass
from typing import Protocol

from router.policy.catalog import Price
from router.protocol import chunk
from router.protocol.chunk import Identity
from router.protocol.reshape import Answer, reshape
from router.protocol.vectors import reshape_embeddings, reshape_ranking


class Reshape(Protocol):
    """An engine's whole answer to the client's. Raises ValueError: it is none."""

    def __call__(
        self,
        body: bytes,
        identity: Identity,
        price: Price,
        *,
        prompt_tokens: int = 0,
        explained: dict[str, object] | None = None,
    ) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request."""

    name: str  # in the ledger and in metrics
    path: str  # of the engine's route
    chunk: str = ""  # what the events of its stream are called
    output: str = "text"  # of a pool that can serve it
    reshape: Reshape = reshape
    is_free: bool = False  # engines only look at the prompt: no tokens, no price, no row in the ledger


CHAT = Kind("chat", "/v1/chat/completions", chunk.CHAT)
COMPLETIONS = Kind("completions", "/v1/completions", "text_completion")
EMBEDDINGS = Kind("embeddings", "/v1/embeddings", output="embeddings", reshape=reshape_embeddings)
RERANK = Kind("rerank", "/v1/rerank", output="rerank", reshape=reshape_ranking)

"""What a policy may know of a request. Never its text."""

from dataclasses import dataclass, field
from enum import IntEnum


class Priority(IntEnum):
    """Who waits for whom when there is not enough for all; higher goes first."""

    BATCH = 0
    NORMAL = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what the connection says beside the body."""

    account: str = ""  # whose fair share it counts against: the key's name
    most: Priority = Priority.CRITICAL  # that may be asked for
    first_token_s: float | None = None  # seconds until the answer must have begun; None: as configured
    salt: str = field(default="", repr=False)  # parts the caller's tenant from others in the engines' caches; "": none


@dataclass(frozen=True, slots=True)
class Prefix:
    """A prompt as a chain of blocks. Each hash names its block and all before it: equal hashes are equal prefixes."""

    hashes: tuple[int, ...] = ()  # 64 bits each
    ends: tuple[int, ...] = ()  # prompt tokens up to the end of each block

    def tokens(self, depth: int) -> int:
        """Prompt tokens within the first `depth` blocks."""
        return self.ends[depth - 1] if depth else 0


NO_PREFIX = Prefix()


@dataclass(frozen=True, slots=True)
class Call:
    """One request as policies see it; token figures are estimates until the engine has counted."""

    model: str
    fallback_models: tuple[str, ...] = ()  # tried in order after `model`
    prompt_tokens: int = 0  # text and images together
    image_tokens: int = 0
    text_bytes: int = 0  # of the prompt, UTF-8
    content: str = "prose"  # class of the text, for its bytes per token (see length)
    prefix: Prefix = NO_PREFIX
    max_tokens: int | None = None  # asked for; None: not given
    stream: bool = False
    prompts: int = 1  # several: `prompt_tokens` is of all together
    modalities: frozenset[str] = frozenset({"text"})  # of the input
    output: str = "text"  # what is asked for: text, embeddings or rerank
    priority: Priority = Priority.NORMAL
    account: str = ""  # whose fair share it counts against: the key's name
    first_token_s: float | None = None  # seconds the caller would wait for the first token; None: as configured

    @property
    def models(self) -> tuple[str, ...]:
        """All models to try, each once, in order."""
        return tuple(dict.fromkeys((self.model, *self.fallback_models)))

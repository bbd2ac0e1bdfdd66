"""What a policy may know of a request. Never its text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One request as policies see it; token figures are estimates until the engine has counted."""

    model: str
    fallback_models: tuple[str, ...] = ()  # tried in order after `model`
    prompt_tokens: int = 0  # text and images together
    image_tokens: int = 0
    max_tokens: int | None = None  # asked for; None: not given
    stream: bool = False
    modalities: frozenset[str] = frozenset({"text"})  # of the input

    @property
    def models(self) -> tuple[str, ...]:
        """All models to try, each once, in order."""
        return tuple(dict.fromkeys((self.model, *self.fallback_models)))

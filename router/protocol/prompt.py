"""The `prompt` of `/completions`: one text, several, or token ids."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from router.protocol.errors import invalid
from router.protocol.limits import Limits
from router.protocol.wire import read

_TokenId = Annotated[int, Meta(ge=0, lt=2**31)]
_prompt = msgspec.json.Decoder(str | list[str | list[_TokenId] | _TokenId])


@dataclass(frozen=True, slots=True)
class Prompt:
    """How much there is to read."""

    count: int  # prompts; each is answered by itself
    text_bytes: int
    tokens: int  # given as ids


def read_prompt(raw: bytes | msgspec.Raw, limits: Limits) -> Prompt:
    """Measure the prompts. Raises ApiError (400): wrong types, mixed types, none or too many."""
    try:
        prompt: str | list[str | list[int] | int] = read(_prompt, raw)
    except ValueError:
        raise invalid("prompt", "must be a string, an array of strings, or arrays of token ids") from None
    prompts = [prompt] if isinstance(prompt, str) else prompt
    if not prompts or [] in prompts:
        raise invalid("prompt", "must not be empty")
    ids = [item for item in prompts if isinstance(item, int)]
    if ids and len(ids) < len(prompts):
        raise invalid("prompt", "token ids and texts cannot be mixed")
    if ids:
        return Prompt(1, 0, len(ids))
    if len(prompts) > limits.prompts:
        raise invalid("prompt", f"at most {limits.prompts} prompts, got {len(prompts)}")
    texts = [item for item in prompts if isinstance(item, str)]
    lists = [item for item in prompts if isinstance(item, list)]
    if texts and lists:
        raise invalid("prompt", "token ids and texts cannot be mixed")
    return Prompt(len(prompts), sum(len(text.encode()) for text in texts), sum(map(len, lists)))

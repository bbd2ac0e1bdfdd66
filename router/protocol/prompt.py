"""The `prompt` of `/completions` and the `input` of `/embeddings`: one text, several, or token ids."""

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
    """What there is to read: texts, or so many tokens."""

    texts: tuple[bytes, ...]  # UTF-8
    tokens: int = 0  # given as ids
    count: int = 1  # prompts; each is answered by itself


def read_prompt(
    raw: bytes | msgspec.Raw, limits: Limits, *, field: str = "prompt", most: int | None = None, limit: str = "prompts"
) -> Prompt:
    """Measure the prompts. Raises ApiError (400): wrong types, mixed types, none or too many.

    Args:
        raw: the field's JSON.
        limits: how many there may be: `limits.prompts`, unless `most` says otherwise.
        field: its name.
        most: see `limits`.
        limit: the name of that bound.
    """
    most = limits.prompts if most is None else most
    try:
        prompt: str | list[str | list[int] | int] = read(_prompt, raw)
    except ValueError:
        raise invalid(field, "must be a string, an array of strings, or arrays of token ids") from None
    prompts = [prompt] if isinstance(prompt, str) else prompt
    if not prompts or [] in prompts:
        raise invalid(field, "must not be empty")
    ids = [item for item in prompts if isinstance(item, int)]
    if ids and len(ids) < len(prompts):
        raise invalid(field, "token ids and texts cannot be mixed")
    if ids:
        return Prompt((), len(ids))
    if len(prompts) > most:
        raise invalid(field, f"at most {most} prompts, got {len(prompts)}", limit=limit)
    texts = [item for item in prompts if isinstance(item, str)]
    lists = [item for item in prompts if isinstance(item, list)]
    if texts and lists:
        raise invalid(field, "token ids and texts cannot be mixed")
    return Prompt(tuple([text.encode() for text in texts]), sum(map(len, lists)), len(prompts))

"""A request as its caller made it, for providers that are no engine of ours.

An engine's body is written for vLLM: messages in Mistral's order, ids of tool calls mapped, images named. A foreign
provider gets the caller's own fields, so they are kept beside it: slices of the bytes that came, and images as views
of them (see body). Only images that the router had to fetch are in them instead of their URLs: a provider could not
fetch from where the router may.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from router.protocol.body import Body
from router.protocol.wire import read

Pieces: TypeAlias = list[bytes | memoryview]

# The name that read_messages gives an image. Within a text its quotes would be escaped, so nothing else looks so.
_UUID = re.compile(rb',"uuid":"[0-9a-f]{64}"')
_any = msgspec.json.Decoder(object)


class _Options(msgspec.Struct):
    options: dict[str, dict[str, msgspec.Raw]] | None = None


_options = msgspec.json.Decoder(_Options)


@dataclass(frozen=True, slots=True)
class Source:
    """What a caller asked for.

    Attributes:
        kind: `chat`, `completions`, `embeddings` or `rerank`.
        fields: raw JSON by name, nulls left out; images stand as placeholders in it.
        body: that those belong to.
        normalised: the messages in Mistral's order, raw JSON; None for other kinds than chats.
    """

    kind: str
    fields: Mapping[str, bytes | msgspec.Raw]
    body: Body
    normalised: bytes | None = None

    def raw(self, name: str) -> bytes | None:
        """A field's raw JSON; None if it was not given."""
        raw = self.fields.get(name)
        return None if raw is None else bytes(raw)

    def value(self, name: str) -> Any:
        """A field, decoded; None if it was not given. Meant for small ones, which were checked before."""
        raw = self.fields.get(name)
        return None if raw is None else read(_any, b"".join(self.body.restore(bytes(raw))))

    def pieces(self, raw: bytes) -> Pieces:
        """Raw JSON with its images back in their places."""
        return self.body.restore(raw)

    def messages(self, *, is_normalised: bool = False) -> bytes:
        """The messages without the names that only vLLM knows, images as placeholders."""
        raw = self.normalised if is_normalised else None
        return _UUID.sub(b"", raw if raw is not None else bytes(self.fields["messages"]))

    def options(self, slug: str) -> dict[str, msgspec.Raw]:
        """What the caller wants to say to this provider alone (`provider.options`), by field.

        For `openai/eu` what is meant for `openai` counts too.
        """
        raw = self.fields.get("provider")
        if raw is None:
            return {}
        try:
            given: _Options = read(_options, raw)
        except ValueError:  # its shape is for others to judge (see provider_preferences)
            return {}
        of_all = given.options or {}
        return {**of_all.get(slug.partition("/")[0], {}), **of_all.get(slug, {})}

    def user(self, key: bytes) -> str | None:
        """The caller's `user`, hashed with a key; None if none was given."""
        user = self.value("user")
        if not isinstance(user, str) or not user:
            return None
        hashed = hashlib.blake2b(user.encode("utf-8", "surrogatepass"), key=key[:64], digest_size=16)
        return f"user_{hashed.hexdigest()}"

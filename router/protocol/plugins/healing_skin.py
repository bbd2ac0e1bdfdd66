"""Mends a whole answer on its way out, before another API's words are made of it. Streams pass as they are."""

from collections.abc import Mapping
from typing import Any

from router.protocol.plugins.healing import heal_answer
from router.protocol.skin import Skin


class Healing:
    """See `healing`."""

    def __init__(self, schema: Mapping[str, Any] | None, inner: Skin | None = None) -> None:
        """`schema`: that the answer ought to fit; None: an object."""
        self._schema = schema
        self._inner = inner

    def feed(self, data: bytes) -> bytes:
        """See Skin."""
        return data if self._inner is None else self._inner.feed(data)

    def whole(self, body: bytes) -> bytes:
        """See Skin."""
        mended = heal_answer(body, self._schema)
        return mended if self._inner is None else self._inner.whole(mended)


def healing_of(response_format: object, inner: Skin | None = None) -> Healing | None:
    """For a request with that `response_format`, decoded; None: it asks for no JSON."""
    if not isinstance(response_format, dict):
        return None
    kind = response_format.get("type")
    if kind == "json_object":
        return Healing(None, inner)
    if kind != "json_schema":
        return None
    described = response_format.get("json_schema")
    schema = described.get("schema") if isinstance(described, dict) else None
    return Healing(schema if isinstance(schema, dict) else None, inner)

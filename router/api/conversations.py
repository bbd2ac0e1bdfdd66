"""Reading requests of `/responses` on a router that remembers answers: what one goes on from is looked up and put in.

Stands before the `Reader` and does nothing on other routes. Strangers have no key by which one could be told from the
other, so nothing is remembered of them.
"""

from dataclasses import replace
from functools import partial

from router.api.reader import Read, Reader, Route
from router.api.room import Place
from router.policy.call import Caller
from router.policy.key import ANONYMOUS, Key
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.presets.preset import Api
from router.protocol.responses.memory import Memory, Remembered, Unremembered
from router.protocol.responses.parse import parse_responses
from router.store.away import DatabaseAway
from router.store.kept_responses import KeptResponses

_RETRY_AFTER_S = 5.0


class Conversations:
    """One per router. `kept`: None where nothing is remembered."""

    def __init__(self, reader: Reader, kept: KeptResponses | None) -> None:
        self._reader = reader
        self._kept = kept

    @property
    def limits(self) -> Limits:
        return self._reader.limits

    async def read(self, route: Route, raw: bytes, key: Key, caller: Caller, place: Place) -> Read:
        """
        Raises:
            ApiError: as `Reader.read`; 404, there is no such answer; 503, that cannot be told at the moment.
        """
        kept = self._kept
        if kept is None or route.api is not Api.RESPONSES or key.id == ANONYMOUS.id:
            return await self._reader.read(route, raw, key, caller, place)
        settings = kept.settings
        memory = Memory(
            _nothing if key.filters else partial(kept.keep, key), settings.response_bytes, settings.by_default
        )
        try:
            return await self._reader.read(_with(route, memory), raw, key, caller, place)
        except Unremembered as missing:
            memory = replace(memory, earlier=await _earlier(kept, key, missing.response))
            place.take(len(memory.earlier or b""))
            return await self._reader.read(_with(route, memory), raw, key, caller, place)


def _nothing(answer: Remembered) -> bool:
    """Of a key with content filters: what would be kept is what came, before anything was redacted in it."""
    return False


def _with(route: Route, memory: Memory) -> Route:
    return replace(route, parse=partial(parse_responses, memory=memory))


async def _earlier(kept: KeptResponses, key: Key, response: str) -> bytes:
    try:
        found = await kept.find(key.workspace, response)
    except DatabaseAway:
        raise ApiError(
            "provider_overloaded",
            "The earlier response cannot be read at the moment. Please try again shortly.",
            field="previous_response_id",
            metadata={"reason": "response_unread"},
            retry_after_s=_RETRY_AFTER_S,
        ) from None
    if found is None:
        raise ApiError("not_found", f"Previous response with id '{response}' not found.", field="previous_response_id")
    return found.conversation()

"""Under which conditions a request is served: what its body says beside the model and the prompt.

The name of a session is the body's `session_id`, else that of the header `x-session-id`, else `prompt_cache_key`.
"""

from collections.abc import Callable, Mapping

import msgspec

from router.policy.auto import ANY_MODEL, AutoRouter
from router.policy.catalog import Pool
from router.policy.draft import Conditions
from router.policy.key import ANONYMOUS, Key
from router.protocol.provider_preferences import PreferenceLimits, read_preferences

_text = msgspec.json.Decoder(str)
_LIMITS = PreferenceLimits()


def read_conditions(
    fields: Mapping[str, bytes],
    parameters: frozenset[str],
    *,
    key: Key = ANONYMOUS,
    session: str | None = None,
    auto: AutoRouter = ANY_MODEL,
    cannot: Callable[[Pool], str | None] | None = None,
    limits: PreferenceLimits = _LIMITS,
) -> Conditions:
    """Read the fields that only the router understands.

    Args:
        fields: raw JSON by name, checked for their types (`Request.router_fields`).
        parameters: names of the request's fields.
        key: who asks.
        session: the header `x-session-id`.
        auto: which models `openrouter/auto` may choose.
        cannot: why a pool cannot be asked this in its words; None: it can.
        limits: how large `provider` may be.

    Raises:
        ApiError: 400, naming the field of `provider` at fault.
    """
    name = fields.get("session_id")
    if name is None and not session:
        name = fields.get("prompt_cache_key")
    if name is not None:
        session = _text.decode(name)
    preferences = read_preferences(fields.get("provider"), fields.get("route"), limits)
    return Conditions(key, preferences, parameters, session or None, auto, cannot)

"""`service_tier`: how urgent a request is, in OpenRouter's words, and never more than its key may ask for.

The engine does not get the field: requests of vLLM 0.29 have none of that name, and it would be ignored.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from router.policy.call import Priority

ServiceTier = Literal["auto", "default", "fast", "flex", "priority", "scale", "ultrafast"]
_PRIORITIES: Mapping[str | None, Priority] = MappingProxyType(
    {
        None: Priority.NORMAL,
        "auto": Priority.NORMAL,
        "default": Priority.NORMAL,
        "flex": Priority.BATCH,
        **dict.fromkeys(("fast", "priority", "scale", "ultrafast"), Priority.CRITICAL),
    }
)


def priority_of(tier: ServiceTier | None, most: Priority) -> Priority:
    """The priority of a request that asks for `tier` (None: does not ask), at most `most`."""
    return min(_PRIORITIES[tier], most)

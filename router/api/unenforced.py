"""Fields that OpenRouter has and this router does not enforce. Asking for what nobody would do is refused by name.

A value that asks for nothing (null, an empty list, the way it is anyhow) is let pass: clients send it.
"""

from collections.abc import Mapping

import msgspec

from router.protocol.errors import invalid


def refuse_unenforced(body: msgspec.Struct, idle: Mapping[str, tuple[object, ...]]) -> None:
    """
    Args:
        body: of a request.
        idle: what its fields may be, besides being missing, null or empty.

    Raises:
        ApiError: 400, one of them asks for something.
    """
    for name, values in idle.items():
        value = getattr(body, name)
        is_idle = value is msgspec.UNSET or value is None or value == [] or any(value is each for each in values)
        if not is_idle:
            raise invalid(name, "this router does not enforce it; leave it out")

"""Priorities that are asked for."""

import pytest

from router.policy.call import Priority
from router.protocol.service_tier import ServiceTier, priority_of


@pytest.mark.parametrize(
    ("tier", "priority"),
    [
        (None, Priority.NORMAL),
        ("auto", Priority.NORMAL),
        ("default", Priority.NORMAL),
        ("flex", Priority.BATCH),
        ("priority", Priority.CRITICAL),
        ("fast", Priority.CRITICAL),
        ("scale", Priority.CRITICAL),
        ("ultrafast", Priority.CRITICAL),
    ],
)
def test_a_tier_is_a_priority_within_what_the_key_allows(tier: ServiceTier | None, priority: Priority) -> None:
    assert priority is priority_of(tier, Priority.CRITICAL)
    assert min(priority, Priority.NORMAL) is priority_of(tier, Priority.NORMAL)
    assert Priority.BATCH is priority_of(tier, Priority.BATCH)

"""What callers ask for in headers."""

import pytest

from router.api.asked import Asked
from router.protocol.errors import ApiError


def test_nothing_is_asked_for_by_default() -> None:
    assert Asked() == Asked.of([(b"authorization", b"Bearer k")])


@pytest.mark.parametrize("name", [b"x-openrouter-metadata", b"x-openrouter-experimental-metadata"])
def test_metadata_is_asked_for_by_either_name(name: bytes) -> None:
    assert Asked(wants_metadata=True) == Asked.of([(name, b" Enabled ")])
    assert Asked() == Asked.of([(name, b"disabled")])


def test_a_timeout_is_in_seconds() -> None:
    assert Asked(timeout_s=2.5) == Asked.of([(b"x-request-timeout", b"2.5")])


@pytest.mark.parametrize("value", [b"", b"soon", b"0", b"-1", b"nan", b"inf", b"\xff"])
def test_a_timeout_that_is_none_is_refused_by_name(value: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        Asked.of([(b"x-request-timeout", value)])
    assert (400, "X-Request-Timeout") == (caught.value.status, caught.value.field)

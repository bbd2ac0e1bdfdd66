import pytest

from router.api.auth import ANONYMOUS, Keys
from router.protocol.errors import ApiError

KEYS = Keys({"me": "sk-or-v1-secret"}, allow_anonymous=False)


def refused(keys: Keys, *headers: tuple[bytes, bytes]) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        keys.authenticate(headers)
    return caught.value.status, caught.value.message


def test_a_key_tells_its_name() -> None:
    assert KEYS.authenticate([(b"authorization", b"Bearer sk-or-v1-secret")]) == "me"


def test_a_missing_or_malformed_header_is_told_in_the_words_clients_know() -> None:
    assert refused(KEYS) == (401, "Missing Authentication header")
    assert refused(KEYS, (b"authorization", b"Basic abc")) == (401, "Missing Authentication header")
    assert refused(KEYS, (b"authorization", b"Bearer ")) == (401, "Missing Authentication header")


def test_an_unknown_key_is_nobody() -> None:
    for key in (b"sk-or-v1-other", b"' OR 1=1 --", b"\xff\xfe", b"x" * 1_000_000):
        assert refused(KEYS, (b"authorization", b"Bearer " + key)) == (401, "User not found.")


def test_anonymous_callers_come_in_only_where_that_is_allowed() -> None:
    open_door = Keys({}, allow_anonymous=True)
    assert open_door.authenticate([]) == ANONYMOUS
    assert refused(open_door, (b"authorization", b"Bearer wrong")) == (401, "User not found.")

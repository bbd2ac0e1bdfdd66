import asyncio
from collections.abc import Mapping, Sequence

import pytest

from router.api.auth import Authenticator
from router.policy.key import ANONYMOUS, Key
from router.protocol.errors import ApiError
from router.protocol.secret import digest_of
from router.store.away import DatabaseAway
from router.store.known_keys import KnownKeys
from router.store.known_keys_settings import KnownKeysSettings
from tests.effort import cpu_s

ME = Key("config:me", "me")
MANAGER = Key("config:root", "root", is_management=True)
SECRET = "sk-or-v1-" + "5" * 64
UNKNOWN = "sk-or-v1-" + "6" * 64
NOW = 1_000_000.0


class Database:
    def __init__(self, key: Key | None = None) -> None:
        self.key = key
        self.is_away = False
        self.asked: list[str] = []

    async def find(self, ids: Sequence[str]) -> Mapping[str, Key]:
        self.asked.extend(ids)
        if self.is_away:
            raise DatabaseAway("away")
        return {key_id: self.key for key_id in ids if self.key is not None and key_id == self.key.id}


def keys(database: Database | None = None, *, anonymous: Key | None = None, waiting: int = 1_000) -> Authenticator:
    known = None
    if database is not None:
        known = KnownKeys(database, KnownKeysSettings(waiting=waiting), clock=lambda: 0.0)
    return Authenticator(
        {"sk-or-v1-secret": ME, "root": MANAGER}, known=known, anonymous=anonymous, wall_clock=lambda: NOW
    )


def ask(
    authenticator: Authenticator, *headers: tuple[bytes, bytes], management: bool = False
) -> Key | tuple[int, str, float | None]:
    async def asked() -> Key:
        return await authenticator.authenticate(headers, management=management)

    try:
        return asyncio.run(asked())
    except ApiError as error:
        return error.status, error.message, error.retry_after_s


def bearer(secret: str) -> tuple[bytes, bytes]:
    return b"authorization", b"Bearer " + secret.encode()


NOBODY = (401, "User not found.", None)
NOTHING = (401, "Missing Authentication header", None)


def test_a_key_of_the_configuration_is_found() -> None:
    assert ask(keys(), bearer("sk-or-v1-secret")) == ME
    assert ask(keys(), (b"authorization", b"bearer  sk-or-v1-secret ")) == ME


def test_a_key_may_come_as_anthropics_clients_send_it() -> None:
    assert ask(keys(), (b"x-api-key", b"sk-or-v1-secret")) == ME
    assert ask(keys(), (b"x-api-key", b"other"), bearer("sk-or-v1-secret")) == ME
    assert ask(keys(), (b"x-api-key", b"")) == NOTHING


def test_a_missing_or_malformed_header_is_told_in_the_words_clients_know() -> None:
    assert ask(keys()) == NOTHING
    assert ask(keys(), (b"authorization", b"Basic abc")) == NOTHING
    assert ask(keys(), (b"authorization", b"Bearer ")) == NOTHING
    assert ask(keys(), (b"authorization", b"")) == NOTHING


@pytest.mark.parametrize(
    "secret",
    [
        b"sk-or-v1-other",
        b"' OR 1=1 --",
        b"'; SELECT pg_sleep(8) --",
        b"\xff\xfe",
        "sk-or-v1-\N{FULLWIDTH DIGIT FIVE}".encode(),
        b"x" * 1_000_000,
        b"a.b.c",
        SECRET.encode() + b"0",
        SECRET.upper().encode(),
    ],
)
def test_what_can_be_no_key_never_reaches_the_database(secret: bytes) -> None:
    database = Database()
    assert ask(keys(database), (b"authorization", b"Bearer " + secret)) == NOBODY
    assert database.asked == []


def test_a_megabyte_is_refused_without_being_hashed() -> None:
    header = (b"authorization", b"Bearer " + b"x" * 1_000_000)

    def refuse() -> None:
        for _ in range(100):
            assert ask(keys(), header) == NOBODY

    assert cpu_s(refuse) < 0.5  # hashing them takes a second or more


def test_a_key_of_the_database_is_found_by_its_hash() -> None:
    key = Key(digest_of(SECRET.encode()), "theirs")
    database = Database(key)
    assert ask(keys(database), bearer(SECRET)) == key
    assert ask(keys(database), bearer(UNKNOWN)) == NOBODY
    assert database.asked == [digest_of(SECRET.encode()), digest_of(UNKNOWN.encode())]


def test_a_key_that_may_no_longer_be_used_is_told_why() -> None:
    digest = digest_of(SECRET.encode())
    assert ask(keys(Database(Key(digest, "k", is_disabled=True))), bearer(SECRET)) == (
        401,
        "This API key is disabled.",
        None,
    )
    assert ask(keys(Database(Key(digest, "k", expires_at=NOW))), bearer(SECRET)) == (
        401,
        "This API key has expired.",
        None,
    )
    assert isinstance(ask(keys(Database(Key(digest, "k", expires_at=NOW + 1))), bearer(SECRET)), Key)


def test_an_unknown_key_is_not_refused_for_good_while_the_database_is_away() -> None:
    database = Database()
    database.is_away = True
    assert ask(keys(database), bearer(SECRET)) == (
        503,
        "The key cannot be checked at the moment. Please try again shortly.",
        5.0,
    )
    assert ask(keys(database), bearer("sk-or-v1-secret")) == ME


def test_keys_beyond_those_that_may_wait_are_told_to_come_back() -> None:
    class Slow(Database):
        async def find(self, ids: Sequence[str]) -> Mapping[str, Key]:
            await released.wait()
            return {}

    async def test() -> None:
        authenticator = keys(Slow(), waiting=1)
        first = asyncio.create_task(authenticator.identify([bearer(SECRET)]))
        await asyncio.sleep(0)
        with pytest.raises(ApiError) as caught:
            await authenticator.identify([bearer(UNKNOWN)])
        assert (caught.value.status, caught.value.retry_after_s) == (503, 1.0)
        released.set()
        with pytest.raises(ApiError, match="User not found"):
            await first

    released = asyncio.Event()
    asyncio.run(test())


def test_who_administers_may_not_infer_and_the_other_way_round() -> None:
    assert ask(keys(), bearer("root"), management=True) == MANAGER
    assert ask(keys(), bearer("root")) == (
        403,
        "Management keys cannot be used for inference. Please use an API key.",
        None,
    )
    assert ask(keys(), bearer("sk-or-v1-secret"), management=True) == (
        403,
        "Only management keys can perform this operation.",
        None,
    )


def test_anonymous_callers_come_in_only_where_that_is_allowed_and_never_administer() -> None:
    door = keys(anonymous=ANONYMOUS)
    assert ask(door) == ANONYMOUS
    assert ask(door, bearer("wrong")) == NOBODY
    assert ask(door, management=True) == NOTHING


def test_whether_there_are_managers_is_known() -> None:
    assert keys().has_management
    assert Authenticator({}, known=None, wall_clock=lambda: NOW).has_management is False


def test_a_known_key_is_found_without_waiting() -> None:
    async def test() -> None:
        authenticator = keys(Database(Key(digest_of(SECRET.encode()), "k")))
        await authenticator.authenticate([bearer(SECRET)])
        for secret in (SECRET, "sk-or-v1-secret"):
            step = authenticator.authenticate([bearer(secret)])
            with pytest.raises(StopIteration):
                step.send(None)

    asyncio.run(test())

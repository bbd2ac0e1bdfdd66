"""Tenants' salts."""

import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.key import Key
from router.protocol.salt import IsolationSettings, Salts, picture_name

SECRET = b"0123456789abcdef"
OFF, BY_KEY, BY_WORKSPACE = (IsolationSettings(by) for by in ("off", "key", "workspace"))
ANNE, BOB, CARL = Key("1", "anne", workspace="a"), Key("2", "bob", workspace="a"), Key("3", "carl", workspace="c")


def test_by_default_there_is_no_salt_and_no_secret_is_needed() -> None:
    salts = Salts(IsolationSettings())
    assert ("", "") == (salts.of(ANNE), salts.fingerprint)


def test_every_key_has_a_salt_of_its_own_or_shares_its_workspaces() -> None:
    keys, workspaces = Salts(BY_KEY, SECRET), Salts(BY_WORKSPACE, SECRET)
    assert 3 == len({keys.of(each) for each in (ANNE, BOB, CARL)})
    assert workspaces.of(ANNE) == workspaces.of(BOB) != workspaces.of(CARL)
    assert keys.of(Key("x", "n", workspace="w")) != workspaces.of(Key("w", "n", workspace="x"))


def test_the_rule_of_salts_is_written_in_stone() -> None:
    """Routers of several releases serve the same engines: these may not change."""
    assert "biCm90uRmzCNcmuZeNtb7g" == Salts(BY_KEY, SECRET).of(ANNE)
    assert "VP621z4uXM2-YRp--QYqrw" == Salts(BY_WORKSPACE, SECRET).of(ANNE)


@given(name=st.text(max_size=300), secret=st.binary(min_size=16, max_size=100))
def test_a_salt_is_what_the_engine_takes_and_comes_from_the_secret(name: str, secret: bytes) -> None:
    salt = Salts(BY_KEY, secret).of(Key(name, "n"))
    assert re.fullmatch(r"[\w-]{22}", salt)
    assert salt == Salts(BY_KEY, secret).of(Key(name, "another name"))
    assert salt != Salts(BY_KEY, secret + b"x").of(Key(name, "n"))


@pytest.mark.parametrize("settings", [BY_KEY, BY_WORKSPACE])
def test_without_a_long_secret_nobody_is_parted(settings: IsolationSettings) -> None:
    with pytest.raises(ValueError, match=r"^secret: cache_salt \w+ needs one of at least 16 bytes.*got 15"):
        Salts(settings, SECRET[1:])


def test_routers_can_tell_whether_they_agree_without_telling_the_secret() -> None:
    ours = Salts(BY_KEY, SECRET).fingerprint
    assert ours == Salts(BY_KEY, SECRET).fingerprint
    assert 3 == len({ours, Salts(BY_WORKSPACE, SECRET).fingerprint, Salts(BY_KEY, SECRET + b"x").fingerprint})
    assert 8 == len(ours)
    assert ours not in Salts(BY_KEY, SECRET).of(ANNE)


def test_an_image_has_another_name_for_every_tenant() -> None:
    digest = sha256(b"picture").digest()
    assert digest is picture_name(digest, "")
    names = {picture_name(digest, salt) for salt in ("", "a", "b")}
    assert {32} == {len(name) for name in names}
    assert 3 == len(names)

import hashlib

from router.protocol.secret import FreshKey, fresh_key, is_key


def test_a_fresh_key_is_known_by_its_hash_and_shown_by_its_ends() -> None:
    fresh = fresh_key(lambda count: "ab" * count)
    assert fresh.secret == "sk-or-v1-" + "ab" * 32
    assert fresh.id == hashlib.sha256(fresh.secret.encode()).hexdigest()
    assert fresh.label == "sk-or-v1-aba...bab"
    assert is_key(fresh.secret.encode())


def test_two_fresh_keys_differ() -> None:
    assert fresh_key().secret != fresh_key().secret


def test_a_fresh_key_is_not_told_by_its_repr() -> None:
    assert "sk-or" not in repr(FreshKey("sk-or-v1-secret"))


def test_what_has_another_shape_is_no_key() -> None:
    good = "sk-or-v1-" + "0" * 64
    for bad in ("", good[:-1], good + "0", good + "\n", good.upper(), "sk-or-v1-" + "g" * 64, " " + good):
        assert not is_key(bad.encode())

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from router.protocol.key_set import Signed, read_key_set
from router.protocol.oidc_settings import ALGORITHMS
from tests.router.protocol.tokens_by_hand import ec_key, ed_key, jwk, key_set, rsa_key

ALL = tuple(ALGORITHMS)


def test_keys_are_found_by_kid_and_algorithm() -> None:
    keys = read_key_set(key_set(jwk(rsa_key(), "r"), jwk(ec_key(), "e"), jwk(ed_key(), "d")), ALL)
    assert 3 == len(keys)
    found = {name: keys.get(Signed(name, kid)) for name, kid in (("RS256", "r"), ("ES256", "e"), ("EdDSA", "d"))}
    assert {name: name for name in found} == {name: key and key.algorithm_name for name, key in found.items()}


def test_a_key_serves_no_algorithm_of_another_type() -> None:
    keys = read_key_set(key_set(jwk(rsa_key(), "r"), jwk(ec_key(ec.SECP384R1), "e")), ALL)
    assert keys.get(Signed("HS256", "r")) is None
    assert keys.get(Signed("ES256", "r")) is None
    assert keys.get(Signed("ES256", "e")) is None
    assert keys.get(Signed("ES384", "e")) is not None


def test_a_key_that_names_its_algorithm_serves_no_other() -> None:
    keys = read_key_set(key_set(jwk(rsa_key(), alg="RS512")), ALL)
    assert keys.get(Signed("RS256", "k1")) is None
    assert keys.get(Signed("RS512", "k1")) is not None


def test_without_a_kid_there_must_be_no_doubt() -> None:
    one = read_key_set(key_set(jwk(rsa_key(), None), jwk(ec_key(), "e")), ALL)
    assert one.get(Signed("RS256", None)) is not None
    two = read_key_set(key_set(jwk(rsa_key(), "a"), jwk(rsa_key("second"), "b")), ALL)
    assert two.get(Signed("RS256", None)) is None


@pytest.mark.parametrize(
    "useless",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "k1"},
        {"kty": "RSA", "kid": "k1"},
        {"kty": "RSA", "n": 5, "e": "AQAB"},
        {"kty": "RSA", "n": "A" * 2_000, "e": "AQAB"},
        {"kty": "RSA", "n": "!" * 342, "e": 5},
        {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        {"kty": "OKP", "crv": "Ed25519", "x": None},
        {"kty": ["RSA"]},
        jwk(rsa_key(), use="enc"),
        jwk(rsa_key(), key_ops=["encrypt"]),
        jwk(rsa_key(), key_ops="verify"),
        jwk(rsa_key("short", 1_024)),
        jwk(rsa_key(), d="AQAB"),
        jwk(rsa_key(), kid="x" * 257),
        jwk(rsa_key()) | {"kid": 5},
    ],
)
def test_keys_of_no_use_are_passed_over(useless: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no key for any"):
        read_key_set(key_set(useless), ALL)
    assert 1 == len(read_key_set(key_set(useless, jwk(ed_key(), "good", key_ops=["verify"])), ALL))


def test_the_first_of_two_keys_with_one_kid_counts() -> None:
    keys = read_key_set(key_set(jwk(rsa_key()), jwk(rsa_key("second"))), ALL)
    assert keys.get(Signed("RS256", "k1")) is not None
    assert 1 == len(keys)


@pytest.mark.parametrize("document", [b"", b"[]", b'{"keys":5}', b"<html>", b'{"keys":[' + b"[" * 100_000, b"\xff"])
def test_what_is_no_key_set_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match="no JSON Web Key Set"):
        read_key_set(document, ALL)


def test_so_many_keys_nobody_has() -> None:
    with pytest.raises(ValueError, match="more than 100 keys"):
        read_key_set(json.dumps({"keys": [{}] * 101}).encode(), ALL)

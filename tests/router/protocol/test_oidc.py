import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from router.policy.call import Priority
from router.policy.key import Budget, Interval, Key, Rates, Scope
from router.policy.terms import Terms
from router.protocol.errors import ApiError
from router.protocol.key_set import Signed, read_key_set
from router.protocol.oidc import claim, read_caller, read_signed
from router.protocol.oidc_settings import OidcSettings
from tests.router.protocol.tokens_by_hand import (
    NOW,
    SETTINGS,
    claims,
    ec_key,
    ed_key,
    jwk,
    key_set,
    rsa_key,
    token,
    unsigned,
)

KEYS = read_key_set(key_set(jwk(rsa_key(), "k1"), jwk(ec_key(), "e1"), jwk(ed_key(), "d1")), SETTINGS.algorithms)


def caller(raw: bytes, settings: OidcSettings = SETTINGS, now: float = NOW) -> Key:
    """Who holds a token, by the keys above."""
    key = KEYS.get(read_signed(raw, settings))
    if key is None:
        raise ApiError("authentication", "no key")
    return read_caller(raw, key, settings, now)


def refused(raw: bytes, settings: OidcSettings = SETTINGS) -> str:
    with pytest.raises(ApiError) as caught:
        caller(raw, settings)
    assert caught.value.status == 401
    return caught.value.message.removeprefix("This token is not accepted: ")


def by_hand(payload: bytes) -> bytes:
    """Signed as it is: libraries refuse to sign nonsense."""
    signing = b".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=") for part in (b'{"alg":"EdDSA","kid":"d1"}', payload)
    )
    return signing + b"." + base64.urlsafe_b64encode(ed_key().sign(signing)).rstrip(b"=")


def test_a_token_becomes_a_key_that_ends_with_it() -> None:
    assert caller(token()) == Key("oidc:oidc:ada", "ada", expires_at=NOW + 630)


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(ec_key(), "ES256", "e1"), (ed_key(), "EdDSA", "d1")])
def test_every_allowed_algorithm_is_understood(key: object, algorithm: str, kid: str) -> None:
    assert caller(token(key=key, algorithm=algorithm, kid=kid)).name == "ada"


def test_its_holder_has_the_terms_and_a_budget_of_his_own() -> None:
    terms = Terms(
        workspace="staff",
        priority=Priority.BATCH,
        rates=Rates(requests_per_min=5),
        limit=7,
        limit_reset=Interval.DAILY,
        models=frozenset({"m"}),
    )
    key = caller(token(), replace(SETTINGS, terms=terms))
    assert key.budgets == (Budget(Scope.KEY, "key:oidc:oidc:ada", Interval.DAILY, 7),)
    assert (key.workspace, key.priority, key.rates, key.models) == ("staff", Priority.BATCH, terms.rates, terms.models)


def test_a_token_of_no_algorithm_is_refused() -> None:
    assert refused(unsigned({"alg": "none", "kid": "k1"}, claims())) == "its algorithm is not allowed."
    assert refused(unsigned({"kid": "k1"}, claims())) == "its algorithm is not allowed."


def test_the_public_key_is_no_shared_secret() -> None:
    pem = rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = unsigned({"alg": "HS256", "kid": "k1"}, claims()).rsplit(b".", 1)[0]
    forged = hmac.new(pem, signed, hashlib.sha256).digest()
    raw = signed + b"." + base64.urlsafe_b64encode(forged).rstrip(b"=")
    assert refused(raw) == "its algorithm is not allowed."


def test_a_key_that_a_token_brings_along_is_not_looked_at() -> None:
    mallory = rsa_key("mallory")
    for header in ({"jwk": jwk(mallory)}, {"jku": "https://mallory.example/keys"}, {"x5u": "https://mallory.example"}):
        assert refused(token(key=mallory, **header)) == "its signature is wrong."


@pytest.mark.parametrize("kid", ["../../dev/null", "' OR 1=1 --", "", "K1", "k1\0"])
def test_a_kid_is_a_name_and_nothing_else(kid: str) -> None:
    assert refused(token(kid=kid)) == "no key"


def test_a_kid_that_is_no_text_or_a_book_is_refused() -> None:
    assert refused(unsigned({"alg": "RS256", "kid": 5}, claims())) == "it is no JSON Web Token."
    assert refused(token(kid="x" * 257)) == "its kid is too long."


def test_a_key_of_another_type_is_not_used() -> None:
    assert refused(token(key=ec_key(), algorithm="ES256", kid="k1")) == "no key"


def test_a_changed_token_is_refused() -> None:
    head, _, signature = token().split(b".")
    other = token(claims(sub="root")).split(b".")[1]
    assert refused(b".".join((head, other, signature))) == "its signature is wrong."


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"iss": "https://login.example.org/"}, "it is of another issuer."),
        ({"iss": None}, "it is of another issuer."),
        ({"aud": "another"}, "it is meant for another audience."),
        ({"aud": None}, "it is meant for another audience."),
        ({"aud": []}, "it is meant for another audience."),
        ({"aud": "tramontane "}, "it is meant for another audience."),
        ({"exp": NOW - 30}, "it has expired."),
        ({"exp": None}, "it has no exp."),
        ({"exp": "tomorrow"}, "it has no exp."),
        ({"exp": True}, "it has no exp."),
        ({"exp": 1e18}, "it has no exp."),
        ({"exp": 10**400}, "it has no exp."),
        ({"iat": None}, "it has no iat."),
        ({"iat": NOW + 31}, "it is issued in the future."),
        ({"nbf": NOW + 31}, "it is not valid yet."),
        ({"nbf": NOW + 10**9}, "it is not valid yet."),
        ({"nbf": "now"}, "it has no nbf."),
        ({"sub": None}, "its sub names nobody."),
        ({"sub": ""}, "its sub names nobody."),
        ({"sub": "a\nb"}, "its sub names nobody."),
        ({"sub": "a" * 256}, "its sub names nobody."),
    ],
)
def test_a_token_that_is_not_for_us_and_now_is_refused(changed: dict[str, Any], problem: str) -> None:
    assert refused(by_hand(json.dumps(claims(**changed)).encode())) == problem


def test_clocks_may_differ_a_little() -> None:
    assert caller(token(claims(exp=NOW - 29, iat=NOW + 29, nbf=NOW + 29))).name == "ada"


def test_one_of_several_audiences_may_be_us() -> None:
    assert caller(token(claims(aud=["other", "tramontane"]))).name == "ada"


def test_a_claim_may_name_the_workspace() -> None:
    settings = replace(SETTINGS, workspace_claim="team.id")
    assert caller(token(claims(team={"id": "blue"})), settings).workspace == "blue"
    assert caller(token(), settings).workspace == "default"
    assert refused(token(claims(team={"id": "a b"})), settings) == "its team.id names no workspace."
    assert refused(token(claims(team={"id": 5})), settings) == "its team.id names no workspace."


@pytest.mark.parametrize(
    ("held", "is_management"),
    [("admin", True), ("read admin", True), (["admin"], True), ("administrator", False), (["x"], False), (5, False)],
)
def test_a_claim_may_make_a_manager(held: object, is_management: bool) -> None:
    settings = replace(SETTINGS, management_claim="roles", management_value="admin")
    assert caller(token(claims(roles=held)), settings).is_management is is_management
    assert not caller(token(claims(roles=held))).is_management


def test_a_claim_is_found_by_its_name_before_its_path() -> None:
    told: dict[str, object] = {"https://a.b/c": 1, "x": {"y": {"z": 2}}}
    assert [1, 2, None, None] == [claim(told, path) for path in ("https://a.b/c", "x.y.z", "x.q", "x.y.z.w")]


@given(st.binary(max_size=200) | st.lists(st.binary(max_size=60), min_size=3, max_size=3).map(b".".join))
def test_nonsense_is_refused_and_nothing_else(raw: bytes) -> None:
    with pytest.raises(ApiError):
        read_signed(raw, SETTINGS)


def test_a_payload_that_is_no_object_is_refused() -> None:
    key = KEYS.get(Signed("EdDSA", "d1"))
    assert key is not None
    for payload in (b"[]", b"{", b"[" * 5_000, b"\xff"):
        with pytest.raises(ApiError, match="signature is wrong"):
            read_caller(by_hand(payload), key, SETTINGS, NOW)

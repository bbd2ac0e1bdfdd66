"""An identity provider's keys and tokens, made with real cryptography."""

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from router.protocol.oidc_settings import OidcSettings

NOW = 1_800_000_000.0
ISSUER = "https://login.example.org"
SETTINGS = OidcSettings(issuer=ISSUER, audience="tramontane")
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@cache
def rsa_key(name: str = "first", bits: int = 2_048) -> rsa.RSAPrivateKey:
    """The same for the same name."""
    return rsa.generate_private_key(65_537, bits)


@cache
def ec_key(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


@cache
def ed_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def jwk(key: Private, kid: str | None = "k1", **more: Any) -> dict[str, Any]:
    """Its public half as a JSON Web Key."""
    public = key.public_key()
    match public:
        case rsa.RSAPublicKey():
            entry = json.loads(RSAAlgorithm.to_jwk(public))
            entry.pop("key_ops")
        case ec.EllipticCurvePublicKey():
            entry = json.loads(ECAlgorithm.to_jwk(public))
        case _:
            entry = json.loads(OKPAlgorithm.to_jwk(public))
    return entry | ({} if kid is None else {"kid": kid}) | more


def key_set(*entries: Mapping[str, Any]) -> bytes:
    return json.dumps({"keys": entries}).encode()


def claims(**changed: Any) -> dict[str, Any]:
    """Of a token that is accepted. None: without that claim."""
    told = {"iss": ISSUER, "aud": "tramontane", "sub": "ada", "iat": NOW - 10, "exp": NOW + 600} | changed
    return {name: value for name, value in told.items() if value is not None}


def token(
    told: Mapping[str, Any] | None = None,
    key: Any = None,
    algorithm: str = "RS256",
    kid: str | None = "k1",
    **headers: Any,
) -> bytes:
    """Signed; by the first RSA key if no other is given."""
    headers |= {} if kid is None else {"kid": kid}
    signer = rsa_key() if key is None else key
    return jwt.encode(dict(claims() if told is None else told), signer, algorithm, headers=headers).encode()


def unsigned(header: Mapping[str, Any], told: Mapping[str, Any], signature: bytes = b"") -> bytes:
    """Whatever somebody may write."""
    return b".".join(_encoded(part) for part in (json.dumps(header).encode(), json.dumps(told).encode(), signature))


def _encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")

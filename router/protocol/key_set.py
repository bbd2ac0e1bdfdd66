"""An identity provider's public keys (RFC 7517), by what they may verify.

A key is used with the algorithms of its own type alone, and shared secrets are no keys here: no public key can be
mistaken for one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import jwt
import msgspec

from router.protocol.oidc_settings import ALGORITHMS

LONGEST_KID = 256  # characters
_MOST_KEYS = 100  # of one provider; usual are two
_RSA_DIGITS = range(342, 1367)  # base64 characters of a modulus of 2,048 to 8,192 bits


@dataclass(frozen=True, slots=True)
class Signed:
    """What a token says about its signature. Nothing of it is to be trusted."""

    algorithm: str
    kid: str | None


class KeySet:
    """A provider's public keys, each with the algorithms that it may be used with."""

    def __init__(self, keys: Mapping[tuple[str | None, str], jwt.PyJWK]) -> None:
        """`keys`: by `kid` and algorithm."""
        self._keys = dict(keys)

    def __len__(self) -> int:
        return len({kid for kid, _ in self._keys})

    def get(self, signed: Signed) -> jwt.PyJWK | None:
        """The key that a token must be signed by. One without `kid` must leave no doubt."""
        if signed.kid is not None:
            return self._keys.get((signed.kid, signed.algorithm))
        fitting = [key for (_, algorithm), key in self._keys.items() if algorithm == signed.algorithm]
        return fitting[0] if len(fitting) == 1 else None


def read_key_set(document: bytes, algorithms: Iterable[str]) -> KeySet:
    """A JSON Web Key Set (RFC 7517). Keys that are of no use here are passed over, as its section 5 asks.

    Raises:
        ValueError: it is none, or holds no key that is of use.
    """
    try:
        entries = msgspec.json.decode(document, type=_JwkSet).keys
    except (msgspec.DecodeError, RecursionError):
        raise ValueError("it is no JSON Web Key Set") from None
    if len(entries) > _MOST_KEYS:
        raise ValueError(f"it has more than {_MOST_KEYS} keys")
    keys: dict[tuple[str | None, str], jwt.PyJWK] = {}
    for entry in entries:
        kid = entry.get("kid")
        if not (kid is None or (isinstance(kid, str) and len(kid) <= LONGEST_KID)):
            continue
        for algorithm in algorithms:
            key = _public_key(entry, algorithm)
            if key is not None:
                keys.setdefault((kid, algorithm), key)
    if not keys:
        raise ValueError("it has no key for any of the algorithms")
    return KeySet(keys)


class _JwkSet(msgspec.Struct):
    keys: list[dict[str, object]]


def _public_key(entry: Mapping[str, object], algorithm: str) -> jwt.PyJWK | None:
    """None: the key is not for signatures by this algorithm."""
    key_type, curve = ALGORITHMS[algorithm]
    uses, modulus = entry.get("key_ops"), entry.get("n")
    is_fitting = (
        entry.get("kty") == key_type
        and (curve is None or entry.get("crv") == curve)
        and entry.get("use") in (None, "sig")
        and entry.get("alg") in (None, algorithm)
        and (uses is None or (isinstance(uses, list) and "verify" in uses))
        and (key_type != "RSA" or (isinstance(modulus, str) and len(modulus) in _RSA_DIGITS))
        and "d" not in entry  # a private key has no business there
    )
    if not is_fitting:
        return None
    try:
        return jwt.PyJWK(dict(entry), algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):  # it says nonsense about itself
        return None

"""A JSON Web Token of an identity provider becomes a key: whose it is, and that it is meant for us and valid now.

Which key has signed is looked up by the token's `kid` among the provider's; what a token says about keys of its own
(`jwk`, `jku`, `x5u`) is never looked at. `iss`, `aud`, `exp` and `iat` must be there and be right, `nbf` must be right
where it is there.
"""

import re
from collections.abc import Mapping

import jwt
import msgspec
from jwt.api_jws import PyJWS

from router.policy.key import Key
from router.protocol.errors import ApiError
from router.protocol.key_set import LONGEST_KID, Signed
from router.protocol.oidc_settings import OidcSettings

_LONGEST_SUBJECT = 255  # characters, by OpenID Connect Core 1.0, section 2
_LATEST = 1e12  # unix seconds: what is beyond it are milliseconds, or nonsense
_WORKSPACE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_JWS = PyJWS()


def read_signed(token: bytes, settings: OidcSettings) -> Signed:
    """Which key a token says it is signed by.

    Raises:
        ApiError: 401, it is no token, or is signed in a way that is not allowed.
    """
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        raise _refused("it is no JSON Web Token") from None
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in settings.algorithms:
        raise _refused("its algorithm is not allowed")
    if not (kid is None or len(kid) <= LONGEST_KID):
        raise _refused("its kid is too long")
    return Signed(algorithm, kid)


def read_caller(token: bytes, key: jwt.PyJWK, settings: OidcSettings, unix_s: float) -> Key:
    """Who holds a token. `key`: the one that it must be signed by.

    Raises:
        ApiError: 401, it is not signed by it, not meant for us, or not valid now.
    """
    try:
        signed = _JWS.decode_complete(token, key, algorithms=[key.algorithm_name])
        claims = msgspec.json.decode(signed["payload"], type=dict[str, object])
    except (jwt.InvalidTokenError, jwt.PyJWTError, msgspec.DecodeError, RecursionError):
        raise _refused("its signature is wrong") from None
    if claims.get("iss") != settings.issuer:
        raise _refused("it is of another issuer")
    audience = claims.get("aud")
    if settings.audience not in (audience if isinstance(audience, list) else [audience]):
        raise _refused("it is meant for another audience")
    expires_at = _seconds(claims, "exp") + settings.leeway_s
    if unix_s >= expires_at:
        raise _refused("it has expired")
    if _seconds(claims, "iat") > unix_s + settings.leeway_s:
        raise _refused("it is issued in the future")
    if "nbf" in claims and _seconds(claims, "nbf") > unix_s + settings.leeway_s:
        raise _refused("it is not valid yet")
    subject = _subject(claims, settings)
    return settings.terms.key(
        f"oidc:{settings.name}:{subject}",
        subject,
        is_management=_is_management(claims, settings),
        expires_at=expires_at,
        workspace=_workspace(claims, settings),
    )


def claim(claims: Mapping[str, object], path: str) -> object:
    """By its name, or where there is no such claim by its path with dots; None: it is not there."""
    if path in claims:
        return claims[path]
    found: object = claims
    for name in path.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found


def _seconds(claims: Mapping[str, object], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LATEST:
        raise _refused(f"it has no {name}")
    return float(value)


def _subject(claims: Mapping[str, object], settings: OidcSettings) -> str:
    subject = claim(claims, settings.subject_claim)
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
        raise _refused(f"its {settings.subject_claim} names nobody")
    return subject


def _workspace(claims: Mapping[str, object], settings: OidcSettings) -> str | None:
    if settings.workspace_claim is None:
        return None
    workspace = claim(claims, settings.workspace_claim)
    if workspace is not None and not (isinstance(workspace, str) and _WORKSPACE.fullmatch(workspace)):
        raise _refused(f"its {settings.workspace_claim} names no workspace")
    return workspace


def _is_management(claims: Mapping[str, object], settings: OidcSettings) -> bool:
    """The claim is a text, several with spaces between them (as OAuth's scopes are), or a list of texts."""
    if settings.management_claim is None:
        return False
    held = claim(claims, settings.management_claim)
    if isinstance(held, str):
        return settings.management_value == held or settings.management_value in held.split(" ")
    return isinstance(held, list) and settings.management_value in held


def _refused(problem: str) -> ApiError:
    return ApiError("authentication", f"This token is not accepted: {problem}.")

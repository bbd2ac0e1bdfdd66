"""Holders of an identity provider's tokens, by the SHA-256 of the whole token: its signature is checked now and then.

A part of a token would not do to find it by: all tokens of one provider begin alike.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from router.policy.key import Key
from router.protocol.errors import ApiError
from router.protocol.oidc import read_caller, read_signed
from router.protocol.oidc_settings import OidcSettings
from router.upstream.jwks import Jwks, KeysAway

_RETRY_AFTER_S = 10.0


@dataclass(slots=True)
class _Checked:
    key: Key
    until: float  # unix seconds


class TokenLogins:
    """One per provider.

    Args:
        jwks: its keys.
        settings: whose tokens, meant for whom.
        wall_clock: unix seconds.
    """

    def __init__(self, jwks: Jwks, settings: OidcSettings, *, wall_clock: Callable[[], float]) -> None:
        self._jwks = jwks
        self._settings = settings
        self._wall_clock = wall_clock
        self._checked: OrderedDict[str, _Checked] = OrderedDict()  # the one that was used longest ago comes first
        self.checks = 0  # of signatures, for metrics

    def get(self, digest: str) -> Key | None:
        """Who holds a token that was checked lately. None: `find` out."""
        checked = self._checked.get(digest)
        if checked is None:
            return None
        if self._wall_clock() >= checked.until:
            del self._checked[digest]
            return None
        self._checked.move_to_end(digest)
        return checked.key

    async def find(self, token: bytes, digest: str) -> Key:
        """Who holds this token.

        Raises:
            ApiError: 401, nobody; 503, the provider's keys are not to be had.
        """
        signed = read_signed(token, self._settings)
        try:
            key = self._jwks.get(signed) or await self._jwks.find(signed)
        except KeysAway:
            raise ApiError(
                "provider_overloaded",
                "Tokens cannot be checked at the moment. Please try again shortly.",
                metadata={"reason": "key_unchecked"},
                retry_after_s=_RETRY_AFTER_S,
            ) from None
        if key is None:
            raise ApiError("authentication", "This token is not accepted: nobody knows the key that it is signed by.")
        now = self._wall_clock()
        self.checks += 1
        caller = read_caller(token, key, self._settings, now)
        assert caller.expires_at is not None
        # the leeway is for the provider's clock, not for us to remember longer
        until = min(caller.expires_at - self._settings.leeway_s, now + self._settings.cache_s)
        self._checked[digest] = _Checked(caller, until)
        while len(self._checked) > self._settings.tokens:
            self._checked.popitem(last=False)
        return caller

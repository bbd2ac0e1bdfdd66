"""Who may ask, under one configuration."""

import time
from functools import partial

from router.api.auth import Authenticator
from router.api.oidc import TokenLogins
from router.batches.callers import Callers
from router.making import Making
from router.policy.key import ANONYMOUS
from router.upstream.jwks import Jwks


async def authenticator(making: Making) -> Authenticator:
    """Knows the keys of the configuration, and asks those who know others."""
    config, house = making.config, making.house
    logins: TokenLogins | None = None
    if config.oidc is not None:
        settings = config.oidc.settings()
        jwks = making.parts.keep(
            "identity provider", settings, partial(Jwks, house.session, settings, clock=time.monotonic)
        )
        make = partial(TokenLogins, jwks, settings, wall_clock=time.time)
        logins = making.parts.keep("logins", settings, make)
        await making.beside("identity provider's keys", settings, lambda: jwks)
    return Authenticator(
        making.reading.secrets.keys,
        anonymous=ANONYMOUS if config.allow_anonymous else None,
        known=None if house.books is None else house.books.known,
        logins=logins,
        wall_clock=time.time,
    )


def batch_callers(making: Making) -> Callers | None:
    """None without a database."""
    if making.house.books is None:
        return None
    anonymous = [ANONYMOUS] if making.config.allow_anonymous else []
    return Callers([*making.reading.secrets.keys.values(), *anonymous], making.house.books.known, wall_clock=time.time)

"""Whether pages of other origins may call the inference routes from a browser. Closed unless origins are named.

Credentials (cookies) are never allowed: callers are known by the key they send, and a page that has none must not get
one from the browser. Administrators' routes stay closed whatever is named.
"""

import re
from collections.abc import Awaitable
from dataclasses import dataclass

from starlette.middleware.cors import CORSMiddleware

from router.front.ports import Asgi, Purpose, Receive, Scope, Send, purpose_of

ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?")
EXPOSED = ("x-generation-id", "retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


@dataclass(frozen=True, slots=True)
class CorsSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    # pages that may call, as browsers name them (https://app.example.com), or `*`; empty: none
    origins: tuple[str, ...] = ()
    max_age_s: int = 600  # for which a browser may remember the answer; Starlette's

    def __post_init__(self) -> None:
        for origin in self.origins:
            if origin != "*" and ORIGIN.fullmatch(origin) is None:
                raise ValueError(f"origins must be `*` or like https://app.example.com, without a path, got {origin!r}")
        if self.max_age_s < 0:
            raise ValueError(f"max_age_s must be at least 0 seconds, got {self.max_age_s}")


def open_to(app: Asgi, settings: CorsSettings) -> Asgi:
    """`app`, callable from the origins of the settings; `app` itself where there are none."""
    return _Cors(app, settings) if settings.origins else app


class _Cors:
    def __init__(self, app: Asgi, settings: CorsSettings) -> None:
        self._app = app
        self._opened: Asgi = CORSMiddleware(
            app,
            allow_origins=settings.origins,
            allow_methods=("GET", "POST"),
            allow_headers=("*",),
            allow_credentials=False,
            expose_headers=EXPOSED,
            max_age=settings.max_age_s,
        )

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and purpose_of(scope["path"]) is Purpose.DATA:
            return self._opened(scope, receive, send)
        return self._app(scope, receive, send)

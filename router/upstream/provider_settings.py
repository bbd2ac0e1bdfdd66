"""A provider that is not ours: where it is, how it is spoken to, and how much it gets."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from router.policy.catalog import Dialect
from router.protocol.dialects.words import Conversation, Words
from router.upstream.discovery import is_base_url

ANTHROPIC_VERSION = "2023-06-01"  # the one that Anthropic's messages have had ever since


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Raises ValueError when a field cannot be used; the message begins with the field's name."""

    slug: str  # as callers name it in `provider.order` and the like
    url: str  # base URL: what `/chat/completions` or `/messages` is put behind
    name: str = ""  # as answers show it; "": the slug
    dialect: Dialect = Dialect.OPENAI
    key: str = field(default="", repr=False)  # "": it wants none
    # sent with every request, e.g. HTTP-Referer and X-Title; may hold secrets
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    insecure: bool = False  # plain HTTP: on it prompts and key can be read on the way, so it must be said
    ca_file: Path | None = None  # whom to trust instead of the system's authorities, PEM
    certificate: Path | None = None  # of the router, for providers that ask for one, PEM
    certificate_key: Path | None = None  # None: it is in the same file
    # What is not known of a provider is assumed to be so: it matters to callers who refuse either.
    trains: bool = True  # it may learn from prompts
    retains: bool = True  # it keeps prompts for some time
    max_concurrent: int | None = 64  # requests at once: more than a burst of one team, less than a mistake can cost
    requests_per_min: int | None = None  # None: as many as the provider takes before it answers 429
    keepalive_s: float = 15.0  # a connection waits for reuse; big providers close after a minute or more
    renames: Mapping[str, str] = field(default_factory=dict)  # its names for fields of a request; "": not sent
    asks_usage: bool = True  # send stream_options; False where it is refused because usage comes anyway
    conversation: Conversation = Conversation.GIVEN
    # `models`: while it is given up, `GET /models` tells when it is back; `none`: the next caller's request does
    check: Literal["models", "none"] = "none"
    tier: int = 1  # of its pools: engines of ours have 0 and are tried first

    def __post_init__(self) -> None:
        if not is_base_url(self.url):
            raise ValueError("url: must be http(s)://host[:port][/path] without user, query or fragment")
        if urlsplit(self.url).scheme != "https" and not self.insecure:
            raise ValueError("url: must be https, or prompts and key can be read on the way; insecure: true allows it")
        if self.dialect is Dialect.VLLM:
            raise ValueError("dialect: must be openai or anthropic; engines of ours are found by a pool's discovery")
        if not _is_header_value(self.key) or self.key.strip() != self.key:
            raise ValueError("key: must be printable ASCII without spaces around it")
        for name, value in self.headers.items():
            if not _is_token(name) or name.lower() in _WRITTEN:
                raise ValueError(f"headers: {name[:64]!r} cannot be set")
            if not _is_header_value(value):
                raise ValueError(f"headers: the value of {name[:64]!r} must be printable ASCII")
        for name in ("max_concurrent", "requests_per_min"):
            if (limit := getattr(self, name)) is not None and limit < 1:
                raise ValueError(f"{name}: must be at least 1, got {limit}")
        if not self.keepalive_s > 0:
            raise ValueError(f"keepalive_s: must be above 0 seconds, got {self.keepalive_s}")
        if self.certificate_key is not None and self.certificate is None:
            raise ValueError("certificate_key: needs a certificate")

    @property
    def base(self) -> str:
        """The base URL without a slash at its end."""
        return self.url.rstrip("/")

    @property
    def display_name(self) -> str:
        return self.name or self.slug

    def own_headers(self) -> dict[str, str]:
        """What every request carries."""
        ours: dict[str, str] = {}
        if self.dialect is Dialect.ANTHROPIC:
            ours["anthropic-version"] = ANTHROPIC_VERSION
            if self.key:
                ours["x-api-key"] = self.key
        elif self.key:
            ours["Authorization"] = f"Bearer {self.key}"
        named = {name.lower() for name in self.headers}
        return {name: value for name, value in ours.items() if name.lower() not in named} | dict(self.headers)

    def secrets(self) -> tuple[str, ...]:
        """What must never be shown, longest first, so that no part of one is left where another was."""
        values = {self.key, *(value for name, value in self.headers.items() if name.lower() in _SECRET)}
        return tuple(sorted((value for value in values if len(value) >= _SHORTEST_SECRET), key=len, reverse=True))

    def words(self, user_key: bytes) -> Words:
        """How it is spoken to; `user_key`: what callers' users are hashed with."""
        return Words(self.dialect, self.renames, self.asks_usage, self.conversation, user_key)

    def tls(self) -> ssl.SSLContext:
        """Whom to trust, and who we are. Reads files. Raises ValueError naming the field."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ValueError(f"ca_file: {self.ca_file} cannot be used: {_reason(error)}") from None
        context.set_alpn_protocols(["http/1.1"])
        if self.certificate is not None:
            try:
                context.load_cert_chain(self.certificate, self.certificate_key, password="")
            except (OSError, ssl.SSLError) as error:
                raise ValueError(f"certificate: {self.certificate} cannot be used: {_reason(error)}") from None
        return context


_SECRET = frozenset({"authorization", "x-api-key", "api-key", "cookie", "proxy-authorization"})
_SHORTEST_SECRET = 8  # characters; replacing shorter ones would change ordinary words, and they protect nothing
_WRITTEN = frozenset(
    {"host", "content-length", "content-type", "accept-encoding", "connection", "transfer-encoding", "expect"}
)
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _is_header_value(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _is_token(name: str) -> bool:
    """RFC 9110 §5.6.2"""
    return bool(name) and _TOKEN.issuperset(name)


def _reason(error: OSError) -> str:
    return (error.strerror or "not a PEM file of that kind").lower()

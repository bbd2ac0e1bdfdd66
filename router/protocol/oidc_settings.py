"""Which identity provider's tokens are accepted, and what their holders may do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from router.policy.terms import NO_LIMITS, Terms

ALGORITHMS: Mapping[str, tuple[str, str | None]] = MappingProxyType(
    {  # type of the key, and its curve
        "RS256": ("RSA", None),
        "RS384": ("RSA", None),
        "RS512": ("RSA", None),
        "PS256": ("RSA", None),
        "PS384": ("RSA", None),
        "PS512": ("RSA", None),
        "ES256": ("EC", "P-256"),
        "ES384": ("EC", "P-384"),
        "ES512": ("EC", "P-521"),
        "EdDSA": ("OKP", "Ed25519"),
    }
)


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """Raises ValueError when a field is wrong; the message begins with the field's name."""

    issuer: str  # as it stands in tokens' `iss`, letter by letter
    audience: str  # what of tokens' `aud` must be us: a token for another service is not one for us
    name: str = "oidc"  # of the provider, in the ids of its callers: oidc:<name>:<subject>
    jwks_url: str | None = None  # where its keys are; None: where its discovery document says
    algorithms: tuple[str, ...] = ("RS256", "ES256", "EdDSA")  # that it may sign by
    leeway_s: float = 30.0  # by which its clock and ours may differ
    subject_claim: str = "sub"  # who is asking
    workspace_claim: str | None = None  # whose budgets count; None, or a token without it: the terms' workspace
    management_claim: str | None = None  # what makes a management key of a token; None: nothing does
    management_value: str | None = None  # that the claim must be or hold
    terms: Terms = field(default_factory=lambda: NO_LIMITS)  # of each caller
    jwks_ttl_s: float = 600.0  # after which its keys are fetched again; they change once in months
    jwks_min_s: float = 10.0  # between fetches, whatever `kid` tokens name: nobody makes us hammer the provider
    jwks_stale_s: float = 86_400.0  # for which its keys count that cannot be fetched again
    jwks_timeout_s: float = 5.0  # of one fetch
    cache_s: float = 300.0  # for which a token counts without its signature being checked again; never beyond its `exp`
    tokens: int = 10_000  # kept; the one that was used longest ago makes room

    def __post_init__(self) -> None:
        if not self.issuer:
            raise ValueError("issuer must not be empty")
        if not self.audience:
            raise ValueError("audience must not be empty: any token of the provider's would do")
        if not re.fullmatch(r"[a-z0-9-]{1,32}", self.name):
            raise ValueError(f"name must be of a-z, 0-9 and -, at most 32 characters, got {self.name!r}")
        if not self.algorithms or any(each not in ALGORITHMS for each in self.algorithms):
            raise ValueError(f"algorithms must be of {', '.join(ALGORITHMS)}, got {list(self.algorithms)}")
        if (self.management_claim is None) is not (self.management_value is None):
            raise ValueError("management_claim and management_value must be given together")
        if not 0 <= self.leeway_s <= 300:
            raise ValueError(f"leeway_s must be from 0 to 300 seconds, got {self.leeway_s}")
        for name in ("jwks_ttl_s", "jwks_min_s", "jwks_timeout_s", "cache_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {getattr(self, name)}")
        if self.jwks_stale_s < self.jwks_ttl_s:
            raise ValueError(f"jwks_stale_s must be at least jwks_ttl_s ({self.jwks_ttl_s}), got {self.jwks_stale_s}")
        if self.tokens < 1:
            raise ValueError(f"tokens must be at least 1, got {self.tokens}")

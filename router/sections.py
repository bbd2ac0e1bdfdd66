"""The sections of the configuration file, as far as they are no policy's own settings.

Each is a part of `Config` (see config). Every key is explained in docs/settings.md.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from router.front.tls import TlsSettings
from router.policy.admission import AdmissionSettings
from router.policy.balancers import BalancerSettings, Name
from router.policy.call import Priority
from router.policy.catalog import Dialect, Price
from router.policy.deadline import Deadlines
from router.policy.fair_queue import FairQueueSettings
from router.policy.favourites import FavouriteSettings
from router.policy.forecast import ForecastSettings
from router.policy.key import DEFAULT_WORKSPACE, NANO, Interval, Key, Rates
from router.policy.order import OrderSettings
from router.policy.prefix import PrefixSettings
from router.policy.slow_start import SlowStartSettings
from router.policy.terms import Terms
from router.protocol.dialects.words import Conversation
from router.protocol.kubernetes.members import Wanted
from router.protocol.model_object import PARAMETERS, ModelCard
from router.protocol.model_query import CATEGORIES
from router.protocol.oidc_settings import OidcSettings
from router.protocol.provider_object import ProviderCard
from router.protocol.salt import IsolationSettings
from router.store.known_keys_settings import KnownKeysSettings
from router.store.known_presets import KnownPresetsSettings
from router.store.lender import LenderSettings
from router.store.recent import RecentSettings
from router.store.settings import DatabaseSettings
from router.store.spool_settings import SpoolSettings
from router.store.writer_settings import WriterSettings
from router.upstream.gossip_settings import GossipSettings
from router.upstream.jwks import check_url
from router.upstream.kubernetes_access import Access
from router.upstream.kubernetes_settings import KubernetesSettings
from router.upstream.provider_settings import ProviderSettings

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]  # ISO 3166-1 alpha-2
Slug = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9~@._:/-]+$")]


class ConfigError(ValueError):
    """The configuration cannot be used. The message says where and what to do."""


class Section(BaseModel):
    """A part of the file. Unknown keys are refused, values are not changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Secret(Section):
    """A secret by value, by environment variable or by file: exactly one of the three."""

    value: Annotated[str | None, Field(repr=False)] = None
    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _is_exactly_one(self) -> Self:
        if sum(given is not None for given in (self.value, self.env, self.file)) != 1:
            raise ValueError("give exactly one of value, env, file")
        return self

    def read(self, environ: Mapping[str, str]) -> str:
        """The secret itself. Raises ConfigError when it is not there or empty."""
        if self.value is not None:
            secret = self.value
        elif self.env is not None:
            secret = environ.get(self.env, "")
        else:
            assert self.file is not None
            try:
                secret = self.file.read_text()
            except OSError as error:
                raise ConfigError(f"cannot read the secret file {self.file}: {error.strerror}") from None
        secret = secret.strip()
        if not secret:
            source = (self.env and f"environment variable {self.env}") or (self.file and f"file {self.file}") or "value"
            raise ConfigError(f"the secret from {source} is empty or not set")
        return secret


class PortSection(Section):
    """A port of its own for some of the routes."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)]
    tls: bool = False


class ListenSection(Section):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    backlog: Annotated[int, Field(ge=1)] = 2048
    keep_alive_s: Positive = 75.0
    leave_s: Annotated[float, Field(ge=0)] = 0.0
    drain_s: Positive = 120.0
    tls: TlsSettings | None = None
    metrics: PortSection | None = None
    admin: PortSection | None = None

    @model_validator(mode="after")
    def _has_a_certificate(self) -> Self:
        for name, port in (("metrics", self.metrics), ("admin", self.admin)):
            if port is not None and port.tls and self.tls is None:
                raise ValueError(f"{name}.tls needs a certificate: set listen.tls")
        return self


class RatesSection(Section):
    requests_per_min: Count | None = None
    tokens_per_min: Count | None = None
    concurrent: Count | None = None


class CallerSection(Section):
    """What callers may do who have no row in the database."""

    priority: Literal["batch", "normal", "critical"] = "normal"
    rates: RatesSection = RatesSection()
    models: tuple[Slug, ...] | None = None
    providers: tuple[str, ...] | None = None

    def terms(self) -> Terms:
        """As policies know them."""
        return Terms(
            priority=Priority[self.priority.upper()],
            rates=Rates(**self.rates.model_dump()),
            models=None if self.models is None else frozenset(self.models),
            providers=None if self.providers is None else frozenset(self.providers),
        )


class KeySection(CallerSection):
    name: Annotated[str, Field(min_length=1, max_length=64)]
    secret: Secret
    management: bool = False

    def key(self) -> Key:
        """As policies know it."""
        return self.terms().key(f"config:{self.name}", self.name, is_management=self.management)


class DatabaseSection(Section):
    """Where accounts and the ledger are."""

    url: Secret
    limits: DatabaseSettings = DatabaseSettings()


class AccountsSection(Section):
    """Keys that are in the database."""

    bootstrap: Secret | None = None
    known: KnownKeysSettings = KnownKeysSettings()
    presets: KnownPresetsSettings = KnownPresetsSettings()
    lending: LenderSettings = LenderSettings()


class LedgerSection(Section):
    """How rows get into the database."""

    spool: SpoolSettings = SpoolSettings()
    recent: RecentSettings = RecentSettings()
    writer: WriterSettings = WriterSettings()


class OidcSection(CallerSection):
    """Callers that come with a token of an identity provider."""

    issuer: str
    audience: str
    name: str = "oidc"
    jwks_url: str | None = None
    algorithms: tuple[str, ...] = ("RS256", "ES256", "EdDSA")
    leeway_s: float = 30.0
    subject_claim: str = "sub"
    workspace_claim: str | None = None
    management_claim: str | None = None
    management_value: str | None = None
    workspace: str = DEFAULT_WORKSPACE
    limit: Annotated[float, Field(ge=0, le=9e9)] | None = None
    limit_reset: Literal["daily", "weekly", "monthly", "lifetime"] = "lifetime"
    jwks_ttl_s: float = 600.0
    jwks_min_s: float = 10.0
    jwks_stale_s: float = 86_400.0
    jwks_timeout_s: float = 5.0
    cache_s: float = 300.0
    tokens: int = 10_000

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        self.settings()
        for url in (self.issuer, *([] if self.jwks_url is None else [self.jwks_url])):
            check_url(url)
        return self

    def settings(self) -> OidcSettings:
        """Raises ValueError, beginning with the key's name."""
        terms = replace(
            self.terms(),
            workspace=self.workspace,
            limit=None if self.limit is None else round(self.limit * NANO),
            limit_reset=Interval(self.limit_reset),
        )
        of_terms = {"workspace", "limit", "limit_reset", *CallerSection.model_fields}
        return OidcSettings(terms=terms, **self.model_dump(exclude=of_terms))


class IsolationSection(Section):
    """Who shares the engines' caches with whom."""

    cache_salt: Literal["off", "key", "workspace"] = "off"
    secret: Secret | None = None

    def settings(self) -> IsolationSettings:
        return IsolationSettings(self.cache_salt)


class StaticSection(Section):
    kind: Literal["static"]
    endpoints: Annotated[list[Annotated[str, Field(pattern=r"^https?://[^/?#\s]+$")]], Field(min_length=1)]


class RaySection(Section):
    kind: Literal["ray"]
    dashboard: Annotated[str, Field(pattern=r"^https?://[^/?#\s]+$")]
    application: str
    token: Secret | None = None
    interval_s: Positive = 1.0
    timeout_s: Positive = 2.0


DnsLabel = Annotated[str, Field(max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]


class KubernetesSection(Section):
    """Where a pod has something of its own, that is the default: namespace, API server, token, authority."""

    kind: Literal["kubernetes"]
    service: DnsLabel
    namespace: DnsLabel | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | Annotated[str, Field(min_length=1, max_length=63)] | None = None
    scheme: Literal["http", "https"] = "http"
    family: Literal["IPv4", "IPv6"] | None = None
    api: Annotated[str, Field(pattern=r"^https?://[^/?#\s@]+/?$")] | None = None
    token: Secret | None = None
    ca_file: Path | None = None
    watch: KubernetesSettings = KubernetesSettings()

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        if self.api is not None:
            try:
                check_url(self.api)
            except ValueError:
                raise ValueError("api: must begin with https://, or be on this machine") from None
            if self.namespace is None:
                raise ValueError("namespace: set it beside api: only the pod's own cluster has one of the pod's own")
        return self

    def access(self, environ: Mapping[str, str]) -> Access:
        token = None if self.token is None else partial(self.token.read, environ)
        return Access(self.api, self.namespace, environ, token=token, ca_file=self.ca_file)

    def wanted(self, access: Access) -> Wanted:
        """Its namespace is filled in when it is known."""
        return Wanted(self.service, self.namespace or "", self.port, self.scheme, self.family, access.prefix)


Discovery = Annotated[StaticSection | RaySection | KubernetesSection, Field(discriminator="kind")]


class PriceSection(Section):
    """USD per million tokens (`request`: USD per request)."""

    prompt: Annotated[float, Field(ge=0)] = 0.0
    completion: Annotated[float, Field(ge=0)] = 0.0
    cached_prompt: Annotated[float, Field(ge=0)] | None = None
    request: Annotated[float, Field(ge=0)] = 0.0

    def per_token(self) -> Price:
        return Price(
            prompt=self.prompt / 1e6,
            completion=self.completion / 1e6,
            cached_prompt=None if self.cached_prompt is None else self.cached_prompt / 1e6,
            request=self.request,
        )


class AboutSection(Section):
    """What `GET /providers` tells of a provider."""

    privacy_policy_url: str | None = None
    terms_of_service_url: str | None = None
    status_page_url: str | None = None
    headquarters: Country | None = None
    datacenters: list[Country] = []


class ProviderSection(Section):
    """A provider that is not ours."""

    slug: Annotated[str, Field(max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*(/[a-z0-9._-]+)?$")]
    name: str = ""
    dialect: Literal["openai", "anthropic"] = "openai"
    url: str
    key: Secret | None = None
    headers: dict[str, Secret | str] = Field(default_factory=dict, repr=False)
    insecure: bool = False
    ca_file: Path | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    trains: bool = True
    retains: bool = True
    max_concurrent: Count | None = 64
    requests_per_min: Count | None = None
    connect_s: Positive = 5.0
    keepalive_s: Positive = 15.0
    renames: dict[str, str] = Field(default_factory=dict)
    asks_usage: bool = True
    conversation: Literal["given", "mistral"] = "given"
    check: Literal["models", "none"] = "none"
    tier: Annotated[int, Field(ge=0)] = 1
    about: AboutSection = AboutSection()

    def card(self) -> ProviderCard:
        """As the API shows it."""
        about = self.about.model_dump() | {"datacenters": tuple(self.about.datacenters)}
        return ProviderCard(self.name or self.slug, self.slug.partition("/")[0], **about)

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        self._made("", {})
        return self

    def settings(self, environ: Mapping[str, str]) -> ProviderSettings:
        """With its secrets. Raises ConfigError."""
        key = "" if self.key is None else self.key.read(environ)
        headers = {
            name: value if isinstance(value, str) else value.read(environ) for name, value in self.headers.items()
        }
        try:
            made = self._made(key, headers)
            made.tls()
        except ValueError as error:
            raise ConfigError(f"providers: {self.slug}: {error}") from None
        return made

    def _made(self, key: str, headers: Mapping[str, str]) -> ProviderSettings:
        plain = self.model_dump(exclude={"key", "headers", "dialect", "conversation", "about", "connect_s"})
        return ProviderSettings(
            key=key,
            headers=headers,
            dialect=Dialect(self.dialect),
            conversation=Conversation(self.conversation),
            **plain,
        )


class PoolSection(Section):
    name: Annotated[str, Field(min_length=1, max_length=64)]
    provider: str = "local"
    upstream_model: str
    discovery: Discovery | None = None  # None: `provider` names one of `providers`, which is where it is
    parameters: list[str] | None = None
    price: PriceSection = PriceSection()
    context_length: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    quantization: str | None = None
    adapter: bool = False
    scales_to_zero: bool = False
    waiting_room_s: Annotated[float, Field(ge=0)] | None = None
    tier: Annotated[int, Field(ge=0)] | None = None
    vocabulary: Path | None = None
    balancer: Name = "shadow-price"
    admission: AdmissionSettings | None = None
    forecast: ForecastSettings | None = None
    deadlines: Deadlines | None = None


Date = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
Sampling = Literal["temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "repetition_penalty"]


class ModelSection(Section):
    id: Slug
    name: str | None = None
    description: str = ""
    created: Annotated[int, Field(ge=0)] = 0
    distillable: bool = True
    hugging_face_id: str | None = None
    tokenizer: str = "Mistral"
    context_length: Annotated[int, Field(ge=1)]
    input_modalities: Annotated[list[Literal["text", "image"]], Field(min_length=1)] = ["text"]
    output_modalities: Annotated[list[Literal["text", "embeddings", "rerank"]], Field(min_length=1)] = ["text"]
    parameters: list[str] = [*PARAMETERS]
    instruct_type: str | None = None
    default_parameters: dict[Sampling, float] | None = None
    images_per_request: Annotated[int, Field(ge=0)] | None = None
    categories: list[str] = []
    knowledge_cutoff: Date | None = None
    expiration_date: Date | None = None
    pools: Annotated[list[PoolSection], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_known_categories(self) -> Self:
        if unknown := set(self.categories) - CATEGORIES:
            known = ", ".join(sorted(CATEGORIES))
            raise ValueError(f"categories: there is no {', '.join(sorted(unknown))}; there are {known}")
        return self

    def card(self) -> ModelCard:
        """The model as the catalogue shows it."""
        return ModelCard(
            id=self.id,
            name=self.name or self.id,
            description=self.description,
            created=self.created,
            context_length=self.context_length,
            input_modalities=tuple(self.input_modalities),
            parameters=tuple(self.parameters),
            tokenizer=self.tokenizer,
            hugging_face_id=self.hugging_face_id,
            output_modalities=tuple(self.output_modalities),
            instruct_type=self.instruct_type,
            default_parameters=None
            if self.default_parameters is None
            else {str(name): value for name, value in self.default_parameters.items()},
            images_per_request=self.images_per_request,
            categories=tuple(self.categories),
            knowledge_cutoff=self.knowledge_cutoff,
            expiration_date=self.expiration_date,
        )


class ProbeSection(Section):
    interval_s: Positive = 1.0
    timeout_s: Positive = 2.0
    stale_after_s: Positive = 5.0
    alone_s: Positive = 0.25
    revive_s: Positive | None = 0.25


class RoutingSection(Section):
    """How endpoints are chosen."""

    balancers: BalancerSettings = BalancerSettings()
    prefix: PrefixSettings = PrefixSettings()
    forecast: ForecastSettings = ForecastSettings()
    slow_start: SlowStartSettings = SlowStartSettings()
    order: OrderSettings = OrderSettings()
    favourites: FavouriteSettings = FavouriteSettings()


class WaitingSection(Section):
    """Who waits in the router, and how long."""

    queue: FairQueueSettings = FairQueueSettings()
    room_s: Annotated[float, Field(ge=0)] = 60.0


class MeshSection(Section):
    """The other routers that serve the same engines."""

    secret: Secret | None = None
    gossip: GossipSettings = GossipSettings()


class LogSection(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    access: bool = False

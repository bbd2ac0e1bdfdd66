"""The configuration file: one YAML document, read and checked before anything starts.

This is the only reader of files and of the environment. Unknown keys are refused with their path, because a typo in a
limit must not mean "no limit". Policies keep their own settings beside them; here they are only put together. Every key
is explained in docs/settings.md (a test compares the two).
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from router.company import StreamSettings
from router.policy.admission import AdmissionSettings
from router.policy.balancers import BalancerSettings, Name
from router.policy.breaker import BreakerSettings
from router.policy.call import Priority
from router.policy.catalog import Pool, Price
from router.policy.deadline import Deadlines
from router.policy.fair_queue import FairQueueSettings
from router.policy.forecast import ForecastSettings
from router.policy.hedge import HedgeSettings
from router.policy.prefix import PrefixSettings
from router.policy.retry import RetrySettings
from router.policy.retry_budget import RetryBudgetSettings
from router.policy.slow_start import SlowStartSettings
from router.protocol.gossip import SMALLEST_SECRET
from router.protocol.limits import Limits
from router.protocol.model_object import PARAMETERS, ModelCard
from router.protocol.vocabulary import Vocabulary, parse_vocabulary
from router.upstream.gossip_settings import GossipSettings
from router.upstream.kv_event_settings import KVEventsSettings
from router.upstream.settings import ClientSettings

Positive = Annotated[float, Field(gt=0)]
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


class ListenSection(Section):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    backlog: Annotated[int, Field(ge=1)] = 2048
    keep_alive_s: Positive = 75.0
    drain_s: Positive = 120.0


class KeySection(Section):
    name: Annotated[str, Field(min_length=1, max_length=64)]
    secret: Secret
    priority: Literal["batch", "normal", "critical"] = "normal"


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


Discovery = Annotated[StaticSection | RaySection, Field(discriminator="kind")]


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


class PoolSection(Section):
    name: Annotated[str, Field(min_length=1, max_length=64)]
    provider: str = "local"
    upstream_model: str
    discovery: Discovery
    price: PriceSection = PriceSection()
    context_length: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    quantization: str | None = None
    adapter: bool = False
    vocabulary: Path | None = None
    balancer: Name = "shadow-price"
    admission: AdmissionSettings | None = None
    forecast: ForecastSettings | None = None
    deadlines: Deadlines | None = None


class ModelSection(Section):
    id: Slug
    name: str | None = None
    description: str = ""
    created: Annotated[int, Field(ge=0)] = 0
    hugging_face_id: str | None = None
    tokenizer: str = "Mistral"
    context_length: Annotated[int, Field(ge=1)]
    input_modalities: Annotated[list[Literal["text", "image"]], Field(min_length=1)] = ["text"]
    parameters: list[str] = [*PARAMETERS]
    pools: Annotated[list[PoolSection], Field(min_length=1)]

    def card(self) -> ModelCard:
        """The model as the catalogue shows it."""
        first = self.pools[0]
        return ModelCard(
            id=self.id,
            name=self.name or self.id,
            description=self.description,
            created=self.created,
            context_length=self.context_length,
            input_modalities=tuple(self.input_modalities),
            parameters=tuple(self.parameters),
            tokenizer=self.tokenizer,
            price=first.price.per_token(),
            pool_context_length=first.context_length or self.context_length,
            max_completion_tokens=first.max_completion_tokens,
            hugging_face_id=self.hugging_face_id,
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


class Config(Section):
    """The whole file."""

    listen: ListenSection = ListenSection()
    keys: list[KeySection] = []
    allow_anonymous: bool = False
    models: Annotated[list[ModelSection], Field(min_length=1)]
    deadlines: Deadlines = Deadlines()
    retry: RetrySettings = RetrySettings()
    retry_budget: RetryBudgetSettings = RetryBudgetSettings()
    breaker: BreakerSettings = BreakerSettings()
    routing: RoutingSection = RoutingSection()
    admission: AdmissionSettings = AdmissionSettings()
    waiting: WaitingSection = WaitingSection()
    hedge: HedgeSettings = HedgeSettings()
    mesh: MeshSection = MeshSection()
    kv_events: KVEventsSettings = KVEventsSettings()
    limits: Limits = Limits()
    stream: StreamSettings = StreamSettings()
    client: ClientSettings = ClientSettings()
    probe: ProbeSection = ProbeSection()
    log: LogSection = LogSection()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not self.keys and not self.allow_anonymous:
            raise ValueError("keys is empty: give at least one key, or set allow_anonymous: true to let everybody in")
        for what, names in (
            ("keys: name", [key.name for key in self.keys]),
            ("models: id", [model.id for model in self.models]),
            ("pools: name", [pool.name for model in self.models for pool in model.pools]),
        ):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"{what} must be unique, given twice: {', '.join(sorted(twice))}")
        return self

    def pools(self) -> list[tuple[Pool, PoolSection]]:
        """Every pool as policies see it, beside its section, in the order of the file."""
        return [(_pool(model, section), section) for model in self.models for section in model.pools]


def _pool(model: ModelSection, section: PoolSection) -> Pool:
    return Pool(
        name=section.name,
        model=model.id,
        upstream_model=section.upstream_model,
        provider=section.provider,
        price=section.price.per_token(),
        context_length=section.context_length or model.context_length,
        max_completion_tokens=section.max_completion_tokens,
        input_modalities=frozenset(model.input_modalities),
        parameters=frozenset(model.parameters),
        quantization=section.quantization,
        adapter=section.upstream_model if section.adapter else None,
    )


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the configuration's secrets were at start. Their repr shows nothing."""

    keys: Mapping[str, str] = field(repr=False)  # key by name
    priorities: Mapping[str, Priority] = field(default_factory=dict)  # that a key's holder may ask for, by its name
    mesh: bytes = field(default=b"", repr=False)  # shared with the other routers


def read_secrets(config: Config, environ: Mapping[str, str]) -> Secrets:
    """Read the secrets the file refers to. Raises ConfigError naming the first that is missing."""
    return Secrets(
        {key.name: key.secret.read(environ) for key in config.keys},
        {key.name: Priority[key.priority.upper()] for key in config.keys},
        _mesh_secret(config.mesh, environ),
    )


def _mesh_secret(mesh: MeshSection, environ: Mapping[str, str]) -> bytes:
    if mesh.secret is None:
        return b""
    secret = mesh.secret.read(environ).encode()
    if len(secret) < SMALLEST_SECRET:
        raise ConfigError(f"mesh.secret: must have at least {SMALLEST_SECRET} bytes; `openssl rand -hex 32` makes one")
    return secret


def read_vocabularies(config: Config) -> dict[str, Vocabulary]:
    """How to read the engines' tokens, by pool. Raises ConfigError when a file cannot be used."""
    paths = {
        pool.name: str(path)
        for pool, section in config.pools()
        if config.kv_events.enabled and (path := section.vocabulary or config.kv_events.vocabulary) is not None
    }
    read: dict[str, Vocabulary] = {}
    for path in dict.fromkeys(paths.values()):
        try:
            read[path] = parse_vocabulary(Path(path).read_bytes())
        except (OSError, ValueError) as error:
            raise ConfigError(f"vocabulary {path}: cannot be used: {error}") from None
    return {name: read[path] for name, path in paths.items()}


def load(path: Path) -> Config:
    """Read and check a configuration file. Raises ConfigError."""
    try:
        text = path.read_text()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {error}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path} must hold a mapping with at least `keys` and `models`; see docs/settings.md")
    return parse(data, source=str(path))


def parse(data: Mapping[str, Any], *, source: str) -> Config:
    """Check what a file holds. Raises ConfigError, one line per mistake, each with its path in the file."""
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        lines = [f"{source}: {_explain(mistake)}" for mistake in error.errors()]
        raise ConfigError("\n".join(lines)) from None


def _explain(mistake: Any) -> str:
    where = _path(mistake["loc"])
    if mistake["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        near = difflib.get_close_matches(str(mistake["loc"][-1]), sorted(known_keys()), n=1)
        hint = f"; did you mean `{near[0]}`?" if near else "; docs/settings.md lists all keys"
        return f"{where}: unknown key{hint}"
    return (
        f"{where}: {mistake['msg'].removeprefix('Value error, ')}"
        if where
        else mistake["msg"].removeprefix("Value error, ")
    )


def _path(loc: tuple[str | int, ...]) -> str:
    path = ""
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def known_keys() -> set[str]:
    """Every key that may stand in the file, at any depth."""
    keys: set[str] = set()
    schema = Config.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        keys.update(part.get("properties", {}))
    return keys

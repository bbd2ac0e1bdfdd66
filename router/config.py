"""The configuration file: one YAML document, read and checked before anything starts.

This is the only reader of files and of the environment. Unknown keys are refused with their path, because a typo in a
limit must not mean "no limit". Policies keep their own settings beside them; here they are only put together. Every key
is explained in docs/settings.md (a test compares the two).
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from router.api.room import RoomSettings
from router.batches.settings import BatchSettings
from router.company import StreamSettings
from router.front.cors import CorsSettings
from router.front.settings import FrontSettings
from router.plugins.file_settings import FileSettings
from router.plugins.response_cache import ResponseCacheSettings
from router.policy.admission import AdmissionSettings
from router.policy.breaker import BreakerSettings
from router.policy.catalog import Dialect, Pool
from router.policy.deadline import Deadlines
from router.policy.hedge import HedgeSettings
from router.policy.key import Key
from router.policy.model_names import ModelNames
from router.policy.quota import QuotaSettings
from router.policy.retry import RetrySettings
from router.policy.retry_budget import RetryBudgetSettings
from router.policy.schema_quota import SchemaQuotaSettings
from router.protocol.dialects.words import STANDARD, STANDARD_ANTHROPIC
from router.protocol.gossip import SMALLEST_SECRET
from router.protocol.limits import Limits
from router.protocol.salt import Salts
from router.protocol.vocabulary import Vocabulary, parse_vocabulary
from router.reload_settings import ReloadSettings
from router.sections import (
    AccountsSection,
    ConfigError,
    DatabaseSection,
    IsolationSection,
    KeySection,
    LedgerSection,
    ListenSection,
    LogSection,
    MeshSection,
    ModelSection,
    OidcSection,
    PoolSection,
    ProbeSection,
    ProviderSection,
    RoutingSection,
    Section,
    Slug,
    WaitingSection,
)
from router.store.files_settings import FilesSettings
from router.store.responses_settings import ResponsesSettings
from router.upstream.facts import FactsSettings
from router.upstream.kv_event_settings import KVEventsSettings
from router.upstream.media_settings import MediaSettings
from router.upstream.provider_settings import ProviderSettings
from router.upstream.settings import ClientSettings

__all__ = ["Config", "ConfigError", "Secrets", "load", "parse", "read_secrets", "read_vocabularies"]


class Config(Section):
    """The whole file."""

    listen: ListenSection = ListenSection()
    reload: ReloadSettings = ReloadSettings()
    keys: list[KeySection] = Field(default_factory=list)
    allow_anonymous: bool = False
    database: DatabaseSection | None = None
    accounts: AccountsSection = AccountsSection()
    oidc: OidcSection | None = None
    ledger: LedgerSection = LedgerSection()
    quotas: QuotaSettings = QuotaSettings()
    schema_quota: SchemaQuotaSettings = SchemaQuotaSettings()
    room: RoomSettings = RoomSettings()
    isolation: IsolationSection = IsolationSection()
    front: FrontSettings = FrontSettings()
    cors: CorsSettings = CorsSettings()
    media: MediaSettings = MediaSettings()
    files: FileSettings = FileSettings()
    response_cache: ResponseCacheSettings = ResponseCacheSettings()
    responses: ResponsesSettings = ResponsesSettings()
    stored_files: FilesSettings = FilesSettings()
    batches: BatchSettings = BatchSettings()
    providers: list[ProviderSection] = Field(default_factory=list)
    models: Annotated[list[ModelSection], Field(min_length=1)]
    aliases: dict[Slug, Slug] = Field(default_factory=dict)
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
    facts: FactsSettings = FactsSettings()
    limits: Limits = Limits()
    stream: StreamSettings = StreamSettings()
    client: ClientSettings = ClientSettings()
    probe: ProbeSection = ProbeSection()
    log: LogSection = LogSection()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not (self.keys or self.allow_anonymous or self.database or self.oidc):
            raise ValueError(
                "keys is empty: give at least one key, a database with keys or an identity provider (oidc), or set "
                "allow_anonymous: true to let everybody in"
            )
        if self.database is None and self.oidc is not None and self.oidc.limit is not None:
            raise ValueError("oidc.limit: what is spent is counted in a database; give database.url too")
        if self.database is None and self.responses.store:
            raise ValueError("responses.store: answers are kept in a database; give database.url too")
        if self.database is None and self.accounts.bootstrap is not None:
            raise ValueError("accounts.bootstrap: a management key manages keys in a database; give database.url too")
        for what, names in (
            ("keys: name", [key.name for key in self.keys]),
            ("providers: slug", [provider.slug for provider in self.providers]),
            ("models: id", [model.id for model in self.models]),
            ("pools: name", [pool.name for model in self.models for pool in model.pools]),
        ):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"{what} must be unique, given twice: {', '.join(sorted(twice))}")
        ModelNames([pool for pool, _ in self.pools()], aliases=self.aliases)
        known = {provider.slug for provider in self.providers}
        for pool in (pool for model in self.models for pool in model.pools):
            if (pool.provider in known) == (pool.discovery is not None):
                raise ValueError(
                    f"pools: {pool.name}: give discovery for engines of ours, or name one of providers, not both"
                )
        return self

    def pools(self) -> list[tuple[Pool, PoolSection]]:
        """Every pool as policies see it, beside its section, in the order of the file."""
        providers = {provider.slug: provider for provider in self.providers}
        return [
            (_pool(model, section, providers.get(section.provider)), section)
            for model in self.models
            for section in model.pools
        ]


def _pool(model: ModelSection, section: PoolSection, provider: ProviderSection | None) -> Pool:
    parameters = frozenset(model.parameters if section.parameters is None else section.parameters)
    if provider is not None:
        foreign = _foreign(provider)
        if section.parameters is None:
            parameters = STANDARD if foreign["dialect"] is Dialect.OPENAI else STANDARD_ANTHROPIC
    else:
        foreign = {"provider": section.provider, "slug": slug_of(section.provider)}
    return Pool(
        **foreign,
        name=section.name,
        model=model.id,
        upstream_model=section.upstream_model,
        price=section.price.per_token(),
        context_length=section.context_length or model.context_length,
        max_completion_tokens=section.max_completion_tokens,
        input_modalities=frozenset(model.input_modalities),
        outputs=frozenset(model.output_modalities),
        parameters=parameters,
        quantization=section.quantization,
        tier=section.tier if section.tier is not None else 0 if provider is None else provider.tier,
        is_distillable=model.distillable,
        adapter=section.upstream_model if section.adapter else None,
    )


def slug_of(name: str) -> str:
    """A provider's slug, of the name that answers show."""
    return "-".join(name.lower().split())


def _foreign(provider: ProviderSection) -> dict[str, Any]:
    return {
        "provider": provider.name or provider.slug,
        "slug": provider.slug,
        "dialect": Dialect(provider.dialect),
        "trains": provider.trains,
        "retains": provider.retains,
    }


BOOTSTRAP = Key(id="bootstrap", name="bootstrap", is_management=True)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the configuration's secrets were at start. Their repr shows nothing."""

    keys: Mapping[str, Key] = field(repr=False)  # of the configuration, by their secrets
    mesh: bytes = field(default=b"", repr=False)  # shared with the other routers
    database: str | None = field(default=None, repr=False)  # its URL, which may hold a password
    isolation: bytes = field(default=b"", repr=False)  # that salts are made of
    providers: tuple[ProviderSettings, ...] = ()  # with their keys, which their repr does not show


def read_secrets(config: Config, environ: Mapping[str, str]) -> Secrets:
    """Read the secrets the file refers to. Raises ConfigError naming the first that is missing."""
    keys = {key.secret.read(environ): key.key() for key in config.keys}
    if config.accounts.bootstrap is not None:
        keys[config.accounts.bootstrap.read(environ)] = BOOTSTRAP
    database, salted = config.database, config.isolation.secret
    isolation = b"" if salted is None else salted.read(environ).encode()
    _check_salts(config, isolation)
    return Secrets(
        keys,
        _mesh_secret(config.mesh, environ),
        None if database is None else database.url.read(environ),
        isolation,
        tuple(provider.settings(environ) for provider in config.providers),
    )


def _check_salts(config: Config, secret: bytes) -> None:
    try:
        Salts(config.isolation.settings(), secret)
    except ValueError as error:
        raise ConfigError(f"isolation.{error}") from None


def _mesh_secret(mesh: MeshSection, environ: Mapping[str, str]) -> bytes:
    if mesh.secret is None:
        return b""
    secret = mesh.secret.read(environ).encode()
    if len(secret) < SMALLEST_SECRET:
        raise ConfigError(f"mesh.secret: must have at least {SMALLEST_SECRET} bytes; `openssl rand -hex 32` makes one")
    return secret


def vocabulary_paths(config: Config) -> dict[str, str]:
    """Where it is written how to read the engines' tokens, by pool."""
    return {
        pool.name: str(path)
        for pool, section in config.pools()
        if config.kv_events.enabled
        and pool.dialect is Dialect.VLLM
        and (path := section.vocabulary or config.kv_events.vocabulary) is not None
    }


def read_vocabularies(config: Config) -> dict[str, Vocabulary]:
    """How to read the engines' tokens, by pool. Raises ConfigError when a file cannot be used."""
    paths = vocabulary_paths(config)
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

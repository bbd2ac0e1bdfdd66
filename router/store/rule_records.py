"""What stands above keys: workspaces with their budgets, and guardrails. Values only, as in `key_records`."""

from dataclasses import dataclass

from msgspec import UNSET

from router.policy.key import DEFAULT_WORKSPACE, Interval
from router.protocol.plugins.builtin_filters import BuiltinFilter
from router.protocol.plugins.content_filter import ContentFilter
from router.store.key_records import Maybe


@dataclass(frozen=True, slots=True)
class NewWorkspace:
    """A workspace to make."""

    slug: str
    name: str
    description: str | None = None
    creator: str | None = None
    other: str = "{}"  # JSON object: settings that are only kept


@dataclass(frozen=True, slots=True)
class WorkspaceChange:
    """What to change about a workspace."""

    slug: Maybe[str] = UNSET
    name: Maybe[str] = UNSET
    description: Maybe[str | None] = UNSET
    include_byok_in_budgets: Maybe[bool] = UNSET
    other: Maybe[str] = UNSET


@dataclass(frozen=True, slots=True)
class WorkspaceRecord:
    """What keys spend in. Its budgets count what all of them spend together."""

    id: str
    slug: str
    name: str
    description: str | None
    include_byok_in_budgets: bool
    other: str
    creator: str | None
    created_at: float
    updated_at: float | None


@dataclass(frozen=True, slots=True)
class WorkspaceBudget:
    """The most that may be spent in each day, week or month, or for ever."""

    id: str
    workspace: str
    interval: Interval
    limit: int
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True)
class DataRules:
    """What may be done with what keys send, in OpenRouter's words. None: not said."""

    enforce_zdr_anthropic: bool | None = None
    enforce_zdr_google: bool | None = None
    enforce_zdr_openai: bool | None = None
    enforce_zdr_other: bool | None = None
    enforce_zdr_xai: bool | None = None
    enable_free_model_training: bool | None = None
    enable_paid_model_training: bool | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a guardrail demands of the keys it is assigned to. None: no demand."""

    limit: int | None = None  # of each key; always together with `limit_reset`
    limit_reset: Interval | None = None  # never lifetime
    include_byok_in_budgets: bool = False
    allowed_models: tuple[str, ...] | None = None
    ignored_models: tuple[str, ...] | None = None
    allowed_providers: tuple[str, ...] | None = None
    ignored_providers: tuple[str, ...] | None = None
    content_filters: tuple[ContentFilter, ...] | None = None
    content_filter_builtins: tuple[BuiltinFilter, ...] | None = None
    data: DataRules = DataRules()


@dataclass(frozen=True, slots=True)
class NewGuardrail:
    """A guardrail to make. It demands nothing of anybody until it is assigned to keys."""

    name: str
    description: str | None = None
    workspace: str = DEFAULT_WORKSPACE
    rules: Rules = Rules()


@dataclass(frozen=True, slots=True)
class GuardrailChange:
    """What to change about a guardrail; its rules are replaced as a whole."""

    name: Maybe[str] = UNSET
    description: Maybe[str | None] = UNSET
    rules: Maybe[Rules] = UNSET


@dataclass(frozen=True, slots=True)
class GuardrailRecord:
    """Rules with a name."""

    id: str
    workspace: str
    name: str
    description: str | None
    rules: Rules
    created_at: float
    updated_at: float | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A guardrail holds for a key."""

    id: str
    guardrail: str
    key: str
    key_name: str
    key_label: str
    assigned_by: str | None
    created_at: float

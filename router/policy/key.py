"""Who may ask, and for how much: a key, its rates and its budgets. Values only.

Money is counted in nano-dollars (1e-9 USD), as whole numbers: sums of them are exact, and 64 bits hold nine thousand
million dollars.
"""

import calendar
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from router.policy.call import Priority
from router.policy.data_policy import ANYTHING, DataPolicy

NANO = 1_000_000_000  # nano-dollars in a dollar
DEFAULT_WORKSPACE = "default"


class Interval(Enum):
    """Over which spending is counted. Days begin at midnight UTC, weeks on Monday."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    LIFETIME = "lifetime"

    def start(self, unix_s: float) -> int:
        """Unix seconds at which the window that holds `unix_s` began; 0 of a lifetime."""
        if self is Interval.LIFETIME:
            return 0
        day = datetime.fromtimestamp(math.floor(unix_s), UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self is Interval.WEEKLY:
            day -= timedelta(days=day.weekday())
        elif self is Interval.MONTHLY:
            day = day.replace(day=1)
        return calendar.timegm(day.timetuple())

    def end(self, unix_s: float) -> int | None:
        """Unix seconds at which the window that holds `unix_s` is over; None of a lifetime."""
        start = self.start(unix_s)
        match self:
            case Interval.LIFETIME:
                return None
            case Interval.DAILY:
                return start + 86_400
            case Interval.WEEKLY:
                return start + 7 * 86_400
            case _:
                return self.start(start + 32 * 86_400)


class Scope(Enum):
    """Which layer a budget is of, in OpenRouter's words and in the order in which they are checked."""

    GUARDRAIL = "api_key"
    WORKSPACE = "workspace"
    KEY = "key_limit"


@dataclass(frozen=True, slots=True)
class Window:
    """What spending is summed up by: somebody's, over one day, week, month or for ever."""

    owner: str  # `key:<id>` or `workspace:<id>`
    interval: Interval
    start: int  # unix seconds


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be spent in each window. Several may look at the same owner's spending."""

    scope: Scope
    owner: str  # whose spending counts: `key:<id>` or `workspace:<id>`
    interval: Interval
    limit: int  # nano-dollars
    id: str | None = None  # of the guardrail or the workspace's budget

    def window(self, unix_s: float) -> Window:
        """The one that holds `unix_s`."""
        return Window(self.owner, self.interval, self.interval.start(unix_s))


@dataclass(frozen=True, slots=True)
class Rates:
    """How much a key may ask for at a time; None: as much as it likes."""

    requests_per_min: int | None = None
    tokens_per_min: int | None = None  # prompt and completion together
    concurrent: int | None = None  # requests at the same time


UNLIMITED = Rates()


@dataclass(frozen=True, slots=True)
class Key:
    """A caller. Equal and hashable by value; made anew when anything about it changes.

    `id` is the SHA-256 of the secret in lower-case hexadecimal for keys of the database, `config:<name>` for keys of
    the configuration, `oidc:<subject>` for callers that come with a token, and `anonymous`.
    """

    id: str
    name: str
    is_management: bool = False  # may administer, and may not infer
    is_disabled: bool = False
    expires_at: float | None = None  # unix seconds
    workspace: str = DEFAULT_WORKSPACE
    priority: Priority = Priority.NORMAL  # the most that its holder may ask for
    rates: Rates = UNLIMITED
    budgets: tuple[Budget, ...] = ()  # in the order in which they are checked
    models: frozenset[str] | None = None  # slugs that may be asked for; None: all
    ignored_models: frozenset[str] = frozenset()
    providers: frozenset[str] | None = None
    ignored_providers: frozenset[str] = frozenset()
    filters: tuple[str, ...] = ()  # of what it may write, each as JSON (see protocol/plugins/guardrail_filters)
    data_policy: DataPolicy = ANYTHING  # what may be done with what it sends

    @property
    def owners(self) -> tuple[str, str]:
        """Whose spending its requests count towards."""
        return f"key:{self.id}", f"workspace:{self.workspace}"

    def has_expired(self, unix_s: float) -> bool:
        return self.expires_at is not None and unix_s >= self.expires_at


ANONYMOUS = Key(id="anonymous", name="anonymous")

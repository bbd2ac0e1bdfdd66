"""What is asked of the list of models: the query of `GET /models`, checked.

Parameters that are not there and those that are empty are the same. Unknown ones are passed over, as OpenRouter does;
a value that cannot be is refused by its name. Lists are separated by commas.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from router.protocol.errors import invalid
from router.protocol.provider_object import REGIONS

MOST = 1_000  # models of one page
_PAGE = 500  # of a page whose size is not said
_LATEST_OFFSET = 2**31
_LONGEST_TEXT = 256  # characters of what is searched for
_LONGEST_LIST = 64  # names
_LONGEST_NUMBER = 24  # characters
CATEGORIES = frozenset(
    "programming roleplay marketing marketing/seo technology science translation legal finance health trivia "
    "academia".split()
)
INDICES = ("intelligence_index", "coding_index", "agentic_index")  # benchmarks, which no model here has


class Sort(Enum):
    """In which order. Those that need what only OpenRouter knows leave the catalogue's own."""

    NEWEST = "newest"
    PRICE_UP = "pricing-low-to-high"
    PRICE_DOWN = "pricing-high-to-low"
    CONTEXT = "context-high-to-low"
    THROUGHPUT = "throughput-high-to-low"
    LATENCY = "latency-low-to-high"
    POPULAR = "most-popular"
    WEEKLY = "top-weekly"
    INTELLIGENCE = "intelligence-high-to-low"
    CODING = "coding-high-to-low"
    AGENTIC = "agentic-high-to-low"
    DESIGN = "design-arena-elo-high-to-low"


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds; None: there is none."""

    least: float | None = None
    most: float | None = None

    @property
    def is_given(self) -> bool:
        return self.least is not None or self.most is not None

    def holds(self, value: float | None) -> bool:
        """Of what is not known only the open range holds."""
        if value is None:
            return not self.is_given
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


ANY = Range()


@dataclass(frozen=True, slots=True)
class ModelQuery:
    """Which models, in which order, and which of them."""

    offset: int = 0
    limit: int | None = None  # None: all
    category: str | None = None
    parameters: frozenset[str] = frozenset()  # all of which must be supported
    outputs: frozenset[str] | None = frozenset({"text"})  # any of which will do; None: whatever
    inputs: frozenset[str] = frozenset()  # all of which must be taken
    sort: Sort | None = None
    words: tuple[str, ...] = ()  # all of which must be in name or slug; case-folded
    context: int = 0  # tokens at least
    price: Range = ANY  # USD per million prompt tokens
    output_price: Range = ANY
    arch: str | None = None  # case-folded
    authors: frozenset[str] = frozenset()  # case-folded
    providers: tuple[str, ...] = ()
    distillable: bool | None = None
    zdr: bool = False
    region: str | None = None
    age_days: Range = ANY
    has_benchmark: bool = False  # a range of a benchmark was given
    tool_success: Range = ANY
    is_rss: bool = False


def parse_query(given: Mapping[str, str]) -> ModelQuery:
    """
    Raises:
        ApiError: 400, naming the parameter.
    """
    query = _Given(given)
    is_paged = query.text("limit") is not None or query.text("offset") is not None
    return ModelQuery(
        offset=query.whole("offset", 0, _LATEST_OFFSET) or 0,
        limit=(query.whole("limit", 1, MOST) or _PAGE) if is_paged else None,
        category=query.one_of("category", CATEGORIES),
        parameters=query.names("supported_parameters"),
        outputs=outputs_of(given),
        inputs=query.names("input_modalities"),
        sort=query.sort(),
        words=tuple((query.text("q") or "").casefold().split()),
        context=query.whole("context", 1, _LATEST_OFFSET) or 0,
        price=query.range("price"),
        output_price=query.range("output_price"),
        arch=query.folded("arch"),
        authors=frozenset(name.casefold() for name in query.names("model_authors")),
        providers=tuple(sorted(query.names("providers"))),
        distillable=query.switch("distillable"),
        zdr=query.switch("zdr") is True,
        region=query.one_of("region", frozenset(REGIONS)),
        age_days=query.range("age_days"),
        has_benchmark=any(query.range(name).is_given for name in INDICES),
        tool_success=query.range("tool_success_rate", most=1.0),
        is_rss=query.switch("use_rss") is True,
    )


def outputs_of(given: Mapping[str, str]) -> frozenset[str] | None:
    """`output_modalities` alone, which is all that `/models/count` takes. None: whatever. Raises ApiError 400."""
    names = _Given(given).names("output_modalities")
    return None if "all" in names else names or frozenset({"text"})


@dataclass(frozen=True, slots=True)
class _Given:
    """A query's parameters by name. All methods raise ApiError 400, and give nothing where nothing is said."""

    values: Mapping[str, str]

    def text(self, name: str) -> str | None:
        text = self.values.get(name, "").strip()
        if len(text) > _LONGEST_TEXT:
            raise invalid(name, f"must not be longer than {_LONGEST_TEXT} characters")
        return text or None

    def folded(self, name: str) -> str | None:
        text = self.text(name)
        return None if text is None else text.casefold()

    def names(self, name: str) -> frozenset[str]:
        names = frozenset(part.strip() for part in (self._list(name)).split(",")) - {""}
        if len(names) > _LONGEST_LIST:
            raise invalid(name, f"must not name more than {_LONGEST_LIST}")
        return names

    def one_of(self, name: str, choices: frozenset[str]) -> str | None:
        text = self.text(name)
        if text is not None and text not in choices:
            raise invalid(name, f"must be one of {', '.join(sorted(choices))}")
        return text

    def sort(self) -> Sort | None:
        text = self.one_of("sort", frozenset(sort.value for sort in Sort))
        return None if text is None else Sort(text)

    def switch(self, name: str) -> bool | None:
        text = self.one_of(name, frozenset({"true", "false"}))
        return None if text is None else text == "true"

    def whole(self, name: str, least: int, most: int) -> int | None:
        text = self.text(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER and least <= int(text) <= most):
            raise invalid(name, f"must be a whole number from {least} to {most}")
        return int(text)

    def range(self, name: str, most: float = math.inf) -> Range:
        bounds = Range(self._number(f"min_{name}", most), self._number(f"max_{name}", most))
        if bounds.least is not None and bounds.most is not None and bounds.least > bounds.most:
            raise invalid(f"min_{name}", f"must not be above max_{name}")
        return bounds

    def _number(self, name: str, most: float) -> float | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            number = float(text) if len(text) <= _LONGEST_NUMBER else math.nan
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and 0 <= number <= most):
            words = "of at least 0" if math.isinf(most) else f"from 0 to {most:g}"
            raise invalid(name, f"must be a number {words}")
        return number

    def _list(self, name: str) -> str:
        text = self.values.get(name, "")
        if len(text) > _LONGEST_LIST * _LONGEST_TEXT:
            raise invalid(name, f"must not be longer than {_LONGEST_LIST * _LONGEST_TEXT} characters")
        return text

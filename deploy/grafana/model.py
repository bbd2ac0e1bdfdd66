"""What a dashboard is made of, as values: what is shown, in which unit, and why. How Grafana writes it: build.py."""

from dataclasses import dataclass
from enum import Enum
from typing import TypedDict, Unpack


class Kind(Enum):
    """How a panel draws; Grafana's names."""

    LINES = "timeseries"
    NUMBER = "stat"
    STATES = "state-timeline"
    HEAT = "heatmap"


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression, and what its series are called."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """From `value` on the panel has this colour; below the first step it has the panel's `base`."""

    value: float
    color: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One question of an operator's and its answer."""

    title: str
    description: str  # what it says, and what to think of when it looks wrong
    unit: str  # Grafana's id: s, reqps, percentunit, bytes, currencyUSD, short …
    queries: tuple[Query, ...]
    kind: Kind = Kind.LINES
    width: int = 8  # of 24 columns
    height: int = 8
    stacked: bool = False
    base: str = "green"
    steps: tuple[Step, ...] = ()
    least: float | None = 0.0  # where the axis begins; none: where the data does
    most: float | None = None
    decimals: int | None = None  # none: as many as Grafana finds right


@dataclass(frozen=True, slots=True)
class Row:
    """Panels that belong together."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of a dashboard: values of a label, of which all are taken at first."""

    name: str
    label: str
    series: str  # whose label it is

    @property
    def query(self) -> str:
        return f"label_values({self.series}, {self.name})"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One page."""

    uid: str  # stable, so that links to it keep working
    title: str
    description: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]


class Look(TypedDict, total=False):
    """Fields of Panel that most panels leave as they are."""

    width: int
    height: int
    stacked: bool
    base: str
    steps: tuple[Step, ...]
    least: float | None
    most: float | None


def lines(title: str, description: str, unit: str, *queries: tuple[str, str], **look: Unpack[Look]) -> Panel:
    """A panel over time. `queries`: expression and legend of each."""
    return Panel(title, description, unit, tuple(Query(*each) for each in queries), **look)


def number(
    title: str,
    description: str,
    unit: str,
    expr: str,
    *steps: Step,
    base: str = "green",
    height: int = 4,
    decimals: int | None = None,
) -> Panel:
    """One large figure, coloured by where it lies."""
    asked = (Query(expr),)
    return Panel(
        title,
        description,
        unit,
        asked,
        Kind.NUMBER,
        width=4,
        height=height,
        base=base,
        steps=steps,
        decimals=decimals,
    )


def states(
    title: str,
    description: str,
    query: tuple[str, str],
    *steps: Step,
    base: str = "green",
    width: int = 8,
    height: int = 8,
) -> Panel:
    """A band for each series, coloured by its value. `query`: expression and legend."""
    asked = (Query(*query),)
    return Panel(title, description, "short", asked, Kind.STATES, width=width, height=height, base=base, steps=steps)


def heat(title: str, description: str, unit: str, buckets: str) -> Panel:
    """How a histogram's observations are spread. `buckets`: the expression of their rates, by `le`."""
    return Panel(title, description, unit, (Query(buckets, "{{le}}"),), Kind.HEAT, width=24)


def quantiles(
    title: str, description: str, buckets: str, by: str = "", *, unit: str = "s", **look: Unpack[Look]
) -> Panel:
    """Median, 95th and 99th percentile of a histogram.

    Args:
        buckets: the histogram's name with its matchers, e.g. `x_bucket{job="a"}`.
        by: a label to keep apart, beside `le`.
    """
    group, name = (f"{by}, le", f"{{{{{by}}}}} ") if by else ("le", "")
    queries = tuple(
        Query(
            f"histogram_quantile({q}, sum by ({group}) (rate({buckets}[$__rate_interval])))", f"{name}p{round(q * 100)}"
        )
        for q in (0.5, 0.95, 0.99)
    )
    return Panel(title, description, unit, queries, **look)

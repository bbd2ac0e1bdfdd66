"""What came of a run, as figures and as one row of a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from bench.live.client import Seen
from bench.quantiles import quantile

HEAD = ("balancer", "requests", "good", "refused", "failed", "TTFT mean", "p50", "p99", "per token", "cached")


@dataclass(frozen=True, slots=True)
class Goal:
    """When an answer is good. Times in the engines' seconds."""

    first_s: float = 2.0
    rate: float = 16_000.0  # prompt tokens/s of one engine: long prompts may take twice their own time
    token_s: float = 0.1  # between two tokens, on average

    def is_met(self, seen: Seen) -> bool:
        """Within the goal, and whole?"""
        if seen.failure is not None or seen.first_s is None:
            return False
        return seen.first_s <= max(self.first_s, 2 * seen.prompt_tokens / self.rate) and seen.token_s <= self.token_s


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one run. Times in the engines' seconds; shares from 0 to 1."""

    requests: int
    good: float
    refused: float
    failed: float  # for other reasons
    first_mean_s: float
    first_p50_s: float
    first_p99_s: float
    token_mean_s: float
    cached: float  # of the prompt tokens of whole answers

    @classmethod
    def of(cls, seen: Sequence[Seen], goal: Goal) -> "Figures":
        """Raises ValueError when not one answer came."""
        whole = [each for each in seen if each.failure is None]
        if not whole:
            raise ValueError(f"no request was answered: {seen[0].failure if seen else 'none was sent'}")
        first = [each.first_s for each in whole if each.first_s is not None]
        refused = sum(each.is_refused for each in seen)
        return cls(
            requests=len(seen),
            good=sum(map(goal.is_met, seen)) / len(seen),
            refused=refused / len(seen),
            failed=(len(seen) - len(whole) - refused) / len(seen),
            first_mean_s=fmean(first),
            first_p50_s=quantile(first, 0.5),
            first_p99_s=quantile(first, 0.99),
            token_mean_s=fmean(each.token_s for each in whole),
            cached=sum(each.cached_tokens for each in whole) / max(1, sum(each.prompt_tokens for each in whole)),
        )

    def row(self, name: str) -> tuple[str, ...]:
        """Its cells, under HEAD."""
        return (
            name,
            f"{self.requests:,}",
            f"{self.good:.1%}",
            f"{self.refused:.1%}",
            f"{self.failed:.1%}",
            f"{self.first_mean_s:.2f} s",
            f"{self.first_p50_s:.2f} s",
            f"{self.first_p99_s:.2f} s",
            f"{1000 * self.token_mean_s:.0f} ms",
            f"{self.cached:.1%}",
        )


def table(rows: Sequence[Sequence[str]], head: Sequence[str] = HEAD) -> str:
    """A Markdown table."""
    cells = [head, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    align: Callable[[str, int], str] = str.rjust
    lines = ["| " + " | ".join([row[0].ljust(widths[0]), *map(align, row[1:], widths[1:])]) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)

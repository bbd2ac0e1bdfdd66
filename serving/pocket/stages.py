"""The course of a training run: what is learnt when, in what shares and at what rate.

Values only. A later stage may name groups that an earlier one has not; groups are those of `mix.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """What is learnt from step `first` on, until the next stage.

    `counts` is how many conversations of each group one shard of a step has, `shares` how much each group's mean loss
    per token counts, `rate` the learning rate's factor.
    """

    first: int
    rate: float
    counts: Mapping[str, int]
    shares: Mapping[str, float]


STAGES = (
    Stage(
        first=0,
        rate=1.0,
        counts={"picture": 14, "pair": 5, "text": 14, "tools": 4, "long": 1},
        shares={"picture": 0.36, "pair": 0.18, "text": 0.30, "tools": 0.13, "long": 0.03},
    ),
    # By now sums are known, but the rate is too high for the vision to settle, and copying has not begun.
    Stage(
        first=700,
        rate=0.45,
        counts={"picture": 14, "pair": 5, "text": 12, "copy": 6, "tools": 4, "long": 1},
        shares={"picture": 0.36, "pair": 0.18, "text": 0.20, "copy": 0.10, "tools": 0.13, "long": 0.03},
    ),
    # By now it copies; telling shapes apart and counting them, above all in two pictures, is what is left.
    Stage(
        first=1300,
        rate=0.45,
        counts={"picture": 18, "pair": 8, "text": 10, "copy": 2, "tools": 3, "long": 1},
        shares={"picture": 0.44, "pair": 0.22, "text": 0.19, "copy": 0.03, "tools": 0.09, "long": 0.03},
    ),
    # Behind are places, values copied from sentences and from tools' results, and the conclusion from two pictures.
    Stage(
        first=1800,
        rate=0.45,
        counts={"picture": 14, "spot": 3, "pair": 9, "text": 8, "record": 4, "compare": 4, "tools": 4, "long": 1},
        shares={
            "picture": 0.30, "spot": 0.05, "pair": 0.24, "text": 0.12, "record": 0.08, "compare": 0.08,
            "tools": 0.11, "long": 0.02,
        },
    ),
    Stage(
        first=2000,
        rate=0.45,
        counts={
            "picture": 13, "spot": 3, "pair": 8, "text": 7, "record": 1, "profile": 5, "compare": 2, "tools": 3,
            "result": 3, "long": 1,
        },
        shares={
            "picture": 0.29, "spot": 0.05, "pair": 0.23, "text": 0.11, "record": 0.01, "profile": 0.10,
            "compare": 0.03, "tools": 0.09, "result": 0.07, "long": 0.02,
        },
    ),
)  # fmt: skip


def stage_at(step: int) -> Stage:
    """The stage a step belongs to."""
    return [stage for stage in STAGES if stage.first <= step][-1]

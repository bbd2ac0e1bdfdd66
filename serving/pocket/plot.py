"""Draws a run's loss and accuracy curves: `python -m serving.pocket.plot RUN OUT.png` (needs matplotlib)."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

SMOOTHING = 0.9
"""Share of the running mean that each new loss leaves in place: single steps are noisy."""


def columns(path: Path) -> dict[str, list[float]]:
    """A CSV file of numbers by column."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def smoothed(values: list[float]) -> list[float]:
    """The running mean of the values."""
    means: list[float] = []
    for value in values:
        means.append(value if not means else SMOOTHING * means[-1] + (1 - SMOOTHING) * value)
    return means


def main(run: Path, out: Path) -> None:
    mpl.use("Agg")
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), dpi=80)
    losses, accuracy = columns(run / "loss.csv"), columns(run / "accuracy.csv")
    for group in list(losses)[2:]:
        learnt = [(step, loss) for step, loss in zip(losses["step"], losses[group], strict=True) if loss > 0.0]
        left.plot([step for step, _ in learnt], smoothed([loss for _, loss in learnt]), label=group, linewidth=1)
    left.set(yscale="log", xlabel="step", ylabel="loss per learnt token (nats)", title="Training loss by group")
    for task in list(accuracy)[2:]:
        right.plot(accuracy["step"], accuracy[task], label=task, linewidth=1)
    right.set(ylim=(0, 1.02), xlabel="step", title="Share of fresh cases answered exactly")
    for axes in (left, right):
        for line, shade in zip(axes.get_lines(), plt.get_cmap("tab20").colors, strict=False):
            line.set_color(shade)
        axes.legend(fontsize=7, ncol=2)
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

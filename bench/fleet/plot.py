"""The curves of a plan as a picture. Needs matplotlib, which is imported when it is used."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.fleet.sizing import Size


def draw(
    path: Path, sizes: Sequence[tuple[str, Size]], prices: Mapping[str, float], goodput: float, title: str
) -> None:
    """Good share by USD per hour, one curve per kind and policy; a ring marks the smallest fleet that is enough.

    Args:
        path: of the PNG.
        sizes: with a label each.
        prices: USD per replica and hour, by label.
        goodput: the share that was asked for, 0 to 1.
        title: above the picture.

    Raises ImportError without matplotlib.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.8), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for label, size in sizes:
        usd = [replicas * prices[label] for replicas in size.runs]
        (line,) = axes.plot(
            usd, [100 * run.goodput for run in size.runs.values()], marker="o", markersize=4, label=label
        )
        for replicas, at in zip(size.runs, usd, strict=True):
            if replicas == size.replicas:
                axes.plot(
                    [at],
                    [100 * size.runs[replicas].goodput],
                    "o",
                    markersize=12,
                    fillstyle="none",
                    color=line.get_color(),
                )
                axes.annotate(
                    f"{replicas}",
                    (at, 100 * size.runs[replicas].goodput),
                    (0, -18),
                    textcoords="offset points",
                    ha="center",
                )
    axes.axhline(100 * goodput, linestyle="--", linewidth=1, color="grey")
    axes.set_xlabel("fleet, USD per hour")
    axes.set_ylabel("good requests, % of all offered")
    axes.set_ylim(0, 102)
    axes.set_xlim(left=0)
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path)

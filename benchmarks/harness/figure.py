"""Curves of accuracy over CPU seconds, as an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TICKS = (5, 10, 20, 30, 60, 120, 180, 300, 600, 1200, 2400)


@dataclass(frozen=True)
class Curve:
    """points: (CPU seconds, accuracy), by seconds."""

    label: str
    points: tuple[tuple[float, ...], ...]

    def at(self, seconds: float) -> float:
        """Accuracy reached by then: the best so far, in between on a straight line over log seconds; 0 before the first
        point."""
        if not self.points or seconds < self.points[0][0]:
            return 0.0
        cpu, accuracy = np.array(self.points).T
        return float(np.interp(np.log(seconds), np.log(cpu), np.maximum.accumulate(accuracy)))


def draw(curves: Sequence[Curve], path: Path) -> None:
    """The first curve stands out. The file is the same for the same curves."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "graftwork", "svg.fonttype": "none", "font.size": 10})
    from matplotlib import pyplot
    from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

    figure, axes = pyplot.subplots(figsize=(7.5, 4.5), layout="constrained")
    for index, curve in enumerate(curves):
        cpu, accuracy = np.array(curve.points).T
        first = {"linewidth": 2.5, "zorder": 3} if index == 0 else {"linewidth": 1.2, "linestyle": "--"}
        axes.plot(cpu, 100 * accuracy, marker="o", markersize=4, label=curve.label, **first)
    axes.set(xscale="log", xlabel="CPU seconds from csv to saved model, imports included", ylabel="test accuracy, %")
    axes.set_ylim(bottom=max(0.0, min(90.0, *(100 * curve.points[-1][1] - 10 for curve in curves))))
    axes.xaxis.set(major_locator=FixedLocator(TICKS), major_formatter=ScalarFormatter(), minor_locator=NullLocator())
    axes.grid(alpha=0.25)
    axes.legend(loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)

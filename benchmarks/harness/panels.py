"""Score over time on several sets, a panel each, as an SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.figure import TICKS


@dataclass(frozen=True)
class Panel:
    """curves, points: by label, (seconds, accuracy); a curve is what was there by then, a point one finished model."""

    title: str
    curves: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    points: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def draw_panels(panels: Sequence[Panel], path: Path, columns: int = 4) -> None:
    """The file is the same for the same panels."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "graftwork", "svg.fonttype": "none", "font.size": 8})
    from matplotlib import pyplot
    from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

    rows = math.ceil(len(panels) / columns)
    figure, grid = pyplot.subplots(
        rows, columns, figsize=(2.6 * columns, 2.3 * rows), squeeze=False, layout="constrained"
    )
    labels = list(dict.fromkeys(label for one in panels for label in (*one.curves, *one.points)))
    colours = {label: f"C{at}" for at, label in enumerate(labels)}
    for axes, one in zip(grid.flat, panels, strict=False):
        for label, found in one.curves.items():
            seconds, accuracy = zip(*found, strict=True)
            axes.step(seconds, [100 * each for each in accuracy], where="post", color=colours[label], label=label)
        for label, (seconds, accuracy) in one.points.items():
            axes.plot(
                [seconds], [100 * accuracy], marker="o", markersize=4, color=colours[label], linestyle="", label=label
            )
        axes.set(xscale="log", title=one.title)
        axes.xaxis.set(
            major_locator=FixedLocator(TICKS), major_formatter=ScalarFormatter(), minor_locator=NullLocator()
        )
        axes.grid(alpha=0.25)
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_axis_off()
    shown = {
        label: handle for axes in grid.flat for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=len(shown))
    figure.supxlabel("CPU seconds")
    figure.supylabel("test accuracy, %")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)

"""The learning curve of a profile as SVG: what was measured, and what more rows should bring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graftwork.evidence.page.drawing import BLUE, INK, ORANGE, drawing, svg

_FEWEST = 2


def curve_plot(numbers: Mapping[str, Any]) -> str:
    """numbers: of the finding on the learning curve; empty where it has no curve."""
    curve, forecast = numbers.get("curve") or [], numbers.get("forecast") or []
    if len(curve) < _FEWEST:
        return ""
    from matplotlib.ticker import NullLocator

    with drawing("learning-curve") as (figure, plot):
        rows, scores = ([one[name] for one in curve] for name in ("rows", "score"))
        plot.plot(rows, scores, color=BLUE, marker="o", markersize=4, linewidth=1.4, label="measured")
        if forecast:
            later = [rows[-1], *(one["rows"] for one in forecast)]
            middle, low, high = ([scores[-1], *(one[name] for one in forecast)] for name in ("score", "low", "high"))
            plot.plot(later, middle, color=ORANGE, marker="s", markersize=4, linestyle="--", label="forecast")
            plot.fill_between(later, low, high, color=ORANGE, alpha=0.25, linewidth=0)
        plot.set_xscale("log")
        plot.xaxis.set_minor_locator(NullLocator())
        marks = [rows[0], rows[-1], *(one["rows"] for one in forecast[-1:])]
        plot.set_xticks(marks, [f"{mark:,}" for mark in marks])
        plot.legend(frameon=False, labelcolor=INK)
        plot.set_xlabel("labelled rows")
        plot.set_ylabel(str(numbers.get("metric", "score")))
        return svg(figure, "Score of a probe by the rows it learned from")

"""The learning curve: interquartile mean with its interval, each seed, and what acting at random returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graftwork.evidence.page.drawing import BLUE, GREEN, INK, ORANGE, drawing, svg
from graftwork.evidence.rl.curve import iqm
from graftwork.evidence.rl.outcome import Outcome
from graftwork.shown import shown_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH = 6.0


def curve_svg(found: Outcome) -> str:
    """Returns by step of learning; empty where nothing was scored twice."""
    if len(found.curve) < 2:
        return ""
    with drawing("returns", _WIDTH) as (figure, axes):
        draw_curve(axes, found)
        return svg(figure, "Return by step of learning")


def success_svg(found: Outcome) -> str:
    """The share of episodes that reached their goal, by step; empty where the environment does not say."""
    lines = []
    for run in found.runs:
        told = [(one.step, 100 * sum(one.successes) / len(one.successes)) for one in run.scored if one.successes]
        if len(told) > 1:
            lines.append(told)
    if not lines:
        return ""
    with drawing("successes", _WIDTH) as (figure, axes):
        for at, line in enumerate(lines):
            axes.plot(*zip(*line, strict=True), color=BLUE, linewidth=1.0, label="" if at else "a seed")
        axes.set_ylim(-2, 102)
        _label(axes, "reaches its goal (%)")
        return svg(figure, "Share of episodes that reach their goal, by step of learning")


def draw_curve(axes: Axes, found: Outcome) -> None:
    """The band is the 95 % interval; thin lines are seeds."""
    import numpy as np

    steps = [one.step for one in found.curve]
    if len(found.runs) > 1:
        for at, run in enumerate(one for one in found.runs if one.scored):
            values = [iqm(np.array(one.returns)) for one in run.scored]
            name = "" if at else "a seed"
            axes.plot([one.step for one in run.scored], values, color=BLUE, linewidth=0.7, alpha=0.45, label=name)
    lows, highs = [one.iqm.low for one in found.curve], [one.iqm.high for one in found.curve]
    axes.fill_between(steps, lows, highs, color=BLUE, alpha=0.22, linewidth=0)
    values = [one.iqm.value for one in found.curve]
    axes.plot(steps, values, color=BLUE, linewidth=1.8, marker="o", markersize=3, label="interquartile mean")
    if found.random is not None:
        random = iqm(np.array(found.random.returns))
        axes.axhline(random, color=ORANGE, linewidth=1.1, linestyle="--", label="at random")
    if found.about.threshold is not None:
        axes.axhline(found.about.threshold, color=GREEN, linewidth=1.1, linestyle=":", label="counts as solved")
    _label(axes, "return of an episode")
    axes.legend(frameon=False, labelcolor=INK, fontsize=8, loc="best")


def _label(axes: Axes, y: str) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_xlabel("steps of learning")
    axes.set_ylabel(y)
    for one in (axes.xaxis, axes.yaxis):
        one.set_major_locator(MaxNLocator(5))
        one.set_major_formatter(FuncFormatter(lambda value, _: shown_number(round(value, 10))))

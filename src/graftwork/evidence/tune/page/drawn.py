"""The plots of a tune: how the best score grew with time, and what a better score costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.page.drawing import BLUE, GREEN, INK, ORANGE, drawing, svg
from graftwork.evidence.tune.outcome import Outcome
from graftwork.evidence.tune.trials import Origin, Trial
from graftwork.shown import shown_line, shown_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKS: dict[Origin, tuple[str, str, str]] = {
    "default": (ORANGE, "s", "what fit tries"),
    "base": ("#8a96a3", "^", "on another base"),
    "searched": (BLUE, "o", "searched"),
    "combined": (GREEN, "D", "combined"),
}
_SLOWEST = 3.0


def over_time_svg(found: Outcome) -> str:
    """Scores by when they came, and the best so far; empty where fewer than two have a time."""
    timed = [one for one in found.trials if _score(one) is not None and one.at > 0]
    if len(timed) < 2:
        return ""
    with drawing("over-time") as (figure, axes):
        draw_over_time(axes, timed, found.scale, found.about.seconds)
        return svg(figure, "The best score by the time that had passed")


def draw_over_time(axes: Axes, timed: Sequence[Trial], scale: Scale, seconds: float = 0.0) -> None:
    """timed: with a score and a time. seconds: until when the line of the best goes on."""
    _scatter(axes, timed, scale, lambda one: one.at)
    times, scores = best_so_far(timed)
    end = max(seconds, times[-1])
    shown = [_shown(value, scale) for value in [*scores, scores[-1]]]
    axes.step([*times, end], shown, where="post", color=INK, linewidth=1.3, label="best so far")
    _label(axes, "seconds since the start", scale)
    axes.legend(frameon=False, labelcolor=INK, fontsize=8, loc="best")


def best_so_far(timed: Sequence[Trial]) -> tuple[list[float], list[float]]:
    """When the best score grew, and to what; more is better."""
    times, scores = list[float](), list[float]()
    for one in sorted(timed, key=lambda one: (one.at, one.number)):
        if one.score is not None and (not scores or one.score > scores[-1]):
            times.append(one.at)
            scores.append(one.score)
    return times, scores


def front_svg(found: Outcome) -> str:
    """Scores by the time for a row, the front as a line; empty where fewer than two were measured."""
    measured = [one for one in found.trials if one.state == "finished" and _score(one) is not None and one.latency > 0]
    if len(measured) < 2:
        return ""
    with drawing("front") as (figure, axes):
        draw_front(axes, found, measured)
        return svg(figure, "Scores by the time that a row takes")


def draw_front(axes: Axes, found: Outcome, measured: Sequence[Trial]) -> None:
    """Dots grow with the bytes of the weights; the kept one has a ring."""
    _scatter(axes, measured, found.scale, lambda one: 1000 * one.latency, sizes=True)
    line = sorted((one for one in measured if one.number in found.front), key=lambda one: one.latency)
    best, stairs = -math.inf, list[Trial]()
    for one in line:  # of a front in three things those that the plane of these two shows as one
        if one.score is not None and one.score > best:
            best = one.score
            stairs.append(one)
    shown = [_shown(one.score, found.scale) for one in stairs if one.score is not None]
    axes.step([1000 * one.latency for one in stairs], shown, where="post", color=INK, linewidth=0.9, linestyle="--")
    kept = found.kept
    if kept.score is not None and kept.latency > 0:
        at = [1000 * kept.latency], [_shown(kept.score, found.scale)]
        axes.scatter(*at, s=170, facecolors="none", edgecolors=INK, linewidths=1.3, label="kept")
    limit = found.about.limits.latency
    slowest = max(one.latency for one in measured)
    if limit is not None and limit <= _SLOWEST * slowest:
        axes.axvline(1000 * limit, color=INK, linewidth=0.9, linestyle=":", label="limit")
    if slowest > 20 * min(one.latency for one in measured):
        axes.set_xscale("log")
    _label(axes, "milliseconds a row, on this machine", found.scale)
    axes.legend(frameon=False, labelcolor=INK, fontsize=8, loc="best")


def _scatter(axes: Axes, trials: Sequence[Trial], scale: Scale, x: object, *, sizes: bool = False) -> None:
    largest = max((one.size for one in trials), default=0)
    for origin, (colour, mark, name) in MARKS.items():
        own = [one for one in trials if one.origin == origin]
        if not own:
            continue
        areas = [14 + (90 * one.size / largest if sizes and largest else 8) for one in own]
        values = [_shown(one.score, scale) for one in own if one.score is not None]
        places = [x(one) for one in own]  # type: ignore[operator]
        axes.scatter(places, values, s=areas, color=colour, marker=mark, alpha=0.7, linewidths=0, label=name)


def _score(one: Trial) -> float | None:
    return one.score if one.score is not None and math.isfinite(one.score) else None


def _shown(score: float, scale: Scale) -> float:
    """A score as its axis has it."""
    return 100 * score if scale.unit == "percent" else -score if scale.less else score


def _label(axes: Axes, x: str, scale: Scale) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_xlabel(x)
    unit = " (%)" if scale.unit == "percent" else ", less is better" if scale.less else ""
    axes.set_ylabel(f"{shown_line(scale.display)}{unit}")
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: shown_number(round(value, 10))))

"""Contributions as bars with their intervals, and interactions as a heat map: drawn on matplotlib's axes.

Shapley values add up, so their bars are a waterfall from no player to all of them. Contributions that are measured by
leaving out or adding do not add up: each of their bars starts at 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from graftwork.evidence.ablation.contributions import score_of, scored_cells
from graftwork.evidence.ablation.finding import Finding
from graftwork.evidence.ablation.outcome import Outcome
from graftwork.shown import shortened_text, shown_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"helps": "#1a9e77", "hurts": "#d9730d", "open": "#8a96a3"}
"""Okabe and Ito's green and orange, told apart with every common colour blindness; grey tells nothing."""
_LONGEST = 28
_HATCHES = {"helps": "", "hurts": "//", "open": ".."}


def bars_height(found: Outcome) -> float:
    """Inches that `draw_contributions` wants."""
    return 1.1 + 0.34 * (len(drawn_findings(found)) + 2 * (found.design.method == "shapley"))


def drawn_findings(found: Outcome) -> tuple[Finding, ...]:
    """Those with a value, what brings most first."""
    return tuple(one for one in found.ranked if one.value is not None)


def draw_contributions(axes: Axes, found: Outcome, ink: str) -> None:
    """Horizontal bars, what brings most on top. ink: the colour of lines and whiskers."""
    findings, times = drawn_findings(found), 100.0 if found.scale.unit == "percent" else 1.0
    ends = _ends(found, findings)
    start, first = (0.0, 0) if ends is None else (times * ends[0], 1)
    names, running = [_short(one.name) for one in findings], start
    for at, one in enumerate(findings, first):
        value = times * (one.value or 0.0)
        colour, hatch = COLOURS[one.verdict], _HATCHES[one.verdict] or None
        axes.barh(at, value, left=running, color=colour, hatch=hatch, edgecolor=ink, linewidth=0.4, height=0.62)
        if one.low is not None and one.high is not None:
            axes.plot([running + times * one.low, running + times * one.high], [at, at], color=ink, linewidth=1.1)
        if ends is not None:
            axes.plot([running + value] * 2, [at - 0.31, at + 1.31], color=ink, linewidth=0.6, linestyle=":")
            running += value
    if ends is None:
        axes.axvline(0, color=ink, linewidth=0.8, linestyle="--")
        axes.set_xlabel(f"what it brings, {found.scale.what}")
    else:
        names = ["none of them", *names, "all of them"]
        axes.plot([start, running], [0, len(names) - 1], linestyle="", marker="D", markersize=5, color=ink)
        axes.set_xlabel(
            f"{found.scale.display}{' (%)' if times > 1 else ', less is better' if found.scale.less else ''}"
        )
        if found.scale.less:  # stored below 0, so that more is better
            axes.xaxis.set_major_formatter(lambda value, _: found.scale.score(value / times))
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.use_sticky_edges = False  # room on the side where the first bar begins
    axes.margins(x=0.05)


def draw_heat_map(axes: Axes, found: Outcome) -> None:
    """Interactions of Shapley players: what two bring beyond what each brings; a star where it is no noise."""
    players, times = found.design.players, 100.0 if found.scale.unit == "percent" else 1.0
    values = np.full((len(players), len(players)), np.nan)
    told = {}
    for one in found.interactions:
        places = tuple(players.index(name) for name in one.players)
        for row, column in (places, places[::-1]):
            values[row, column] = times * one.value
            told[row, column] = one.side != 0
    largest = float(np.nanmax(np.abs(values))) if told else 0.0
    axes.imshow(values, cmap="PuOr_r", vmin=-(largest or 1.0), vmax=largest or 1.0)
    for (row, column), sure in told.items():
        strong = abs(values[row, column]) > 0.6 * largest
        text = f"{found.scale.number(values[row, column] / times)}{'*' if sure else ''}"
        axes.text(column, row, text, ha="center", va="center", color="white" if strong else "black", fontsize=8)
    names = [_short(name) for name in players]
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)


def _ends(found: Outcome, findings: tuple[Finding, ...]) -> tuple[float, float] | None:
    """The mean scores without and with all players, on the repeats that the values are of; None unless they add up."""
    if found.design.method != "shapley" or not findings:
        return None
    by_players = {players: name for name, players in found.design.arms.items()}
    none, every = by_players[frozenset()], by_players[frozenset(found.design.players)]
    complete = [arms for arms in scored_cells(found.cells).values() if arms.keys() >= found.design.arms.keys()]
    used = complete[: findings[0].repeats]
    return tuple(float(np.mean([score_of(arms[name]) for arms in used])) for name in (none, every))  # type: ignore[return-value]


def _short(name: str) -> str:
    return shortened_text(shown_line(name), _LONGEST)

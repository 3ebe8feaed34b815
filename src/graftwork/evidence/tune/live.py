"""The trials of a tune as a table that is drawn again while it runs: the best so far, their number, the time left."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.tune.trials import Trial
from graftwork.shown import counted, shortened_text, shown_line

if TYPE_CHECKING:
    from rich.table import Table

SHOWN = 8
"""Trials in the table, those of the best scores; the last one that was told is always among them."""
_LONGEST = 44
_STATES = ("finished", "paused", "failed", "left out")


def live_table(trials: Sequence[Trial], scale: Scale, state: str = "", most: int = SHOWN) -> Table:
    """For `rich.live.Live`. trials: each as it is now, the one that was told last at the end. state: what comes next
    and how much time is left, in a line below."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    counts = count_text(trials)
    told = " · ".join(filter(None, (counts, shown_line(state))))
    table = Table(box=box.SIMPLE, caption=Text(told) if told else None, caption_justify="left")
    for name, justify in (("trial", "right"), ("", "left"), (shown_line(scale.display), "right"), ("", "left")):
        table.add_column(Text(name), justify=justify, no_wrap=name != "")  # type: ignore[arg-type]
    for at, one in enumerate(shown_trials(trials, most)):
        style = "bold green" if at == 0 and one.score is not None else ""
        table.add_row(*(Text(cell, style=style) for cell in row(one, scale)))
    return table


def shown_trials(trials: Sequence[Trial], most: int = SHOWN) -> list[Trial]:
    """The best scores first, finished before paused of the same score; the last one that was told is among them."""
    scored = [one for one in trials if one.score is not None and math.isfinite(one.score)]
    ranked = sorted(scored, key=lambda one: (-(one.score or 0.0), one.state != "finished", one.number))
    if len(trials) <= most:
        return [*ranked, *(one for one in trials if one not in ranked)]
    shown, last = ranked[:most], trials[-1]
    return shown if last in shown else [*shown[: most - 1], last]


def row(one: Trial, scale: Scale) -> list[str]:
    """Its number, its name, its score, and how far it is."""
    score = "" if one.score is None else scale.score(one.score)
    return [str(one.number), shortened_text(shown_line(one.name), _LONGEST), score, state_text(one)]


def state_text(one: Trial) -> str:
    """How far a trial came. A budget plans fewer steps than the recipe asks for.

    >>> state_text(Trial(0, "", "searched", "paused", {}, rungs=((10, 0.5),), steps=90))
    'paused after 10 of 90 steps'
    """
    if one.state == "paused" and one.rungs:
        return f"paused after {one.rungs[-1][0]:,} of {one.steps:,} steps"
    steps = one.state == "finished" and one.steps and not one.members
    return f"finished, {one.steps:,} steps planned" if steps else one.state


def count_text(trials: Sequence[Trial]) -> str:
    """How many trials there are of each state; empty without any."""
    if not trials:
        return ""
    found = Counter[str](one.state for one in trials)
    told = [f"{found[state]:,} {state}" for state in _STATES if found[state]]
    return f"{counted(len(trials), 'trial')}: {', '.join(told)}"

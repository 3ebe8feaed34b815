"""The tables of a page on learning by reward: the last evaluations, the seeds, the curve in numbers."""

from __future__ import annotations

import numpy as np

from graftwork.evidence.page.tables import Grid, Value
from graftwork.evidence.rl.curve import iqm, iqm_interval, mean_interval
from graftwork.evidence.rl.outcome import Outcome
from graftwork.evidence.rl.scored import SeedRun
from graftwork.evidence.rl.words import interval_text, return_text, value_text
from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.words import duration, line
from graftwork.shown import counted

_WHY = 200


def final_grid(found: Outcome) -> Grid:
    """The final scores over all seeds, beside acting at random."""
    rows = [
        ("Return, interquartile mean", found.iqm, [found.random.returns] if found.random else None, iqm_interval),
        ("Return, mean", found.mean, [found.random.returns] if found.random else None, mean_interval),
        ("Steps of an episode", found.length, [found.random.lengths] if found.random else None, mean_interval),
    ]
    cells = [
        (Value(name), _interval(ours), _interval(of(random)) if random is not None else Value())
        for name, ours, random, of in rows
    ]
    if found.success is not None:
        told = found.random.successes if found.random else None
        random = Value(f"{100 * sum(told) / len(told):.0f} %", sum(told) / len(told)) if told else Value()
        share = found.success
        small = f"{100 * share.low:.0f} % to {100 * share.high:.0f} %"
        cells.append((Value("Reaches its goal"), Value(f"{100 * share.value:.0f} %", share.value, small=small), random))
    head = ("", "Learned", "At random")
    return Grid(
        "What the kept policies return, with 95 % intervals", head, tuple(cells), frozenset({1, 2}), frozenset({0})
    )


def seeds_grid(found: Outcome) -> Grid:
    """A seed a row."""
    head = ("Seed", "Return, mean", "Interquartile mean", "Best episode", "Worst", "Steps", "Kept at", "Time", "State")
    kept = frozenset(at for at, one in enumerate(found.runs) if one.seed == found.kept and len(found.runs) > 1)
    numbers = frozenset({1, 2, 3, 4, 5, 6, 7})
    return Grid("Seeds", head, tuple(map(_seed, found.runs)), numbers, kept)


def curve_grid(found: Outcome) -> Grid:
    """The learning curve in numbers."""
    rows = tuple(
        (Value(f"{one.step:,}", one.step), _interval(one.iqm), Value(str(one.seeds), one.seeds)) for one in found.curve
    )
    head = ("Steps of learning", "Return, interquartile mean", "Seeds")
    return Grid("The learning curve", head, rows, frozenset({0, 1, 2}))


def _seed(run: SeedRun) -> tuple[Value, ...]:
    state = "failed" if run.failed else "ended early" if run.interrupted else "finished"
    shown = Value(state, small=line(run.failed, _WHY))
    last = run.last
    if last is None:
        return (Value(str(run.seed)), *[Value()] * 7, shown)
    end = run.scored[-1] if run.scored else last
    returns = np.array(last.returns)
    return (
        Value(str(run.seed), small=f"{counted(len(returns), 'episode')}"),
        _interval(mean_interval([last.returns])),
        Value(return_text(iqm(returns)), iqm(returns)),
        Value(return_text(returns.max()), float(returns.max())),
        Value(return_text(returns.min()), float(returns.min())),
        Value(f"{end.step:,}", end.step),
        Value(f"{run.final.step:,}", run.final.step) if run.final else Value(),
        Value(duration(end.seconds), end.seconds),
        shown,
    )


def _interval(found: Interval) -> Value:
    small = "" if found.low == found.high else interval_text(found)
    return Value(value_text(found), found.value, small=small)

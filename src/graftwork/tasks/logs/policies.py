"""The report of a policy from a log: its value beside the logged policy's and the best single action's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from graftwork.shown import shortened_text
from graftwork.tasks.logs.logged import Logged
from graftwork.tasks.metrics.off_policy import Judged, doubly_robust_interval, doubly_robust_rows, effective_share
from graftwork.tasks.section import Grid, Section

RESAMPLES, BLOCK = 1000, 2_000_000
HOW = ": of a policy by empirical likelihood, of the logged one and of differences by the bootstrap"
LISTED = 20
"""Actions that are listed."""
FEW = 100
"""Effective rows below which a bootstrap interval is not to be relied on."""


def policy_sections(judged: Judged, actions: Sequence[str], log: Logged) -> tuple[Section, ...]:
    """What each policy would have brought on N logged rows, with 95 % intervals; and which actions are chosen."""
    return (_values(judged, actions, log), _actions(judged, actions, log))


def _values(judged: Judged, actions: Sequence[str], log: Logged) -> Section:
    single = replace(judged, chosen=np.full(len(judged.action), log.constant))
    best = f"always '{shortened_text(actions[log.constant], 40)}'"
    policy, constant = doubly_robust_rows(judged), doubly_robust_rows(single)
    cells = [
        ("this policy", _value(judged), ""),
        ("the logged one", _interval(judged.reward), _interval(policy - judged.reward, signed=True)),
        (best, _value(single), _interval(policy - constant, signed=True)),
    ]
    effective = float(effective_share(judged)(np.ones((1, len(policy))))[0]) * len(policy)
    agree = float((judged.action == judged.chosen).mean())
    sentences = [
        "What a policy brings is the mean reward of the actions that it chooses, told from this log by the doubly "
        f"robust estimate (Dudik, Langford & Li 2011), with 95 % intervals{HOW if log.propensity else ' (bootstrap)'}.",
        f"In {100 * agree:.0f} % of the {len(policy):,} rows it chooses what was logged; as many as {effective:,.0f} "
        "rows tell of it (effective sample size).",
    ]
    if effective < FEW:
        narrow = "intervals of the differences" if log.propensity else "the intervals"
        sentences.append(
            f"These are few: {narrow} may be too narrow. More rows, or a log of more varied choices, help."
        )
    if not log.propensity:
        sentences.append(
            "No propensities were logged: they are estimated from the inputs, so all this holds only as far as the "
            "inputs tell how actions were chosen."
        )
    clipped = int((1.0 / judged.propensity > judged.clip).sum())
    if clipped:
        sentences.append(
            f"{clipped:,} rows have a propensity below {1 / judged.clip:.3g}, and count as if it were that."
        )
    columns = ("policy", "mean reward", "this policy is ahead by")
    return Section("Value of the policy", tuple(sentences), Grid(columns, tuple(cells)))


def _actions(judged: Judged, actions: Sequence[str], log: Logged) -> Section:
    """Actions by how often they are chosen."""
    logged = np.bincount(judged.action, minlength=len(actions))
    chosen = np.bincount(judged.chosen, minlength=len(actions))
    brought = np.bincount(judged.action, judged.reward, minlength=len(actions)) / np.maximum(logged, 1)
    order = np.lexsort((-logged, -chosen))[:LISTED]
    total = len(judged.action)
    cells = tuple(
        (
            shortened_text(actions[at], 40) + ("" if log.supported[at] else " (too few rows to be chosen)"),
            f"{100 * chosen[at] / total:.1f} %",
            f"{100 * logged[at] / total:.1f} %",
            _shown(float(brought[at])) if logged[at] else "",
        )
        for at in order.tolist()
    )
    left = len(actions) - len(order)
    sentences = (f"The {len(order)} actions chosen most often; {left:,} more are not listed.",) if left > 0 else ()
    columns = ("action", "chosen", "logged", "mean reward where logged")
    return Section("Which actions are chosen", sentences, Grid(columns, cells))


def _value(judged: Judged) -> str:
    """The value of a policy with the interval that its score has, for a reader."""
    values, found = doubly_robust_rows(judged), doubly_robust_interval(judged, 0.95)
    return _interval(values) if found is None else _told(float(values.mean()), *found)


def _interval(values: np.ndarray, *, signed: bool = False) -> str:
    """The mean of one number a row (N,) with its percentile interval (Efron 1979), for a reader."""
    means = np.concatenate(list(_resampled(values)))
    low, high = np.quantile(means, (0.025, 0.975))
    return _told(float(values.mean()), float(low), float(high), signed=signed)


def _told(*numbers: float, signed: bool = False) -> str:
    text = [_shown(one) for one in numbers]
    if signed:
        text = [one if one.startswith("-") else f"+{one}" for one in text]
    return f"{text[0]} ({text[1]} to {text[2]})"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _resampled(values: np.ndarray) -> Iterator[np.ndarray]:
    """Means of rows drawn with replacement, some draws at a time."""
    draw, rows, left = np.random.default_rng(0), len(values), RESAMPLES
    while left:
        some = min(left, max(1, BLOCK // rows))
        yield values[draw.integers(0, rows, (some, rows))].mean(axis=1)
        left -= some

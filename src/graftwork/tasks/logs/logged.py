"""What a policy must know of the log that it learns from: its rewards, how often actions were chosen, its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa

from graftwork.data.table import Table
from graftwork.errors import DataError
from graftwork.shown import counted
from graftwork.tasks.labels import MISSING, Labels, shortened
from graftwork.tasks.logs.log import Log, misread_propensities, propensity_column, read_log, reward_column

_LOOKS_LIKE_AN_ID = 20
_OUTER = (0.01, 0.99)


@dataclass(frozen=True)
class Logged:
    """reward, propensity: their columns, the latter empty where propensities are not logged.

    mean, std: of the rewards. low, high: between which a reward is scaled to 0 to 1. scale: the mean of that, weighted.
    shares: how often each action was chosen. supported: 1 for actions with rows enough, else 0. constant: the action
    that alone would have brought most. heat: of the logging policy, where it is learned. reading: lines for the user,
    which are not kept.
    """

    reward: str = ""
    propensity: str = "-"
    mean: float = 0.0
    std: float = 1.0
    low: float = 0.0
    high: float = 1.0
    scale: float = 1.0
    shares: tuple[float, ...] = ()
    supported: tuple[float, ...] = ()
    constant: int = 0
    heat: float = 1.0
    reading: tuple[str, ...] = ()

    def state(self) -> dict[str, Any]:
        """As plain JSON data."""
        made = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        return {name: value for name, value in made.items() if name != "reading"}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`. Raises ValueError for what is none."""
        made = cls(
            reward=str(state["reward"]),
            propensity=str(state["propensity"]),
            mean=float(state["mean"]),
            std=float(state["std"]),
            low=float(state["low"]),
            high=float(state["high"]),
            scale=float(state["scale"]),
            shares=tuple(map(float, state["shares"])),
            supported=tuple(map(float, state["supported"])),
            constant=int(state["constant"]),
            heat=float(state.get("heat", 1.0)),
        )
        if not (made.heat > 0 and made.std > 0 and made.high > made.low and made.scale > 0):
            raise ValueError(f"the rewards of a log are described by {made}")
        if not 0 <= made.constant < len(made.shares) == len(made.supported):
            raise ValueError(f"action {made.constant} of {len(made.shares)}")
        return made


def learn_log(table: Table, target: str, support: int, clip: float) -> tuple[Labels, Logged]:
    """The actions of a training table, and what is known of its log.

    Raises UsageError where no column holds rewards; DataError where nothing can be learned.
    """
    labels, codes = _actions(table, target)
    reward, propensity = reward_column(table), propensity_column(table)
    log = read_log(table, reward, propensity)
    known = (codes != MISSING) & ~np.isnan(log.reward) & ~(np.isnan(log.propensity) & bool(propensity))
    action, rewards = codes[known], log.reward[known]
    if not len(rewards) or rewards.std() == 0.0:
        what = f"all {len(rewards):,} rewards are {rewards[0]:g}" if len(rewards) else "no logged row has a reward"
        raise DataError(
            f"{table.source}: {what} in '{reward}', so no action is better than another. Is this the right column?"
        )
    counts = np.bincount(action, minlength=len(labels.texts))
    supported = counts >= support
    if supported.sum() < 2:
        raise DataError(
            f"{table.source}: {counted(int(supported.sum()), 'action')} of {len(counts):,} in '{target}' was logged in "
            f"{support} rows or more. Expected two to choose between: add rows, or say --task bandit:support=2."
        )
    shares = counts / counts.sum()
    weights = np.minimum(1.0 / np.maximum(log.propensity[known] if propensity else shares[action], 1e-12), clip)
    low, high = np.quantile(rewards, _OUTER)
    if low == high:
        low, high = rewards.min(), rewards.max()
    gains = np.clip((rewards - low) / (high - low), 0.0, 1.0) * weights * supported[action]
    total, weight = (np.bincount(action, one, minlength=len(counts)) for one in (weights * rewards, weights))
    values = np.divide(total, weight, out=np.full(len(counts), -np.inf), where=supported)
    return labels, Logged(
        reward=reward,
        propensity=propensity,
        mean=float(rewards.mean()),
        std=float(rewards.std()),
        low=float(low),
        high=float(high),
        scale=float(gains.mean()) or 1.0,
        shares=tuple(shares.tolist()),
        supported=tuple(supported.astype(float).tolist()),
        constant=int(values.argmax()),
        reading=_reading(table, labels, log, counts, support, propensity),
    )


def _actions(table: Table, target: str) -> tuple[Labels, np.ndarray]:
    column = table.column(target)
    if pa.types.is_nested(column.type):
        raise DataError(f"{table.source}: '{target}' holds lists, not one action a row.")
    labels = Labels.learn(column)
    codes = labels.codes(column, table.source, table.rows)
    there = int((codes != MISSING).sum())
    if len(labels.texts) < 2:
        raise DataError(
            f"{table.source}: '{target}' holds {counted(len(labels.texts), 'action')} in {counted(there, 'row')}. "
            "Expected two or more to choose between."
        )
    if len(labels.texts) == there and there > _LOOKS_LIKE_AN_ID:
        raise DataError(
            f"{table.source}: each of the {there:,} rows has an action of its own in '{target}', so none can be "
            "compared. Expected a few actions, each logged in many rows."
        )
    return labels, codes


def _reading(
    table: Table, labels: Labels, log: Log, counts: np.ndarray, support: int, propensity: str
) -> tuple[str, ...]:
    lines = []
    if not propensity:
        lines.append(
            "warning: no propensities are logged, so they are estimated from the inputs, which is right only as far as "
            "the inputs tell how actions were chosen; --role propensity=COLUMN names logged ones"
        )
        named = misread_propensities(table)
        if named:
            lines.append(
                f"warning: {named} is read as an input; if it is the chance that the logged action had, "
                f"--role propensity={named}"
            )
    elif np.all(log.propensity[~np.isnan(log.propensity)] == 1.0):
        lines.append(
            f"warning: every propensity in {propensity} is 1: actions were chosen without chance, so the log can't "
            "tell what others would have brought"
        )
    rare = tuple(labels.texts[at] for at in np.flatnonzero(counts < support))
    if rare:
        lines.append(
            f"actions: {len(rare):,} of {len(counts):,} have fewer than {support} logged rows and are never chosen: "
            f"{shortened(rare)}"
        )
    return tuple(lines)

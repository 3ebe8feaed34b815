"""Acting in an environment: CartPole-v1 by PPO and Pendulum-v1 by SAC, beside plain stable-baselines3 with the same
settings and networks.

Returns are those of 50 episodes that a policy neither learned from nor was chosen by; ours is the one that did best
while it learned, stable-baselines3's the last one, as its own documentation has it. Rates are steps of learning a CPU
second, scoring apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from graftwork.evidence.rl.curve import iqm_interval, mean_interval
from graftwork.evidence.scores.intervals import Interval
from harness import options
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, EPISODES = "rl", 50
PEER = "stable-baselines3"
SLOWEST = 0.9
"""The share of the peer's steps a second that the project must reach."""


@dataclass(frozen=True)
class World:
    """An environment, how it is learned, and the mean return that is promised."""

    env: str
    algorithm: str
    steps: int
    seeds: int
    promised: float


WORLDS = (World("CartPole-v1", "ppo", 100_000, 5, 475.0), World("Pendulum-v1", "sac", 20_000, 3, -200.0))


def main() -> None:
    given = options.parse(__doc__, max(one.seeds for one in WORLDS))
    results = Results(NAME, given)
    for one in WORLDS:
        for seed in range(min(given.seeds, one.seeds)):
            measure(results, given, one, seed)
    print(section(results.records()))


def measure(results: Results, given: Options, one: World, seed: int) -> None:
    """Both take turns, so that a machine that does other work slows both."""
    steps, episodes = (600, 3) if given.quick else (one.steps, EPISODES)
    shared = {"env": one.env, "algorithm": one.algorithm, "steps": steps, "episodes": episodes, "seed": seed}
    for label, method, package in ((PEER, "sb3", PEER), (OURS, "ours", OURS)):
        results.measure(f"{label}, {one.env}", seed, package, partial(work, "rl", **shared, method=method))


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    found = {(label, one): _of(records, label, one) for one in WORLDS for label in (OURS, PEER)}
    measured = [one for one in WORLDS if found[OURS, one] and found[PEER, one]]
    if not measured:
        return "Not measured yet."
    head = ["", "seeds", "mean return", "interquartile mean", "worst seed", "steps a CPU second"]
    rows = [_row(f"{one.env}, {label}", found[label, one]) for one in measured for label in (OURS, PEER)]
    told = (
        "In brackets: 95 % intervals over seeds and episodes (stratified bootstrap, Agarwal et al. 2021). Few seeds: "
        "they say little of how far another one could come out elsewhere."
    )
    return "\n\n".join([claims(kept(found, measured)), table(head, rows), told])


def kept(found: dict[tuple[str, World], list[Record]], measured: list[World]) -> list[Claim]:
    made = []
    for one in measured:
        ours, peer = found[OURS, one], found[PEER, one]
        mean = mean_interval([record["returns"] for record in ours])
        promise = (
            f"{one.env}: mean return of at least {one.promised:g} within {one.steps:,} steps over {one.seeds} seeds"
        )
        whole = len(ours) >= one.seeds
        made.append(Claim(promise, _shown(mean), mean.value >= one.promised if whole else None))
        share = rate(ours) / rate(peer)
        promise = f"{one.env}: at least {SLOWEST:g} of plain {PEER}'s steps a second"
        made.append(Claim(promise, f"{share:.2f} of it", share >= SLOWEST))
    return made


def rate(records: list[Record]) -> float:
    """Steps a CPU second, over all seeds."""
    return float(sum(one["steps"] for one in records) / sum(one["cpu"] for one in records))


def _of(records: list[Record], label: str, one: World) -> list[Record]:
    return [record for record in records if record["name"] == f"{label}, {one.env}"]


def _row(name: str, records: list[Record]) -> list[str]:
    returns = [record["returns"] for record in records]
    worst = min(float(np.mean(one)) for one in returns)
    intervals = [_shown(mean_interval(returns)), _shown(iqm_interval(returns))]
    return [name, str(len(records)), *intervals, f"{worst:.1f}", f"{rate(records):,.0f}"]


def _shown(found: Interval) -> str:
    return f"{found.value:.1f} ({found.low:.1f} to {found.high:.1f})"


if __name__ == "__main__":
    main()

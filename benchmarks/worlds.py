"""Worlds that speak (minigrid's BabyAI), with a frozen text base beside plain PPO with hand-coded words; and a world of
pixels, with a frozen base, LoRA and a CNN from scratch, with demonstrations first and without.

Wandering succeeds too in the worlds that speak, so that return says more than success: the later, the less. The other
words are those of `workers/worlds.py`: the missions say the same, in words that learning never had.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from graftwork.evidence.rl.curve import mean_interval
from graftwork.evidence.scores.intervals import Interval
from harness import options
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, SEEDS, EPISODES = "worlds", 3, 100
SPEAKING = ("BabyAI-GoToLocalS5N2-v0", "BabyAI-GoToRedBallGrey-v0")
SPEAKING_STEPS, PIXEL_STEPS, DEMONSTRATED = 200_000, 20_000, 50
PEER, PLAIN = "stable-baselines3", "hand-coded words (PPO of stable-baselines3)"
FROZEN_TEXT, PIXEL_BASE = "frozen text base", "efficientnet-lite0:size=64"
PIXELS: Mapping[str, tuple[dict[str, Any], int]] = {
    "CNN from scratch": ({"base": "", "techniques": [], "demonstrations": 0}, SEEDS),
    "efficientnet-lite0, frozen": ({"base": PIXEL_BASE, "techniques": [], "demonstrations": 0}, SEEDS),
    "efficientnet-lite0, LoRA": ({"base": PIXEL_BASE, "techniques": ["lora:rank=8"], "demonstrations": 0}, 1),
    f"CNN from scratch, {DEMONSTRATED} demonstrations first": (
        {"base": "", "techniques": [], "demonstrations": DEMONSTRATED},
        SEEDS,
    ),
    f"efficientnet-lite0, frozen, {DEMONSTRATED} demonstrations first": (
        {"base": PIXEL_BASE, "techniques": [], "demonstrations": DEMONSTRATED},
        SEEDS,
    ),
}
"""What learns in the world of pixels, and with how many seeds."""


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    for env in SPEAKING:
        for seed in range(given.seeds):
            _speaks(results, given, env, seed)
    for name, (settings, seeds) in PIXELS.items():
        for seed in range(min(seeds, given.seeds)):
            _pixels(results, given, name, settings, seed)
    print(section(results.records()))


def _speaks(results: Results, given: Options, env: str, seed: int) -> None:
    """Both take turns, so that a machine that does other work slows both."""
    steps, episodes = (2048, 4) if given.quick else (SPEAKING_STEPS, EPISODES)
    shared = {"task": "speaks", "env": env, "steps": steps, "episodes": episodes, "seed": seed}
    for label, method, package in ((PLAIN, "sb3", PEER), (FROZEN_TEXT, "ours", OURS)):
        results.measure(f"{label}, {env}", seed, package, partial(work, "worlds", **shared, method=method))


def _pixels(results: Results, given: Options, name: str, settings: Mapping[str, Any], seed: int) -> None:
    steps, episodes = (1024, 4) if given.quick else (PIXEL_STEPS, EPISODES)
    if given.quick:
        settings = {**settings, "demonstrations": min(4, settings["demonstrations"])}
    shared = {"task": "pixels", "steps": steps, "episodes": episodes, "seed": seed, **settings}
    results.measure(f"{name}, pixels", seed, OURS, partial(work, "worlds", **shared))


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    speaking = [env for env in SPEAKING if all(_of(records, f"{label}, {env}") for label in (PLAIN, FROZEN_TEXT))]
    parts = []
    if speaking:
        head = ["", "seeds", "mean return", "success", "return, other words", "success, other words", "CPU seconds"]
        rows = [_spoken(f"{env}, {label}", records) for env in speaking for label in (FROZEN_TEXT, PLAIN)]
        parts += [claims([_claim(records, env) for env in speaking]), table(head, rows)]
    pixels = [name for name in PIXELS if _of(records, f"{name}, pixels")]
    if pixels:
        rows = [_seen(name, _of(records, f"{name}, pixels")) for name in pixels]
        parts += [
            f"The world of pixels (`graftwork.rl.samples:Reach`), {PIXEL_STEPS:,} steps:",
            table(["", "seeds", "mean return", "success", "CPU seconds"], rows),
        ]
    if not parts:
        return "Not measured yet."
    told = "In brackets: 95 % intervals over seeds and episodes (stratified bootstrap, Agarwal et al. 2021)."
    return "\n\n".join([*parts, told])


def _claim(records: list[Record], env: str) -> Claim:
    """Met unless all of our interval lies below the peer's mean."""
    ours, peer = (_returns(_of(records, f"{label}, {env}")) for label in (FROZEN_TEXT, PLAIN))
    promise = f"{env}: at least the return of plain PPO with hand-coded words, within the interval over {SEEDS} seeds"
    shown = f"{_shown(ours)} beside {_shown(peer)}"
    return Claim(promise, shown, ours.high >= peer.value)


def _spoken(name: str, records: list[Record]) -> list[str]:
    env, _, label = name.partition(", ")
    own = _of(records, f"{label}, {env}")
    cells = [_shown(_returns(own)), _share(own, "successes")]
    cells += [_shown(_returns(own, "other returns")), _share(own, "other successes")]
    return [name, str(len(own)), *cells, f"{_mean(own, 'cpu'):,.0f}"]


def _seen(name: str, own: list[Record]) -> list[str]:
    return [name, str(len(own)), _shown(_returns(own)), _share(own, "successes"), f"{_mean(own, 'cpu'):,.0f}"]


def _of(records: list[Record], name: str) -> list[Record]:
    return [record for record in records if record["name"] == name]


def _returns(records: list[Record], key: str = "returns") -> Interval:
    return mean_interval([record[key] for record in records])


def _share(records: list[Record], key: str) -> str:
    every = [one for record in records for one in record[key]]
    return f"{sum(every) / len(every):.0%}" if every else "unknown"


def _mean(records: list[Record], key: str) -> float:
    return sum(float(record[key]) for record in records) / len(records)


def _shown(found: Interval) -> str:
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


if __name__ == "__main__":
    main()

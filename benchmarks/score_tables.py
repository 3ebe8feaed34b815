"""Verdicts of ablations on simulated score tables: how often a useless technique is called helpful or harmful, and how
often planted effects are found.

Effects are in standard deviations of a paired difference. Differences of repeats are independent, or as correlated as
Nadeau and Bengio (2003) suppose where a fifth is held out (0.2). A technique is compared alone, or among five of which
one has 3, one 2 and three have no effect. A race may stop at 5, 10, ... repeats. 200 tables each, nothing is trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from graftwork.evidence.ablation.cells import Cell, Comparison, Design
from graftwork.evidence.ablation.judge import judged
from graftwork.evidence.ablation.racing import next_look, open_arms, open_comparisons, planned_looks
from harness import options
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, SEEDS, TABLES, QUICK_TABLES = "score_tables", 1, 200, 10
MOST_WRONG = 16
"""Of 200 tables."""
CORRELATIONS = {"independent": 0.0, "overlapping": 0.2}
REPEATS = {"5": 5, "10": 10, "20": 20, "race to 10": 10, "race to 20": 20}
EFFECTS = {"useless": 0.0, "two": 2.0, "three": 3.0}
AMONG = {**EFFECTS, "idle": 0.0, "vain": 0.0}
ROWS, TRAINED = 200, 800


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    tables = QUICK_TABLES if given.quick else TABLES
    for seed in range(given.seeds):
        for company in ("alone", "among five"):
            for correlation in CORRELATIONS:
                for mode in REPEATS:
                    one = partial(measure, company, correlation, mode, tables, seed)
                    results.measure(f"{company}, {correlation}, {mode}", seed, OURS, one)
    print(section(results.records()))


def measure(company: str, correlation: str, mode: str, tables: int, seed: int) -> Record:
    """Of so many tables: in how many the useless one got a verdict, and each planted effect the right one."""
    draws = np.random.default_rng([seed, *f"{company}{correlation}".encode()])
    most, racing = REPEATS[mode], mode.startswith("race")
    each = [AMONG] if company == "among five" else [{name: effect} for name, effect in EFFECTS.items()]
    counts, runs, all_runs = dict.fromkeys(EFFECTS, 0), 0, 0
    for _ in range(tables):
        for effects in each:
            design = leave_one_out(effects)
            cells = simulated(design, effects, most, draws, CORRELATIONS[correlation])
            all_runs += len(cells)
            looks = planned_looks(most) if racing else ()
            cells = race(design, cells, looks) if racing else cells
            runs += len(cells)
            for one in judged(design, cells, looks=looks):
                if one.name in counts:
                    counts[one.name] += one.verdict == "helps" or (one.name == "useless" and one.verdict == "hurts")
    return {"tables": tables, "counts": counts, "runs": runs / all_runs}


def leave_one_out(names: Mapping[str, float]) -> Design:
    every = frozenset(names)
    arms = {"all": every} | {f"without {name}": every - {name} for name in names}
    comparisons = tuple(Comparison(name, "technique", "all", f"without {name}") for name in names)
    return Design("leave-one-out", arms, tuple(names), comparisons)


def simulated(
    design: Design, effects: Mapping[str, float], repeats: int, draws: np.random.Generator, correlation: float
) -> list[Cell]:
    """Splits move all arms alike; each arm has noise of its own, of which a share is the same on all repeats. A paired
    difference has a standard deviation of 1."""
    split, cells = draws.normal(0.0, 3.0, repeats), []
    for arm, players in design.arms.items():
        common, own = draws.normal(), draws.normal(size=repeats)
        noise = np.sqrt(correlation / 2) * common + np.sqrt((1 - correlation) / 2) * own
        scores = split + noise + sum(effects[name] for name in players)
        cells += [Cell(arm, repeat, float(score), ROWS, TRAINED) for repeat, score in enumerate(scores)]
    return cells


def race(design: Design, cells: list[Cell], looks: tuple[int, ...]) -> list[Cell]:
    """The cells that a race makes, in which each arm stops as soon as it may."""
    done, upto, seen = 0, dict.fromkeys(design.arms, 0), list[Cell]()
    names = tuple(one.name for one in design.comparisons)
    while names and (following := next_look(done, looks)):
        done = following
        upto |= dict.fromkeys(open_arms(design, names), done)
        seen = [cell for cell in cells if cell.repeat < upto[cell.arm]]
        names = open_comparisons(design, seen, looks=looks)
    return seen


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    if not records:
        return "Not measured yet."
    rows = [
        [*record["name"].split(", "), *(_share(record, name) for name in EFFECTS), f"{100 * record['runs']:.0f} %"]
        for record in records
    ]
    head = ["compared", "repeats are", "repeats", "useless, with a verdict", "2 sd found", "3 sd found", "runs made"]
    worst = max(records, key=lambda record: record["counts"]["useless"] / record["tables"])
    at_ten = [record for record in records if record["name"].split(", ")[2] in ("10", "race to 10")]
    least = min(at_ten, key=lambda record: record["counts"]["three"] / record["tables"])
    wrong, found = worst["counts"]["useless"], least["counts"]["three"] / least["tables"]
    promises = [
        Claim(
            f"a useless technique gets a verdict in at most {MOST_WRONG} of {TABLES} tables, racing or not",
            f"at most {wrong} of {worst['tables']} ({worst['name']})",
            wrong / worst["tables"] <= MOST_WRONG / TABLES,
        ),
        Claim(
            "an effect of 3 standard deviations is found in at least 90 % at 10 repeats, racing or not",
            f"at least {100 * found:.1f} % ({least['name']})",
            found >= 0.9,
        ),
    ]
    return "\n\n".join([claims(promises), table(head, rows)])


def _share(record: Record, name: str) -> str:
    count = record["counts"][name]
    return f"{count} of {record['tables']}" if name == "useless" else f"{100 * count / record['tables']:.0f} %"


if __name__ == "__main__":
    main()

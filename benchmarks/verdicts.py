"""Verdicts of ablations: how often a technique that does nothing of use is called helpful or harmful, and how often an
effect that is there is found.

Real: 40 whole ablations of such a technique, heads on the features of MiniLM, each on 320 rows of its own of one of
four sets of English texts, with 10 repeats, and with a race of at most 20 that uses their runs. Simulated: score tables
of five arms whose differences are correlated between repeats as their overlap makes them, four comparisons each; in 200
of them nothing helps, in others one technique has an effect of 2 or 3 standard deviations of a paired difference.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from graftwork.evidence.ablation.cells import Cell, Comparison, Design
from graftwork.evidence.ablation.judge import judged
from graftwork.evidence.ablation.racing import open_arms, open_comparisons, planned_looks
from harness import data, options
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, SEEDS = "verdicts", 1
SETS = ("trec", "sst2", "ag_news_small", "tweeteval_emotion")
DRAWS, ROWS = 10, 320
REPEATS, LAST = 10, 20
TABLES = 200
TECHNIQUES = ("planted", "second", "third", "fourth")
EFFECTS, AT = (2.0, 3.0), (5, 10, 20)
HELD, TRAINED = 100, 400
MODES = {"all repeats": False, "race": True}


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    simulated(results, given)
    real(results, given)
    print(section(results.records()))


def simulated(results: Results, given: Options) -> None:
    tables = 10 if given.quick else TABLES
    for mode, race in MODES.items():
        results.measure(f"simulated, nothing helps, {mode}", 0, OURS, partial(false_verdicts, tables, race=race))
        for effect in EFFECTS:
            for repeats in AT:
                name = f"simulated, {effect:g} standard deviations, {repeats} repeats, {mode}"
                results.measure(name, 0, OURS, partial(found_effects, tables, effect, repeats, race=race))


def real(results: Results, given: Options) -> None:
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        for name in SETS[:1] if given.quick else SETS:
            rows = [with_text(row) for row in data.read(data.table(name, "train"))]
            order = np.random.default_rng(0).permutation(len(rows))
            for draw in range(1 if given.quick else DRAWS):
                picked = [rows[at] for at in order[draw * ROWS : (draw + 1) * ROWS]]
                file = data.write(Path(folder) / f"{name}-{draw}.csv", picked[:100] if given.quick else picked)
                repeats, last = (5, 5) if given.quick else (REPEATS, LAST)
                ablated = partial(work, "placebo", rows=str(file), repeats=repeats, last=last)
                results.measure(name, draw, OURS, ablated)


def with_text(row: data.Row) -> data.Row:
    """The label, and all texts as one."""
    return {"text": row.get("text") or f"{row['title']}. {row['description']}", "label": row["label"]}


def false_verdicts(tables: int, *, race: bool) -> Record:
    """In how many tables any of four techniques that do nothing is called helpful or harmful."""
    wrong = [any(verdict != "open" for verdict in verdicts(seed, 0.0, LAST, race)) for seed in range(tables)]
    return {"tables": tables, "wrong": sum(wrong)}


def found_effects(tables: int, effect: float, repeats: int, *, race: bool) -> Record:
    """In how many tables the planted technique is called helpful, by so many repeats."""
    found = [verdicts(seed, effect, repeats, race)[0] == "helps" for seed in range(10_000, 10_000 + tables)]
    return {"tables": tables, "found": sum(found)}


def verdicts(seed: int, effect: float, repeats: int, race: bool) -> list[str]:
    """Of one simulated table, the planted technique first."""
    scores, design = simulated_scores(seed, effect, repeats), leave_one_out()
    if not race:
        return [one.verdict for one in judged(design, cells_of(scores, range(repeats), design.arms))]
    looks, cells, arms, at = planned_looks(repeats), list[Cell](), tuple(design.arms), 0
    for look in looks:
        cells += cells_of(scores, range(at, look), arms)
        at, arms = look, open_arms(design, open_comparisons(design, cells, looks=looks))
        if not arms:
            break
    return [one.verdict for one in judged(design, cells, looks=looks)]


def leave_one_out() -> Design:
    arms = {"all": frozenset(TECHNIQUES)}
    arms |= {f"without {name}": frozenset(TECHNIQUES) - {name} for name in TECHNIQUES}
    compared = tuple(Comparison(name, "technique", "all", f"without {name}") for name in TECHNIQUES)
    return Design("leave-one-out", arms, TECHNIQUES, compared)


def simulated_scores(seed: int, effect: float, repeats: int) -> dict[str, np.ndarray]:
    """By arm, its score on each repeat. What is an arm's own varies with a standard deviation of sqrt(1/2), so that a
    difference of two has 1; a fifth of that variance is the same on all repeats, since they share their rows."""
    draw, share = np.random.default_rng(seed), HELD / (HELD + TRAINED)
    easy, scores = draw.normal(0, 3, repeats), {}
    for name in leave_one_out().arms:
        own = np.sqrt(share) * draw.normal() + np.sqrt(1 - share) * draw.normal(size=repeats)
        scores[name] = easy + own * np.sqrt(0.5) - effect * (name == f"without {TECHNIQUES[0]}")
    return scores


def cells_of(scores: dict[str, np.ndarray], repeats: Sequence[int], arms: Sequence[str]) -> list[Cell]:
    return [Cell(arm, number, float(scores[arm][number]), HELD, TRAINED) for number in repeats for arm in arms]


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    if not records:
        return "Not measured yet."
    by_name: dict[str, list[Record]] = {}
    for record in records:
        by_name.setdefault(record["name"], []).append(record)
    real_rows = [[name, *(_wrong(by_name, name, mode) for mode in MODES)] for name in SETS]
    power = [
        [f"{effect:g}, {mode}", *(_share(by_name, effect, repeats, mode) for repeats in AT)]
        for effect in EFFECTS
        for mode in MODES
    ]
    return "\n\n".join(
        [
            claims(kept(by_name)),
            table(["ablations of a technique that does nothing, false verdicts", *MODES], real_rows),
            table(["planted effect in standard deviations, found by", *(f"{at} repeats" for at in AT)], power),
        ]
    )


def kept(by_name: dict[str, list[Record]]) -> list[Claim]:
    """What is promised."""
    found = []
    for mode in MODES:
        cells = [one for name in SETS for one in by_name.get(name, [])]
        wrong = sum(one[mode] != "open" for one in cells)
        whole = len(cells) == len(SETS) * DRAWS
        said = f"{wrong} of {len(cells)}"
        found.append(
            Claim(f"at most 5 of 40 real ablations have a false verdict ({mode})", said, _met(whole, wrong <= 5))
        )
        tables = by_name.get(f"simulated, nothing helps, {mode}", [])
        wrong, of = sum(one["wrong"] for one in tables), sum(one["tables"] for one in tables)
        promise = f"at most 16 of 200 simulated tables have any false verdict ({mode})"
        found.append(Claim(promise, f"{wrong} of {of}", _met(of == TABLES, wrong <= 16)))
    of_three = by_name.get("simulated, 3 standard deviations, 10 repeats, all repeats", [])
    share = sum(one["found"] for one in of_three) / max(1, sum(one["tables"] for one in of_three))
    promise = "an effect of 3 standard deviations is found by 10 repeats in 90 % of tables"
    found.append(Claim(promise, f"{share:.1%}", _met(bool(of_three), share >= 0.9)))
    return found


def _met(measured: bool, holds: bool) -> bool | None:
    return holds if measured else None


def _wrong(by_name: dict[str, list[Record]], name: str, mode: str) -> str:
    cells = by_name.get(name, [])
    return f"{sum(one[mode] != 'open' for one in cells)} of {len(cells)}" if cells else "not measured"


def _share(by_name: dict[str, list[Record]], effect: float, repeats: int, mode: str) -> str:
    cells = by_name.get(f"simulated, {effect:g} standard deviations, {repeats} repeats, {mode}", [])
    found, of = (sum(one[part] for one in cells) for part in ("found", "tables"))
    return f"{found / of:.0%}" if of else "not measured"


if __name__ == "__main__":
    main()

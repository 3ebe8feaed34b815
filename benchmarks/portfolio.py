"""The order in which the default tries its candidates: learned from a grid of candidates on cuts of real sets with at
most 2,000 rows, beside the order that was set by hand and plain fine-tuning.

A cell is one candidate on one set, one thread, one seed: its scores on validation and test rows, and the CPU seconds it
took; of a fine-tune also what it had reached at each validation. From the cells it is worked out what any order of
candidates reaches within a budget: they are tried one after the other while time is left, validation chooses, the test
score counts. Budgets are CPU seconds of the candidates alone: start, final scores and report take some ten more. A
fine-tune that a budget cuts counts with what it had reached by then at the pace of its whole course, a little less than
one that is planned for the time; rows that can't be read in time are not cut, as the library would.

Regret is how much less an order reaches than the best candidate of a set, by test score: accuracy, for imbalanced sets
macro-F1, for numbers R2. An order is the one that was set by hand, to which candidates are added greedily, one by one
and behind the first, so that its mean regret over the sets of its kind, at its budget and the smaller ones, is least.
(Built from nothing they were better by 0.3, -0.2 and 1.2 points, all within chance. The way was chosen with these cells
in view, so that the interval of what it saves is a little too kind.) It is judged on sets that it was learned without:
all sets cut of the same data are left out together, and count as one. Where the 95 % interval of what such orders save
against the usual ones holds 0, those stay, and so they do for a kind whose sets save nothing on the mean. Candidates on
other bases than the usual ones are measured beside, and take no part: a base is chosen before. Nothing is learned of a
part of the grid: until all sets are measured, the order that was set by hand stays.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from functools import cache, partial
from statistics import fmean
from typing import Any

from graftwork.runs.candidates.orders import Line
from graftwork.runs.candidates.other import FINE_TUNES, PLAIN_HEADS
from graftwork.shown import shortened_text
from harness import options
from harness.anytime import Measured, measured_sets
from harness.learned_order import BUDGETS, USUAL, Judged, judged, portfolio_of
from harness.measure import BENCHMARKS, work
from harness.options import OURS
from harness.portfolio_file import to_json, written
from harness.portfolio_sets import SETS, Set
from harness.results import FOLDER, Record, Results, latest, read
from harness.text import Claim, claims, table

NAME = "portfolio"
FILE = BENCHMARKS.parent / "src" / "graftwork" / "runs" / "candidates" / "portfolio.py"
FROM_SCRATCH = {"text": ("train on cnn",)}
QUICK = ("sentiment_3domains", "breast_cancer")
LEAST_ORIGINS = 5
"""Origins without which an interval says nothing, and the usual order stays."""


def main() -> None:
    given = arguments()
    if given.without:
        print(json.dumps(to_json(portfolio_without(given.without)), indent=1))
        return
    if given.write:
        FILE.write_text(source(stored()), encoding="utf-8")
        print(f"{FILE} written from {len(stored())} cells")
        return
    asked = options.chosen(given)
    results = Results(NAME, asked)
    names = QUICK if asked.quick else options.named(given.only, [one.name for one in SETS])
    measure(results, [one for one in SETS if one.name in names], quick=asked.quick)
    print(section(results.records()))


def arguments() -> argparse.Namespace:
    parser = options.parser(__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {FILE.name} from what has been measured")
    options.sets(parser)
    parser.add_argument(
        "--without", metavar="SET,…", type=options.names, help="print a table learned without these sets, as JSON"
    )
    return parser.parse_args()


def measure(results: Results, sets: Sequence[Set], *, quick: bool) -> None:
    """All cells of these sets that are not there yet. Those of a set share a folder of features."""
    for one in sets:
        with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
            for batch in batches(one, quick=quick):
                missing = [name for name in batch if not results.has(key(one, name), 0, OURS)]
                if missing:
                    keep(results, one, missing, partial(work, NAME, set=one.name, cache=folder, quick=quick))


def keep(results: Results, one: Set, names: Sequence[str], worker: Any) -> None:
    """Measure some candidates in one process, and keep a record of each; one by one where the process fails. Of what
    fails by itself it is kept why."""

    @cache
    def found() -> dict[str, Record]:
        answer: dict[str, Record] = worker(candidates=list(names))
        return answer

    try:
        for name in names:
            record = partial(lambda name: {"set": one.name, "candidate": name, **found()[name]}, name)
            results.measure(key(one, name), 0, OURS, record)
    except RuntimeError as error:  # such as too little memory
        print(f"{one.name}, {', '.join(names)}: {error}", file=sys.stderr)
        if len(names) == 1:
            failed = {"set": one.name, "candidate": names[0], "refused": shortened_text(str(error), 200)}
            results.measure(key(one, names[0]), 0, OURS, lambda: failed)
            return
        for name in names:
            keep(results, one, [name], worker)


def key(one: Set, name: str) -> str:
    return f"{one.name} | {name or 'facts'}"


def batches(one: Set, *, quick: bool) -> list[list[str]]:
    """The candidates of a set, those together that are measured in one process; "" stands for the set's facts."""
    if quick:
        heads = ["linear probe", "tune"] if one.kind == "text" else ["plain linear probe", "train"]
        return [["", *heads]]
    quicker = [*(PLAIN_HEADS if one.kind == "table" else ()), *(name for name in USUAL[one.kind] if name in QUICK_ONES)]
    if one.kind == "several":
        quicker += ["texts alone", "images alone", "sounds alone", "numbers and categories alone"]
    slower = ["train"] if one.kind == "table" else ["tune", *FINE_TUNES]
    others = [*one.others, *FROM_SCRATCH.get(one.kind, ())]
    return [["", *quicker], slower, *([name] for name in others)]


QUICK_ONES = ("kernel probe", "mlp probe", "linear probe", "plain linear probe", "boosting", "late fusion")
"""Those that are solved on frozen features."""


def stored() -> list[Record]:
    return latest(read(FOLDER / f"{NAME}.jsonl"))


def sets_of(records: Sequence[Record], without: Sequence[str] = ()) -> list[Measured]:
    """The sets of which all candidates are measured, without those that are named or are cut of data that is."""
    found = {(record["set"], record["candidate"]) for record in records}
    kept = [one for one in SETS if one.name not in without and one.origin not in without]
    names = {one.name: [name for batch in batches(one, quick=False) for name in batch] for one in kept}
    whole = [one for one in kept if found.issuperset((one.name, name) for name in names[one.name])]
    return measured_sets(records, {one.name: one.origin for one in whole})


def portfolio_without(names: Sequence[str]) -> tuple[Line, ...]:
    """The table learned without some sets, which are named by themselves or by the data that they are cut of, and all
    others cut of the same data: for a benchmark that runs on them."""
    known = dict.fromkeys(name for one in SETS for name in (one.name, one.origin))
    names = options.named(names, list(known))
    origins = [one.origin for one in SETS if one.name in names or one.origin in names]
    if len(sets_of(stored())) < len(SETS):
        return portfolio_of([], [])
    sets = sets_of(stored(), origins)
    return portfolio_of(sets, judgements(sets))


def source(records: Sequence[Record]) -> str:
    """`runs/candidates/portfolio.py` as the cells give it."""
    sets = sets_of(records)
    if len(sets) < len(SETS):
        said = f"{len(sets)} of the {len(SETS)} sets of its grid are measured, and until all are"
        return written(portfolio_of([], []), f"{said} every line says the order that was set by hand.")
    found = judgements(sets)
    lines = portfolio_of(sets, found)
    better = [f"{one.budget:g}" for one in found if one.better]
    said = (
        f"At {' and '.join(better)} seconds learned orders are better than the one set by hand, which stands elsewhere."
        if better
        else "At no budget learned orders were better than the one set by hand by more than chance, so that it stays."
    )
    return written(lines, f"Learned from {len(sets)} sets (docs/benchmarks.md). {said}")


def judgements(sets: Sequence[Measured]) -> list[Judged]:
    """At each budget; none where the sets are too few to say anything."""
    if len({one.origin for one in sets}) < LEAST_ORIGINS:
        return []
    return [judged(sets, budget) for budget in BUDGETS]


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    sets = sets_of(records)
    if not sets:
        return "Not measured yet."
    found = judgements(sets)
    seconds = sum(record.get("pass", 0.0) + record.get("own", 0.0) for record in records)
    cells = sum("own" in record for record in records)
    origins = len({one.origin for one in sets})
    left = "" if len(sets) == len(SETS) else f" {len(SETS) - len(sets)} sets of the grid are not measured yet."
    said = f"{cells} cells on {len(sets)} sets, cut of {origins} data sets; {seconds / 3600:.1f} CPU hours.{left}"
    return "\n\n".join([claims(promised(found)), said, by_kind(found, sets), by_set(found, sets)])


def promised(found: Sequence[Judged]) -> list[Claim]:
    """What the learned orders save on sets that they were learned without."""
    made = []
    for one in found:
        for against, other in (("the usual order", one.usual), ("plain fine-tuning", one.plain)):
            mean, low, high = one.saved(other)
            measured = f"{100 * mean:+.2f} ({100 * low:+.2f} to {100 * high:+.2f})"
            made.append(
                Claim(f"at {one.budget:g} s, points saved against {against}: more than chance", measured, low > 0)
            )
    return made or [Claim("learned orders save regret", f"fewer than {LEAST_ORIGINS} data sets", None)]


def by_kind(found: Sequence[Judged], sets: Sequence[Measured]) -> str:
    """Mean regret in points, by kind and budget."""
    kinds = {one.name: one.kind for one in sets}
    rows = []
    for kind in USUAL:
        for one in found:
            of = [at for at, name in enumerate(one.names) if kinds[name] == kind]
            if of:
                means = [fmean(of_order[at] for at in of) for of_order in (one.learned, one.usual, one.plain)]
                rows.append([kind, f"{one.budget:g}", str(len(of)), *(f"{100 * mean:.2f}" for mean in means)])
    head = ["kind", "budget, s", "sets", "regret of learned orders, points", "usual order", "plain fine-tuning"]
    return table(head, rows)


def by_set(found: Sequence[Judged], sets: Sequence[Measured]) -> str:
    """Each set, its best candidate, and the regret of the order that was learned without it beside the usual one."""
    rows = []
    for at, one in enumerate(sets):
        best = max(one.cells, key=lambda name: one.cells[name].test)
        regrets = [f"{100 * each.learned[at]:.1f} / {100 * each.usual[at]:.1f}" for each in found]
        rows.append([one.name, str(one.rows), str(one.classes or "numbers"), best, f"{100 * one.best:.1f}", *regrets])
    columns = [f"{each.budget:g} s, learned / usual" for each in found]
    return table(["set", "training rows", "classes", "best candidate", "its score", *columns], rows)


if __name__ == "__main__":
    main()

"""`graft tune` within 2 minutes on eight sets, and within 8 on three of them, beside the default, full fine-tuning with
usual settings, embeddings of the best base that is fetched + logistic regression, and on texts AutoGluon multimodal.

Budgets are CPU seconds of one thread, those of full fine-tuning the same. Tune and default try their candidates in an
order that was learned without these sets, and choose their bases among all that are here; full fine-tuning has one.
Embeddings take the time that they take, of photos at the largest size. AutoGluon has the base of full fine-tuning, its
mean over tokens, accuracy as its metric, no changed words in its texts (which need the net), twice the budget by the
wall clock, and an environment of its own, which GRAFTWORK_AUTOGLUON names. The curves are of the model that is in the
folder at that time, on 500 test rows, scored afterwards. A cell that fails is said, and tried again by the next call;
none is begun with little memory free, by which bases are chosen.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from graftwork.runs.bases.memory import free_memory
from graftwork.runs.job.choice import at_hand
from harness import data, options
from harness.measure import BENCHMARKS, work
from harness.options import OURS, Options
from harness.panels import Panel, draw_panels
from harness.results import Record, Results
from harness.shown import paired, points
from harness.text import Claim, claims, table
from harness.tuned_sets import SETS, Set, files

NAME, SEEDS = "tune", 1
FIGURE = BENCHMARKS.parent / "docs" / "images" / "tune.svg"
SHORT, LONG = 120, 480
QUICK_SECONDS = 12
SCORED = 500
STRENGTHS = [1e-5, 1e-4, 0.001, 0.01, 0.1, 1.0]
TUNE, DEFAULT, FULL = "tune", "default", "full fine-tuning"
EMBEDDINGS, AUTOGLUON = "embeddings + LR", "AutoGluon"
PEERS = (FULL, EMBEDDINGS, AUTOGLUON)
ENVIRONMENT = "GRAFTWORK_AUTOGLUON"
MEMORY = 8e9
"""Bytes that must be free: what one cell takes at most beside another."""
BASES = ("minilm", "mpnet", "efficientnet-lite0", "whisper-base", "whisper-tiny.en")
Found = Mapping[tuple[str, int, str], Record]
"""By set, budget and method."""


def main() -> None:
    parser = options.parser(__doc__, SEEDS)
    options.sets(parser)
    asked = parser.parse_args()
    given, names = options.chosen(asked, SEEDS), options.named(asked.only, [one.name for one in SETS])
    missing = [name for name in BASES if at_hand(name) is None]
    if missing and not given.quick:
        sys.exit(f"Not here: {', '.join(missing)}. Fetch them with graft bases get, and set GRAFTWORK_HOME.")
    results, lines = Results(NAME, given), portfolio(quick=given.quick)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        for one in SETS[2:3] if given.quick else [one for one in SETS if one.name in names]:
            parts = files(one, Path(folder) / one.name, quick=given.quick)
            for budget in (QUICK_SECONDS,) if given.quick else (SHORT, LONG) if one.long else (SHORT,):
                measure(results, given, one, parts, budget, lines)
    print(section(results.records(), None if given.quick else FIGURE))


def portfolio(*, quick: bool) -> list[dict[str, Any]]:
    """The order of candidates that was learned without these sets, from the cells that its benchmark left. Exits where
    these are not whole, unless it is a trial: of a part nothing is learned."""
    from harness.portfolio_file import to_json
    from portfolio import SETS as GRID
    from portfolio import portfolio_without, sets_of, stored

    if len(sets_of(stored())) < len(GRID) and not quick:
        sys.exit("benchmarks/portfolio.py is not measured whole: its order can't be learned without these sets.")
    return to_json(portfolio_without([one.name for one in SETS]))


def measure(
    results: Results, given: Options, one: Set, parts: dict[str, str], budget: int, lines: list[dict[str, Any]]
) -> None:
    """All methods, the project's in between the peers'."""
    shared = {**parts, "target": one.target}
    ours = {**shared, "inputs": list(one.inputs), "budget": budget, "portfolio": lines, "base": one.tuned}
    scored = 16 if given.quick else SCORED
    for seed in range(given.seeds):
        cell = partial(_cell, results, one, budget, seed)
        cell(TUNE, OURS, partial(work, "tuned", **ours, way="tune", seed=seed, scored=scored))
        cell(FULL, OURS, partial(work, "tuned", **ours, way="full", seed=seed))
        cell(DEFAULT, OURS, partial(work, "tuned", **ours, way="default", seed=seed))
        if budget != LONG and seed == 0:
            bases = dict.fromkeys(one.embedded, "minilm") if given.quick else one.embedded
            peer = partial(work, "base_embeddings", **shared, bases=bases, strengths=STRENGTHS)
            cell(EMBEDDINGS, "scikit-learn", peer)
        if one.is_text:
            _autogluon(cell, shared, budget, seed)


def _cell(results: Results, one: Set, budget: int, seed: int, method: str, package: str, measured: Any) -> None:
    name, free = f"{one.name}, {budget} s, {method}", free_memory()
    if free is not None and free < MEMORY and not results.has(name, seed, package):
        sys.exit(f"{free / 1e9:.1f} GB of memory are free, and a cell is to have {MEMORY / 1e9:.0f}.")
    try:
        results.measure(name, seed, package, measured)
    except RuntimeError as error:
        print(f"{name}: {error}", file=sys.stderr, flush=True)


def _autogluon(cell: Any, shared: dict[str, str], budget: int, seed: int) -> None:
    """Its version is that of its own environment, where it is: the results are kept under this project's torch."""
    named = os.environ.get(ENVIRONMENT, "")
    python = Path(named) / "bin" / "python"
    if not named or not python.is_file():
        print(f"AutoGluon is left out: {ENVIRONMENT} names no environment with it ({named or 'it is not set'})")
        return
    own = {"python": str(python), "base": data.base_folder(), "seconds": 2 * budget, "seed": seed}
    cell(AUTOGLUON, "torch", partial(work, "autogluon_texts", **shared, **own))


def section(records: Sequence[Record], figure: Path | None = None) -> str:
    """This benchmark's part of docs/benchmarks.md; draws its figure where one is named."""
    if not records:
        return "Not measured yet."
    found = {_key(record): record for record in records if record["seed"] == 0}
    told = [claims(promised(found)), scores(found), differences(found)]
    if figure is not None and (panels := [panel for one in SETS if (panel := _panel(found, one))]):
        draw_panels(panels, figure)
        told.append(f"![test accuracy over CPU seconds]({figure.relative_to(figure.parents[1]).as_posix()})")
    return "\n\n".join(told)


def scores(found: Found) -> str:
    """Accuracy and CPU seconds by set and method."""
    rows = []
    for name, budget in dict.fromkeys((name, budget) for name, budget, _ in found):
        cells = [found.get((name, budget, method)) for method in (TUNE, DEFAULT, *PEERS)]
        shown = ["" if one is None else f"{100 * one['accuracy']:.1f} ({one['cpu']:.0f} s)" for one in cells]
        tune = found.get((name, budget, TUNE))
        rows.append([f"{name}, {budget} s", *shown, "" if tune is None else kept_text(tune), trials_text(tune)])
    return table(["test accuracy, % (CPU s)", TUNE, DEFAULT, *PEERS, "tune kept", "trials"], rows)


def kept_text(record: Record) -> str:
    """Base and techniques of the model that was kept."""
    kept = record["kept"]
    techniques = [name for one in kept["techniques"] or () for name in one]
    base = kept["base"] if isinstance(kept["base"], str) else ", ".join(kept["base"].values())
    return f"{base}: {', '.join(techniques) or 'plain'}"


def trials_text(record: Record | None) -> str:
    return "" if record is None else str(record["trials"])


def differences(found: Found) -> str:
    """The mean over sets, with its interval, by budget and other method."""
    rows = []
    for budget in sorted({budget for _, budget, _ in found}):
        for other in (DEFAULT, *PEERS):
            pairs = paired_scores(found, budget, other)
            if pairs:
                rows.append([f"{budget} s, against {other}", points(*zip(*pairs, strict=True)), str(len(pairs))])
    return table(["tune, mean difference in points (95 %)", "difference", "sets"], rows)


def paired_scores(found: Found, budget: int, other: str) -> list[tuple[float, float]]:
    """(the other's, tune's) test accuracy on each set that has both."""
    names = dict.fromkeys(name for name, at, _ in found if at == budget)
    both = [(found.get((name, budget, other)), found.get((name, budget, TUNE))) for name in names]
    return [(one["accuracy"], tune["accuracy"]) for one, tune in both if one is not None and tune is not None]


def promised(found: Found) -> list[Claim]:
    """What is promised of the short budget, and of every cell beside the default."""
    made = []
    for other in PEERS:
        pairs = paired_scores(found, SHORT, other)
        low = paired(*zip(*pairs, strict=True))[1] if len(pairs) > 1 else None
        measured = f"{points(*zip(*pairs, strict=True))} on {len(pairs)} sets" if pairs else "not measured"
        promise = f"at {SHORT} s better than {other} over the sets, beyond the 95 % interval"
        made.append(Claim(promise, measured, None if low is None else bool(low > 0)))
    cells = [(key, below_default(found, key)) for key in found if key[2] == TUNE and (*key[:2], DEFAULT) in found]
    worse = [f"{name}, {budget} s" for (name, budget, _), below in cells if below]
    measured = f"worse on {', '.join(worse) or 'none'} of {len(cells)}"
    promise = "on no set worse than the default beyond the 95 % interval over its test rows"
    return [*made, Claim(promise, measured, not worse if cells else None)]


def below_default(found: Found, key: tuple[str, int, str]) -> bool:
    """Whether the paired interval over test rows is all below 0."""
    ours, default = (np.array(list(found[*key[:2], method]["right"]), int) for method in (TUNE, DEFAULT))
    difference = ours - default
    return bool(difference.mean() + 1.96 * difference.std(ddof=1) / np.sqrt(len(difference)) < 0)


def _panel(found: Found, one: Set) -> Panel | None:
    """The curve of the longest tune, and what the others had reached by the end of their time."""
    budget = max((budget for name, budget, method in found if name == one.name and method == TUNE), default=None)
    if budget is None:
        return None
    tune = found[one.name, budget, TUNE]
    curve = [(seconds, accuracy) for seconds, accuracy in tune["curve"]]
    ends = {
        f"{method}, {at} s" if method != EMBEDDINGS else method: (record["cpu"], record["accuracy"])
        for (name, at, method), record in found.items()
        if name == one.name and method != TUNE
    }
    return Panel(one.name, {TUNE: [*curve, (tune["cpu"], tune["accuracy"])]}, ends)


def _key(record: Record) -> tuple[str, int, str]:
    name, budget, method = record["name"].split(", ", 2)
    return name, int(budget.removesuffix(" s")), method


if __name__ == "__main__":
    main()

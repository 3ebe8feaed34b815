"""Robust training: what is left of accuracy under attack, under corruptions and behind wrong labels.

CIFAR-10 (10,000 images) with a small CNN from scratch: plain training, PGD training with 2 steps, fast FGSM, free
adversarial training and TRADES, all at 8/255, scored on 1,000 test images under an attack of 20 steps with 2 climbs;
the first plain and PGD-trained models also under that of the adversarial-robustness-toolbox. AugMix is scored under the
15 corruptions. On texts: TREC, 2,000 rows with 30 % of the labels wrong, and 1,000 rows, with MiniLM and its upper
blocks trained.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from harness import data, options
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.shown import Shown
from harness.text import Claim, claims, mean_and_spread, table

NAME, SEEDS = "robust", 3
BASE = "small-cnn:width=16,blocks=1,dropout=0,size=32"
FLIPPED = 0.3
PLAIN, PGD = "plain", "adversarial:epsilon=8/255,steps=2"
FAST, FREE = "adversarial:epsilon=8/255,steps=1", "free-adversarial:epsilon=8/255,replays=4"
TRADES, AUGMIX = "trades:epsilon=8/255,steps=3,beta=4", "augmix:weight=6"
IMAGES = {PLAIN: 16, PGD: 16, FAST: 8, FREE: 16, TRADES: 5, AUGMIX: 5}
"""What is trained, and for how many passes: those that cost most make fewer."""
TEXT_SET = "trec"
NOISY = (PLAIN, "generalised-cross-entropy", f"small-loss:noise={FLIPPED}")
SMALL = (PLAIN, "fgm", "vat")
TRAINED, ATTACKED, TOOLBOX, SHIFTED = "trained", "attacked", "toolbox", "corruptions"
WRONG, ROWS = "wrong labels", "1,000 rows"
DRAWN = {WRONG: 2000, ROWS: 1000}
KINDS = {
    PLAIN: (ATTACKED, TOOLBOX, SHIFTED),
    PGD: (ATTACKED, TOOLBOX),
    FAST: (ATTACKED,),
    FREE: (ATTACKED,),
    TRADES: (ATTACKED,),
    AUGMIX: (SHIFTED,),
}
"""What each model is scored by; by the toolbox with the first seed alone."""
MODELS = Path(tempfile.gettempdir()) / "graftwork-bench-robust"
"""Models are kept here between the measurements, and trained again where they are gone."""


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as made:
        folder = Path(made)
        parts = images(folder, given)
        for seed in range(given.seeds):
            for method, epochs in IMAGES.items():
                settings = {
                    **parts,
                    "base": BASE,
                    "method": method,
                    "epochs": 1 if given.quick else epochs,
                    "seed": seed,
                }
                for kind in (TRAINED, *KINDS[method]):
                    if kind == TOOLBOX and seed > 0:
                        continue
                    one = partial(work, "robust_images", **settings, kind=kind, models=str(MODELS))
                    results.measure(f"cifar10, {kind}, {method}", seed, OURS, one)
        for seed in range(given.seeds):
            texts(results, given, folder, seed)
    print(section(results.records()))


def images(folder: Path, given: Options) -> dict[str, str]:
    """The rows of each part as files, the same for all."""
    files = {}
    for part, rows in (("train", 10_000), ("validation", 500), ("test", 1000)):
        whole = pq.read_table(data.table("cifar10", part))
        drawn = np.random.default_rng(0).permutation(whole.num_rows)[: 64 if given.quick else rows]
        files[part] = str(folder / f"cifar10-{part}.parquet")
        pq.write_table(whole.take(drawn), files[part])
    return files


def texts(results: Results, given: Options, folder: Path, seed: int) -> None:
    held = {part: str(data.table(TEXT_SET, part)) for part in ("validation", "test")}
    for kind, methods in ((WRONG, NOISY), (ROWS, SMALL)):
        train = str(drawn(folder, kind, seed, given))
        for method in methods:
            one = partial(work, "robust_texts", train=train, **held, method=method, seed=seed)
            results.measure(f"{TEXT_SET}, {kind}, {method}", seed, OURS, one)


def drawn(folder: Path, kind: str, seed: int, given: Options) -> Path:
    """The training rows: some of them, or all with a share of the labels replaced by another class."""
    rows, draw = data.read(data.table(TEXT_SET, "train")), np.random.default_rng(seed)
    order = draw.permutation(len(rows))
    rows = [dict(rows[at]) for at in order[: 60 if given.quick else DRAWN[kind]]]
    if kind == WRONG:
        classes = sorted({row["label"] for row in rows})
        for row in rows:
            if draw.random() < FLIPPED:
                others = [label for label in classes if label != row["label"]]
                row["label"] = others[int(draw.integers(len(others)))]
    return data.write(folder / f"{kind.replace(' ', '-')}-{seed}.csv", rows)


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    if not records:
        return "Not measured yet."
    models = joined(records)
    clean = ("trained with", "clean")
    attacked = (*clean, "at 4/255", "at 8/255", "4/255 (toolbox)", "8/255 (toolbox)", "CPU s", "seeds")
    columns = ("accuracy", "4/255", "8/255", "art 4/255", "art 8/255")
    corrupted = (*clean, "15 corruptions x 5 severities", "CPU s", "seeds")
    parts = [
        claims(kept(models)),
        _table(attacked, models, columns),
        _table(corrupted, models, ("accuracy", "corrupted")),
    ]
    return "\n\n".join([*parts, text_table(records)])


def method_of(record: Record) -> str:
    method: str = record["name"].split(", ", 2)[2]
    return method


def joined(records: Iterable[Record]) -> list[Record]:
    """All that was measured of each image model, in one record; its CPU seconds are those of the training."""
    models: dict[tuple[str, int], Record] = {}
    for record in records:
        name, kind, method = record["name"].split(", ", 2)
        if name == "cifar10":
            one = models.setdefault((method, record["seed"]), {"method": method, "seed": record["seed"]})
            one |= {key: value for key, value in record.items() if key not in ("cpu", "wall", *one) or kind == TRAINED}
    return list(models.values())


def kept(models: list[Record]) -> list[Claim]:
    by = {(one["method"], one["seed"]): one for one in models if "8/255" in one}
    pairs = [(by[PGD, seed], by[PLAIN, seed]) for method, seed in by if method == PGD and (PLAIN, seed) in by]
    found = []
    for epsilon, least in (("4/255", 25), ("8/255", 15)):
        gains = [100 * (robust[epsilon] - plain[epsilon]) for robust, plain in pairs]
        mean = float(np.mean(gains)) if gains else float("nan")
        promise = f"PGD training holds {least} points more than plain training at {epsilon}"
        found.append(Claim(promise, f"{mean:+.1f}" if gains else "", mean >= least if gains else None))
    both = [(one[e], one[f"art {e}"]) for one in by.values() for e in ("4/255", "8/255") if f"art {e}" in one]
    worst = 100 * max((abs(ours - theirs) for ours, theirs in both), default=float("nan"))
    promise = "the attack agrees with the adversarial-robustness-toolbox within 1 point, on each model"
    return [*found, Claim(promise, f"at most {worst:.1f} apart" if both else "", worst <= 1 if both else None)]


def _table(head: Sequence[str], models: list[Record], columns: tuple[str, ...]) -> str:
    """Of the models that have the first three columns; the others are means of those seeds that have them."""
    rows = []
    for method in dict.fromkeys(one["method"] for one in models):
        runs = [one for one in models if one["method"] == method and all(column in one for column in columns[:3])]
        if runs:
            having = [[run[column] for run in runs if column in run] for column in columns]
            seconds = mean_and_spread([run["cpu"] for run in runs], digits=0)
            rows.append(
                [
                    f"`{method}`",
                    *(mean_and_spread(each, 100) if each else "" for each in having),
                    seconds,
                    str(len(runs)),
                ]
            )
    return f"Accuracy in %.\n\n{table(head, rows)}"


def text_table(records: list[Record]) -> str:
    texts = [record for record in records if not record["name"].startswith("cifar10")]
    rows = []
    for name in dict.fromkeys(record["name"] for record in texts):
        runs = [record for record in texts if record["name"] == name]
        scores = mean_and_spread([run["accuracy"] for run in runs], 100)
        rows.append([name, scores, mean_and_spread([run["cpu"] for run in runs], digits=0), str(len(runs))])
    return table(["set, rows, trained with", "test accuracy, %", "CPU s", "seeds"], rows)


def shown(records: list[Record]) -> list[Shown]:
    """What each technique brought, for docs/techniques.md."""
    models = joined(records)
    rows = []
    measures = {"8/255": "accuracy under PGD-20 at 8/255", "accuracy": "clean accuracy", "corrupted": "15 corruptions"}
    for method in IMAGES:
        for column, measure in measures.items() if method != PLAIN else ():
            rows += _shown(
                method,
                "cifar10, 10,000 images",
                measure,
                _by_seed(models, PLAIN, column),
                _by_seed(models, method, column),
            )
    texts = [{**record, "method": method_of(record)} for record in records if not record["name"].startswith("cifar10")]
    for name, kind, method in dict.fromkeys(tuple(record["name"].split(", ", 2)) for record in texts):
        if method != PLAIN:
            own = [record for record in texts if record["name"].startswith(f"{name}, {kind}, ")]
            pair = (_by_seed(own, PLAIN, "accuracy"), _by_seed(own, method, "accuracy"))
            rows += _shown(method, f"{name}, {kind}", "accuracy", *pair)
    return rows


def _by_seed(records: list[Record], method: str, column: str) -> dict[int, float]:
    return {one["seed"]: one[column] for one in records if one["method"] == method and column in one}


def _shown(method: str, name: str, measure: str, without: dict[int, float], with_it: dict[int, float]) -> list[Shown]:
    seeds = sorted(without.keys() & with_it.keys())
    return [Shown(method, name, measure, [without[s] for s in seeds], [with_it[s] for s in seeds])] if seeds else []


if __name__ == "__main__":
    main()

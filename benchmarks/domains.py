"""Domains: train on some, test on the one left out, and what each technique brings there.

Texts: reviews of three shops (MiniLM on their first 128 tokens, the three upper blocks trained). Pictures: PACS, four
styles (MobileNetV2, five blocks trained). Each domain in turn is left out; techniques that can use them see its rows
without labels. Every technique is run with its usual settings, beside the same run without it; the one with the best
score on validation rows of the training domains is also compared, as a user would have to choose.

Digits: the handwritten digits of scikit-learn. Coloured as in Arjovsky et al. 2019: below 5 or not, a quarter of the
labels wrong, and a colour that agrees with the label in 90 % and 80 % of the rows of two training domains, but in 10 %
of the test rows. Turned: three training domains at 0, 15 and 30 degrees, tested at 60.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness import data, options
from harness.digits import coloured, turned
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.shown import Shown, paired, points
from harness.text import Claim, claims, table

NAME, SEEDS = "domains", 3
PLAIN = "plain"
ADAPTING = ("coral:weight=10", "mmd", "dann", "cdan")
"""Which see the rows of the domain that is left out."""
GENERALISING = ("group-dro", "irm", "vrex", "domain-sampling", "film")
AT_PREDICTION = ("tent", "adabn")
"""Which change nothing in training: the plain model predicts with them."""
DIGITS = {
    "coloured": (coloured, ("irm:weight=1000,warmup=0.4", "vrex:weight=1000,warmup=0.3", "group-dro:step=0.1")),
    "turned": (turned, ("irm", "vrex", "group-dro")),
}
REAL: dict[str, dict[str, Any]] = {
    "sentiment_3domains": {
        "base": "minilm:max_length=128",
        "inputs": ["text"],
        "beside": ["warm-start", "partial:blocks=3"],
        "training": {"lr": 2e-4, "head_lr": 1e-3, "epochs": 3, "batch": 64, "evaluations": 1, "keep": "last"},
        "methods": (*ADAPTING, *GENERALISING, "tent"),
    },
    "pacs": {
        "base": "{weights}/mobilenet_v2_1.0_224:size=96",
        "inputs": ["image"],
        "beside": ["warm-start", "partial:blocks=5"],
        "training": {"lr": 5e-4, "head_lr": 1e-3, "epochs": 3, "batch": 64, "evaluations": 1, "keep": "last"},
        "methods": (*ADAPTING, *GENERALISING, *AT_PREDICTION),
    },
}
ON_DIGITS: dict[str, Any] = {
    "base": "table-mlp:embedding=2,width=32,layers=1,dropout=0,numbers=standard",
    "beside": ["ema:decay=0.98"],
    "inputs": None,
    "training": {
        "lr": 1e-3,
        "head_lr": 1e-3,
        "steps": 600,
        "batch": 1024,
        "precision": "fp32",
        "schedule": "constant",
        "warmup": 0.0,
        "evaluations": 1,
        "keep": "last",
    },
}
DRAWS = 3
"""Seeds of the digits, which are quick."""


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    for seed in range(DRAWS if not given.quick else 1):
        for name in DIGITS:
            measure(results, given, name, seed, partial(_digits, name, seed))
    for seed in range(given.seeds):
        for name in REAL:
            for domain in _domains(name)[: 1 if given.quick else None]:
                measure(
                    results, given, f"{name}, without {domain}", seed, partial(_real, name, domain, seed, given.quick)
                )
    print(section(results.records()))


def measure(results: Results, given: Options, name: str, seed: int, made: Callable[[Path], dict[str, Any]]) -> None:
    """All methods in one process, which encodes the rows by the frozen blocks once."""
    if results.has(name, seed, OURS):
        return
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        settings = made(Path(folder))
        if given.quick:
            settings["training"] = {**settings["training"], "steps": 2}
        results.measure(name, seed, OURS, partial(work, "domains", seed=seed, **settings))


def _digits(name: str, seed: int, folder: Path) -> dict[str, Any]:
    make, methods = DIGITS[name]
    files = {}
    for part, rows in make(seed).items():
        files[part] = str(folder / f"{part}.parquet")
        pq.write_table(pa.table(rows), files[part])
    return {**ON_DIGITS, **files, "methods": _methods(methods)}


def _real(name: str, domain: str, seed: int, quick: bool, folder: Path) -> dict[str, Any]:
    """The other domains to train and validate on, and all rows of this one to test on."""
    parts = {part: _read(name, part) for part in ("train", "validation", "test")}
    files = {}
    for part in ("train", "validation"):
        found = parts[part].filter(pc.not_equal(parts[part]["domain"], domain))
        files[part] = _written(found, folder / f"{part}.parquet", 60 if quick else None)
    whole = pa.concat_tables(parts.values())
    test = whole.filter(pc.equal(whole["domain"], domain))
    files["test"] = _written(test, folder / "test.parquet", 60 if quick else None)
    del seed  # the rows are the same for all
    base = REAL[name]["base"].format(weights=data.folder("weights")) if name == "pacs" else REAL[name]["base"]
    return {**REAL[name], **files, "base": base, "methods": _methods(REAL[name]["methods"])}


def _methods(specs: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """By name, the plain run first: the technique, whether it sees rows without labels, whether training is plain."""
    made = {PLAIN: {"with": [], "unlabelled": False, "at_prediction": False}}
    return made | {
        spec: {"with": [spec], "unlabelled": spec in ADAPTING, "at_prediction": spec in AT_PREDICTION} for spec in specs
    }


def _domains(name: str) -> list[str]:
    return sorted(set(_read(name, "test")["domain"].to_pylist()))


def _read(name: str, part: str) -> pa.Table:
    file = data.table(name, part)
    if file.suffix == ".parquet":
        return pq.read_table(file)
    rows = data.read(file)
    return pa.table({key: [row[key] for row in rows] for key in rows[0]})


def _written(rows: pa.Table, path: Path, few: int | None) -> str:
    if few is not None:
        rows = rows.take(np.random.default_rng(0).permutation(len(rows))[:few])
    pq.write_table(rows, path)
    return str(path)


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    if not records:
        return "Not measured yet."
    told = (
        "Accuracy in % on the domain that was left out, mean over these domains and the seeds; the difference to the "
        "plain run in points, with its 95 % interval (Student's t over the seeds, of the mean over the domains). "
        "Validation: rows of the training domains. CPU seconds of one run."
    )
    head = ["set", "technique", "accuracy", "minus plain", "validation", "CPU s", "seeds"]
    parts = [claims(_claims(records)), told, table(head, list(_lines(records)))]
    return "\n\n".join(part for part in parts if part)


def _lines(records: list[Record]) -> Iterator[list[str]]:
    for name, runs in gathered(records).items():
        plain = runs[PLAIN]["accuracy"]
        for method, found in runs.items():
            ahead = "" if method == PLAIN else points(plain, found["accuracy"])
            shares = [f"{100 * np.mean(found[key]):.1f}" for key in ("accuracy", "validation")]
            yield [name, method, shares[0], ahead, shares[1], f"{np.mean(found['cpu']):.1f}", str(len(plain))]


def _claims(records: list[Record]) -> list[Claim]:
    made = []
    for name, runs in gathered(records).items():
        plain = runs[PLAIN]["accuracy"]
        if name in REAL:
            method = chosen(runs)
            _, low, _ = paired(plain, runs[method]["accuracy"])
            said = f"{method}: {points(plain, runs[method]['accuracy'])} points"
            made.append(Claim(f"{name}: what validation chooses is better than plain training", said, low > 0))
        if name == "coloured":
            best = max((m for m in runs if m != PLAIN), key=lambda m: float(np.mean(runs[m]["accuracy"])))
            share, other = (float(np.mean(runs[m]["accuracy"])) for m in (PLAIN, best))
            _, low, _ = paired(plain, runs[best]["accuracy"])
            said = f"plain {100 * share:.1f} %, {best} {100 * other:.1f} %"
            made.append(
                Claim("the colour flips: plain training fails, another fails less", said, share < 0.5 and low > 0)
            )
            made.append(Claim("and that one is above chance", said, other > 0.5))
    return made


def chosen(runs: dict[str, dict[str, list[float]]]) -> str:
    """The technique with the best validation, mean over domains and seeds."""
    others = [method for method in runs if method != PLAIN]
    return max(others, key=lambda method: float(np.mean(runs[method]["validation"])))


def gathered(records: list[Record]) -> dict[str, dict[str, dict[str, list[float]]]]:
    """By set and method: accuracies, validation scores and CPU seconds of each seed, means over the domains left out.

    Of the seeds that have every domain with every method: the runs of one seed share draws, so they make one pair.
    """
    runs: dict[str, dict[int, dict[str, dict[str, Any]]]] = {}
    for record in records:
        cut = record["name"]
        runs.setdefault(cut.partition(",")[0], {}).setdefault(record["seed"], {})[cut] = record["methods"]
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for name, seeds in sorted(runs.items()):
        cuts = {cut for one in seeds.values() for cut in one}
        methods = dict.fromkeys(method for one in seeds.values() for made in one.values() for method in made)
        whole = [
            one for one in seeds.values() if one.keys() == cuts and all(m.keys() == set(methods) for m in one.values())
        ]
        if whole:
            found[name] = {
                method: {
                    key: [float(np.mean([one[cut][method][key] for cut in cuts])) for one in whole]
                    for key in ("accuracy", "validation", "cpu")
                }
                for method in methods
            }
    return found


def shown(records: list[Record]) -> list[Shown]:
    """Its rows of the table of techniques."""
    rows = []
    for name, runs in gathered(records).items():
        cut = (
            "each domain left out" if name in REAL else "colour flips" if name == "coloured" else "turned by 60 degrees"
        )
        what = name if name in REAL else "digits"
        for method in runs:
            if method != PLAIN:
                pair = runs[PLAIN]["accuracy"], runs[method]["accuracy"]
                rows.append(Shown(method, f"{what}, {cut}", "accuracy", *pair))
    return rows


if __name__ == "__main__":
    main()

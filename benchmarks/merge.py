"""Merged models of three sentiment domains (amazon, imdb, yelp), and soups of runs on TREC; all tune the embedded base.

A fine-tune of each domain is compared with a probe on the frozen base; what it is better by on its own domain is its
gain. Every pair of fine-tunes, and all three, are merged by each method, with settings chosen on the validation rows of
the domains that are merged. What a merged model keeps is the sum of its gains over the probes, divided by that of the
fine-tunes on their own domains. The soups are of five runs on 500 rows of TREC, which differ in learning rate and
seed; the validation rows choose.
"""

from __future__ import annotations

import itertools
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from harness import data, options
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.shown import Shown, points
from harness.text import Claim, claims, table

NAME = "merge"
DOMAINS = ("amazon", "imdb", "yelp")
METHODS = ("average", "task-arithmetic", "ties")
CHOSEN = "chosen on validation"
GROUPS = (*(list(pair) for pair in itertools.combinations(DOMAINS, 2)), list(DOMAINS))
RATES = (1e-5, 2e-5, 5e-5, 1e-4, 2e-5)
SEEDS = 3
ROWS = 500


def main() -> None:
    given = options.parse(__doc__, seeds=SEEDS)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        measure(results, given, Path(folder))
    print(section(results.records()))


def measure(results: Results, given: Options, folder: Path) -> None:
    tables = by_domain(folder, given.quick)
    settings = {"tables": tables, "groups": GROUPS, "methods": METHODS, "epochs": 1 if given.quick else 3}
    for seed in range(given.seeds):
        results.measure("domains", seed, OURS, partial(work, "merge", **settings, seed=seed))
        parts = trec(folder, seed, given.quick)
        rates = RATES[: 2 if given.quick else None]
        runs = {**parts, "rates": rates, "epochs": 1 if given.quick else 3, "seed": seed}
        results.measure("soup", seed, OURS, partial(work, "soup", **runs))


def by_domain(folder: Path, quick: bool) -> dict[str, dict[str, str]]:
    """Files of each domain by part."""
    found: dict[str, dict[str, str]] = {}
    for part in ("train", "validation", "test"):
        rows = data.read(data.table("sentiment_3domains", part))
        for domain in DOMAINS:
            own = [{"text": row["text"], "label": row["label"]} for row in rows if row["domain"] == domain]
            path = data.write(folder / f"{domain}-{part}.csv", own[: 40 if quick else None])
            found.setdefault(domain, {})[part] = str(path)
    return found


def trec(folder: Path, seed: int, quick: bool) -> dict[str, str]:
    """Files by part; of the training rows a seeded draw."""
    rows = {part: data.read(data.table("trec", part)) for part in ("train", "validation", "test")}
    drawn = np.random.default_rng(seed).permutation(len(rows["train"]))[:ROWS]
    rows["train"] = [rows["train"][at] for at in drawn]
    kept = {part: [{"text": row["text"], "label": row["label"]} for row in each] for part, each in rows.items()}
    if quick:
        kept |= {part: kept[part][:60] for part in ("validation", "test")}  # of all classes that the training rows have
    return {part: str(data.write(folder / f"trec-{seed}-{part}.csv", each)) for part, each in kept.items()}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    domains, soups = ([r for r in records if r["name"] == name] for name in ("domains", "soup"))
    parts = [*(_domain_parts(domains) if domains else []), *(_soup_parts(soups) if soups else [])]
    return "\n\n".join(parts) or "Not measured yet."


def merged(record: Record, group: list[str], way: str) -> Record:
    """The merged model of a group by a method, or by the best of them on validation."""
    found = {method: record["merged"][f"{'+'.join(group)} {method}"] for method in METHODS}
    return found[max(METHODS, key=lambda method: found[method]["valid"])] if way == CHOSEN else found[way]


def kept(records: list[Record], groups: list[list[str]], way: str) -> tuple[float, float, float]:
    """Over seeds, groups and their domains: mean gain of the fine-tunes and of the merged models, and their ratio; NaN
    where the fine-tunes gain nothing."""
    tuned, mixed = [], []
    for record, group in itertools.product(records, groups):
        test = merged(record, group, way)["test"]
        for domain in group:
            tuned.append(record["tuned"][domain][domain] - record["probe"][domain])
            mixed.append(test[domain] - record["probe"][domain])
    share = float(np.sum(mixed) / np.sum(tuned)) if np.sum(tuned) > 0 else float("nan")
    return float(np.mean(tuned)), float(np.mean(mixed)), share


def _domain_parts(records: list[Record]) -> list[str]:
    pairs = [list(group) for group in GROUPS[:3]]
    _, _, share = kept(records, pairs, CHOSEN)
    claim = Claim(
        "the method chosen on validation keeps 90 % of the fine-tunes' gain, pooled over all pairs",
        f"{100 * share:.0f} %",
        share >= 0.9,
    )
    rows = []
    for way in (*METHODS, CHOSEN):
        two, three = kept(records, pairs, way), kept(records, [list(DOMAINS)], way)
        rows.append(
            [way, *(f"{100 * gain:+.1f}" for gain in two[:2]), f"{100 * two[2]:.0f} %", f"{100 * three[2]:.0f} %"]
        )
    heads = ["method", "fine-tunes over probes", "merged over probes", "kept, pairs", "kept, all three"]
    return [claims([claim]), table(heads, rows), _on_each(records)]


def _on_each(records: list[Record]) -> str:
    """Mean test accuracy of every model on every domain."""
    rows = [["probe of the domain", *(_mean([r["probe"][domain] for r in records]) for domain in DOMAINS)]]
    for own in DOMAINS:
        rows.append([f"fine-tune on {own}", *(_mean([r["tuned"][own][on] for r in records]) for on in DOMAINS)])
    for group in GROUPS:
        scores = [merged(record, list(group), CHOSEN)["test"] for record in records]
        cells = [_mean([score[domain] for score in scores]) if domain in group else "" for domain in DOMAINS]
        rows.append([f"{' + '.join(group)}, {CHOSEN}", *cells])
    return table(["model, test accuracy in %", *DOMAINS], rows)


def _mean(values: list[float]) -> str:
    return f"{100 * float(np.mean(values)):.1f}"


def best_run(record: Record) -> Record:
    """The run that is best on validation, the first of several."""
    runs = [score for name, score in record["scores"].items() if name.startswith("run-")]
    return max(runs, key=lambda score: score["validation"])


def _soup_parts(records: list[Record]) -> list[str]:
    rows = []
    for method in ("greedy", "uniform"):
        cells = []
        for part in ("validation", "test"):
            single = [best_run(record)[part] for record in records]
            mixed = [record["scores"][method][part] for record in records]
            cells += [_mean(single), _mean(mixed), points(single, mixed)]
        rows.append([method, *cells])
    worst = min(r["scores"]["greedy"]["validation"] - best_run(r)["validation"] for r in records)
    claim = Claim(
        "a greedy soup is never worse than the best run on validation", f"{100 * worst:+.1f} at worst", worst >= 0
    )
    parts = [f"{what}, {part}" for part in ("validation", "test") for what in ("best run", "soup", "difference")]
    return [claims([claim]), table(["soup of 5 runs, accuracy in %", *parts], rows)]


def shown(records: list[Record]) -> list[Shown]:
    """Rows of the table of techniques."""
    domains, soups = ([r for r in records if r["name"] == name] for name in ("domains", "soup"))
    rows = []
    for way in (*METHODS, CHOSEN) if domains else ():
        pairs = [(group, domain) for group in GROUPS[:3] for domain in group]
        without = [float(np.mean([record["tuned"][domain][domain] for _, domain in pairs])) for record in domains]
        with_it = [
            float(np.mean([merged(record, list(group), way)["test"][domain] for group, domain in pairs]))
            for record in domains
        ]
        name = f"merge --method {'auto' if way == CHOSEN else way}"
        rows.append(Shown(name, "pairs of sentiment domains, beside each fine-tune", "accuracy", without, with_it))
    for method in ("greedy", "uniform") if soups else ():
        single = [best_run(record)["test"] for record in soups]
        mixed = [record["scores"][method]["test"] for record in soups]
        rows.append(Shown(f"soup --method {method}", "TREC, 500 rows, beside the best of 5", "accuracy", single, mixed))
    return rows


if __name__ == "__main__":
    main()

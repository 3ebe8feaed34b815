"""Write docs/benchmarks.md, and its figure, from what has been measured (`results/*.jsonl`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import audio
import augment
import bandit
import banking77
import busy
import choices
import cifar10
import coverage
import data_parallel
import distil
import domains
import english
import faces
import fashion
import fashion_targets
import few_shot
import forecast
import forgetting
import from_scratch
import images
import label_errors
import labelling
import many_rows
import memory
import merge
import meta
import multilingual
import nodes
import portfolio
import predict
import predict_workers
import pretrain
import profiles
import retrieval
import reward
import rl
import robust
import scaling
import sound_bases
import speakers
import startup
import step_cost
import strange
import tabular
import technique_cost
import tune
import tune_planted
import verdicts
import worlds
from harness.measure import BENCHMARKS
from harness.results import FOLDER, PACKAGES, Record, latest, read

PAGE = BENCHMARKS.parent / "docs" / "benchmarks.md"


class Part(NamedTuple):
    """A section of the page: its title, its results file, what it is about, and what makes it from the records."""

    title: str
    name: str
    about: str | None
    section: Callable[[list[Record]], str]


def banking(records: list[Record]) -> str:
    return banking77.section(records, banking77.FIGURE)


def tuned(records: list[Record]) -> str:
    return tune.section(records, tune.FIGURE)


PARTS = (
    Part("Accuracy over CPU time", banking77.NAME, banking77.__doc__, banking),
    Part("Tune", tune.NAME, tune.__doc__, tuned),
    Part("Tunes with what is of no use", tune_planted.NAME, tune_planted.__doc__, tune_planted.section),
    Part("English texts", english.NAME, english.__doc__, english.section),
    Part("Few rows", few_shot.NAME, few_shot.__doc__, few_shot.section),
    Part("Images", cifar10.NAME, cifar10.__doc__, cifar10.section),
    Part("Photos with a fetched base", images.NAME, images.__doc__, images.section),
    Part("Sounds", audio.NAME, audio.__doc__, audio.section),
    Part("Sounds from pretrained bases", sound_bases.NAME, sound_bases.__doc__, sound_bases.section),
    Part("Speakers", speakers.NAME, speakers.__doc__, speakers.section),
    Part("Faces", faces.NAME, faces.__doc__, faces.section),
    Part("Several columns", fashion.NAME, fashion.__doc__, fashion.section),
    Part("Several targets", fashion_targets.NAME, fashion_targets.__doc__, fashion_targets.section),
    Part("Retrieval", retrieval.NAME, retrieval.__doc__, retrieval.section),
    Part("Merging and soups", merge.NAME, merge.__doc__, merge.section),
    Part("Robust training", robust.NAME, robust.__doc__, robust.section),
    Part("Prediction", predict.NAME, predict.__doc__, predict.section),
    Part("Distillation", distil.NAME, distil.__doc__, distil.section),
    Part("A training step", step_cost.NAME, step_cost.__doc__, step_cost.section),
    Part("What techniques cost", technique_cost.NAME, technique_cost.__doc__, technique_cost.section),
    Part("From scratch", from_scratch.NAME, from_scratch.__doc__, from_scratch.section),
    Part("Other languages", multilingual.NAME, multilingual.__doc__, multilingual.section),
    Part("Pretraining on one's own rows", pretrain.NAME, pretrain.__doc__, pretrain.section),
    Part("Augmentation", augment.NAME, augment.__doc__, augment.section),
    Part("Classes never seen", meta.NAME, meta.__doc__, meta.section),
    Part("Domains", domains.NAME, domains.__doc__, domains.section),
    Part("Forgetting", forgetting.NAME, forgetting.__doc__, forgetting.section),
    Part("Tables", tabular.NAME, tabular.__doc__, tabular.section),
    Part("Profiles", profiles.NAME, profiles.__doc__, profiles.section),
    Part("Sets and answers that can be trusted", coverage.NAME, coverage.__doc__, coverage.section),
    Part("Labels in doubt", label_errors.NAME, label_errors.__doc__, label_errors.section),
    Part("What more rows bring", forecast.NAME, forecast.__doc__, forecast.section),
    Part("Which rows to label", labelling.NAME, labelling.__doc__, labelling.section),
    Part("Unusual rows, and tables that differ", strange.NAME, strange.__doc__, strange.section),
    Part("Rewards", reward.NAME, reward.__doc__, reward.section),
    Part("Policies from logs", bandit.NAME, bandit.__doc__, bandit.section),
    Part("Acting in an environment", rl.NAME, rl.__doc__, rl.section),
    Part("Worlds that speak, and one of pixels", worlds.NAME, worlds.__doc__, worlds.section),
    Part("The order of the default's candidates", portfolio.NAME, portfolio.__doc__, portfolio.section),
    Part("A busy machine", busy.NAME, busy.__doc__, busy.section),
    Part("The choice of a tune", choices.NAME, choices.__doc__, choices.section),
    Part("Verdicts of ablations", verdicts.NAME, verdicts.__doc__, verdicts.section),
    Part("Many rows", many_rows.NAME, many_rows.__doc__, many_rows.section),
    Part("Memory", memory.NAME, memory.__doc__, memory.section),
    Part("Several workers on one fit", data_parallel.NAME, data_parallel.__doc__, data_parallel.section),
    Part("Several machines on one tune", nodes.NAME, nodes.__doc__, nodes.section),
    Part("Prediction by several processes", predict_workers.NAME, predict_workers.__doc__, predict_workers.section),
    Part("What grows how", scaling.NAME, scaling.__doc__, scaling.section),
    Part("Starting up", startup.NAME, startup.__doc__, startup.section),
)


def main() -> None:
    records = {part.name: latest(read(FOLDER / f"{part.name}.jsonl")) for part in PARTS}
    every = [record for of in records.values() for record in of]
    text = "\n\n".join([INTRODUCTION, machine(every), *(written(part, records[part.name]) for part in PARTS)])
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text + "\n", encoding="utf-8")
    print(f"{PAGE} written from {len(every)} measurements")


def written(part: Part, records: list[Record]) -> str:
    dates = sorted(record["date"] for record in records)
    commits = ", ".join(sorted({record["commit"] for record in records if record["commit"]}))
    when = f"Measured {dates[0]} to {dates[-1]} UTC at {commits}. " if dates else ""
    again = f"{when}Command: `python benchmarks/{part.name}.py`."
    return "\n\n".join([f"## {part.title}", (part.about or "").strip(), part.section(records), again])


def machine(records: list[Record]) -> str:
    """The machine and the versions; results of more than one are named as such."""
    found = [dict(facts) for facts in {tuple(sorted(record["machine"].items())) for record in records}]
    described = [
        f"{facts['processor']}, {facts['cores']} cores, {facts['memory']}, {facts['system']}; "
        + ", ".join(f"{part} {facts[part]}" for part in ("python", *PACKAGES) if part in facts)
        for facts in found
    ]
    return "\n".join(f"- {line}" for line in sorted(described)) or "Nothing has been measured yet."


INTRODUCTION = """# Benchmarks

This page is written by `python benchmarks/tables.py` from the files in `benchmarks/results/`; see
[benchmarks/README.md](../benchmarks/README.md) for how to measure again. Peer and project take turns in the same run.
Every measurement has a process of its own, one thread, no network, and a fresh cache. CPU seconds are those of the
process, user and system; wall seconds depend on what else the machine does. Scores are on test rows; a run chooses
what it keeps on validation rows alone.

Measured on:"""


if __name__ == "__main__":
    main()

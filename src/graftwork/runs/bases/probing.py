"""Which base suits some sounds: a probe on the frozen features of each, cross-validated on a sample of the rows.

The same rows and bases always give the same scores; they are kept in the cache.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from graftwork.bases.home import SOURCE, folder_of
from graftwork.data.media.media import content, content_digest
from graftwork.data.media.opening import MediaError
from graftwork.data.media.sounds import decode
from graftwork.data.store.cache import digest, entry, storing
from graftwork.data.store.entries import kept
from graftwork.data.store.writing import write_text
from graftwork.data.table import Table
from graftwork.data.values import arrays_of
from graftwork.errors import GraftworkError
from graftwork.networks.bases.registry import parse_base
from graftwork.recipe import Recipe
from graftwork.runs.candidates.usual import PROBED_LAYERS
from graftwork.runs.clock import Deadline, shown
from graftwork.runs.crossval import cross_validated
from graftwork.runs.job.choice import Choice
from graftwork.runs.job.held_out import encoded
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import build_network
from graftwork.shown import counted
from graftwork.tasks.metrics.registry import metric_for, score
from graftwork.tasks.task import Task

SECONDS = 600.0
"""Of sound, all rows of the sample together."""
BUDGET_SHARE = 2.0
"""Seconds of sound at most for each second of a budget."""
LEAST_ROWS, MOST_ROWS = 40, 240
MEASURED = 16
"""Rows whose length is looked at."""
RULES = "1"
"""Another one whenever the same rows would be scored in another way."""


def probed(job: Job, recipe: Recipe, name: str, listener: Listener, budget: Deadline | None) -> Choice:
    """The option of the input `name` whose probe scores best, the first of equal ones. recipe: with the bases so far.

    The last option, which starts from nothing, is taken only where its features at random are better than what others
    have learned; never where no rows could be held out to train it by.
    """
    choice = job.bases.each[name]
    *learned, scratch = choice.options
    rows = _rows(job, name, budget)
    if len(learned) == 1 and job.valid is None:
        return _taken(choice, learned[0], f"base: {learned[0]} is chosen for '{name}', the one for sounds that is here")
    if not rows or not _probeable(job):
        why = (
            f"a budget of {shown(budget.budget)} is too small to try them"
            if budget and not rows
            else "they are not tried"
        )
        taken = learned[-1] if not rows else learned[0]
        return _taken(choice, taken, f"base: {taken} is chosen for '{name}' of {', '.join(learned)}; {why}")
    listener.doing(f"trying {' and '.join(learned)} on {counted(rows)}")
    options = [*learned, *([scratch] if job.valid is not None else [])]
    scores = _scores(job.sample(rows, recipe.seed), recipe, name, options)
    best = max(options, key=lambda option: scores[option])
    listed = ", ".join(f"{option} {scores[option]:.3g}" for option in (learned if best != scratch else options))
    said = f"probes on {counted(rows)}: {listed}"
    if best == scratch:
        why = f"nothing at hand knows more of such sounds than {scratch} does untrained"
        return _taken(choice, scratch, f"base: {scratch} is chosen for '{name}', because {why} ({said})")
    return _taken(choice, best, f"base: {best} is chosen for '{name}' ({said})")


def _taken(choice: Choice, spec: str, reason: str) -> Choice:
    lines = [line for line in (reason, choice.reason) if line]
    return replace(choice, base=parse_base(spec), options=(), reason="\n".join(lines))


def _probeable(job: Job) -> bool:
    """Whether a linear head on a row's features says something of every target."""
    return all(task.usual_head in ("linear", "cosine") and not task.couples_rows for task in job.tasks.values())


def _rows(job: Job, name: str, budget: Deadline | None) -> int:
    """How many rows are tried; 0 where the budget is too small for enough of them."""
    most = SECONDS if budget is None else min(SECONDS, BUDGET_SHARE * budget.budget)
    fit = int(most / _usual_seconds(job.train, name))
    least = min(LEAST_ROWS, len(job.train))
    return min(max(fit, least), MOST_ROWS, len(job.train)) if fit >= least or budget is None else 0


def _usual_seconds(table: Table, name: str) -> float:
    """Of a sound, by the mean of some."""
    found = []
    for value in table.take(np.arange(0, len(table), -(-len(table) // MEASURED))).values(name):
        try:
            encoded_sound = content(value, table.folder)
            samples, rate = decode(encoded_sound) if encoded_sound is not None else (np.zeros(0), 1)
        except MediaError:  # said of where it is trained on
            continue
        found.append(len(samples) / rate)
    return max(0.1, float(np.mean(found))) if found else 1.0


def _scores(job: Job, recipe: Recipe, name: str, options: Sequence[str]) -> dict[str, float]:
    """What a probe of each option scores on the training rows, more is better."""
    targets = [encoded(job.train, target, task) for target, task in job.tasks.items()]
    key = digest(
        RULES,
        content_digest(job.train.column(name), job.train.folder),
        *(part for values, labelled in targets for part in (*arrays_of(values), labelled)),
        json.dumps([sorted(job.metrics.items()), recipe.seed, [_state(option) for option in options]]),
    )

    def make(place: Path) -> None:
        found = {option: _score(job, recipe, name, option) for option in options}
        with storing(place):
            write_text(place / "scores.json", json.dumps(found))

    def read(place: Path) -> dict[str, float]:
        known: dict[str, float] = json.loads((place / "scores.json").read_text(encoding="utf-8"))
        return known

    return kept(entry("base-probes", key), make, read, spare=True)


def _state(option: str) -> list[str]:
    """What a base is: its name, and the files of a fetched one."""
    file = folder_of(option) / SOURCE
    return [option, file.read_text(encoding="utf-8") if file.is_file() else ""]


def _score(job: Job, recipe: Recipe, name: str, option: str) -> float:
    """Of one base; below all others where it can't be loaded."""
    base = parse_base(option).with_layers(PROBED_LAYERS)
    alone = Recipe(base={name: base.spec}, inputs=(name,), text=recipe.text, seed=recipe.seed)
    try:
        found = cross_validated(job, build_network(job, alone), alone)
    except GraftworkError:
        return float("-inf")
    return float(np.mean([_of_target(job, target, values) for target, values in found.items()]))


def _of_target(job: Job, target: str, values: np.ndarray) -> float:
    task: Task = job.tasks[target]
    truth, labelled = encoded(job.train, target, task)
    if task.holds_out == "classes":  # its metrics compare embeddings, which a probe of its training classes has none of
        return float(np.mean(values[labelled].argmax(axis=1) == truth[labelled]))
    found = score(task, job.metrics[target], truth[labelled], values[labelled])
    return found if metric_for(job.metrics[target], task).higher_is_better else -found

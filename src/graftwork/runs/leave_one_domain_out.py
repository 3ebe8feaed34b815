"""Leave one domain out: what a recipe is worth in a domain that it was not trained on.

Each domain in turn is left out of training and validation, and the model of all others is scored on all of its rows.
These are scores of the way to train, measured before the model of all domains is made; of that one they say how it
will do in the next domain.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import numpy as np
import pyarrow as pa

from graftwork.core.rows.examples import encoders_of
from graftwork.data.domains import domain_names
from graftwork.data.load import with_levels
from graftwork.data.store.cache import column_digest, digest
from graftwork.data.table import Table
from graftwork.errors import DataError, UsageError
from graftwork.evidence.evaluate import evaluate
from graftwork.evidence.scores.domains import LEAST, DomainScore
from graftwork.predicting import scored_values
from graftwork.recipe import Recipe
from graftwork.runs.candidates.orders import Portfolio
from graftwork.runs.candidates.portfolio import PORTFOLIO
from graftwork.runs.clock import Deadline
from graftwork.runs.default import run_all
from graftwork.runs.job.held_out import encoded
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.model_from_run import make_model
from graftwork.runs.single.run import RunOne, run_single
from graftwork.runs.workspace import Workspace
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.metrics.registry import metric_for
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class LeftOutDomain:
    """One domain left out. scores: by target. wall, cpu: seconds that it took."""

    domain: str
    scores: Mapping[str, DomainScore]
    wall: float
    cpu: float


def domains_to_leave_out(job: Job) -> list[str]:
    """The domains with labelled rows, by name.

    Raises UsageError without a domain column, DataError where there is one domain only, or one with a single row.
    """
    names = domain_names(job.train)
    if names is None:
        raise UsageError("--split-by domain needs a column that names the domain of each row: --role domain=COLUMN.")
    column = job.train.schema.role("domain")
    assert column is not None
    sizes: dict[str, int] = {}
    for table in filter(None, (job.train, job.valid)):
        labelled = np.any([encoded(table, name, task)[1] for name, task in job.tasks.items()], axis=0)
        found = domain_names(table)
        for name in found[labelled] if found is not None else ():
            if name is not None:
                sizes[name] = sizes.get(name, 0) + 1
    where = f"{job.train.source}: the domain column '{column.name}'"
    if len(sizes) < 2:
        raise DataError(
            f"{where} has {len(sizes)} {'value' if len(sizes) == 1 else 'values'} in the labelled rows"
            f"{''.join(f' ({name})' for name in sizes)}. Expected two or more: with one left out, another has to be "
            "left to train on. Name another column, or drop --split-by."
        )
    few = [name for name, size in sizes.items() if size < LEAST]
    if few:
        raise DataError(
            f"{where} has one labelled row of {', '.join(map(repr, few))}. Expected at least {LEAST} rows a domain, "
            "since each is scored by itself. Join it with another domain, or leave its row out."
        )
    return sorted(sizes)


def without(job: Job, domain: str, *, adapt: bool) -> Job:
    """The job without a domain in training and validation; its labelled rows are the test rows.

    adapt: its training rows, and those held out for validation, stay in training without their target.
    """
    parts = [part for part in (job.train, job.valid) if part is not None]
    held = [domain_names(part) == domain for part in parts]
    test = _joined([part.take(np.flatnonzero(mask)) for part, mask in zip(parts, held, strict=True)])
    labelled = np.any([encoded(test, name, task)[1] for name, task in job.tasks.items()], axis=0)
    kept = [part.take(np.flatnonzero(~mask)) for part, mask in zip(parts, held, strict=True)]
    train = _joined([kept[0], _bare(test)]) if adapt else kept[0]
    schema = with_levels(train)
    tables = [replace(table, schema=schema) for table in (train, *kept[1:])]
    test = replace(test.take(np.flatnonzero(labelled)), schema=schema)
    valid = tables[1] if len(tables) > 1 else None
    return replace(job, train=tables[0], valid=valid, test=test, drawn_from=None)


def score_left_out(
    job: Job,
    recipe: Recipe,
    workspace: Workspace,
    listener: Listener,
    deadline: Deadline | None,
    *,
    adapt: bool,
    portfolio: Portfolio = PORTFOLIO,
    run: RunOne = run_single,
) -> list[LeftOutDomain]:
    """The scores of each domain by models of the others. What is done is kept in the workspace, for a resumed call.

    deadline: for all of these runs and the last one, of all domains; each gets an equal part of what is left.
    Raises KeyboardInterrupt where one of them is stopped.
    """
    found, domains = list[LeftOutDomain](), domains_to_leave_out(job)
    for index, domain in enumerate(domains):
        part = without(job, domain, adapt=adapt)
        part = part.sample(recipe.rows, recipe.seed, recipe.valid_rows)
        key, name = _key(part, recipe, domain), f"left-out-{index}"
        kept = workspace.recall(name, _Kept)
        if kept is not None and kept["key"] == key:
            found.append(_restored(kept, job.tasks))
            continue
        seen = "its rows are seen without their target" if adapt else "none of its rows is seen"
        assert part.test is not None
        listener.note(f"left out: {domain} ({index + 1} of {len(domains)}, {len(part.test):,} rows; {seen})")
        for note in _only_there(part):
            listener.note(note)
        left = len(domains) + 1 - index
        until = None if deadline is None else replace(deadline.part(1 / left), shared=len(domains) + 1)
        own = workspace if workspace.folder is None else replace(workspace, folder=workspace.folder / name)
        found.append(_score(part, recipe, own, listener, until, domain, portfolio, run))
        workspace.remember(name, {"key": key, **_kept(found[-1])})
        own.clear()
    for target in job.tasks:
        listener.note(f"left out, {target}: {_sentence(found, target, job.bound_metrics[target])}")
    return found


def _only_there(job: Job) -> list[str]:
    """Says which classes only the domain left out has."""
    notes = []
    for target, task in job.tasks.items():
        if task.answer != "class" or job.test is None:
            continue
        seen, here = (set(np.unique(encoded(table, target, task)[0])) for table in (job.train, job.test))
        alone = [task.classes[code] for code in sorted(here - seen) if code >= 0]
        if alone:
            notes.append(
                f"left out: {len(alone)} {'class' if len(alone) == 1 else 'classes'} of {target} "
                f"{'is' if len(alone) == 1 else 'are'} only there, so a model of the other domains can't predict "
                f"{'it' if len(alone) == 1 else 'them'}: {', '.join(alone[:10])}"
            )
    return notes


def _score(
    job: Job,
    recipe: Recipe,
    workspace: Workspace,
    listener: Listener,
    deadline: Deadline | None,
    domain: str,
    portfolio: Portfolio,
    run: RunOne,
) -> LeftOutDomain:
    wall, cpu = time.monotonic(), time.process_time()
    candidates, best = run_all(job, recipe, workspace, listener, deadline, portfolio=portfolio, run=run)
    if any(one.fitted.interrupted for one in candidates):
        raise KeyboardInterrupt
    model = make_model(job, best)
    assert job.test is not None
    values, metrics, scores = scored_values(model, job.test), job.bound_metrics, {}
    for name, task in model.tasks.items():
        truth, labelled = encoded(job.test, name, task, encoders_of(model.network, model.recipe.text))
        if int(labelled.sum()) >= LEAST:
            evaluation = evaluate(task, truth, values[name], job.test.rows, labelled=labelled, also=[metrics[name]])
            scores[name] = DomainScore(domain, evaluation.rows, evaluation.scores)
    return LeftOutDomain(domain, scores, time.monotonic() - wall, time.process_time() - cpu)


def _sentence(found: Sequence[LeftOutDomain], target: str, metric: Metric) -> str:
    each = [(one.domain, one.scores[target].scores[metric.name].value) for one in found if target in one.scores]
    return f"{metric.display} " + ", ".join(f"{domain} {metric.text(value)}" for domain, value in each)


def _key(job: Job, recipe: Recipe, domain: str) -> str:
    """Changes with all that a run without the domain depends on."""
    columns = [job.train.column(column.name) for column in job.train.schema.columns]
    return digest(repr(recipe.to_dict()), domain, *(_column_key(column) for column in columns))


def _column_key(column: pa.ChunkedArray) -> str:
    return digest(repr(column.to_pylist())) if pa.types.is_nested(column.type) else column_digest(column)


class _Kept(TypedDict):
    """What a workspace keeps of a domain that is done. key: of the job and the recipe."""

    key: str
    domain: str
    scores: dict[str, dict[str, Any]]
    wall: float
    cpu: float


def _kept(one: LeftOutDomain) -> dict[str, Any]:
    scores = {target: score.to_json() for target, score in one.scores.items()}
    return {"domain": one.domain, "scores": scores, "wall": one.wall, "cpu": one.cpu}


def _restored(kept: Mapping[str, Any], tasks: Mapping[str, Task]) -> LeftOutDomain:
    domain, scores = kept["domain"], {}
    for target, data in kept["scores"].items():
        metrics = {name: metric_for(name, tasks[target]) for name in data["scores"]}
        scores[target] = DomainScore.from_json(domain, data, metrics)
    return LeftOutDomain(domain, scores, kept["wall"], kept["cpu"])


def _joined(tables: Sequence[Table]) -> Table:
    """The rows of these tables, which have one schema."""
    columns = [set(table.data.column_names) for table in tables]
    shared = [name for name in tables[0].data.column_names if all(name in each for each in columns)]
    data = pa.concat_tables([table.data.select(shared) for table in tables], promote_options="permissive")
    return replace(tables[0], data=data, rows=np.concatenate([table.rows for table in tables]))


def _bare(table: Table) -> Table:
    """The rows without their targets."""
    data = table.data
    for column in table.schema.targets:
        place = data.column_names.index(column.name)
        data = data.set_column(place, column.name, pa.nulls(len(data), data.column(place).type))
    return replace(table, data=data)

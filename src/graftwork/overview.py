"""What a model says of itself: a few lines, a card for a notebook, one score, one figure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from graftwork.errors import UsageError, nearest
from graftwork.evidence.evaluation import Evaluation, Evaluations
from graftwork.evidence.summary.summary import Summary
from graftwork.evidence.views import report_tables, words_of
from graftwork.notebook import card
from graftwork.saving import Saved
from graftwork.shown import shown_line
from graftwork.tasks.metrics.registry import metric_for
from graftwork.tasks.task import Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from graftwork.evidence.report import Report

MOST = 5
"""Lines of a model."""
NAMED = 3
"""Targets and inputs that are named; of more the number."""


def lines_of(model: Saved, report: Report | None, folder: Path | None) -> list[str]:
    """What it predicts from what, on which base, how well, and where it is."""
    found = [
        f"Model: {_named([f'{name} ({_kind(task)})' for name, task in model.tasks.items()])} "
        f"from {_named([column.name for column in model.schema.inputs])}",
        made_of(model),
    ]
    found += _words(report, folder)[:2]
    if folder is not None:
        where = folder / "report.html"
        found.append(f"folder: {folder}" + (f" (report: {where.name})" if where.is_file() else ""))
    return [shown_line(line) for line in found][:MOST]


def made_of(model: Saved) -> str:
    """The base and the techniques, as the recipe names them; of an ensemble those of each member, with its weight."""
    parameters = sum(parameter.numel() for parameter in model.network.parameters())
    if model.members:
        each = ", ".join(f"{member.weight:.2g} × ({_recipe_words(member.model)})" for member in model.members)
        return f"mean of {len(model.members)} models, {each}; {parameters:,} parameters"
    return f"{_recipe_words(model)}; {parameters:,} parameters"


def _recipe_words(model: Saved) -> str:
    listed = ", ".join(technique.name for technique in model.recipe.listed) or "plain loop"
    return f"base {model.recipe.base_text}, {listed}"


def card_of(model: Saved, report: Report | None, folder: Path | None) -> str:
    """The same as a card, with the words of the report and its scores."""
    title, *rest = lines_of(model, None, None)
    where = [f"folder: {folder}"] if folder is not None else []
    tables = report_tables(report) if report is not None else ""
    return card(title, [*_words(report, folder), *rest, *where], tables)


def _words(report: Report | None, folder: Path | None) -> list[str]:
    """What the report says in short; of a model that was loaded, what was written beside it, if that can be read."""
    if report is not None:
        return words_of(report)
    if folder is None:
        return []
    try:
        told = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        return Summary.from_json(told["summary"]).lines()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


Found = Evaluation | Evaluations


def score_of(tasks: Mapping[str, Task], found: Found, metric: str | None) -> float:
    """See `Model.score`. found: what evaluating gave."""
    values = []
    for target, evaluation in _by_target(tasks, found).items():
        names = [metric_for(metric, tasks[target]).name] if metric else _better_if_more(tasks[target])
        if not names:
            raise UsageError(f"More is better in none of the scores of '{target}'. Name one of them: metric=…")
        scores = [evaluation.scores[name].value for name in names if name in evaluation.scores]
        if not scores:
            raise UsageError(f"'{target}' has no score {' or '.join(names)} on {evaluation.rows:,} rows: too few rows.")
        values.append(scores[0])
    return sum(values) / len(values)


def plot_of(tasks: Mapping[str, Task], found: Found, target: str | None) -> Figure:
    """See `Model.plot`. found: what evaluating gave."""
    from graftwork.evidence.page.figure import figure_of

    name = _known(tasks, target)
    by_target = _by_target(tasks, found)
    if name not in by_target:
        raise UsageError(f"No row has a value of '{name}', so there is nothing to plot.")
    return figure_of(by_target[name], f"{name}: {by_target[name].rows:,} rows")


def plot_of_report(tasks: Mapping[str, Task], report: Report | None, target: str | None) -> Figure:
    """The same of the rows that the fit was scored on."""
    from graftwork.evidence.page.figure import figure_of

    name = _known(tasks, target)
    results = report.results if report is not None else ()
    known = next((one for one in results if one.target in (name, "") and one.evaluations), None)
    if known is None:
        raise UsageError(
            "There is nothing to plot: a model that was loaded keeps no rows. Give some: model.plot(data)."
        )
    split, evaluation = known.headline
    return figure_of(evaluation, f"{name}: {evaluation.rows:,} {split} rows")


def _known(tasks: Mapping[str, Task], target: str | None) -> str:
    if target is not None and target not in tasks:
        raise UsageError(f"The model has no target '{target}'. {nearest(target, tasks)}")
    return target or next(iter(tasks))


def _by_target(tasks: Mapping[str, Task], found: Found) -> Mapping[str, Evaluation]:
    return {next(iter(tasks)): found} if isinstance(found, Evaluation) else found


def _better_if_more(task: Task) -> list[str]:
    return [name for name, metric in task.metrics().items() if metric.higher_is_better]


def _kind(task: Task) -> str:
    return f"{task.name}, {len(task.classes):,} classes" if task.classes else task.name


def _named(names: list[str]) -> str:
    listed = ", ".join(names[:NAMED])
    return listed if len(names) <= NAMED else f"{listed} and {len(names) - NAMED} more"

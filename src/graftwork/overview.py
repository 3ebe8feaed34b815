"""What a model says of itself: a few lines, a card for a notebook, one score, one figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from graftwork.data.load import Source
from graftwork.errors import UsageError
from graftwork.evidence.evaluation import Evaluation, Evaluations
from graftwork.evidence.views import report_tables
from graftwork.notebook import card
from graftwork.saving import Saved
from graftwork.shown import shown_line
from graftwork.tasks.metrics import METRICS, metric_for
from graftwork.tasks.task import Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from graftwork.evidence.report import Report
    from graftwork.model import Model

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
    if report is not None:
        found += str(report.summary).splitlines()[:2]
    if folder is not None:
        where = folder / "report.html"
        found.append(f"folder: {folder}" + (f" (report: {where.name})" if where.is_file() else ""))
    return [shown_line(line) for line in found][:MOST]


def made_of(model: Saved) -> str:
    """The base and the techniques, as the recipe names them."""
    listed = ", ".join(technique.name for technique in model.recipe.listed) or "plain loop"
    parameters = sum(tensor.numel() for tensor in model.network.state_dict().values())
    return f"base {model.recipe.base_text}, {listed}; {parameters:,} parameters"


def card_of(model: Saved, report: Report | None, folder: Path | None) -> str:
    """The same as a card, with the words of the report and its scores."""
    title, *rest = lines_of(model, None, folder)
    said = str(report.summary).splitlines() if report is not None else []
    return card(title, [*said, *rest], report_tables(report) if report is not None else "")


def score_of(model: Model, data: Source, metric: str | None) -> float:
    """See `Model.score`."""
    found = model.evaluate(data)
    each = found if isinstance(found, Evaluations) else {model.target: found}
    values = []
    for target, evaluation in each.items():
        task = model.tasks[target]
        name = metric_for(metric, task).name if metric else next(n for n in task.metrics if METRICS[n].higher_is_better)
        values.append(evaluation.scores[name].value)
    return sum(values) / len(values)


def plot_of(model: Model, data: Source | None, target: str | None) -> Figure:
    """See `Model.plot`."""
    from graftwork.evidence.figure import figure_of

    evaluation, name = _evaluation(model, data, target)
    return figure_of(evaluation, f"{name}: {evaluation.rows:,} rows")


def _evaluation(model: Model, data: Source | None, target: str | None) -> tuple[Evaluation, str]:
    if target is not None and target not in model.tasks:
        raise UsageError(f"The model has no target '{target}'. Its targets: {', '.join(model.tasks)}.")
    name = target or next(iter(model.tasks))
    if data is None:
        report = model.report
        known = next((one for one in report.results if one.target in (name, "")), None) if report else None
        if known is None or not known.evaluations:
            raise UsageError("There is nothing to plot: a model that was loaded keeps no rows. Give some: model.plot(data).")
        split, evaluation = known.headline
        return evaluation, f"{name}, {split}"
    found = model.evaluate(data)
    if isinstance(found, Evaluation):
        return found, name
    if name not in found:
        raise UsageError(f"No row has a value of '{name}', so there is nothing to plot.")
    return found[name], name


def _kind(task: Task) -> str:
    return f"{task.name}, {len(task.classes):,} classes" if task.classes else task.name


def _named(names: list[str]) -> str:
    listed = ", ".join(names[:NAMED])
    return listed if len(names) <= NAMED else f"{listed} and {len(names) - NAMED} more"

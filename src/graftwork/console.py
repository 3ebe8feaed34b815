"""What the command line shows of results, on stdout: scores, plans, lists, hits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich.box
import rich.console
import rich.markup
from rich.table import Table

from graftwork.errors import UsageError, nearest

if TYPE_CHECKING:
    from graftwork.core.plan import Plan
    from graftwork.evidence.domains import DomainScore
    from graftwork.evidence.evaluation import Evaluation, Evaluations
    from graftwork.evidence.merged import MixReport
    from graftwork.model import Model
    from graftwork.search import Hit

OUT = rich.console.Console(highlight=False, soft_wrap=True)


def print_result(model: Model, folder: Path) -> None:
    """The scores of a finished run, and where things are."""
    report = model.report
    if report is not None:
        for result in report.results:
            if result.evaluations:
                print_evaluations(result.evaluations, result.target if report.more else "")
            of = f"{result.target}, " if report.more else ""
            for split, evaluation in result.evaluations.items():
                print_domains(evaluation.domains, result.primary, f"{of}{split} rows by domain")
            print_domains(result.left_out, result.primary, f"{of}each domain left out, scored by a model of the others")
        OUT.print(report.verdict(), markup=False)
    OUT.print(f"model: {folder}\nreport: {folder / 'report.html'}", markup=False)


def print_scores(found: Evaluation | Evaluations, *, as_json: bool) -> None:
    from graftwork.evidence.evaluation import Evaluations

    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False))  # noqa: T201
        return
    for target, evaluation in found.items() if isinstance(found, Evaluations) else [("", found)]:
        print_evaluations({f"{evaluation.rows:,} rows": evaluation}, target)
        title = f"{target}: by domain" if target else "by domain"
        print_domains(evaluation.domains, next(iter(evaluation.scores)), title)


def print_evaluations(evaluations: Mapping[str, Evaluation], target: str = "") -> None:
    """One table: a metric a row, a split a column, each score with its 95 % interval. target: of several, which one."""
    from graftwork.evidence.evaluation import score_text
    from graftwork.tasks.metrics import METRICS

    title = f"{target}: scores with 95 % intervals" if target else "scores with 95 % intervals"
    table = Table(box=rich.box.SIMPLE_HEAD, title=title, title_justify="left", title_style="")
    for heading in ("", *evaluations):
        table.add_column(heading)
    for name in dict.fromkeys(name for evaluation in evaluations.values() for name in evaluation.scores):
        cells = [score_text(name, e.scores[name]) if name in e.scores else "" for e in evaluations.values()]
        table.add_row(METRICS[name].display, *cells)
    OUT.print(table)


def print_mixed(report: MixReport, folder: Path) -> None:
    """What was kept of a merge or a soup, and every model's score on every table."""
    OUT.print(f"kept: {report.kept}", markup=False)
    for note in report.notes:
        OUT.print(note, markup=False)
    rows = report.table()
    if rows:
        table = Table(
            box=rich.box.SIMPLE_HEAD, title=f"scores on {report.scored_on}", title_justify="left", title_style=""
        )
        for heading in rows[0]:
            table.add_column(rich.markup.escape(heading))
        for row in rows[1:]:
            table.add_row(*map(rich.markup.escape, row))
        OUT.print(table)
    OUT.print(f"model: {folder}\nreport: {folder / 'report.html'}", markup=False)


def print_domains(domains: Sequence[DomainScore], metric: str, title: str) -> None:
    """A domain a line, with its score, then their mean and the worst one; nothing where none has a score."""
    from graftwork.evidence.domains import summary
    from graftwork.evidence.evaluation import score_text
    from graftwork.tasks.metrics import METRICS

    found = summary(domains, metric)
    if found is None:
        return
    table = Table(box=rich.box.SIMPLE_HEAD, title=title, title_justify="left", title_style="")
    for heading in ("domain", "rows", METRICS[metric].display):
        table.add_column(heading)
    for one in domains:
        score = score_text(metric, one.scores[metric]) if metric in one.scores else ""
        table.add_row(rich.markup.escape(one.domain), f"{one.rows:,}", score)
    table.add_row("mean", "", METRICS[metric].text(found.mean))
    table.add_row("worst", "", rich.markup.escape(found.worst.domain))
    OUT.print(table)


def print_hits(hits: Sequence[Hit], *, as_json: bool) -> None:
    """Rows that a search found: number, score, and the columns; or a JSON object a line."""
    plain = [(hit, {name: _cell(value) for name, value in hit.values.items()}) for hit in hits]
    if as_json:
        for hit, values in plain:
            print(json.dumps({"row": hit.row, "score": hit.score, "values": values}, ensure_ascii=False))  # noqa: T201
        return
    table = Table(box=rich.box.SIMPLE_HEAD)
    for heading in ("row", "score", *(plain[0][1] if plain else ())):
        table.add_column(heading)
    for hit, values in plain:
        shown = ("" if value is None else str(value) for value in values.values())
        table.add_row(str(hit.row), f"{hit.score:.3f}", *map(rich.markup.escape, shown))
    OUT.print(table)


def _cell(value: Any) -> Any:
    """A value as JSON can hold it; of bytes only how many."""
    if isinstance(value, Mapping):
        return {name: _cell(item) for name, item in value.items()}
    if isinstance(value, bytes):
        return f"({len(value):,} bytes)"
    return value if isinstance(value, str | int | float | bool | list | None) else str(value)


def print_plans(plans: Sequence[tuple[str, Plan]], budget: float | None) -> None:
    """Each planned run, and what a budget would leave of it."""
    for name, plan in plans:
        OUT.print(name, style="bold", markup=False)
        OUT.print(_indented(plan.explain()), markup=False)
        if budget is not None and plan.seconds and plan.seconds > budget:
            steps = int(plan.total_steps * budget / plan.seconds)
            OUT.print(f"  a budget of {budget:.0f} s allows about {steps} of these steps", markup=False)


def print_list(what: str) -> None:
    """`graft list bases | techniques | tasks`."""
    table = Table(show_header=True)
    if what == "bases":
        from graftwork.networks.bases import describe

        for heading in ("base", "reads", "what it is", "settings", "source"):
            table.add_column(heading)
        for row in describe():
            table.add_row(*row)
    elif what == "techniques":
        from graftwork import specs
        from graftwork.techniques import TECHNIQUES

        for heading in ("technique", "what it does", "settings"):
            table.add_column(heading)
        for name, technique in sorted(TECHNIQUES.items()):
            table.add_row(name, technique.summary, specs.describe_settings(technique))
    elif what == "tasks":
        from graftwork.tasks.registry import TASKS

        for heading in ("task", "what it predicts", "metrics"):
            table.add_column(heading)
        for name, task in TASKS.items():
            summary = (task.__doc__ or "").splitlines()[0]
            table.add_row(name, summary, ", ".join(task.metrics))
    else:
        raise UsageError(f"There is no list of '{what}'. {nearest(what, ['bases', 'techniques', 'tasks'])}")
    OUT.print(table)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())

"""Evaluations and reports as Python shows them: at most five lines of text, and a table in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from graftwork import notebook
from graftwork.evidence.scores.intervals import score_text
from graftwork.shown import counted, shortened_text, shown_line
from graftwork.tasks.metrics.registry import METRICS

if TYPE_CHECKING:
    from graftwork.evidence.evaluation import Evaluation
    from graftwork.evidence.report import Report

MOST = 5
"""Lines of any of them."""


def evaluation_lines(found: Evaluation) -> list[str]:
    """What was scored, the score that counts, and the others."""
    kinds = f"{len(found.classes):,} classes, " if found.classes else ""
    bare = f"; {found.unlabelled:,} more have no target" if found.unlabelled else ""
    first = f"Evaluation ({found.task}): {kinds}{counted(found.rows)}{bare}"
    texts = [f"{METRICS[name].display} {score_text(name, score)}" for name, score in found.scores.items()]
    lines = [first, *texts[:1], *([", ".join(texts[1:])] if texts[1:] else [])]
    if found.uncovered:
        lines.append(uncovered_text(found, "rows"))
    if found.baseline is not None:
        lines.append(f"always answering the commonest class: accuracy {found.baseline:.1%}")
    if found.domains:
        lines.append(f"by domain: {counted(len(found.domains), 'domain')}, see .domains")
    return [shown_line(line) for line in lines][:MOST]


def evaluations_lines(found: Mapping[str, Evaluation]) -> list[str]:
    """One line a target, with the score that counts."""
    lines = []
    for target, evaluation in found.items():
        name, score = next(iter(evaluation.scores.items()), ("", None))
        told = f"{METRICS[name].display} {score_text(name, score)}" if score is not None else "no score"
        lines.append(shown_line(f"{target}: {told} on {counted(evaluation.rows)}"))
    if len(lines) > MOST:
        lines = [*lines[: MOST - 1], f"… and {len(lines) - MOST + 1} more targets"]
    return lines or ["no target had a labelled row"]


def evaluation_html(by_target: Mapping[str, Evaluation]) -> str:
    """A table of all scores with their intervals; a row a metric, of several targets a table each."""
    tables = []
    for target, found in by_target.items():
        rows = [(METRICS[name].display, score_text(name, score)) for name, score in found.scores.items()]
        caption = f"{target}: {counted(found.rows)}" if target else counted(found.rows)
        tables.append(notebook.table([("score", "with 95 % interval"), *rows], caption))
    return "".join(tables) or notebook.card("no target had a labelled row", ())


def uncovered_text(found: Evaluation, rows: str) -> str:
    """Which classes the scores on `rows` say nothing of; "" where they cover all."""
    if not found.uncovered:
        return ""
    listed = ", ".join(f"'{shortened_text(label)}'" for label in found.uncovered[:5])
    more = f" and {len(found.uncovered) - 5:,} more" if len(found.uncovered) > 5 else ""
    return (
        f"none of the {rows} is of the class{'' if len(found.uncovered) == 1 else 'es'} {listed}{more}: "
        f"the scores say nothing of {len(found.uncovered):,} of {len(found.classes):,} classes"
    )


def report_lines(report: Report) -> list[str]:
    """How good the model is, in the words of the report."""
    return [shown_line(line) for line in [f"Report: {report.title}", *words_of(report)]][:MOST]


def report_html(report: Report) -> str:
    """A card with the same words and the scores."""
    return notebook.card(report.title, words_of(report), report_tables(report))


def words_of(report: Report) -> list[str]:
    """How good the model is, what it was made from and what to do next: what all that is shown of a fit ends with."""
    return report.summary.lines()


def report_tables(report: Report) -> str:
    """The scores of a report, a table for each target and split."""
    tables = [
        evaluation_html({f"{result.target}, {split}" if report.more else split: evaluation})
        for result in report.results
        for split, evaluation in result.evaluations.items()
    ]
    return "".join(tables)

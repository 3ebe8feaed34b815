"""A report as Python shows it: at most five lines of text, and a card with its scores in a notebook."""

from __future__ import annotations

from graftwork import notebook
from graftwork.evidence.evaluation import evaluation_html
from graftwork.evidence.results import Findings
from graftwork.evidence.summary.summarising import summarised
from graftwork.shown import shown_line

MOST = 5
"""Lines of a report."""


def report_lines(report: Findings) -> list[str]:
    """How good the model is, in the words of the report."""
    return [shown_line(line) for line in [f"Report: {report.title}", *words_of(report)]][:MOST]


def report_html(report: Findings) -> str:
    """A card with the same words and the scores."""
    return notebook.card(report.title, words_of(report), report_tables(report))


def words_of(report: Findings) -> list[str]:
    """How good the model is, what it was made from and what to do next: what all that is shown of a fit ends with."""
    return summarised(report).lines()


def report_tables(report: Findings) -> str:
    """The scores of a report, a table for each target and split."""
    tables = [
        evaluation_html({f"{result.target}, {split}" if report.more else split: evaluation})
        for result in report.results
        for split, evaluation in result.evaluations.items()
    ]
    return "".join(tables)

"""Which rows of the data a report shows."""

from __future__ import annotations

from graftwork.evidence.page.slice_tables import SLICE_ROWS
from graftwork.evidence.page.tables import MOST_SUSPECTS
from graftwork.evidence.results import Findings
from graftwork.evidence.scores.verification import Verification
from graftwork.evidence.summary.summarising import summarised


def wanted_rows(report: Findings) -> dict[str, list[int]]:
    """By split, the numbers of the rows that a report shows, the most telling ones first."""
    split, _ = report.headline
    first: list[int] = [row for one in summarised(report).trouble for row in one.rows]
    for result in report.results:
        name, evaluation = result.headline
        if name != split:
            continue
        compared = evaluation.details
        if isinstance(compared, Verification):
            first += [row for one in (*compared.most_alike, *compared.least_alike) for row in (one.first, one.second)]
        first += [one.row for section in evaluation.sections for one in section.rows]
        first += [row for one in evaluation.slices.found for row in one.worst[:SLICE_ROWS]]
        first += [one.row for one in (*evaluation.most_wrong, *evaluation.slowest)]
    found = {split: list(dict.fromkeys(first))}
    suspects = [one.row for result in report.results for one in result.suspects[:MOST_SUSPECTS]]
    if suspects:
        found["validation"] = list(dict.fromkeys([*found.get("validation", []), *suspects]))
    return found

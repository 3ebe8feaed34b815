"""What a model's predictions on labelled rows are worth, as data, and how Python shows it: five lines, or a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graftwork import notebook
from graftwork.evidence.details import ClassDetails, Details, LabelDetails
from graftwork.evidence.scores.domains import DomainScore, of_parts
from graftwork.evidence.scores.examples import Example
from graftwork.evidence.scores.intervals import Score
from graftwork.evidence.slices.worse import Search
from graftwork.shown import counted, shortened_text, shown_line
from graftwork.tasks.section import Section

MOST = 5
"""Lines of an evaluation."""


@dataclass(frozen=True, repr=False, kw_only=True)
class Evaluation:
    """What is known of one set of rows.

    task: its name. rows: labelled rows that were scored; unlabelled: rows without a target, which were not.
    scores: by the metric's name. details: what more there is to tell by what the task answers, such as scores by class
    (`graftwork.evidence.details`); None for a task that tells it itself. sections: the task's own parts of the report.
    most_wrong, slowest: a few rows each, worst first. domains: the same scores by domain, where the rows have one.
    by: the same by what was asked for, a column say. slices: groups of rows in which it is clearly worse.
    """

    task: str
    rows: int
    unlabelled: int
    scores: dict[str, Score]
    details: Details = None
    sections: tuple[Section, ...] = ()
    most_wrong: tuple[Example, ...] = ()
    slowest: tuple[Example, ...] = ()
    domains: tuple[DomainScore, ...] = ()
    by: Mapping[str, tuple[DomainScore, ...]] = field(default_factory=dict)
    slices: Search = field(default_factory=Search)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that it chooses among; empty where it chooses none."""
        return self.details.classes if isinstance(self.details, LabelDetails) else ()

    @property
    def uncovered(self) -> tuple[str, ...]:
        """Classes that no row has, of which the scores say nothing."""
        return self.details.uncovered if isinstance(self.details, LabelDetails) else ()

    def to_json(self) -> dict[str, dict[str, Any]]:
        """`{"accuracy": {"value": …, "low": …, "high": …}, …}`, plain JSON data.

        Where scores by a column were asked for, they stand under "by", and worse groups of rows under "slices".
        """
        scores: dict[str, dict[str, Any]] = {name: interval.to_json() for name, interval in self.scores.items()}
        if not self.by:
            return scores
        first = next(iter(self.scores), "")
        parts = {name: of_parts(found, first) for name, found in self.by.items()}
        return {**scores, "by": parts, "slices": self.slices.to_json()}

    def __repr__(self) -> str:
        return "\n".join(evaluation_lines(self))

    def _repr_html_(self) -> str:
        return evaluation_html({"": self})


class Evaluations(Mapping[str, Evaluation]):
    """The evaluations of several targets on one set of rows, by target; a target without a labelled row is left out."""

    def __init__(self, by_target: Mapping[str, Evaluation]) -> None:
        self._by_target = dict(by_target)

    def __getitem__(self, target: str) -> Evaluation:
        return self._by_target[target]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_target)

    def __len__(self) -> int:
        return len(self._by_target)

    def __repr__(self) -> str:
        return "\n".join(evaluations_lines(self))

    def _repr_html_(self) -> str:
        return evaluation_html(self)

    def to_json(self) -> dict[str, dict[str, dict[str, Any]]]:
        """`{target: {metric: {"value": …, "low": …, "high": …}}}`, plain JSON data."""
        return {target: evaluation.to_json() for target, evaluation in self._by_target.items()}


def evaluation_lines(found: Evaluation) -> list[str]:
    """What was scored, the score that counts, and the others."""
    kinds = f"{len(found.classes):,} classes, " if found.classes else ""
    bare = f"; {found.unlabelled:,} more have no target" if found.unlabelled else ""
    first = f"Evaluation ({found.task}): {kinds}{counted(found.rows)}{bare}"
    texts = [f"{score.display} {score.text}" for score in found.scores.values()]
    lines = [first, *texts[:1], *([", ".join(texts[1:])] if texts[1:] else [])]
    if found.uncovered:
        lines.append(uncovered_text(found, "rows"))
    if isinstance(found.details, ClassDetails):
        lines.append(f"always answering the commonest class: accuracy {found.details.commonest:.1%}")
    if found.domains:
        lines.append(f"by domain: {counted(len(found.domains), 'domain')}, see .domains")
    return [shown_line(line) for line in lines][:MOST]


def evaluations_lines(found: Mapping[str, Evaluation]) -> list[str]:
    """One line a target, with the score that counts."""
    lines = []
    for target, evaluation in found.items():
        score = next(iter(evaluation.scores.values()), None)
        told = f"{score.display} {score.text}" if score is not None else "no score"
        lines.append(shown_line(f"{target}: {told} on {counted(evaluation.rows)}"))
    if len(lines) > MOST:
        lines = [*lines[: MOST - 1], f"… and {len(lines) - MOST + 1} more targets"]
    return lines or ["no target had a labelled row"]


def evaluation_html(by_target: Mapping[str, Evaluation]) -> str:
    """A table of all scores with their intervals; a row a metric, of several targets a table each."""
    tables = []
    for target, found in by_target.items():
        rows = [(score.display, score.text) for score in found.scores.values()]
        caption = f"{target}: {counted(found.rows)}" if target else counted(found.rows)
        tables.append(notebook.table([("score", "with 95 % interval"), *rows], caption))
        grids = [(one.title, one.grid) for one in found.sections if one.grid is not None]
        tables += [notebook.table([grid.columns, *grid.rows], title) for title, grid in grids]
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

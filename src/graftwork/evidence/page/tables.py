"""A report's tables as plain data: columns, cells that know how to be sorted, bars in cells. No HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from graftwork.evidence.details import NumberDetails
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.page.terms import term
from graftwork.evidence.results import Candidate, Findings, Result
from graftwork.evidence.rows import RowView
from graftwork.evidence.scores.breakdown import Bin, ClassScore, Pair
from graftwork.evidence.scores.domains import DomainScore, summary
from graftwork.evidence.scores.number_errors import NumberErrors
from graftwork.evidence.words import amount, line
from graftwork.shown import shown_number

MOST_PAIRS, MOST_CLASSES = 500, 1000
"""Lines of a table, so that a page of very many classes stays light."""
MOST_SUSPECTS = 200
"""Rows that are shown because their label may be wrong."""
LONG = 30
"""A table with more rows can be searched."""


@dataclass(frozen=True)
class Value:
    """A cell. text: what is read. sort: what it is sorted by where that is a number. share: of a bar behind it.
    small: a second line. row: a row of the data in place of text."""

    text: str = ""
    sort: float | None = None
    share: float | None = None
    small: str = ""
    row: RowView | None = None


@dataclass(frozen=True)
class Grid:
    """A table. caption: what it shows, for a reader who can't see it. numbers: columns (by place) that hold numbers.
    kept: rows (by place) that stand out."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    numbers: frozenset[int] = frozenset()
    kept: frozenset[int] = frozenset()

    @property
    def long(self) -> bool:
        return len(self.rows) > LONG

    @property
    def wide(self) -> bool:
        """Whether a phone has no room for it as a table."""
        return len(self.head) > 4 or any(cell.row for cells in self.rows for cell in cells)


def scores(result: Result) -> Grid:
    """A metric a row, a split a column; the first metric is the one that chose."""
    _, first = result.headline
    known = {name for evaluation in result.evaluations.values() for name in evaluation.scores}
    names = [name for name in dict.fromkeys([result.primary, *first.scores]) if name in known]
    rows = []
    for name in names:
        metric = next(e.scores[name].metric for e in result.evaluations.values() if name in e.scores)
        less = "" if metric.higher_is_better else "; less is better"
        cells = [_score(name, evaluation) for evaluation in result.evaluations.values()]
        rows.append((Value(metric.display, small=f"{term(metric)}{less}".removeprefix("; ")), *cells))
    head = [f"{split}, {evaluation.rows:,} rows" for split, evaluation in result.evaluations.items()]
    numbers = frozenset(range(1, 1 + len(head)))
    return Grid("Scores with their 95 % intervals", ("Score", *head), tuple(rows), numbers, frozenset({0}))


def _score(name: str, evaluation: Evaluation) -> Value:
    if name not in evaluation.scores:
        return Value()
    score = evaluation.scores[name]
    return Value(score.value_text, score.value, small=score.interval_text)


def classes(per_class: Sequence[ClassScore], training: Mapping[str, int]) -> Grid:
    """Least found first."""
    ordered = sorted(per_class, key=lambda one: (one.rows == 0, one.recall or 0.0, -one.rows))
    head = ["Class", "Rows", "Found", "Right where given"]
    rows = [
        (
            Value(line(one.label, 120)),
            _count(one.rows),
            _share(one.recall, one.right, one.rows),
            _share(one.precision, one.right, one.predicted),
            *([_count(training[one.label])] if one.label in training else [Value("–")] if training else []),
        )
        for one in ordered[:MOST_CLASSES]
    ]
    if training:
        head.append("Rows to learn from")
    return Grid("Classes, those that are found least first", tuple(head), tuple(rows), frozenset(range(1, len(head))))


def pairs(found: Sequence[Pair], per_class: Sequence[ClassScore]) -> Grid:
    """What is taken for what, most often first."""
    rows_of = {one.label: one.rows for one in per_class}
    rows = tuple(
        (
            Value(line(pair.truth, 120)),
            Value(line(pair.predicted, 120)),
            _count(pair.rows),
            _share(pair.rows / rows_of[pair.truth], pair.rows, rows_of[pair.truth]),
        )
        for pair in found[:MOST_PAIRS]
    )
    head = ("True", "Taken for", "Rows", "Of the true class")
    return Grid("What is taken for what, most often first", head, rows, frozenset({2, 3}))


def certainty(bins: Sequence[Bin]) -> Grid:
    """How often it is right, by how sure it says it is."""
    rows = tuple(
        (
            Value(f"{100 * one.low:.0f} to {100 * one.high:.0f} %", one.low),
            Value(f"{100 * one.accuracy:.0f} %", one.accuracy, one.accuracy),
            _count(one.rows),
        )
        for one in reversed(bins)
    )
    head = ("Sure to", "Right in", "Answers")
    return Grid("How often it is right, by how sure it says it is", head, rows, frozenset({1, 2}))


def ranges(errors: NumberErrors) -> Grid:
    """A fifth of the rows each, by the true number."""
    worst = max((one.off for one in errors.ranges), default=0.0)
    rows = tuple(
        (
            Value(f"{shown_number(one.low)} to {shown_number(one.high)}", one.low),
            _count(one.rows),
            Value(amount(one.off), one.off, one.off / worst if worst else 0.0),
            Value(f"{'+' if one.too_high > 0 else ''}{amount(one.too_high)}", one.too_high),
        )
        for one in errors.ranges
    )
    head = ("True number", "Rows", "Off by, on average", "Too high (+) or low, on average")
    return Grid("Errors by the true number, a fifth of the rows in each line", head, rows, frozenset({1, 2, 3}))


def mistakes(result: Result, views: Mapping[int, RowView]) -> Grid:
    """Each with its row as it stands in the data."""
    _, evaluation = result.headline
    sure = any(one.probability is not None for one in evaluation.most_wrong)
    rows = tuple(
        (
            Value(row=views.get(one.row, RowView(f"row {one.row:,}", ())), sort=one.row, small=line(one.text, 300)),
            Value(line(one.truth, 120), as_number(one.truth)),
            Value(line(one.predicted, 120), as_number(one.predicted)),
            *([Value(_percent(one.probability), one.probability)] if sure else []),
        )
        for one in evaluation.most_wrong
    )
    head = ("Row", "True", "Predicted", *(["How sure it was"] if sure else []))
    numbers = {3} if sure else set()
    numbers |= {1, 2} if isinstance(evaluation.details, NumberDetails) else set()
    return Grid("Mistakes, the worst first", head, rows, frozenset(numbers))


def suspects(result: Result, views: Mapping[int, RowView]) -> Grid:
    """Rows whose label may be wrong."""
    rows = tuple(
        (
            Value(row=views.get(one.row, RowView(f"row {one.row:,}", ())), sort=one.row),
            Value(line(one.label, 120)),
            Value(line(one.likely, 120)),
            Value(_percent(one.probability), one.probability),
        )
        for one in result.suspects[:MOST_SUSPECTS]
    )
    head = ("Row", "Label it has", "Likelier", "How sure the model is")
    return Grid("Rows whose label may be wrong, the likeliest first", head, rows, frozenset({3}))


def slowest(result: Result, views: Mapping[int, RowView]) -> Grid:
    """The longest rows."""
    _, evaluation = result.headline
    rows = tuple(
        (
            Value(row=views.get(one.row, RowView(f"row {one.row:,}", ())), sort=one.row, small=line(one.text, 160)),
            Value(f"{one.tokens:,}" if one.tokens is not None else "", one.tokens),
        )
        for one in evaluation.slowest
    )
    return Grid("The longest rows, which take most time", ("Row", "Length (tokens)"), rows, frozenset({1}))


def domains(found: Sequence[DomainScore], metric: str, caption: str) -> Grid | None:
    """A domain a row, the worst first, then their mean; None where none has a score."""
    total = summary(found, metric)
    if total is None:
        return None
    known = total.worst.scores[metric].metric
    sign = 1.0 if known.higher_is_better else -1.0
    scored = sorted((one for one in found if metric in one.scores), key=lambda one: sign * one.scores[metric].value)
    rows = []
    for one in scored:
        found_score = one.scores[metric]
        score = Value(found_score.value_text, found_score.value, small=found_score.interval_text)
        rows.append((Value(line(one.domain, 80)), _count(one.rows), score))
    rows.append((Value("mean of the domains"), Value(), Value(known.text(total.mean), total.mean)))
    head = ("Domain", "Rows", known.display)
    return Grid(caption, head, tuple(rows), frozenset({1, 2}), frozenset({len(rows) - 1}))


def inputs(result: Result) -> Grid:
    """What each input brings."""
    metric = result.inputs[0].metric
    text, display = metric.text, metric.display
    rows = tuple(
        (
            Value(line(one.name, 80), small="" if one.columns == (one.name,) else line(", ".join(one.columns), 200)),
            Value(text(one.without), one.without),
            Value(text(one.gain.value), one.gain.value, small=f"{text(one.gain.low)} to {text(one.gain.high)}"),
        )
        for one in result.inputs
    )
    head = ("Left out", f"{display} without it", "Better with it by")
    return Grid("What each input brings", head, rows, frozenset({1, 2}))


def candidates(report: Findings, score_name: str) -> Grid:
    """What was tried."""
    text = shown_number if report.more or report.metric is None else report.metric.text
    compared = any(one.behind for one in report.candidates)
    rows = tuple(
        (*_candidate(one, text(one.score)), *([_behind(one, text)] if compared else [])) for one in report.candidates
    )
    kept = frozenset(at for at, one in enumerate(report.candidates) if one.kept)
    head = ("Tried", f"Validation {score_name}", "Processor time", "", *(["Kept one better by"] if compared else []))
    return Grid("What was tried, and what it brought", head, rows, frozenset({1, 2, 4} if compared else {1, 2}), kept)


def _behind(one: Candidate, text: Callable[[float], str]) -> Value:
    """The paired difference, with its 95 % interval below it."""
    gap = one.behind
    return Value("") if gap is None else Value(text(gap.value), gap.value, small=f"{text(gap.low)} to {text(gap.high)}")


def _candidate(one: Candidate, score: str) -> tuple[Value, ...]:
    from graftwork.evidence.words import duration

    cost = Value(duration(one.cpu_seconds), one.cpu_seconds)
    return Value(line(one.name), small=line(one.note)), Value(score, one.score), cost, Value("kept" if one.kept else "")


def _count(count: int) -> Value:
    return Value(f"{count:,}", count)


def _share(share: float | None, part: int, whole: int) -> Value:
    if share is None:
        return Value("–", -1.0)
    return Value(f"{part:,} of {whole:,} ({_percent(share)})", share, share)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %" if share < 0.995 or share == 1 else f"{100 * share:.1f} %"


def as_number(text: str) -> float | None:
    """The number that a text writes, to sort by; None where it is none."""
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None

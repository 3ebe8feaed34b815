"""Where a model goes wrong most, in words, with a few rows that show it: at most five things a report."""

from __future__ import annotations

from collections.abc import Sequence

from graftwork.evidence.details import ClassDetails, LabelDetails, NumberDetails
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.results import Findings, Result
from graftwork.evidence.scores.breakdown import ClassScore
from graftwork.evidence.scores.verification import Verification
from graftwork.evidence.summary.summary import Trouble
from graftwork.evidence.words import amount, line, listed, of_hundred, quoted
from graftwork.shown import counted, shown_number

MOST = 5
_EXAMPLES = 3
_GROUPS = 2
_CLEARLY_WORSE = 1.25
"""A range of numbers is named where its errors are so many times those of all rows."""
_ONE_SIDED = 0.5
"""Errors mostly go one way where their mean is this share of their mean size."""
_FEWEST = 2
"""A mistake made once is no pattern."""


def trouble(report: Findings) -> tuple[Trouble, ...]:
    """Of several targets each has its share, and is named."""
    each = [_of(result) for result in report.results]
    share = max(1, MOST // len(each))
    if not report.more:
        return tuple(each[0][:MOST])
    named = [
        Trouble(f"{line(result.target)}: {one.text}", one.rows)
        for result, found in zip(report.results, each, strict=True)
        for one in found[:share]
    ]
    return tuple(named[:MOST])


def _of(result: Result) -> list[Trouble]:
    _, evaluation = result.headline
    match evaluation.details:
        case Verification() as details:
            found = _pairs_of_identities(details)
        case NumberDetails() as details:
            found = _ranges(evaluation, details)
        case ClassDetails() as details:
            found = _classes(evaluation, details)
        case LabelDetails() as details:
            found = _labels(details.per_class)
        case _:
            found = []
    return [*_domain(result), *_groups(result), *found]


def _classes(evaluation: Evaluation, details: ClassDetails) -> list[Trouble]:
    never = [one for one in details.per_class if one.rows and not one.right]
    rows_of = {one.label: one.rows for one in details.per_class}
    found = []
    if never:
        names = listed([one.label for one in sorted(never, key=lambda one: -one.rows)], most=4)
        found.append(Trouble(f"Never found: {names} ({counted(sum(one.rows for one in never))})."))
    pairs = [pair for pair in details.pairs if pair.rows >= _FEWEST] or list(details.pairs[:MOST])
    for pair in pairs[:MOST]:
        rows = tuple(
            one.row for one in evaluation.most_wrong if (one.truth, one.predicted) == (pair.truth, pair.predicted)
        )
        text = f"{quoted(pair.truth)} taken for {quoted(pair.predicted)}: {pair.rows:,} of {rows_of[pair.truth]:,}."
        found.append(Trouble(text, rows[:_EXAMPLES]))
    return found


def _labels(per_class: Sequence[ClassScore]) -> list[Trouble]:
    """Labels that are missed, or given wrongly, most often; the worse of the two is told."""
    told = []
    for one in per_class:
        missed, wrong = one.rows - one.right, one.predicted - one.right
        name = quoted(one.label)
        if missed >= max(wrong, _FEWEST):
            told.append((missed, f"{name} is missed in {missed:,} of {counted(one.rows)} that {_have(one.rows)} it."))
        elif wrong >= _FEWEST:
            told.append((wrong, f"{name} is given wrongly {wrong:,} of {counted(one.predicted, 'time')}."))
    return [Trouble(text) for _, text in sorted(told, key=lambda at: -at[0])[:MOST]]


def _have(rows: int) -> str:
    return "has" if rows == 1 else "have"


def _ranges(evaluation: Evaluation, details: NumberDetails) -> list[Trouble]:
    """Ranges of the truth where the errors are clearly larger than elsewhere, the worst first; then single rows."""
    errors = details.errors
    worse = [one for one in errors.ranges if one.off > _CLEARLY_WORSE * errors.mean.value]
    found = []
    for one in sorted(worse, key=lambda one: -one.off):
        side = "mostly too high" if one.too_high > 0 else "mostly too low"
        which = f", {side}" if abs(one.too_high) > _ONE_SIDED * one.off else ""
        text = (
            f"Where the truth is between {shown_number(one.low)} and {shown_number(one.high)}, it is off by "
            f"{amount(one.off)} on average{which} ({counted(one.rows)}; all rows: {amount(errors.mean.value)})."
        )
        rows = [row.row for row in evaluation.most_wrong if _within(row.truth, one.low, one.high)]
        found.append(Trouble(text, tuple(rows[:_EXAMPLES])))
    return found


def _within(text: str, low: float, high: float) -> bool:
    try:
        return low <= float(text.replace(",", "")) <= high
    except ValueError:
        return False


def _pairs_of_identities(compared: Verification) -> list[Trouble]:
    threshold = compared.at_threshold.threshold if compared.at_threshold else None
    alike = [one for one in compared.most_alike if threshold is None or one.cosine >= threshold][:1]
    unlike = [one for one in compared.least_alike if threshold is None or one.cosine < threshold][:1]
    return [
        *(Trouble("Two different ones that it finds most alike.", (one.first, one.second)) for one in alike),
        *(Trouble("The same one twice, which it finds unlike.", (one.first, one.second)) for one in unlike),
    ]


def _groups(result: Result) -> list[Trouble]:
    """At most two groups of rows that are clearly worse than the others. Classes and domains are told by themselves."""
    _, evaluation = result.headline
    found = []
    others = [one for one in evaluation.slices.found if one.kind not in ("class", "domain")]
    for one in others[:_GROUPS]:
        where = f"Where {one.where},"
        if isinstance(evaluation.details, NumberDetails):
            said = f"it is off by {amount(one.bad)} on average ({counted(one.rows)}; all rows: {amount(one.overall)})"
        else:
            right, overall = of_hundred(1 - one.bad), of_hundred(1 - one.overall)
            said = f"{right} get the right answer ({counted(one.rows)}; all rows: {overall})"
        found.append(Trouble(f"{where} {said}.", one.worst[:_EXAMPLES]))
    return found


def _domain(result: Result) -> list[Trouble]:
    """The domain with the fewest right answers, where it has clearly fewer than all rows."""
    _, evaluation = result.headline
    right = evaluation.scores.get("accuracy")
    scored = [one for one in evaluation.domains if "accuracy" in one.scores]
    if right is None or len(scored) < 2:
        return []
    worst = min(scored, key=lambda one: one.scores["accuracy"].value)
    score = worst.scores["accuracy"]
    if score.high >= right.value:
        return []
    text = (
        f"In {quoted(worst.domain)} {of_hundred(score.value)} get the right answer "
        f"({counted(worst.rows)}); everywhere together {of_hundred(right.value)}."
    )
    return [Trouble(text)]

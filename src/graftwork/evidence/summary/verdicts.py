"""How well a target is predicted, in one or two sentences without a statistician's word, beside what needs no model.

What is said depends on what was measured, not on the name of a task, so that a task of one's own has a verdict too.
"""

from __future__ import annotations

from graftwork.evidence.details import (
    ClassDetails,
    EpisodeDetails,
    LabelDetails,
    NumberDetails,
    SearchDetails,
)
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.results import Result
from graftwork.evidence.scores.breakdown import ClassScore
from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.scores.verification import Verification
from graftwork.evidence.summary.summary import Verdict
from graftwork.evidence.words import FEW_ROWS, amount, line, of_hundred, part, quoted, share_of
from graftwork.shown import counted

FEWEST_IDENTITIES = 5
"""With fewer left to test with, nothing can be told of others."""
_CLOSE = 0.1
"""So near to always giving the commonest answer, it matters how many of the other rows are found."""
_SPLITS = {"test": "test row", "validation": "held-out row"}


def verdict(result: Result, target: str = "") -> Verdict:
    """target: what to call it, where there are several."""
    split, evaluation = result.headline
    text, warning = _told(result, evaluation)
    if (
        evaluation.rows < FEW_ROWS
        and not warning
        and not isinstance(evaluation.details, Verification)
        and "new ones" not in text
    ):
        text += f" Only {counted(evaluation.rows, _SPLITS.get(split, 'row'))} say so."
    return Verdict(line(target), text, warning)


def usual_answer(result: Result) -> ClassScore:
    """The answer to give without a model: the class that is commonest in training, or here where that is not known."""
    _, evaluation = result.headline
    assert isinstance(evaluation.details, LabelDetails)
    learned = result.training_rows
    return max(evaluation.details.per_class, key=lambda one: (learned.get(one.label, 0), one.rows))


Told = tuple[str, bool]
"""Sentences, and whether they warn."""


def _told(result: Result, evaluation: Evaluation) -> Told:
    match evaluation.details:
        case EpisodeDetails() as details:
            return _episodes(result, evaluation, details)
        case Verification() as details:
            return _identities(result, evaluation, details)
        case NumberDetails() as details:
            return _numbers(result, details)
        case ClassDetails() as details if "accuracy" in evaluation.scores:
            return _classes(result, evaluation, details)
        case LabelDetails() as details if details.per_class:
            return _labels(result, evaluation, details)
        case SearchDetails() if "recall_at_1" in evaluation.scores:
            return _searches(result, evaluation)
    return _score(result, evaluation)


def _beaten(result: Result) -> bool:
    return result.baseline is None or result.baseline.beaten


def _not_better(than: str, told: str) -> Told:
    """The sentence on top of everything else, where a model has nothing to show."""
    text = (
        f"This model is not shown to be better than {than}: {told}. "
        "Don't rely on it as it is; what follows shows how it was made, and proves nothing."
    )
    return text, True


def _classes(result: Result, evaluation: Evaluation, details: ClassDetails) -> Told:
    right, commonest = evaluation.scores["accuracy"], usual_answer(result)
    constant = commonest.rows / evaluation.rows
    answer = quoted(commonest.label)
    if not _beaten(result):
        told = f"it gives the right answer in {of_hundred(right.value)} rows, that in {of_hundred(constant)}"
        return _not_better(f"always answering {answer}", told)
    text = f"{_right(right, evaluation.rows, result.headline[0])} Always answering {answer} would get "
    text += f"{_count(constant, right, evaluation.rows)}."
    others = evaluation.rows - commonest.rows
    if others and right.value - constant < _CLOSE:
        found = sum(one.right for one in details.per_class if one is not commonest)
        text += f" Of the rows with another answer than {answer} it finds {part(found, others)}."
    return text, False


def _right(right: Interval, rows: int, split: str) -> str:
    """How many rows get the right answer, as far as these rows can tell."""
    share, word = share_of(right), _SPLITS.get(split, "row")
    if rows < FEW_ROWS or right.value in (0.0, 1.0):
        hits = round(right.value * rows)
        told = f"All {counted(rows, word)}" if hits == rows else f"{hits:,} of {counted(rows, word)}"
        return f"{told} got the right answer; of {share.of:,} new ones it may be {share.between}."
    if share.about == share.of:
        return f"Of {share.of:,} new rows more than {share.of - 1:,} get the right answer."
    between = f" ({share.between})" if share.between else ""
    return f"Of {share.of:,} new rows about {share.about:,} get the right answer{between}."


def _count(constant: float, right: Interval, rows: int) -> str:
    """The baseline in the measure of the sentence before it."""
    if rows < FEW_ROWS or right.value in (0.0, 1.0):
        return f"{round(constant * rows):,} of {rows:,}"
    return f"{round(constant * share_of(right).of):,}"


def _numbers(result: Result, details: NumberDetails) -> Told:
    errors = details.errors
    off, constant = amount(errors.mean.value, errors.mean), amount(errors.constant, errors.mean)
    always = f"always saying the middle value of these rows, {amount(errors.median)}"
    if not _beaten(result) or (result.baseline is None and not errors.better):
        return _not_better(always, f"it is off by {off} on average, that by {constant}")
    text = (
        f"Half of the predictions are within {amount(errors.half)} of the truth, nine of ten within "
        f"{amount(errors.nine_of_ten)}. On average they are off by {off}; {always}, would be off by {constant}."
    )
    if errors.mean.value >= errors.constant:
        text += " For most rows it brings nothing, then; it is closer where the truth is far from the middle."
    return text, False


def _labels(result: Result, evaluation: Evaluation, details: LabelDetails) -> Told:
    rows = sum(one.rows for one in details.per_class)
    given, right = (sum(getattr(one, what) for one in details.per_class) for what in ("predicted", "right"))
    if not given or not rows:
        return f"In {counted(evaluation.rows)} with {counted(rows, 'label')} it gives {given or 'none'}.", True
    commonest = max(details.per_class, key=lambda one: one.rows)
    name = quoted(commonest.label)
    told = f"f the labels that it gives {part(right, given)} are right; it finds {part(right, rows)} that are there"
    if not _beaten(result):
        return _not_better("giving every row the commonest labels", f"o{told}")
    text = (
        f"O{told}. Always giving {name} would be right in {part(commonest.rows, evaluation.rows)} rows and find "
        f"{part(commonest.rows, rows)} labels."
    )
    return text, False


def _identities(result: Result, evaluation: Evaluation, compared: Verification) -> Told:
    if compared.identities < FEWEST_IDENTITIES:
        called = f"different values of {quoted(result.target)}" if result.target else "identities"
        return f"Only {compared.identities} {called} were left to test with: how good it is can't be told.", True
    at = compared.at_threshold
    if at is not None:
        strangers, known = at.strangers_taken, at.known_refused
    elif "eer" in evaluation.scores:
        strangers = known = evaluation.scores["eer"].value
    else:
        return _score(result, evaluation)
    told = (
        f"it takes a stranger for someone known in {of_hundred(strangers)} tries, and does not recognise someone known "
        f"in {of_hundred(known)}"
    )
    if not _beaten(result):
        return _not_better("guessing", told)
    tested = f"{compared.same + compared.different:,} comparisons of rows of {compared.identities:,}"
    return f"At the chosen threshold {told}. Tested in {tested} that it had never seen.", False


def _searches(result: Result, evaluation: Evaluation) -> Told:
    first, ten = evaluation.scores["recall_at_1"].value, evaluation.scores.get("recall_at_10")
    told = f"he right one of {evaluation.rows:,} comes first in {of_hundred(first)} searches"
    if ten is not None and evaluation.rows > 10:
        told += f", among the first ten in {of_hundred(ten.value)}"
    if not _beaten(result):
        return _not_better("guessing", f"t{told}")
    return f"T{told}. Guessing would put it first in {of_hundred(1 / evaluation.rows)}.", False


def _episodes(result: Result, evaluation: Evaluation, details: EpisodeDetails) -> Told:
    shape, right = details.shape, evaluation.scores["episode_accuracy"]
    share = share_of(right)
    told = (
        f"hown {counted(shape.shot, 'example')} of each of {shape.way:,} new classes, it puts about {share.about:,} "
        f"of {share.of:,} other rows into the right one"
    )
    if not _beaten(result) or right.low <= 1 / shape.way:
        return _not_better("guessing", f"s{told}, guessing {of_hundred(1 / shape.way)}")
    between = f" ({share.between})" if share.between else ""
    return f"S{told}{between}. Guessing would get {of_hundred(1 / shape.way)}.", False


def _score(result: Result, evaluation: Evaluation) -> Told:
    """What is left for a task without words of its own: its score, as it is called."""
    score = evaluation.scores[result.primary]
    told = f"{score.display} {score.text} on {counted(evaluation.rows)}"
    if result.baseline is not None:
        told += f"; {result.baseline.name}: {result.baseline.metric.text(result.baseline.score)}"
    return (f"{told}.", False) if _beaten(result) else _not_better("what needs no model", told)

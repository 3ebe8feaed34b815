"""The picture beside the first sentence: a few bars of a hundred, the model's and what needs no model."""

from __future__ import annotations

from dataclasses import dataclass

from graftwork.evidence.details import ClassDetails, EpisodeDetails, LabelDetails, SearchDetails
from graftwork.evidence.results import Result
from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.scores.verification import Verification
from graftwork.evidence.summary.verdicts import FEWEST_IDENTITIES, usual_answer
from graftwork.evidence.words import of_hundred, part, quoted, share_of


@dataclass(frozen=True)
class Bar:
    """A share as a bar: what it is of, in words, and the ends of its interval where it has one. model: whether it is
    the model's; else what needs none."""

    label: str
    share: float
    text: str
    interval: Interval | None = None
    model: bool = True


def bars(result: Result) -> tuple[Bar, ...]:
    """Of one target; none where the sentence is not about shares."""
    _, found = result.headline
    scores = found.scores
    match found.details:
        case EpisodeDetails() as details:
            return _scored("right", scores["episode_accuracy"]), _plain("guessing", 1 / details.shape.way)
        case Verification() as details:
            at = details.at_threshold
            if at is None or details.identities < FEWEST_IDENTITIES:
                return ()
            return _model("strangers taken for known", at.strangers_taken), _model(
                "known ones refused", at.known_refused
            )
        case ClassDetails() if "accuracy" in scores:
            usual = usual_answer(result)
            constant = _plain(f"always {quoted(usual.label, 40)}", usual.rows / found.rows)
            return _scored("right", scores["accuracy"]), constant
        case LabelDetails() as details if details.per_class:
            return _of_labels(details)
        case SearchDetails():
            ways = [("comes first", "recall_at_1"), ("among the first ten", "recall_at_10")]
            return tuple(_scored(label, scores[name]) for label, name in ways if name in scores)
    return ()


def _of_labels(found: LabelDetails) -> tuple[Bar, ...]:
    rows, given, right = (sum(getattr(one, what) for one in found.per_class) for what in ("rows", "predicted", "right"))
    of_given = Bar("right of those it gives", right / max(given, 1), part(right, max(given, 1)))
    return of_given, Bar("found of those there", right / max(rows, 1), part(right, max(rows, 1)))


def _scored(label: str, interval: Interval) -> Bar:
    share = share_of(interval)
    return Bar(label, interval.value, f"{share.about:,} of {share.of:,}", interval)


def _model(label: str, share: float) -> Bar:
    return Bar(label, share, of_hundred(share))


def _plain(label: str, share: float) -> Bar:
    return Bar(label, share, of_hundred(share), model=False)

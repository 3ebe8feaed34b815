"""The table of metrics that drives `test_every_metric.py`. A new metric is one new row here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn.metrics as sk
from scipy.optimize import brentq
from scipy.stats import spearmanr

from graftwork.tasks.bandit import Bandit
from graftwork.tasks.learned import with_learned
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.metrics.registry import METRICS
from graftwork.tasks.pretext.masked_image import MaskedImage
from graftwork.tasks.pretext.masked_language import MaskedLanguage
from graftwork.tasks.pretext.masked_mel import MaskedMel
from graftwork.tasks.pretext.simclr import SimCLR
from graftwork.tasks.quantile_regression import QuantileRegression
from graftwork.tasks.task import Task
from graftwork.tasks.tokens.tagging import Tagging

Reference = Callable[[np.ndarray, Any, np.ndarray], float]
"""(truth, given, weights (N,)) -> score, computed another way than the library does."""
Draw = np.random.Generator


@dataclass(frozen=True)
class Kind:
    """Rows of one kind of truth. draw: (generator, rows) -> truth and what is compared with it, as `task.metric_inputs`
    gives them. perfect: truth -> what is compared where every answer is right. wrong: the same where hardly any is; by
    default the right answers of other rows. predicted: what is compared -> choices. together: rows of one truth are
    weighted together (a draw takes whole identities).
    """

    draw: Callable[[Draw, int], tuple[np.ndarray, Any]]
    perfect: Callable[[np.ndarray], Any]
    predicted: Callable[[Any], Any] = lambda compared: compared
    together: bool = False
    wrong: Callable[[np.ndarray], Any] | None = None

    def given(self, metric: Metric, compared: Any) -> Any:
        return self.predicted(compared) if metric.reads == "choices" else compared


@dataclass(frozen=True)
class Row:
    """best: the score of answers that are all right. reference: see there."""

    metric: Metric
    kind: Kind
    best: float
    reference: Reference


def repeated(score: Callable[[np.ndarray, Any], float]) -> Reference:
    """The reference of a score of rows that count alike: a row of weight 3 stands there three times."""

    def of_weights(truth: np.ndarray, given: Any, weights: np.ndarray) -> float:
        times = weights.astype(int)
        return float(score(np.repeat(truth, times, axis=0), np.repeat(given, times, axis=0)))

    return of_weights


def mean(of_row: Callable[[Any, Any], float]) -> Reference:
    """The reference of a mean over rows, from what one row gives."""
    return repeated(lambda truth, given: float(np.mean([of_row(t, g) for t, g in zip(truth, given, strict=True)])))


# --- one class a row --------------------------------------------------------------------------------------------------
CLASS_COUNT = 7


def _classes(draw: Draw, rows: int) -> tuple[np.ndarray, np.ndarray]:
    probabilities = draw.dirichlet(np.ones(CLASS_COUNT), size=rows)
    truth = draw.integers(CLASS_COUNT, size=rows)
    probabilities[np.arange(rows), truth] += draw.random()
    return truth, probabilities / probabilities.sum(axis=1, keepdims=True)


def _sure(truth: np.ndarray) -> np.ndarray:
    """Certain, and without ties among the others."""
    certain: np.ndarray = np.eye(CLASS_COUNT)[truth] + 1e-12 * np.arange(CLASS_COUNT)
    return certain


CLASSES = Kind(_classes, _sure, lambda probabilities: probabilities.argmax(axis=1))


def recalls(truth: np.ndarray, chosen: np.ndarray) -> float:
    return float(np.mean([(chosen[truth == each] == each).mean() for each in np.unique(truth)]))


def calibration(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """By bins of equal width, one after the other."""
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    error = 0.0
    for low in np.arange(15) / 15:
        within = (sure > low + 1e-12) & (sure <= low + 1 / 15 + 1e-12)
        error += abs(right[within].sum() - sure[within].sum()) / len(truth)
    return error


# --- any number of classes a row --------------------------------------------------------------------------------------
def _labels(draw: Draw, rows: int) -> tuple[np.ndarray, np.ndarray]:
    truth = (draw.random((rows, 4)) < 0.4).astype(np.uint8)
    return truth, np.round(np.clip(0.5 * truth + draw.random((rows, 4)) * 0.6, 0.01, 0.99), 1)  # with ties


LABELS = Kind(_labels, lambda truth: truth.astype(float), lambda probabilities: (probabilities >= 0.5).astype(np.uint8))


def precision(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean of the classes that are there."""
    there = [c for c in range(truth.shape[1]) if truth[:, c].any()]
    found = [sk.average_precision_score(truth[:, c], probabilities[:, c]) for c in there]
    return float(np.mean(found)) if found else 0.0


# --- numbers ----------------------------------------------------------------------------------------------------------
def _numbers(draw: Draw, rows: int) -> tuple[np.ndarray, np.ndarray]:
    truth = np.round(draw.normal(50, 3, rows), 1)
    return truth, truth + np.round(draw.normal(0, 1, rows), 1)


NUMBERS = Kind(_numbers, lambda truth: truth)


def explained(truth: np.ndarray, predicted: np.ndarray) -> float:
    missed, spread = ((truth - predicted) ** 2).sum(), ((truth - truth.mean()) ** 2).sum()
    return float(1 - missed / spread) if spread > 1e-12 else float(missed == 0)


def rank_correlation(truth: np.ndarray, predicted: np.ndarray) -> float:
    constant = len(set(truth)) == 1 or len(set(predicted)) == 1
    return 0.0 if constant else float(spearmanr(truth, predicted).statistic)


# --- quantiles of numbers ---------------------------------------------------------------------------------------------
QUANTILES = Kind(
    lambda draw, rows: (draw.normal(50, 3, rows), np.sort(draw.normal(50, 3, (rows, 3)), axis=1)),
    lambda truth: np.stack([truth] * 3, axis=1),
    wrong=lambda truth: truth[:, None] + np.array([5.0, 6.0, 7.0]),
)
LEVELS = QuantileRegression().levels


def pinball(truth: float, quantiles: np.ndarray) -> float:
    """By the two cases, level by level."""
    costs = [lv * (truth - q) if truth > q else (1 - lv) * (q - truth) for lv, q in zip(LEVELS, quantiles, strict=True)]
    return float(np.mean(costs))


# --- labelled spans of tokens -----------------------------------------------------------------------------------------
TAGGING = with_learned(Tagging(), labels=("city", "name"))
TOKENS = 6


def _tokens(draw: Draw, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Two labels of which no span is lost, and codes of tokens; of the first one nothing is asked."""
    codes = draw.integers(0, 5, (rows, TOKENS))
    changed = np.where(draw.random((rows, TOKENS)) < 0.3, draw.integers(0, 5, (rows, TOKENS)), codes)
    codes[:, 0] = -1
    return np.concatenate([np.zeros((rows, 2), np.int64), codes], axis=1), changed


SPANS = Kind(_tokens, lambda truth: truth[:, 2:])


def spans(codes: Any) -> set[tuple[int, int, int]]:
    """Stretches of letters: a capital begins one, so does another letter."""
    letters = "".join("oAaBb"[code] for code in codes)
    return {(one.start(), one.end(), "AB".index(one[0][0].upper())) for one in re.finditer("[Aa]a*|[Bb]b*", letters)}


def of_spans(ratio: Callable[[int, int, int], float]) -> Reference:
    """ratio: of the numbers of right, true and predicted spans."""

    def score(truth: np.ndarray, given: Any) -> float:
        pairs = [(spans(row[3:]), spans(codes[1:])) for row, codes in zip(truth, given, strict=True)]
        right = sum(len(true & said) for true, said in pairs)
        return ratio(right, sum(len(true) for true, _ in pairs), sum(len(said) for _, said in pairs))

    return repeated(score)


# --- embeddings of identities, by pairs -------------------------------------------------------------------------------
def _identities(draw: Draw, rows: int) -> tuple[np.ndarray, np.ndarray]:
    truth = draw.integers(max(2, rows // 4), size=rows)
    return truth, np.eye(8)[truth % 8] + draw.normal(0, 0.6, (rows, 8))


IDENTITIES = Kind(_identities, lambda truth: np.eye(max(2, int(truth.max()) + 1))[truth], together=True)


def curve(truth: np.ndarray, embeddings: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """False and true accepts at falling thresholds; None where one of them can't be told."""
    unit = (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32)
    pairs = [(a, b) for a in range(len(truth)) for b in range(a + 1, len(truth))]
    same = np.array([truth[a] == truth[b] for a, b in pairs])
    counts = np.array([weights[a] if truth[a] == truth[b] else weights[a] * weights[b] for a, b in pairs])
    if not pairs or not counts[same].sum() or not counts[~same].sum():
        return None
    likeness = np.array([np.dot(unit[a], unit[b]) for a, b in pairs])
    far, tar, _ = sk.roc_curve(same, likeness, sample_weight=counts, drop_intermediate=False)
    return far, tar


def equal_error(truth: np.ndarray, embeddings: np.ndarray, weights: np.ndarray) -> float:
    found = curve(truth, embeddings, weights)
    if found is None:
        return float("nan")
    far, tar = found
    steps = np.arange(len(far))
    crossing = brentq(lambda at: np.interp(at, steps, 1 - tar - far), 0, len(far) - 1)
    return float(np.interp(crossing, steps, far))


def accepted(most: float) -> Reference:
    def of_weights(truth: np.ndarray, embeddings: np.ndarray, weights: np.ndarray) -> float:
        found = curve(truth, embeddings, weights)
        return float("nan") if found is None else float(found[1][found[0] <= most + 1e-12].max())

    return of_weights


def nearest(truth: np.ndarray, embeddings: np.ndarray, weights: np.ndarray) -> float:
    """Each row's nearest other row, by a loop."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    hits = total = 0.0
    for row, identity in enumerate(truth):
        others = [other for other in range(len(truth)) if other != row]
        if (truth == identity).sum() > 1:
            total += weights[row]
            hits += weights[row] * (truth[max(others, key=lambda other: unit[row] @ unit[other])] == identity)
    return hits / total if total else float("nan")


# --- chosen actions on logged rows ------------------------------------------------------------------------------------
ACTIONS = 3


def _kept(action: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return np.concatenate([np.eye(ACTIONS)[action], expected], axis=1)


def _logs(draw: Draw, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Every other logged action brings 1, each with an even chance; what is expected of others knows nothing."""
    action = draw.integers(0, ACTIONS, rows)
    truth = np.stack([action, np.arange(rows) % 2, np.full(rows, 0.5)], axis=1)
    chosen = np.where(draw.random(rows) < 0.3, action, draw.integers(0, ACTIONS, rows))
    return truth, _kept(chosen, draw.random((rows, ACTIONS)))


def _best(truth: np.ndarray, *, better: bool = True) -> np.ndarray:
    """The logged action where it brought 1 (or where it did not), else another, of which as much is expected."""
    action = truth[:, 0].astype(int)
    kept = (truth[:, 1] == 1) == better
    chosen, value = np.where(kept, action, (action + 1) % ACTIONS), float(better)
    expected = np.full((len(truth), ACTIONS), value)
    expected[np.arange(len(truth)), action] = truth[:, 1]
    return _kept(chosen, expected)


LOGS = Kind(_logs, _best, wrong=lambda truth: _best(truth, better=False))
SAME = Kind(
    _logs,
    lambda truth: _kept(truth[:, 0].astype(int), np.zeros((len(truth), ACTIONS))),
    wrong=lambda truth: _kept((truth[:, 0].astype(int) + 1) % ACTIONS, np.zeros((len(truth), ACTIONS))),
)


def agreeing(truth: np.ndarray, kept: Any) -> list[tuple[float, float]]:
    """Weight and reward of the rows in which the logged action is chosen."""
    rows = zip(truth, kept, strict=True)
    return [(1 / t[2], t[1]) for t, k in rows if int(np.argmax(k[:ACTIONS])) == int(t[0])]


def robust(t: np.ndarray, k: np.ndarray) -> float:
    chosen, action = int(np.argmax(k[:ACTIONS])), int(t[0])
    put_right = (t[1] - k[ACTIONS + action]) / t[2] if chosen == action else 0.0
    return float(k[ACTIONS + chosen] + put_right)


def self_normalised(truth: np.ndarray, kept: Any) -> float:
    found = agreeing(truth, kept)
    return sum(w * r for w, r in found) / sum(w for w, _ in found) if found else 0.0


def effective(truth: np.ndarray, kept: Any) -> float:
    found = agreeing(truth, kept)
    return sum(w for w, _ in found) ** 2 / sum(w * w for w, _ in found) / len(truth) if found else 0.0


# --- ranks of partners, and scores of episodes ------------------------------------------------------------------------
RANKS = Kind(
    lambda draw, rows: (np.ones((rows, 2), np.float32), draw.integers(1, 30, (rows, 2)).astype(np.float32)),
    np.ones_like,
    wrong=lambda truth: 20 + 0 * truth,
)
EPISODES = Kind(
    lambda draw, rows: (np.ones(rows), draw.integers(0, 6, rows) / 5), np.ones_like, wrong=lambda truth: 0.2 * truth
)


def within(most: int, ways: slice = slice(0, 2)) -> Reference:
    return mean(lambda _, ranks: float(np.mean([rank <= most for rank in ranks[ways]])))


def middle(_: np.ndarray, ranks: np.ndarray) -> float:
    return float(np.quantile(ranks, 0.5, method="inverted_cdf"))


# --- what was hidden of the inputs, and found -------------------------------------------------------------------------
def _hidden(draw: Draw, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each row the sum of its losses, how many were right, and how many were asked for: of some rows none."""
    asked = draw.integers(0, 5, rows)
    right = draw.integers(0, 5, rows) % (asked + 1)
    kept = np.stack([asked * draw.random(rows), right, asked], axis=1).astype(np.float32)
    return kept, kept


HIDDEN = Kind(
    _hidden,
    lambda kept: np.stack([0 * kept[:, 2], kept[:, 2], kept[:, 2]], axis=1),
    wrong=lambda kept: np.stack([3 * kept[:, 2], 0 * kept[:, 2], kept[:, 2]], axis=1),
)


def of_hidden(column: int) -> Reference:
    """A column's sum over all that was asked for; 0 where nothing was."""

    def score(_: np.ndarray, kept: Any) -> float:
        asked = sum(float(row[2]) for row in kept)
        return sum(float(row[column]) for row in kept) / asked if asked else 0.0

    return repeated(score)


def named(name: str) -> Metric:
    return METRICS[name]


def bound(task: Task, name: str) -> Metric:
    """A metric that is bound to the settings of a task."""
    return task.metrics()[name]


FORWARD, BACKWARD = slice(0, 1), slice(1, 2)
ALL = (
    Row(named("accuracy"), CLASSES, 1.0, repeated(sk.accuracy_score)),
    Row(named("macro_f1"), CLASSES, 1.0, repeated(lambda t, g: sk.f1_score(t, g, average="macro"))),
    Row(named("macro_f1"), LABELS, 1.0, repeated(lambda t, g: sk.f1_score(t, g, average="macro", zero_division=0))),
    Row(named("micro_f1"), LABELS, 1.0, repeated(lambda t, g: sk.f1_score(t, g, average="micro", zero_division=0))),
    Row(named("log_loss"), CLASSES, 0.0, mean(lambda t, g: float(-np.log(g[t])))),
    Row(named("log_loss"), LABELS, 0.0, mean(lambda t, g: float(-np.mean(np.log(np.where(t, g, 1 - g)))))),
    Row(named("calibration_error"), CLASSES, 0.0, repeated(calibration)),
    Row(named("balanced_accuracy"), CLASSES, 1.0, repeated(recalls)),
    Row(named("mcc"), CLASSES, 1.0, repeated(sk.matthews_corrcoef)),
    Row(named("top5_accuracy"), CLASSES, 1.0, mean(lambda t, g: float(t in np.argsort(-g)[:5]))),
    Row(named("subset_accuracy"), LABELS, 1.0, mean(lambda t, g: float(list(t) == list(g)))),
    Row(named("average_precision"), LABELS, 1.0, repeated(precision)),
    Row(named("episode_accuracy"), EPISODES, 1.0, mean(lambda _, g: float(g))),
    Row(named("rmse"), NUMBERS, 0.0, repeated(sk.root_mean_squared_error)),
    Row(named("mae"), NUMBERS, 0.0, repeated(sk.mean_absolute_error)),
    Row(named("r2"), NUMBERS, 1.0, repeated(explained)),
    Row(named("spearman"), NUMBERS, 1.0, repeated(rank_correlation)),
    Row(bound(QuantileRegression(), "pinball_loss"), QUANTILES, 0.0, mean(pinball)),
    Row(bound(QuantileRegression(), "coverage"), QUANTILES, 1.0, mean(lambda t, q: float(q[0] <= t <= q[-1]))),
    Row(bound(QuantileRegression(), "interval_width"), QUANTILES, 0.0, mean(lambda _, q: float(q[-1] - q[0]))),
    Row(bound(TAGGING, "span_f1"), SPANS, 1.0, of_spans(lambda right, true, said: 2 * right / max(true + said, 1))),
    Row(bound(TAGGING, "span_precision"), SPANS, 1.0, of_spans(lambda right, _, said: right / max(said, 1))),
    Row(bound(TAGGING, "span_recall"), SPANS, 1.0, of_spans(lambda right, true, _: right / max(true, 1))),
    Row(bound(TAGGING, "token_accuracy"), SPANS, 1.0, mean(lambda t, g: float((t[3:] == g[1:]).mean()))),
    Row(bound(Bandit(), "policy_value"), LOGS, 1.0, mean(robust)),
    Row(bound(Bandit(), "snips_value"), LOGS, 1.0, repeated(self_normalised)),
    Row(
        bound(Bandit(), "ips_value"),
        LOGS,
        1.0,
        repeated(lambda t, k: sum(w * r for w, r in agreeing(t, k)) / len(t)),
    ),
    Row(bound(Bandit(), "effective_sample_share"), SAME, 1.0, repeated(effective)),
    Row(named("eer"), IDENTITIES, 0.0, equal_error),
    Row(named("tar_at_far_0.01"), IDENTITIES, 1.0, accepted(0.01)),
    Row(named("tar_at_far_0.001"), IDENTITIES, 1.0, accepted(0.001)),
    Row(named("rank1"), IDENTITIES, 1.0, nearest),
    Row(named("recall_at_1"), RANKS, 1.0, within(1)),
    Row(named("recall_at_5"), RANKS, 1.0, within(5)),
    Row(named("recall_at_10"), RANKS, 1.0, within(10)),
    Row(named("forward_recall_at_1"), RANKS, 1.0, within(1, FORWARD)),
    Row(named("forward_recall_at_5"), RANKS, 1.0, within(5, FORWARD)),
    Row(named("forward_recall_at_10"), RANKS, 1.0, within(10, FORWARD)),
    Row(named("backward_recall_at_1"), RANKS, 1.0, within(1, BACKWARD)),
    Row(named("backward_recall_at_5"), RANKS, 1.0, within(5, BACKWARD)),
    Row(named("backward_recall_at_10"), RANKS, 1.0, within(10, BACKWARD)),
    Row(named("reciprocal_rank"), RANKS, 1.0, mean(lambda _, ranks: float(np.mean([1 / rank for rank in ranks])))),
    Row(named("median_rank"), RANKS, 1.0, repeated(middle)),
    Row(bound(MaskedLanguage(), "masked_loss"), HIDDEN, 0.0, of_hidden(0)),
    Row(bound(MaskedLanguage(), "masked_accuracy"), HIDDEN, 1.0, of_hidden(1)),
    Row(bound(MaskedImage(), "pixel_error"), HIDDEN, 0.0, of_hidden(0)),
    Row(bound(MaskedMel(), "mel_error"), HIDDEN, 0.0, of_hidden(0)),
    Row(bound(SimCLR(), "nt_xent"), HIDDEN, 0.0, of_hidden(0)),
    Row(bound(SimCLR(), "view_accuracy"), HIDDEN, 1.0, of_hidden(1)),
)

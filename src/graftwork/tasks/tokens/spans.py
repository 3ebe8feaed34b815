"""Spans of tokens as codes, BIO (Ramshaw & Marcus 1995): made, read again, and counted for scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from graftwork.tasks.metrics.metric import Scorer, from_sums

NOTHING, OUTSIDE = -1, 0
"""The code of a token that no label is asked of (a special one, padding), and of one outside of all spans."""


class Span(NamedTuple):
    """From the first character, or token, to the one behind the last; label: its number."""

    start: int
    end: int
    label: int


def encoded(spans: Sequence[Span], places: np.ndarray, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes of tokens (L,) that stand at `places` (L, 2), and how many spans of each label have no token (labels,)."""
    filled = places[:, 1] > places[:, 0]
    codes, lost = np.where(filled, OUTSIDE, NOTHING).astype(np.int64), np.zeros(labels, np.int64)
    for span in sorted(spans):
        own = np.flatnonzero(filled & (places[:, 0] < span.end) & (places[:, 1] > span.start) & (codes == OUTSIDE))
        if len(own) == 0:
            lost[span.label] += 1
            continue
        codes[own] = 2 * span.label + 2
        codes[own[0]] = 2 * span.label + 1
    return codes, lost


def spans_of(codes: np.ndarray) -> list[Span]:
    """Spans by token. What is inside without a beginning begins one; a token that none is asked of ends none."""
    found, start, end, label = list[Span](), 0, 0, -1
    for at, code in enumerate(codes.tolist()):
        if code == NOTHING:
            continue
        own = (code - 1) // 2 if code > OUTSIDE else -1
        if label >= 0 and (own != label or code % 2 == 1):
            found.append(Span(start, end, label))
            label = -1
        if own >= 0:
            start, label = (at, own) if label < 0 else (start, label)
            end = at + 1
    return [*found, Span(start, end, label)] if label >= 0 else found


def span_counts(labels: int, truth: Any, kept: Any) -> np.ndarray:
    """Of each row and label: right spans, those that are there, and those that are predicted (N, labels, 3)."""
    counts = np.zeros((len(truth), labels, 3))
    for at, (row, codes) in enumerate(zip(truth, kept, strict=True)):
        wanted, said = _paired(labels, row, codes)
        true, predicted = set(spans_of(wanted)), set(spans_of(said))
        counts[at, :, 1] = row[:labels]
        for column, spans in enumerate((true & predicted, true, predicted)):
            for span in spans:
                counts[at, span.label, column] += 1
    return counts


def span_f1(labels: int, truth: Any, kept: Any) -> Scorer:
    sums = span_counts(labels, truth, kept).sum(axis=1)
    return from_sums(sums, lambda found: ratio(2 * found[:, 0], found[:, 1] + found[:, 2]))


def span_precision(labels: int, truth: Any, kept: Any) -> Scorer:
    sums = span_counts(labels, truth, kept).sum(axis=1)
    return from_sums(sums, lambda found: ratio(found[:, 0], found[:, 2]))


def span_recall(labels: int, truth: Any, kept: Any) -> Scorer:
    sums = span_counts(labels, truth, kept).sum(axis=1)
    return from_sums(sums, lambda found: ratio(found[:, 0], found[:, 1]))


def token_accuracy(labels: int, truth: Any, kept: Any) -> Scorer:
    counts = np.zeros((len(truth), 2))
    for at, (row, codes) in enumerate(zip(truth, kept, strict=True)):
        wanted, said = _paired(labels, row, codes)
        counts[at] = ((wanted == said) & (wanted != NOTHING)).sum(), (wanted != NOTHING).sum()
    return from_sums(counts, lambda found: ratio(found[:, 0], found[:, 1]))


def _paired(labels: int, row: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The true codes of a row and the predicted ones; of tokens that no label is asked of, none is predicted."""
    wanted = row[labels:]
    said = np.full(len(wanted), OUTSIDE, np.int64)
    said[: len(codes)] = codes[: len(wanted)]
    return wanted, np.where(wanted == NOTHING, NOTHING, said)


def ratio(top: Any, bottom: Any) -> Any:
    """0 where there is nothing to divide by."""
    return np.divide(top, bottom, out=np.zeros(np.shape(top)), where=np.asarray(bottom) > 0)

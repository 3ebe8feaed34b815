"""Labels that the other rows speak against: confident learning on probabilities that each row took no part in.

A row counts as confidently of a class where its probability is at least the mean of those of the rows that are labelled
so. How many rows of a label are confidently of another class says how many of its labels are wrong, and those with the
lowest probability of their own label are named (Northcutt, Jiang & Chuang 2021: prune by class).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graftwork.evidence.profile.finding import Finding, RowNote
from graftwork.shown import counted, shortened_text, shown_percent

LEAST_ROWS = 5
"""Rows of a class below which its labels are not judged: some rows would be predicted by too few others."""
PAIRS = 5
ABOUT = "label-errors"


@dataclass(frozen=True)
class Suspect:
    """A label in doubt. at: the row's place in the arrays. given, suggested: classes. own, other: their probability."""

    at: int
    given: int
    suggested: int
    own: float
    other: float


def suspects(probabilities: np.ndarray, labels: np.ndarray) -> list[Suspect]:
    """The labels in doubt, the most doubtful first.

    probabilities: of each row (N, K), by a model that did not learn from it. labels (N,): classes, -1 for none.
    """
    labels = np.asarray(labels, np.int64)
    sizes = np.bincount(labels[labels >= 0], minlength=probabilities.shape[1])
    judged = (labels >= 0) & (sizes[labels] >= LEAST_ROWS)
    own = np.where(labels >= 0, probabilities[np.arange(len(labels)), labels], np.nan)
    likeliest = probabilities.argmax(axis=1)
    confident = _confident(probabilities, labels, judged)
    named = []
    for one in np.unique(labels[judged]):
        rows = np.flatnonzero(labels == one)
        wrong = int(np.sum((confident[rows] >= 0) & (confident[rows] != one)))
        named += [at for at in rows[np.argsort(own[rows], kind="stable")[:wrong]] if likeliest[at] != one]
    named.sort(key=lambda at: (own[at] - probabilities[at, likeliest[at]], at))
    return [
        Suspect(int(at), int(labels[at]), int(likeliest[at]), float(own[at]), float(probabilities[at, likeliest[at]]))
        for at in named
    ]


def label_errors(
    target: str, classes: Sequence[str], probabilities: np.ndarray, labels: np.ndarray, numbers: np.ndarray
) -> Finding:
    """The finding of `suspects`. numbers: the rows' numbers in the source (N,)."""
    judged, blind = int(np.sum(labels >= 0)), not tells_apart(probabilities.argmax(axis=1), labels)
    found = [] if blind else suspects(probabilities, labels)
    pairs = Counter((classes[one.given], classes[one.suggested]) for one in found)
    share, known = len(found) / max(1, judged), labels >= 0
    agreed = float(np.mean(probabilities[known].argmax(axis=1) == labels[known])) if judged else 0.0
    numbers_of = {
        "target": target,
        "rows": judged,
        "suspects": len(found),
        "share": share,
        "agreed": agreed,
        "pairs": [[given, other, count] for (given, other), count in pairs.most_common()],
    }
    if blind:
        said = f"Labels in '{target}' are not judged: a probe that learned from the other rows hardly tells them apart."
        return Finding(ABOUT, (said,), numbers_of)
    if not found:
        return Finding(ABOUT, (f"No label in '{target}' is spoken against by the other rows.",), numbers_of)
    most = ", ".join(f"'{_cut(a)}' like '{_cut(b)}' ({count:,})" for (a, b), count in pairs.most_common(PAIRS))
    sentences = (
        f"{len(found):,} of {counted(judged, 'label')} in '{target}' ({shown_percent(share)} %) "
        f"{'is' if len(found) == 1 else 'are'} in doubt: a probe that learned from the other rows is surer of another "
        "class.",
        f"It agrees with {100 * agreed:.0f} of 100 labels. Most often in doubt is one labelled {most}.",
    )
    notes = tuple(
        RowNote(
            row=int(numbers[one.at]),
            reason=f"labelled '{_cut(classes[one.given])}' ({shown_percent(one.own)} %), looks like "
            f"'{_cut(classes[one.suggested])}' ({shown_percent(one.other)} %)",
            suggested=classes[one.suggested],
        )
        for one in found
    )
    remedy = "Look at these rows, the most doubtful first, and correct what is wrong: hard rows are among them too."
    return Finding(ABOUT, sentences, numbers_of, notes, remedy)


def tells_apart(chosen: np.ndarray, labels: np.ndarray) -> bool:
    """Whether a probe is right more often than by chance, mean over the classes, by two standard errors: what one that
    sees nothing in the rows doubts or mixes up says nothing of them. chosen, labels (N,): classes, -1 for no label."""
    right, given = (chosen == labels)[labels >= 0], labels[labels >= 0].astype(np.int64)
    sizes = np.bincount(given)
    there = sizes > 0
    if there.sum() < 2:
        return False
    shares = np.bincount(given, weights=right)[there] / sizes[there]
    chance = 1 / there.sum()
    error = np.sqrt((chance * (1 - chance) / sizes[there]).sum()) / there.sum()
    return bool(shares.mean() > chance + 2 * error)


def _confident(probabilities: np.ndarray, labels: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """The class that each row is confidently of (N,), the likeliest of several; -1 for none."""
    usual = np.full(probabilities.shape[1], np.inf)
    for one in np.unique(labels[judged]):
        usual[one] = probabilities[labels == one, one].mean()
    above = probabilities >= usual
    sure: np.ndarray = np.where(above, probabilities, -1.0).argmax(axis=1)
    return np.where(above.any(axis=1) & judged, sure, -1)


def _cut(label: str) -> str:
    return shortened_text(label, 40)

"""graftwork.evidence.profile.label_errors: confident learning, against counts made by hand and planted errors."""

from __future__ import annotations

import numpy as np

from graftwork.evidence.profile.label_errors import label_errors, suspects, tells_apart


def planted(rows: int = 600, wrong: float = 0.05, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities of a good model, labels, and which of them were changed."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, 3, rows)
    logits = draw.normal(size=(rows, 3)) + 4 * np.eye(3)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    changed = draw.random(rows) < wrong
    labels = np.where(changed, (truth + draw.integers(1, 3, rows)) % 3, truth)
    return probabilities, labels, changed


def test_planted_errors_are_named() -> None:
    probabilities, labels, changed = planted()
    named = np.zeros(len(labels), bool)
    named[[one.at for one in suspects(probabilities, labels)]] = True
    assert named[changed].mean() > 0.6
    assert changed[named].mean() > 0.7


def test_as_many_are_named_of_a_label_as_are_confidently_of_another_class() -> None:
    """Of class 0 one row of ten is above the mean of class 1, which is 0.8: the one whose own probability is lowest."""
    own = np.array([0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.45, 0.1])
    first = np.stack([own, 1 - own], axis=1)
    second = np.tile([0.2, 0.8], (10, 1))
    found = suspects(np.concatenate([first, second]), np.repeat([0, 1], 10))
    assert [(one.at, one.given, one.suggested) for one in found] == [(9, 0, 1)]


def test_a_sure_and_right_model_names_nothing() -> None:
    labels = np.arange(30) % 3
    finding = label_errors("topic", ["a", "b", "c"], 0.9 * np.eye(3)[labels] + 0.1 / 3, labels, np.arange(30) + 1)
    assert not finding.rows
    assert finding.numbers["suspects"] == 0
    assert finding.sentences == ("No label in 'topic' is spoken against by the other rows.",)


def test_rows_without_a_label_and_rare_classes_are_not_judged() -> None:
    probabilities, labels, _ = planted()
    labels = labels.copy()
    labels[:50] = -1
    labels[50:53] = 2
    labels[labels == 2] = np.where(np.cumsum(labels == 2)[labels == 2] > 3, 0, 2)  # three rows of class 2 are left
    found = suspects(probabilities, labels)
    assert all(labels[one.at] in (0, 1) for one in found)
    assert found


def test_the_finding_says_which_rows_and_what_they_may_be() -> None:
    probabilities, labels, _ = planted(200)
    numbers = np.arange(200) * 2 + 1
    finding = label_errors("topic", ["a", "b", "c"], probabilities, labels, numbers)
    found = suspects(probabilities, labels)
    assert [note.row for note in finding.rows] == [numbers[one.at] for one in found]
    assert [note.suggested for note in finding.rows] == ["abc"[one.suggested] for one in found]
    assert finding.numbers["suspects"] == len(found) == sum(count for _, _, count in finding.numbers["pairs"])
    doubt = [one.own - one.other for one in found]
    assert doubt == sorted(doubt)


def test_a_probe_that_sees_nothing_in_the_rows_doubts_no_label() -> None:
    draw = np.random.default_rng(1)
    probabilities, labels = draw.dirichlet(np.ones(3), 300), draw.integers(0, 3, 300)
    assert suspects(probabilities, labels)
    finding = label_errors("topic", ["a", "b", "c"], probabilities, labels, np.arange(300) + 1)
    assert not finding.rows
    assert finding.numbers["suspects"] == 0
    assert "hardly tells them apart" in finding.sentences[0]
    assert not tells_apart(probabilities.argmax(axis=1), labels)
    assert tells_apart(labels, labels)
    assert not tells_apart(np.zeros(300, np.int64), np.r_[np.zeros(290, np.int64), np.ones(10, np.int64)])

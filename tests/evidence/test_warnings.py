"""Data warnings: sentences with the rows, and label errors found where they were put in."""

from __future__ import annotations

import numpy as np
import pytest

from graftwork.evidence.warnings import conflicts, duplicates, label_noise, rare_classes, spellings


def test_nothing_to_warn_of() -> None:
    assert duplicates("train", "test", [], 10) == []
    assert conflicts([], "train") == []
    assert rare_classes({"a": 5, "b": 100}) == []
    assert spellings(["a", "b"]) == []


def test_duplicates_count_each_row_once() -> None:
    (found,) = duplicates("train", "test", [(1, 7), (2, 7), (3, 9)], 200)
    assert found.rows == (7, 9)
    assert found.message.startswith("2 of 200 test rows (1 %) also stand in train")
    assert "rows 7, 9" in found.message


def test_conflicts_show_the_first() -> None:
    (found,) = conflicts([[(3, "refund"), (8, "card")]], "train")
    assert found.rows == (3, 8)
    assert "1 input of train stands there more than once" in found.message
    assert "row 3 is 'refund', row 8 is 'card'" in found.message


def test_rare_classes_are_listed_rarest_first() -> None:
    (found,) = rare_classes({"many": 50, "few": 3, "one": 1})
    assert "2 of 3 classes" in found.message
    assert found.message.index("'one' (1)") < found.message.index("'few' (3)")


def test_spellings() -> None:
    (found,) = spellings(["Card", "card ", "refund"])
    assert "'Card' and 'card '" in found.message


def test_label_noise_finds_flipped_labels() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(5, size=2000)
    sure = rng.uniform(0.85, 0.95, size=(2000, 1))
    probabilities = np.where(np.arange(5) == truth[:, None], sure, (1 - sure) / 4)
    flipped = rng.choice(2000, 60, replace=False)
    labels = truth.copy()
    labels[flipped] = (labels[flipped] + rng.integers(1, 5, size=60)) % 5
    (found,), suspects = label_noise(labels, probabilities, np.arange(2000), list("abcde"), "validation")
    rows = [suspect.row for suspect in suspects]
    assert tuple(rows) == found.rows
    assert set(rows) <= set(flipped.tolist())
    assert len(rows) >= 35
    assert found.message.startswith(f"{len(rows)} of 2,000 validation rows may have a wrong label")


def test_label_noise_by_the_papers_thresholds() -> None:
    # Thresholds: class a (0.9 + 0.8 + 0.2) / 3 = 0.63, class b (0.9 + 0.7) / 2 = 0.8. Row 12 is labelled a,
    # but its 0.8 for b reaches the threshold of b; row 13 (0.7 for its own b, 0.3 for a) reaches none.
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.3, 0.7], [0.1, 0.9], [0.5, 0.5]])
    targets = np.array([0, 0, 0, 1, 1, -1])
    _, suspects = label_noise(targets, probabilities, np.arange(10, 16), ["a", "b"], "validation")
    assert [(suspect.row, suspect.label, suspect.likely) for suspect in suspects] == [(12, "a", "b")]
    assert suspects[0].probability == pytest.approx(0.8)


def test_label_noise_of_a_sure_and_right_model_is_none() -> None:
    targets = np.array([0, 1, 0, 1])
    assert label_noise(targets, np.eye(2)[targets], np.arange(4), ["a", "b"], "validation") == ([], [])

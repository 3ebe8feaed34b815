"""graftwork.evidence.profile.look_alikes: pairs of features that are nearly the same, against all pairs by hand."""

from __future__ import annotations

import numpy as np
import pytest

from graftwork.evidence.profile.look_alikes import ALIKE, look_alikes


@pytest.mark.parametrize("width", [64, 600])
def test_planted_copies_are_named(width: int) -> None:
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(200, width)).astype(np.float32)
    rows[150] = rows[3] + 0.1 * draw.normal(size=width)
    rows[160] = rows[90] + 0.1 * draw.normal(size=width)
    test = draw.normal(size=(50, width)).astype(np.float32)
    test[7] = rows[20] + 0.1 * draw.normal(size=width)
    finding = look_alikes("photo", rows, np.arange(200) + 1, test, np.arange(50) + 1)
    assert [(note.table, note.row, note.other) for note in finding.rows] == [
        ("train", 151, 4), ("train", 161, 91), ("test", 8, 21)
    ]  # fmt: skip
    assert finding.numbers["rows"] == 2
    assert finding.numbers["test_rows"] == 1
    assert finding.remedy


def test_they_are_those_of_all_pairs() -> None:
    draw = np.random.default_rng(1)
    centres = draw.normal(size=(40, 300))
    rows = (np.repeat(centres, 5, axis=0) + 0.35 * draw.normal(size=(200, 300))).astype(np.float32)
    scaled = (rows - rows.mean(0)) / rows.std(0)
    scaled /= np.linalg.norm(scaled, axis=1, keepdims=True)
    alike = np.tril(scaled @ scaled.T, -1) >= ALIKE
    assert 0 < alike.any(axis=1).sum() < 160
    named = {note.row - 1 for note in look_alikes("photo", rows, np.arange(200) + 1).rows}
    assert named == set(np.flatnonzero(alike.any(axis=1)))


def test_a_row_is_named_once() -> None:
    rows = np.repeat(np.random.default_rng(2).normal(size=(10, 32)), 4, axis=0).astype(np.float32)
    finding = look_alikes("sound", rows, np.arange(40) + 1)
    assert [note.row for note in finding.rows] == [row for row in range(1, 41) if row % 4 != 1]
    assert all(note.other is not None and note.other % 4 == 1 for note in finding.rows)


def test_none_are_alike() -> None:
    rows = np.random.default_rng(3).normal(size=(50, 64)).astype(np.float32)
    finding = look_alikes("photo", rows, np.arange(50) + 1)
    assert finding.sentences == ("No two rows of 'photo' look or sound nearly the same.",)
    assert not finding.rows

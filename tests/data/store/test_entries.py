"""graftwork.data.store.entries: a cache entry that does not hold what was written is made anew, and that is said."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from graftwork.data.store import entries, ragged
from graftwork.data.store.entries import SEAL, is_whole, kept
from graftwork.errors import DataError

ROWS = [np.arange(size, dtype=np.int32) for size in (3, 1, 5)]


def rows(folder: Path) -> list[list[int]]:
    found = ragged.write(folder, [ROWS], "int32")
    return [found[at].tolist() for at in range(len(found))]


WHOLE = [row.tolist() for row in ROWS]


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def missing(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [emptied, cut, zeros, flipped, missing])
@pytest.mark.parametrize("name", ["ragged.json", "offsets.npy", "values.bin", SEAL])
def test_damage_is_mended_and_said(
    name: str, damage: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "prepared" / "key"
    assert rows(folder) == WHOLE
    damage(folder / name)
    monkeypatch.setattr(entries, "_known", set())  # as in the next process
    if (name, damage) == (SEAL, missing):
        assert rows(folder) == WHOLE, "like an entry of an older version"
    else:
        with pytest.warns(UserWarning, match=f"cache entry {folder} is damaged"):
            assert rows(folder) == WHOLE
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rows(folder) == WHOLE, "mended for good"
    assert [path.name for path in folder.parent.iterdir()] == ["key"]


def test_it_is_made_once(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "a").write_text("x")

    for _ in range(3):
        assert kept(tmp_path / "one", make, lambda folder: (folder / "a").read_text()) == "x"
    assert len(made) == 1
    assert is_whole(tmp_path / "one")
    assert not is_whole(tmp_path / "two")


def test_a_file_in_the_place_of_an_entry_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("?")
    assert rows(tmp_path / "key") == WHOLE


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "a").write_text("x")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        kept(tmp_path / "key", fail, lambda folder: folder)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path / "file"))
    folder = tmp_path / "file" / "checked" / "key"

    def make(place: Path) -> None:
        (place / "a").write_text("x")

    with pytest.raises(DataError, match="GRAFTWORK_CACHE"):
        kept(folder, make, lambda place: place)
    for _ in range(2):
        assert kept(folder, make, lambda place: (place / "a").read_text(), spare=True) == "x"
    assert len([place for place in entries._spared if place == folder]) == 1

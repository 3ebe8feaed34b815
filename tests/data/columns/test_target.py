"""Which columns hold classes although their values are digits or dates, and which hold numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from graftwork.data.load import load
from graftwork.data.table import Table
from graftwork.errors import DataError
from pictures import folder_of_classes


def _read(tmp_path: Path, labels: list[str], **options: str) -> tuple[Table, str]:
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "".join(f"words of {i},{label}\n" for i, label in enumerate(labels)))
    loaded = load(path, **options)  # type: ignore[arg-type]
    return loaded.table, "\n".join(loaded.notes)


@pytest.mark.parametrize("names", [("0", "1"), ("00000", "00001"), ("0.5", "1.5"), ("2021-01-01", "2021-02-01")])
@pytest.mark.parametrize("rows", [3, 30])
def test_class_folders_are_classes_whatever_they_are_called(tmp_path: Path, names: tuple[str, str], rows: int) -> None:
    folder_of_classes(tmp_path / "photos", names, rows)
    table = load(tmp_path / "photos").table
    assert table.schema.targets[0].kind == "category"
    assert sorted(set(table.values("label"))) == list(names)


def test_more_folders_than_whole_numbers_would_be_classes(tmp_path: Path) -> None:
    names = [f"{7 * i + 100}" for i in range(25)]
    folder_of_classes(tmp_path / "photos", tuple(names), 2)
    table = load(tmp_path / "photos").table
    assert table.schema.targets[0].kind == "category"
    assert sorted(set(table.values("label"))) == names


@pytest.mark.parametrize("classes", [3, 25, 60])
def test_leading_zeros_make_classes(tmp_path: Path, classes: int) -> None:
    names = [f"{i:03}" for i in range(classes)]
    table, notes = _read(tmp_path, names * 6)
    assert table.schema.targets[0].kind == "category"
    assert sorted(set(table.values("label"))) == names
    assert "codes with leading zeros" in notes
    assert "--task regression" in notes


def test_class_numbers_stay_as_they_are_written(tmp_path: Path) -> None:
    table, _ = _read(tmp_path, [str(i) for i in range(25)] * 6)
    assert set(table.values("label")) == {str(i) for i in range(25)}


@pytest.mark.parametrize(
    "labels",
    [[str(i * 7 % 101) for i in range(90)], [f"{i}.5" for i in range(60)], [f"0.{i}" for i in range(10, 90)]],
)
def test_amounts_are_numbers(tmp_path: Path, labels: list[str]) -> None:
    assert _read(tmp_path, labels)[0].schema.targets[0].kind == "number"


def test_free_text_that_may_be_lists_names_the_task(tmp_path: Path) -> None:
    labels = [f'"{"abcdefgh"[i % 8]};{"ijklmnopq"[i % 9]}"' for i in range(40)]
    with pytest.raises(DataError, match=r"If they are lists of labels \(parted by ';'\), say --task multilabel"):
        _read(tmp_path, labels)

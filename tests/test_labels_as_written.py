"""Labels as people have them, through the commands: folders of numbers, codes, several writings, unseen classes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import graftwork as gw
from command import QUICK, Ran, graft, topics, write_rows
from pictures import folder_of_classes
from tiny import tiny_rows

BASE = ("--base", "cnn:width=16", *QUICK)


def _predicted(model: Path, table: Path, *options: str) -> list[dict[str, str]]:
    out = model.parent / "predicted.csv"
    graft("predict", model, table, "--out", out, *options).works()
    with open(out, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _renamed(path: Path, names: dict[str, list[str]], rows: int = 60) -> Path:
    """The tiny topics under other names, of which each class takes its own in turn."""
    found = [(text, names[label][row // 3 % len(names[label])]) for row, (text, label) in enumerate(tiny_rows(rows))]
    return write_rows(path, found)


def _three(*names: list[str]) -> dict[str, list[str]]:
    return dict(zip(("animals", "weather", "food"), names, strict=True))


@pytest.mark.parametrize("names", [("00000", "00042"), ("2021-01-01", "2021-02-01"), ("0.5", "1.5")])
def test_a_folder_a_class_whatever_it_is_called(tmp_path: Path, names: tuple[str, str]) -> None:
    photos = folder_of_classes(tmp_path / "photos", names)
    ran = graft("fit", photos, "--out", tmp_path / "run", *BASE[2:]).works()
    assert "task: classification" in ran.out + ran.err
    rows = _predicted(tmp_path / "run", photos, "--proba")
    assert {row["prediction"] for row in rows} <= set(names)
    assert {f"p({name})" for name in names} <= set(rows[0])


def test_codes_keep_their_zeros(tmp_path: Path) -> None:
    table = write_rows(tmp_path / "a.csv", [(f"words {i} of {i % 25}", f"{i % 25:03}") for i in range(75)])
    graft("fit", table, "--out", tmp_path / "run", *BASE).works()
    assert {row["prediction"] for row in _predicted(tmp_path / "run", table)} <= {f"{i:03}" for i in range(25)}


@pytest.mark.parametrize(
    ("names", "classes", "line"),
    [
        (_three(["1", "1.0", "1"], ["0"], ["2"]), {"0", "1", "2"}, "read as one class"),
        (_three(["café", "cafe\u0301", "café"], ["tea"], ["rum"]), {"café", "tea", "rum"}, "read as one class"),
        (_three(["a", "a\u200b"], ["b"], ["c"]), {"a", "b", "c"}, "read as one class"),
        (_three(["a", "\u00a0a"], ["b"], ["c"]), {"a", "b", "c"}, "spaces around values were removed"),
        (_three(["a", "A"], ["b"], ["c"]), {"a", "A", "b", "c"}, "warning: label: classes that are perhaps one"),
        (_three(["7", "07"], ["8"], ["9"]), {"7", "07", "8", "9"}, "differ only in leading zeros"),
        (_three(["R&B", "R&amp;B"], ["b"], ["c"]), {"R&B", "R&amp;B", "b", "c"}, "warning: label"),
        (_three(["not spam", "not-spam"], ["b"], ["c"]), {"not spam", "not-spam", "b", "c"}, "warning: label"),
    ],
)
def test_writings_of_one_class(tmp_path: Path, names: dict[str, list[str]], classes: set[str], line: str) -> None:
    table = _renamed(tmp_path / "a.csv", names, 72)
    ran = graft("fit", table, "--out", tmp_path / "run", *BASE).works()
    assert line in ran.out + ran.err
    assert set(gw.load(tmp_path / "run").columns) == classes


def test_a_test_table_in_another_writing(tmp_path: Path) -> None:
    table = _renamed(tmp_path / "a.csv", _three(["7"], ["8"], ["9"]))
    test = _renamed(tmp_path / "test.csv", _three(["7.0"], ["8\u200b"], ["9"]), 12)
    graft("fit", table, "--test", test, "--out", tmp_path / "run", *BASE).works()
    graft("evaluate", tmp_path / "run", test).works()


def _with_split(path: Path, split: str) -> Path:
    rows = [(text, label, "train" if label != "food" else split) for text, label in tiny_rows(60)]
    rows += [(text, label, split) for text, label in tiny_rows(12) if label != "food"]
    return write_rows(path, rows, ("text", "label", "split"))


def _refuses(ran: Ran, word: str) -> None:
    ran.fails(
        1, f"1 label in 'label' that only {word} rows have", r"'food' \(20 rows: 3, 6, 9", "Let some of these rows"
    )


@pytest.mark.parametrize(("split", "word"), [("test", "test"), ("val", "validation")])
def test_a_class_that_no_training_row_has_is_refused(tmp_path: Path, split: str, word: str) -> None:
    table = _with_split(tmp_path / "a.csv", split)
    _refuses(graft("fit", table, "--role", "split=split", "--out", tmp_path / "run", *BASE), word)
    assert not (tmp_path / "run" / "model.json").exists()


def test_a_class_folder_below_test_alone_is_refused(tmp_path: Path) -> None:
    folder_of_classes(tmp_path / "photos" / "train")
    folder_of_classes(tmp_path / "photos" / "test", ("dark", "light", "new"))
    ran = graft("fit", tmp_path / "photos", "--out", tmp_path / "run", *BASE[2:])
    ran.fails(1, "1 label in 'label' that only test rows have", "'new'")


def test_a_test_table_with_a_class_that_only_its_like_has(tmp_path: Path) -> None:
    table = _with_split(tmp_path / "a.csv", "val")
    graft("fit", table, "--role", "split=split", "--test", topics(tmp_path / "t.csv", 9), *BASE).fails(1, "'food'")


LISTS = {
    "animals": ["cats, dogs", "cats", "dogs, birds"],
    "weather": ["rain, wind", "wind", "rain"],
    "food": ["bread, rice", "rice, soup", "bread"],
}


@pytest.mark.parametrize(
    ("opening", "joint", "closing"),
    [("", ", ", ""), ("", " ", ""), ("", "|", ""), ("['", "', '", "']"), ("{", ",", "}")],
)
def test_lists_of_labels_come_back_as_they_are_written(tmp_path: Path, opening: str, joint: str, closing: str) -> None:
    written = {
        topic: [opening + each.replace(", ", joint) + closing for each in lists] for topic, lists in LISTS.items()
    }
    table = _renamed(tmp_path / "a.csv", written, 72)
    ran = graft("fit", table, "--task", "multilabel", "--out", tmp_path / "run", *BASE).works()
    assert "8 labels" in ran.out + ran.err
    model = gw.load(tmp_path / "run")
    assert model.columns == ("birds", "bread", "cats", "dogs", "rain", "rice", "soup", "wind")
    graft("evaluate", tmp_path / "run", table).works()
    sure = np.zeros((1, 8), np.float32)
    sure[0, [2, 3]] = 1
    assert model.task.decode(sure) == [f"{opening}cats{joint}dogs{closing}"]
    ran = graft("plan", table, *BASE).works()
    assert "warning: label: the values look like lists of labels" in ran.out + ran.err


def test_a_separator_that_is_not_there(tmp_path: Path) -> None:
    table = _renamed(tmp_path / "a.csv", LISTS, 60)
    for spec in ("multilabel:separator=;", "multilabel:separator=tab"):
        graft("plan", table, "--task", spec, *BASE).fails(1, "no row has .* between labels", "may be parted by a comma")
    graft("plan", table, "--task", "multilabel:separator=", *BASE).fails(2, "separator is empty", "separator=comma")
    graft("plan", topics(tmp_path / "b.csv"), "--task", "multilabel", *BASE).fails(1, "no separator between labels")


def test_an_encoding_is_advised_and_taken(tmp_path: Path) -> None:
    table = write_rows(
        tmp_path / "a.csv", [(f"とても良い電話です {i}", "良い" if i % 2 else "悪い") for i in range(48)]
    )
    table.write_bytes(table.read_text(encoding="utf-8").encode("cp932"))
    graft("fit", table, *BASE).fails(1, "Shift-JIS", "とても良い電話です", "--encoding cp932")
    graft("fit", table, "--encoding", "shift_jis", "--out", tmp_path / "run", *BASE).works()
    rows = _predicted(tmp_path / "run", table, "--encoding", "cp932")
    assert rows[1]["text"] == "とても良い電話です 1"
    assert {row["prediction"] for row in rows} <= {"良い", "悪い"}
    graft("evaluate", tmp_path / "run", table, "--encoding", "cp932").works()
    graft("evaluate", tmp_path / "run", table).fails(1, "--encoding cp932")
    model = gw.load(tmp_path / "run")
    assert len(model.predict(table, encoding="cp932")) == 48
    graft("fit", table, "--encoding", "klingon", *BASE).fails(2, "no such encoding")

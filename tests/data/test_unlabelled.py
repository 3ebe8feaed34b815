"""Rows without a target behind the training rows, in a domain of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graftwork.data.load import load
from graftwork.data.unlabelled import Labelled, with_labelled, with_unlabelled
from graftwork.errors import DataError

ROWS = {"text": ["some words here", "other words of a row"] * 4, "label": ["a", "b"] * 4}
MORE = {"text": ["new words to read", "and some more of them", "the last of the rows"], "label": ["x", "y", "z"]}


def test_the_two_tables_are_two_domains_and_their_own_labels_are_not_looked_at() -> None:
    table, notes = with_unlabelled(load(ROWS).table, MORE, "fail")
    assert len(table) == 11
    assert table.values("label") == ROWS["label"] + [None] * 3
    assert table.values("domain") == ["labelled"] * 8 + ["unlabelled"] * 3
    column = table.schema.role("domain")
    assert column is not None
    assert column.levels == ("labelled", "unlabelled")
    assert table.rows.tolist() == list(range(1, 12))
    assert any("3 rows" in note for note in notes)


def test_a_domain_column_of_its_own_counts() -> None:
    train = load({**ROWS, "shop": ["north", "south"] * 4}, roles={"domain": "shop"}).table
    table, _ = with_unlabelled(train, {**MORE, "shop": ["west", "north", "west"]}, "fail")
    assert table.values("shop")[8:] == ["west", "north", "west"]
    assert table.schema.role("domain").levels == ("north", "south", "west")  # type: ignore[union-attr]
    table, _ = with_unlabelled(train, MORE, "fail")
    assert table.values("shop")[8:] == ["unlabelled"] * 3


def test_a_column_named_domain_stays_what_it_is() -> None:
    rows = {**ROWS, "domain": [f"some words of row {at}" for at in range(8)]}
    table, _ = with_unlabelled(load(rows, target="label").table, {**MORE, "domain": ["x y z"] * 3}, "fail")
    assert table.values("domain")[:2] == ["some words of row 0", "some words of row 1"]
    assert table.values("domain_")[-1] == "unlabelled"


def test_unlabelled_rows_have_the_mean_weight() -> None:
    train = load({**ROWS, "count": [1.0, 3.0] * 4}, roles={"weight": "count"}, target="label").table
    table, _ = with_unlabelled(train, MORE, "fail")
    assert table.values("count")[8:] == [2.0] * 3


def test_paths_start_at_the_folder_of_their_own_table(tmp_path: Path) -> None:
    from PIL import Image

    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        for at in range(4):
            Image.new("RGB", (4, 4), (at, 0, 0)).save(tmp_path / name / f"{at}.png")
    lines = "\n".join(f"{at}.png,{'ab'[at % 2]}" for at in range(4))
    (tmp_path / "first" / "rows.csv").write_text(f"photo,label\n{lines}\n")
    (tmp_path / "second" / "rows.csv").write_text("photo\n" + "\n".join(f"{at}.png" for at in range(4)) + "\n")
    table, _ = with_unlabelled(load(tmp_path / "first" / "rows.csv").table, tmp_path / "second" / "rows.csv", "fail")
    assert [Path(path).parent.name for path in table.values("photo")] == ["first"] * 4 + ["second"] * 4
    assert all(Path(path).is_file() for path in table.values("photo"))


def test_a_missing_input_is_said() -> None:
    with pytest.raises(DataError, match="has no column 'text', the input of the training table"):
        with_unlabelled(load(ROWS).table, {"words": ["a b c"]}, "fail")


def test_rows_that_a_model_labelled_stand_behind_the_training_rows() -> None:
    given = Labelled(MORE, np.array([3, 1]), {"label": ["b", "a"]})
    table, notes = with_labelled(load(ROWS).table, given, "fail")
    assert table.values("label") == [*ROWS["label"], "a", "b"]
    assert table.values("text")[8:] == [MORE["text"][0], MORE["text"][2]]
    assert table.schema.role("domain") is None
    assert any("labelled by a model: 2 rows" in note for note in notes)


def test_their_labels_are_of_the_training_columns_type() -> None:
    train = load({**ROWS, "label": [0, 1] * 4}, target="label").table
    table, _ = with_labelled(train, Labelled({"text": MORE["text"]}, np.array([2]), {"label": [1]}), "fail")
    assert table.values("label")[-1] == 1
    assert table.column("label").type == train.column("label").type


def test_with_a_domain_column_they_are_a_domain_of_their_own() -> None:
    train = load({**ROWS, "shop": ["north", "south"] * 4}, roles={"domain": "shop"}).table
    table, _ = with_labelled(train, Labelled(MORE, np.array([1, 2]), {"label": ["a", "a"]}), "fail")
    assert table.values("shop")[8:] == ["unlabelled"] * 2
    assert table.schema.role("domain").levels == ("north", "south", "unlabelled")  # type: ignore[union-attr]

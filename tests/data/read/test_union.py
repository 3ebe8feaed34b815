"""graftwork.data.read.union: tables that share inputs but not targets become one."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from graftwork.data.load import load, load_like
from graftwork.data.read.union import Part, is_several, union
from graftwork.errors import DataError, UsageError
from pictures import encoded, picture


def prices(rows: int = 6) -> pd.DataFrame:
    return pd.DataFrame(
        {"id": range(rows), "text": [f"hat {at}" for at in range(rows)], "price": [at / 3 for at in range(rows)]}
    )


def kinds(rows: int = 4) -> pd.DataFrame:
    return pd.DataFrame(
        {"id": range(rows), "text": [f"shoe {at}" for at in range(rows)], "kind": ["new", "old"] * (rows // 2)}
    )


def test_what_is_several_tables(tmp_path: Path) -> None:
    assert is_several(["a.csv", "b.csv.gz"])
    assert is_several([tmp_path / "a.csv", tmp_path])
    assert is_several((prices(), pa.table({"a": [1]})))
    assert is_several([str(tmp_path)])
    for rows in (["a text", "b.csv"], [{"text": "a"}], [], "a.csv", prices(), ["where is a csv", None], [b"a"]):
        assert not is_several(rows)


def test_missing_targets(tmp_path: Path) -> None:
    prices().to_csv(tmp_path / "a.csv", index=False)
    kinds().to_csv(tmp_path / "b.csv", index=False)
    loaded = load([tmp_path / "a.csv", tmp_path / "b.csv"], target=["price", "kind"])
    table = loaded.table
    assert table.values("text") == [*(f"hat {at}" for at in range(6)), *(f"shoe {at}" for at in range(4))]
    assert table.values("price") == [*(at / 3 for at in range(6)), None, None, None, None]
    assert table.values("kind") == [None] * 6 + ["new", "old"] * 2
    assert [column.name for column in table.schema.inputs] == ["text"]
    assert table.rows.tolist() == list(range(1, 11))
    assert [table.place(row) for row in (6, 7)] == [f"row 6 of {tmp_path / 'a.csv'}", f"row 1 of {tmp_path / 'b.csv'}"]
    assert any("4 rows with kind, counted from row 7 on" in note for note in loaded.notes)
    assert any("ignored: id (row ids" in note for note in loaded.notes)


def test_frames_and_columns_of_some_tables_only() -> None:
    extra = prices().assign(colour=["red", "blue"] * 3)
    loaded = load([extra, kinds()], target=["price", "kind"])
    assert [column.name for column in loaded.table.schema.inputs] == ["text"]
    assert any("not used: colour (not in every table)" in note for note in loaded.notes)
    with pytest.raises(DataError, match=r"table 2 has no column 'colour'.*input in table 1.*--ignore colour"):
        load([extra, kinds()], target=["price", "kind"], inputs=["text", "colour"])


def test_bad_rows_have_the_numbers_of_their_own_table() -> None:
    broken = kinds(6)
    broken.loc[1, "text"] = ""
    with pytest.raises(DataError, match=r"table 2: 1 row of 6.*\n.*row 2, text: empty"):
        load([prices(), broken], target=["price", "kind"])
    table = load([prices(), broken], target=["price", "kind"], on_bad_rows="skip").table
    assert table.rows.tolist() == [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12]
    assert table.place(9) == "row 3 of table 2"


def test_what_can_not_be_joined(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"table 2 has none of the targets price.*--target"):
        load([prices(), kinds()], target="price")
    prices().to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(UsageError, match=r"a\.csv is given 2 times"):
        load([tmp_path / "a.csv", tmp_path / "a.csv"], target="price")
    with pytest.raises(DataError, match=r"nothing\.csv"):
        load([tmp_path / "a.csv", tmp_path / "nothing.csv"], target="price")


def test_types_that_differ() -> None:
    text = kinds().assign(size=["1", "2", "3", "x"])
    table = load([prices().assign(size=range(6)), text], target=["price", "kind"]).table
    assert table.values("size")[-2:] == ["3", "x"]
    assert table.values("size")[0] == "0"


def test_paths_start_at_their_own_table(tmp_path: Path) -> None:
    for name, target in (("a", "price"), ("b", "kind")):
        (tmp_path / name).mkdir()
        for at in range(4):
            (tmp_path / name / f"{at}.png").write_bytes(encoded(picture(at)))
        values = {"price": [0.5, 1.5, 2.5, 4.0], "kind": ["new", "old"] * 2}[target]
        frame = pd.DataFrame({"photo": [f"{at}.png" for at in range(4)], target: values})
        frame.to_csv(tmp_path / name / "t.csv", index=False)
    table = load([tmp_path / "a" / "t.csv", tmp_path / "b" / "t.csv"], target=["price", "kind"]).table
    assert table.values("photo")[::4] == [str(tmp_path / "a" / "0.png"), str(tmp_path / "b" / "0.png")]


def test_rows_are_bad_where_all_targets_are_missing() -> None:
    frame = prices().assign(kind=["new", "old"] * 3)
    frame.loc[0, "price"] = None
    frame.loc[1, "kind"] = None
    frame.loc[2, ["price", "kind"]] = None
    with pytest.raises(DataError, match=r"1 row of 6.*\n.*row 3, price, kind: no label in any of them"):
        load(frame, target=["price", "kind"])
    table = load(frame, target=["price", "kind"], on_bad_rows="skip").table
    assert table.rows.tolist() == [1, 2, 4, 5, 6]
    with pytest.raises(DataError, match=r"row 1, price: '3 EUR' is in EUR, where others have no unit"):
        load(frame.assign(price=["3 EUR", *["1.5"] * 5]), target=["price", "kind"], task_kind={"price": "number"})


def test_a_class_of_a_single_row_loses_its_label_only() -> None:
    frame = prices().assign(kind=["new", "new", "old", "old", "odd", "old"])
    with pytest.raises(DataError, match=r"'odd' \(row 5\)"):
        load(frame, target=["price", "kind"])
    loaded = load(frame, target=["price", "kind"], on_bad_rows="skip")
    assert loaded.table.values("kind")[4] is None
    assert len(loaded.table) == 6
    assert any("labels left out of kind" in note for note in loaded.notes)


def test_a_later_table_may_lack_a_target() -> None:
    schema = load(prices().assign(kind=["new", "old"] * 3), target=["price", "kind"]).table.schema
    table = load_like(kinds(), schema, with_target=True).table
    assert table.values("price") == [None] * 4
    with pytest.raises(DataError, match=r"no column 'price'"):
        load_like(kinds().drop(columns="kind"), schema, with_target=True)


def test_tables_without_a_column_in_common_are_refused() -> None:
    parts = [Part(pa.table({"a": [1]}), "a.csv", None), Part(pa.table({"b": [1]}), "b.csv", None)]
    with pytest.raises(DataError, match=r"share no column \(a\.csv: a; b\.csv: b\)"):
        union(parts)


def test_pictures_written_into_cells_stay_what_they_are(tmp_path):
    import base64

    from pictures import encoded, picture

    held = encoded(picture())
    written = "data:image/png;base64," + base64.b64encode(held).decode()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").write_bytes(held)
        rows = [f"{photo},{label}" for label in ("x", "y") for photo in ("0.png", f'"{written}"')]
        (tmp_path / name / "rows.csv").write_text("photo,label\n" + "\n".join(rows) + "\n")
    table = load([tmp_path / "a" / "rows.csv", tmp_path / "b" / "rows.csv"], target="label").table
    assert table.values("photo")[:2] == [str(tmp_path / "a" / "0.png"), written]
    assert len(table) == 8

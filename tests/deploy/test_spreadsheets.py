"""graftwork.deploy.spreadsheets: nothing that a spreadsheet program would run."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command import graft, write_rows
from graftwork.deploy.spreadsheets import without_formulas
from made import make

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "-", '=HYPERLINK("x")']
PLAIN = ["", "text", "1=2", "-3", "+4.5", "-1e-3", "a@b.org", "'=1", None]


def test_only_formulas_are_marked() -> None:
    table = pa.table({"a": FORMULAS + PLAIN, "=b": range(len(FORMULAS + PLAIN))})
    found = without_formulas(table)
    assert found.column_names == ["a", "'=b"]
    assert found.column("a").to_pylist() == [f"'{text}" for text in FORMULAS] + PLAIN
    assert found.column(1).equals(table.column(1)), "numbers stay numbers"


@given(st.lists(st.one_of(st.none(), st.text(max_size=12))))
def test_nothing_is_lost(texts: list[str | None]) -> None:
    found = without_formulas(pa.table({"a": pa.array(texts, pa.large_string())})).column("a").to_pylist()
    for before, after in zip(texts, found, strict=True):
        assert after in (before, f"'{before}")
        assert after is None or not after.startswith(("=", "@"))


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_from_the_command_line(kind: str, tmp_path: Path) -> None:
    folder = make(tmp_path).save(tmp_path / "m")
    table = write_rows(tmp_path / "t.csv", [("=1+1",), ("the cat",)], ("text",))
    out = tmp_path / f"p.{kind}"
    graft("predict", folder, table, "--out", out).works()
    with open(out, encoding="utf-8") as file:
        assert "'=1+1" not in file.read(), "as they are, unless asked"
    graft("predict", folder, table, "--out", out, "--spreadsheet-safe").works()
    with open(out, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="," if kind == "csv" else "\t"))
    assert [row["text"] for row in rows] == ["'=1+1", "the cat"]
    refused = graft("predict", folder, table, "--out", tmp_path / "p.parquet", "--spreadsheet-safe")
    refused.fails(2, "for csv and tsv")

"""gw.profile: all findings of a table, and the table without the rows that were named."""

from __future__ import annotations

import csv
import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import graftwork as gw
from graftwork.errors import DataError, UsageError
from heard import Ear
from pictures import encoded, picture
from tiny import tiny_rows

BASE = "gru:width=8"


def profile(train, **options):
    return gw.profile(train, **{"base": BASE, "features": False, "verbose": False} | options)


def rows(count: int = 60):
    pairs = tiny_rows(count)
    return [{"text": f"{text} {at}", "label": label, "code": f"00{at}"} for at, (text, label) in enumerate(pairs)]


def doubled():
    """Row 61 repeats row 1, row 62 has the inputs of row 2 with another label, row 63 has no label."""
    more = [{**rows()[0]}, {**rows()[1], "label": "food"}, {"text": "nothing", "label": "", "code": "0"}]
    return [*rows(), *more]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "rows.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["text", "label", "code"])
        writer.writeheader()
        writer.writerows(doubled())
    return path


def test_a_profile_holds_every_finding_as_sentences_and_json(table):
    found = profile(table, ignore=["code"])
    about = [finding.about for finding in found.findings]
    assert about == [
        *("unusable", "columns", "languages", "balance", "duplicates", "conflicts", "near-duplicates", "leakage"),
    ]
    assert [note.row for note in found.rows("duplicates")] == [61]
    assert [note.row for note in found.rows("conflicts")] == [2, 62]
    assert [(note.row, note.reason) for note in found.rows("unusable")] == [(63, "label: no label")]
    assert json.loads(json.dumps(found.to_json())) == found.to_json()
    assert "63 rows" not in found.title
    assert "62 rows" in found.title
    lines = found.lines()
    assert lines.index("To settle:") < lines.index("The data:")
    assert any("--drop duplicates" in line for line in lines)


def test_the_cleaned_table_is_as_it_was_less_what_is_logged(table, tmp_path):
    out, ear = tmp_path / "clean.csv", Ear()
    profile(table, ignore=["code"], drop=["duplicates", "conflicts,unusable"], clean=out, listener=ear)
    kept = pd.read_csv(out, dtype=str)
    before = pd.read_csv(table, dtype=str)
    assert kept.equals(before.drop(index=[1, 60, 61, 62]).reset_index(drop=True))
    log = pd.read_csv(tmp_path / "clean.log.csv")
    assert list(zip(log.row, log.dropped_for, strict=True)) == [
        *((61, "duplicates"), (2, "conflicts"), (62, "conflicts"), (63, "unusable"))
    ]
    assert log.other_row.tolist()[:3] == [1, 62, 2]
    assert "59 rows of 63 written" in ear.notes[-1]
    again = profile(out, ignore=["code"])
    assert not any(again.rows(about) for about in ("duplicates", "conflicts", "unusable"))


def test_test_rows_that_training_has_and_unknown_classes_are_findings():
    test = [rows()[4], {"text": "quite another thing", "label": "money", "code": "1"}]
    found = profile(rows(), test=[*test, *rows()[:3]], ignore=["code"])
    assert [note.row for note in found.rows("unknown-classes")] == [2]
    assert [(note.row, note.other) for note in found.rows("overlap")] == [(1, 3), (2, 4), (3, 5), (5, 1)]
    assert "4 test rows" in found.title


def test_rows_alone_in_their_class_are_named():
    found = profile([*rows(), {"text": "a lone one", "label": "money", "code": "1"}], ignore=["code"])
    assert [(note.row, note.reason) for note in found.rows("unusable")] == [(61, "the only row of its class")]


def test_a_folder_of_pictures_is_profiled_and_cleaned_into_a_table_that_finds_them(tmp_path):
    folder = tmp_path / "pictures"
    for label, seeds in (("a", range(8)), ("b", range(20, 28))):
        (folder / label).mkdir(parents=True)
        for seed in seeds:
            (folder / label / f"{seed}.png").write_bytes(encoded(picture(seed)))
    (folder / "a" / "copy.png").write_bytes(encoded(picture(3)))
    out = tmp_path / "clean.parquet"
    found = profile(folder, base="auto", drop="duplicates", clean=out)
    assert len(found.rows("duplicates")) == 1
    assert found.about("columns")[0].numbers["columns"]["image"]["most frequent"] == [60, 48]
    assert pq.read_table(out).num_rows == 16
    assert len(profile(out, base="auto").rows("duplicates")) == 0


def test_the_page_holds_the_rows_and_escapes_them(tmp_path):
    nasty = [{**row, "text": f"<script>alert(1)</script> {row['text']}"} for row in doubled()]
    found = profile(nasty, ignore=["code"])
    found.write(tmp_path / "pages" / "p.html")
    page = (tmp_path / "pages" / "p.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "the same as row 1" in page
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"drop": "doubles", "clean": "c.csv"}, "no such rows to drop.*duplicates"),
        ({"drop": "duplicates"}, "--drop needs --clean"),
        ({"clean": "c.csv"}, "needs --drop"),
        ({"drop": "duplicates", "clean": "c.doc"}, "can't write '.doc'"),
    ],
)
def test_what_can_not_be_dropped_or_written_is_said_before_reading(options, said):
    with pytest.raises(UsageError, match=said):
        profile("no-such-table.csv", **options)


def test_the_table_itself_is_not_overwritten(table):
    with pytest.raises(UsageError, match="would be overwritten"):
        profile(table, drop="duplicates", clean=table)


def test_the_log_does_not_overwrite_the_table_either(table):
    named = table.rename(table.with_name("rows.log.csv"))
    before = named.read_bytes()
    with pytest.raises(UsageError, match=r"log would be .*rows\.log\.csv, the table itself"):
        profile(named, drop="duplicates", clean=named.with_name("rows.csv"))
    assert named.read_bytes() == before


def test_a_table_of_many_columns_is_shown_in_few_lines():
    wide = [{**{f"column {at}": float(at * row % 7) for at in range(60)}, "label": "ab"[row % 2]} for row in range(40)]
    found = profile(wide, target="label", base="auto")
    assert len(found.about("columns")[0].sentences) == 61
    lines = found.lines()
    assert "    … and 42 more: see the page (--out) or --json" in lines
    assert sum(line.startswith("    'column ") for line in lines) == 18
    assert any(line.startswith("    'label' (category, target)") for line in lines)


def test_a_target_that_is_constant_is_said():
    with pytest.raises(DataError, match="one class, 'food', in all 60 rows"):
        profile([{**row, "label": "food"} for row in rows()], target="label")


def test_bad_rows_can_fail_as_in_a_fit(table):
    with pytest.raises(DataError, match="row 63, label: no label"):
        profile(table, ignore=["code"], on_bad_rows="fail")


def test_times_that_do_not_parse_are_unusable_rows():
    dated = [{**row, "when": f"2024-01-{1 + at % 28:02d}"} for at, row in enumerate(rows())]
    dated[9]["when"] = "soon"
    found = profile(dated, ignore=["code"], roles={"time": "when"})
    assert [note.row for note in found.rows("unusable")] == [10]
    assert found.about("time")[0].numbers["last"] == "2024-01-28"


def measured(rows: int, late: float, seed: int = 0):
    """Numbers whose class follows the first one; from `late` on (a share of the rows), the second one."""
    draw = np.random.default_rng(seed)
    table = pd.DataFrame({"a": draw.normal(size=rows), "b": draw.normal(size=rows)})
    table["when"] = pd.date_range("2022-01-01", periods=rows)
    told = np.where(np.arange(rows) < late * rows, table.a, table.b)
    return table.assign(label=np.where(told + 0.3 * draw.normal(size=rows) > 0, "yes", "no"))


@pytest.mark.slow
def test_features_say_what_time_hides_and_what_more_rows_bring(tmp_path):
    found = profile(measured(500, 0.8), target="label", base="auto", roles={"time": "when"}, features=True)
    (hidden,) = found.about("time-split")
    assert hidden.numbers["rows"] == 100
    assert hidden.numbers["hidden_low"] > 0.1
    assert "--role time=when" in hidden.remedy
    assert found.about("learning-curve")[0].numbers["rows"] == 500
    found.write(tmp_path / "p.html")
    assert "Score of a probe by the rows it learned from" in (tmp_path / "p.html").read_text(encoding="utf-8")
    steady = profile(measured(500, 1.0), target="label", base="auto", roles={"time": "when"}, features=True)
    assert not steady.about("time-split")[0].remedy


def test_labels_that_are_wrong_are_named_and_can_be_dropped(tmp_path):
    table = measured(500, 1.0)
    sure = np.flatnonzero(np.abs(table.a) > 1.2)[:12]
    table.loc[sure, "label"] = np.where(table.label[sure] == "yes", "no", "yes")
    out = tmp_path / "c.csv"
    found = profile(table, target="label", base="auto", features=True, drop="label-errors", clean=out)
    named = {note.row for note in found.rows("label-errors")}
    assert len(named & set((sure + 1).tolist())) >= 10
    assert len(pd.read_csv(out)) == 500 - len(named)


def test_a_base_that_starts_from_nothing_is_said(table):
    found = profile(table, ignore=["code"], features=True)
    assert "no pretrained base is here for 'text'" in found.about("features")[0].sentences[0]

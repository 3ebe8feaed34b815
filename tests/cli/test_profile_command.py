"""`graft profile`: what it prints, writes and refuses."""

from __future__ import annotations

import json

from command import graft, topics, write_rows
from tiny import tiny_rows

QUICKLY = ("--no-features", "--base", "gru:width=8")


def table(tmp_path):
    """Row 61 repeats row 1."""
    rows = [(f"{text} {at}", label) for at, (text, label) in enumerate(tiny_rows())]
    return write_rows(tmp_path / "rows.csv", [*rows, rows[0]])


def test_it_prints_what_to_settle_and_writes_a_page(tmp_path):
    ran = graft("profile", table(tmp_path), "--target", "label", *QUICKLY, "--out", tmp_path / "p.html").works()
    assert "rows.csv: 61 rows, target label" in ran.out
    assert "--drop duplicates" in ran.out
    assert "Duplicates" in (tmp_path / "p.html").read_text(encoding="utf-8")


def test_json_is_all_that_is_printed(tmp_path):
    ran = graft("profile", table(tmp_path), *QUICKLY, "--json").works()
    found = json.loads(ran.out)
    assert {
        "about": "duplicates",
        "row": next(one for one in found["findings"] if one["about"] == "duplicates")["rows"][0]["row"],
    } == {"about": "duplicates", "row": 61}


def test_a_cleaned_table_can_be_fitted(tmp_path):
    out = tmp_path / "clean.csv"
    ran = graft("profile", table(tmp_path), *QUICKLY, "--drop", "duplicates,conflicts", "--clean", out).works()
    assert "60 rows of 61 written" in ran.err
    assert len(out.read_text(encoding="utf-8").splitlines()) == 61
    assert "61,duplicates" in (tmp_path / "clean.log.csv").read_text(encoding="utf-8").replace('"', "")


def test_what_it_can_not_do_is_said(tmp_path):
    rows = topics(tmp_path / "t.csv")
    graft("profile", tmp_path / "none.csv").fails(1, "none.csv")
    graft("profile", rows, "--target", "lable").fails(2, "no column 'lable'.*label")
    graft("profile", rows, "--drop", "rows", "--clean", tmp_path / "c.csv").fails(2, "--drop rows")
    graft("profile", rows, "--out", tmp_path / "p.pdf").fails(2, r"\.html")
    graft("profile", rows, "--role", "time=text").fails(2, "values are no times")

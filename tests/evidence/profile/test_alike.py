"""Rows that are alike: every one that was planted is named, and no other."""

from __future__ import annotations

import pytest

import graftwork as gw
from graftwork.evidence.profile.alike import alike
from jobs import job_of

PARTS = ("the parcel from", "came late and its", "box was broken so", "please send another to", "before the end of")
TOWNS = ("Lisbon", "Oslo", "Quito", "Cairo", "Perth", "Delhi", "Kyoto", "Turin", "Malmo", "Accra", "Zagreb", "Tunis")


def text(at: int) -> str:
    """A text of some 120 signs unlike the others."""
    words = [
        f"{part} {TOWNS[(at * (place + 3) + place * at // 7) % len(TOWNS)]}{at % 97}"
        for place, part in enumerate(PARTS)
    ]
    return f"{at} {' '.join(words[at % 5 :] + words[: at % 5])} {at * 31 % 1009}"


def rows(count: int = 60) -> list[dict[str, object]]:
    return [{"text": text(at), "label": "xy"[at % 2]} for at in range(count)]


def findings(train, test=None, **options):
    job = job_of(train, gw.Recipe(base="gru:width=8"), **options)
    table = job.train if job.valid is None else _whole(train, options)
    asked = None if test is None else _like(test, table)
    return {finding.about: finding for finding in alike(table, asked, job.tasks)}


def _whole(train, options):
    from graftwork.data.load import load

    return load(train, target=options.get("target", "label")).table


def _like(test, table):
    from graftwork.data.load import load_like

    return load_like(test, table.schema, with_target=True).table


def test_nothing_is_found_where_nothing_is():
    found = findings(rows())
    assert set(found) == {"duplicates", "conflicts", "near-duplicates"}
    assert not any(one.rows or one.remedy for one in found.values())


def test_a_row_that_repeats_an_earlier_one_is_a_duplicate():
    found = findings([*rows(), {"text": f"  {text(7).upper()}", "label": "y"}])
    assert [(note.row, note.other) for note in found["duplicates"].rows] == [(61, 8)]
    assert found["duplicates"].numbers["rows"] == 1
    assert "--drop duplicates" in found["duplicates"].remedy
    assert not found["near-duplicates"].rows
    assert not found["conflicts"].rows


def test_of_two_labels_both_rows_are_named_and_of_three_the_odd_one():
    train = [*rows(), {"text": text(7), "label": "x"}, {"text": text(8), "label": "y"}, {"text": text(8), "label": "x"}]
    found = findings(train)["conflicts"]
    assert [(note.row, note.other, note.suggested) for note in found.rows] == [(8, 61, ""), (61, 8, ""), (62, 9, "x")]
    assert found.numbers["inputs"] == 2
    assert found.numbers["rows"] == 5


def test_a_row_that_is_nearly_an_earlier_one_is_named_unless_its_label_differs():
    train = [*rows(), {"text": text(7) + " thanks", "label": "y"}, {"text": text(9) + " thanks", "label": "x"}]
    found = findings(train)["near-duplicates"]
    assert [(note.row, note.other) for note in found.rows] == [(61, 8)]
    assert found.numbers["rows with another label"] == 1
    assert "row 62 beside row 10" in " ".join(found.sentences)


def test_the_same_text_beside_another_number_is_no_repeat():
    train = [{**row, "price": at} for at, row in enumerate([*rows(), {"text": text(7), "label": "y"}])]
    found = findings(train)
    assert not found["duplicates"].rows
    assert not found["near-duplicates"].rows


def test_test_rows_that_training_has_are_named_by_their_training_rows():
    test = [{"text": text(at), "label": "x"} for at in range(100, 110)]
    test += [{"text": text(3), "label": "y"}, {"text": text(4) + " now", "label": "x"}]
    found = findings(rows(), test)["overlap"]
    assert [(note.row, note.other) for note in found.rows] == [(4, 11), (5, 12)]
    assert found.numbers == {
        "test rows": 1,
        "share": pytest.approx(1 / 12, abs=1e-6),
        "near test rows": 1,
        "training rows": 2,
    }


def test_numbers_to_predict_have_no_conflicts():
    train = [{"text": text(at % 55), "amount": at * 1.5} for at in range(60)]
    assert set(findings(train, target="amount")) == {"duplicates", "near-duplicates"}

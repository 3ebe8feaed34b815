"""A finding as JSON: plain, and without what is not there."""

import json

from graftwork.evidence.profile.finding import Finding, RowNote


def test_a_finding_is_plain_json():
    note = RowNote(7, "the same text as row 3", other=3)
    finding = Finding("duplicates", ("2 rows stand twice.",), {"rows": 2}, (note,), "Leave them out.")
    assert json.loads(json.dumps(finding.plain())) == {
        "about": "duplicates",
        "sentences": ["2 rows stand twice."],
        "remedy": "Leave them out.",
        "numbers": {"rows": 2},
        "rows": [{"table": "train", "row": 7, "reason": "the same text as row 3", "other": 3}],
    }


def test_what_a_note_lacks_is_left_out():
    assert RowNote(1, "looks wrong", suggested="spam", table="test").plain() == {
        "table": "test",
        "row": 1,
        "reason": "looks wrong",
        "suggested": "spam",
    }

"""graftwork.evidence.advice: what is advised first, and in what words."""

from __future__ import annotations

import json

from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.advice.advice import Advice, Item, ToLabel, ranked
from graftwork.evidence.profile.finding import RowNote
from graftwork.evidence.scores.intervals import Interval


def item(text: str, gain: Interval | None = None, about: str = "base", *, easier: bool = False) -> Item:
    return Item(about, text, f"graft {text}", gain, easier=easier)  # type: ignore[arg-type]


def test_sure_gains_come_first_then_open_ones_then_those_that_were_not_measured() -> None:
    found = ranked(
        [
            item("unmeasured"),
            item("open", Interval(0.05, -0.01, 0.1)),
            item("small", Interval(0.01, 0.005, 0.02)),
            item("easier", Interval(0.2, 0.1, 0.3), "classes", easier=True),
            item("large", Interval(0.03, 0.01, 0.05)),
            item("nothing", Interval(-0.01, -0.02, 0.01)),
            item("labels", Interval(-0.01, -0.02, 0.01), "labels"),
        ]
    )
    assert [one.text for one in found] == ["large", "small", "easier", "open", "labels", "unmeasured"]


def test_lines_say_gain_rows_and_command() -> None:
    notes = tuple(RowNote(row, "why") for row in range(1, 9))
    one = Item("labels", "Settle 8 labels.", "graft x", Interval(0.018, 0.006, 0.029), "on 100 rows", rows=notes)
    found = Advice((one, item("try this")), "runs/x", Scale("Accuracy", "percent"), ("mpnet is not better.",))
    assert found.lines() == [
        "1. Settle 8 labels.",
        "   gain: +1.8 points of Accuracy (+0.6 to +2.9); on 100 rows",
        "   rows: 1, 2, 3, 4, 5 and 3 more",
        "   graft x",
        "2. try this",
        "   gain: not measured",
        "   graft try this",
        "note: mpnet is not better.",
    ]
    assert "may be nothing" in found.gain_text(item("x", Interval(0.01, -0.01, 0.02)))
    assert repr(found).startswith("1. Settle 8 labels.")


def test_json_holds_all_of_it() -> None:
    one = Item("labels", "t", "c", Interval(0.1, 0.0, 0.2), rows=(RowNote(3, "why", suggested="b"),))
    plain = json.loads(json.dumps(Advice((one,), "runs/x", to_label=(ToLabel(4, "why"),)).to_json()))
    assert plain["items"][0]["gain"] == {"value": 0.1, "low": 0.0, "high": 0.2}
    assert plain["items"][0]["rows"] == [{"table": "train", "row": 3, "reason": "why", "suggested": "b"}]
    assert plain["to_label"] == [{"row": 4, "reason": "why"}]


def test_nothing_to_advise_is_said() -> None:
    assert Advice(()).lines() == ["Nothing that was looked at promises a gain."]


def test_an_easier_question_gains_accuracy_whatever_the_run_is_scored_by() -> None:
    easier = item("join", Interval(0.2, 0.1, 0.3), "classes", easier=True)
    for scale in (Scale("Macro-F1", "percent"), Scale("Matthews correlation", "plain")):
        assert Advice((easier,), "runs/x", scale).gain_text(easier) == "+20.0 points of accuracy (+10.0 to +30.0)"

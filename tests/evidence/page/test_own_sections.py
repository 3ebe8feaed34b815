"""graftwork.evidence.page.own_sections: what a task tells itself stands in the page and in the card, as plain text."""

from __future__ import annotations

from dataclasses import replace

from evidence.samples import MARKUP, score
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.page.own_sections import own_sections
from graftwork.evidence.page.shown_rows import wanted_rows
from graftwork.evidence.report import Report
from graftwork.evidence.results import Result
from graftwork.evidence.rows import Cell, RowView
from graftwork.evidence.scores.examples import Example
from graftwork.tasks.section import Grid, RowNote, Section

SECTION = Section(
    "Kinds of entities",
    ("Half of the places are found.", f"A name: {MARKUP}"),
    Grid(("Kind", "Found", "Share"), (("place", "5", "50 %"), (MARKUP, "12", "60 %"))),
    (RowNote(7, "'Paris' is missed"), RowNote(9, f"{MARKUP} is taken for a place")),
)
VIEWS = {7: RowView("t.csv, row 7", (Cell("text", "text", "She lives in Paris"),))}
OWN = Evaluation(task="own", rows=300, unlabelled=0, scores={"r2": score("r2", 0.5, 0.4, 0.6)}, sections=(SECTION,))


def test_numbers_are_sorted_as_such_and_rows_are_shown_as_they_are() -> None:
    (one,) = own_sections([SECTION], VIEWS, 2)
    assert one.grid is not None
    assert one.rows is not None
    assert (one.anchor, one.grid.head, one.grid.numbers) == ("own-2-0", ("Kind", "Found", "Share"), frozenset({1}))
    assert [cell.sort for cell in one.grid.rows[1]] == [None, 12.0, None]
    assert [cells[0].row.place for cells in one.rows.rows if cells[0].row] == ["t.csv, row 7", "row 9"]


def test_it_stands_in_the_page_and_the_card_and_can_act_in_neither() -> None:
    report = Report(primary="r2", evaluations={"test": OWN}, rows={"test": VIEWS})
    assert wanted_rows(report) == {"test": [7, 9]}
    html, card = report.to_html(), report.model_card()
    assert '<a href="#own-0-0">Kinds of entities</a>' in html
    assert '<h2 id="own-0-0-title">Kinds of entities</h2>' in html
    assert "Half of the places are found." in html
    assert "She lives in Paris" in html
    assert "alert(&#39;x&#39;)" in html
    assert "<script>alert" not in html
    assert "<b>$5$" not in html
    assert 'id="mistakes"' not in html
    assert "### Kinds of entities\n\nHalf of the places are found." in card
    assert "| place | 5 | 50 % |" in card
    assert "<script>" not in card
    assert "Half" not in report._repr_html_()
    assert "50 %" in report._repr_html_()
    assert report.verdict().startswith("R² 0.500")


def test_rows_that_are_most_wrong_are_shown_without_words_of_other_tasks() -> None:
    wrong = replace(OWN, most_wrong=(Example(7, "She lives in Paris", "place: Paris", "none"),))
    html = Report(primary="r2", evaluations={"test": wrong}).to_html()
    assert "Most wrong first: 1 row." in html
    assert "place: Paris" in html
    assert "wrong label" not in html


def test_of_several_targets_each_is_named() -> None:
    html = Report(
        primary="r2",
        target="a",
        evaluations={"test": OWN},
        more=(Result(primary="r2", target="b", evaluations={"test": OWN}),),
    ).to_html()
    assert "Kinds of entities: b</h2>" in html
    assert 'href="#own-1-0"' in html

"""The library's own table of orders: what it names is tried, and a call without a budget ends with the best of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import graftwork as gw
from graftwork.runs.candidates.orders import Line, Situation, order_of
from graftwork.runs.candidates.planned import planned_recipes
from graftwork.runs.default import best, run_all
from graftwork.runs.single.run import run_single
from graftwork.runs.workspace import Workspace
from heard import Ear
from jobs import job_of
from tiny import tiny_rows
from usual_order import LEARNED

KINDS = ("text", "image", "audio", "table", "several")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("budget", [10.0, 60.0, 600.0, None])
@pytest.mark.parametrize("rows", [50, 2000, 500_000])
def test_every_situation_has_an_order_that_begins_with_a_head_on_frozen_features(
    kind: str, budget: float | None, rows: int
) -> None:
    for classes in (0, 2, 300):
        for language in ("", "English", "other"):
            order = order_of(LEARNED, Situation(kind, rows, classes, language, budget))  # type: ignore[arg-type]
            assert order is not None
            assert "probe" in order[0]
            assert len(set(order)) == len(order)


def test_beyond_the_rows_that_it_was_learned_on_the_order_by_hand_stays() -> None:
    by_kind = {kind: [line for line in LEARNED if line.kind == kind] for kind in KINDS}
    for lines in by_kind.values():
        last = lines[-1]
        assert last == Line(kind=last.kind, order=last.order)
        assert all(line.rows.most is not None or line.order == last.order for line in lines)


def test_a_call_without_a_budget_tries_what_the_table_names_and_keeps_the_best(base: Path) -> None:
    recipe, ear = gw.Recipe(base=str(base), training=gw.Training(epochs=1, batch=16, precision="fp32")), Ear()
    job = job_of(pd.DataFrame(tiny_rows(120), columns=["text", "label"]), recipe)
    candidates, kept = run_all(job, recipe, Workspace(), ear, None, portfolio=LEARNED)
    order = order_of(LEARNED, Situation("text", len(job.train), 3, "English"))
    assert [one.name for one in candidates] == list(order or ())
    assert [name for name, _ in planned_recipes(job, recipe, None, LEARNED)] == list(order or ())
    assert kept is best(candidates)
    assert ear.notes == [f"kept: {kept.name}"]
    again = run_single(job, candidates[-1].recipe, name="again", workspace=Workspace(), listener=Ear())
    assert again.score == candidates[-1].score

"""graftwork.runs.bases.settling: what was chosen is kept, so that a resumed call goes on with the same bases."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import graftwork as gw
from graftwork.runs.bases.settling import known_bases, settled
from graftwork.runs.workspace import open_workspace
from heard import Ear
from jobs import job_of


def reviews(rows: int) -> pd.DataFrame:
    pairs = [(f"房间很大很干净 {row}", "room") if row % 2 else (f"早餐不错 {row}", "food") for row in range(rows)]
    return pd.DataFrame(pairs, columns=["text", "label"])


def test_a_resumed_call_goes_on_with_the_bases_that_it_chose(tmp_path: Path) -> None:
    recipe = gw.Recipe()
    job = job_of(reviews(60), recipe)
    assert known_bases(recipe, open_workspace(tmp_path, False)) is None
    assert settled(job, recipe, open_workspace(tmp_path, False), Ear(), None) == job
    resumed = open_workspace(tmp_path, True)
    assert known_bases(recipe, resumed) == job.bases
    assert known_bases(gw.Recipe(base="gru"), resumed) is None, "another base was asked for: the run will say so"


def test_nothing_is_measured_where_nothing_is_open() -> None:
    job = job_of(reviews(60), gw.Recipe())
    ear = Ear()
    settled(job, gw.Recipe(), open_workspace(None, False), ear, None)
    assert (job.bases.open, ear.notes) == ((), [])

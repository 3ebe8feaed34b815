"""graftwork.runs.ablation.shared: rows of frozen bases that are put for all runs are those that the runs read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import graftwork as gw
from graftwork.runs.ablation.arms import Arm
from graftwork.runs.ablation.repeats import pool_of, repeat_of
from graftwork.runs.ablation.shared import Shared
from graftwork.runs.single import shared_features
from graftwork.runs.single.run import make_ready
from graftwork.runs.single.shared_features import frozen_inputs
from heard import Ear
from jobs import job_of
from tiny import tiny_rows


@pytest.mark.parametrize("valid_rows", [None, 3, 1000])
def test_a_run_on_some_validation_rows_reads_its_own(
    valid_rows: int | None, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a budget left: fewer validation rows, or all of them in another order."""
    table = pd.DataFrame(tiny_rows(200), columns=["text", "label"])
    recipe = gw.Recipe(base=str(base), techniques=[gw.Probe()], training=gw.Training(precision="fp32"))
    repeat = repeat_of(pool_of(job_of(table, recipe, target="label")), recipe, 0)
    assert len(repeat.valid)
    arm = Arm(replace(recipe, valid_rows=valid_rows))
    job, put = repeat.job(arm), list[tuple[list[Any], list[Any]]]()

    def keep(*given: Any) -> None:
        _, _, _, _, part, places = given
        put.append((part.values("text"), repeat.pool.table.take(places).values("text")))

    monkeypatch.setattr(shared_features, "keep_part", keep)
    frozen = frozen_inputs(make_ready(job, repeat.recipe(arm)))
    Shared().put(arm, repeat, job, frozen, Ear())
    assert all(part == read for part, read in put)
    assert len(put) == (3 if valid_rows is None else 2)

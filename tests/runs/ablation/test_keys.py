"""graftwork.runs.ablation.keys: a run is found again only where nothing that decides it has changed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.core.technique import Phase, Technique
from graftwork.runs.ablation import keys, own_code
from graftwork.runs.ablation.arms import Arm
from graftwork.runs.ablation.keys import Keys
from graftwork.runs.ablation.repeats import Repeat, pool_of, repeat_of
from jobs import job_of

BARE = gw.Recipe(base="columns", techniques=[])


def repeat(recipe: gw.Recipe = BARE) -> Repeat:
    table = pd.DataFrame({"a": np.arange(60.0), "kind": ["x", "y", "z"] * 20})
    return repeat_of(pool_of(job_of(table, recipe, target="kind")), recipe, 0)


def key(recipe: gw.Recipe) -> str:
    return Keys().of(Arm(recipe), repeat())


def test_rows_that_a_technique_replays_are_part_of_it(tmp_path: Path) -> None:
    table = tmp_path / "old.csv"
    recipe = gw.Recipe(base="columns", techniques=[gw.Replay(str(table))])
    table.write_text("a,kind\n1,x\n")
    first = key(recipe)
    assert key(recipe) == first
    table.write_text("a,kind\n1,y\n")
    assert key(recipe) != first
    table.unlink()
    assert key(recipe) != first  # what reads it says that it is gone


def test_a_function_as_a_metric_is_known_in_its_process_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def cost(_truth: object, _predictions: object) -> float:
        return 1.0

    named, plain = repeat(gw.Recipe(base="columns", techniques=[], metric=cost)), repeat()
    arm = Arm(BARE)
    before = Keys().of(arm, named), Keys().of(arm, plain)
    monkeypatch.setattr(keys, "PROCESS", "another")
    assert (Keys().of(arm, named) == before[0], Keys().of(arm, plain) == before[1]) == (False, True)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "graftwork_elsewhere"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "helper.py").write_text("STRENGTH = 1\n")
    (folder / "own.py").write_text("class Own: ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.startswith("graftwork_elsewhere")]:
        del sys.modules[name]


def test_code_of_another_package_is_part_of_it(package: Path) -> None:
    from graftwork_elsewhere.own import Own  # type: ignore[import-not-found]

    first = own_code.code_digests([Own(), gw.Probe()])
    assert len(first) == 1
    (package / "helper.py").write_text("STRENGTH = 2\n")
    assert own_code.code_digests([Own(), gw.Probe()]) != first


def test_a_technique_of_a_script_changes_with_it() -> None:
    @dataclass(frozen=True)
    class Nothing(Technique):
        name: ClassVar[str] = "nothing"
        phase: ClassVar[Phase] = Phase.WEIGHTS
        summary: ClassVar[str] = "does nothing"

    assert own_code.code_digests([gw.Probe(), gw.EMA()]) == []
    assert len(own_code.code_digests([Nothing(), Nothing()])) == 1

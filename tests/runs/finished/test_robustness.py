"""`gw.robustness` and `graft evaluate --robust`, of a model in memory and of a saved one."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import graftwork as gw
from command import graft
from graftwork.errors import UsageError
from graftwork.evidence.robustness.settings import RobustnessSettings
from graftwork.model import Model
from graftwork.recipe import Recipe
from tinyrun import Worlds, make_worlds, picture

TOPICS = ["animals", "weather", "food"] * 4
DATA = {"image": [picture(topic, at) for at, topic in enumerate(TOPICS)], "label": TOPICS}


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    return make_worlds(tmp_path_factory.mktemp("fixtures"))


@pytest.fixture(scope="module")
def model(fixtures: Worlds) -> Model:
    fixture = fixtures("image")
    return Model(Recipe(base=fixture.spec, techniques=[]), fixture.schema, fixture.network, fixture.tasks)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    pq.write_table(pa.table(DATA), tmp_path / "test.parquet")
    return tmp_path / "test.parquet"


def test_written_settings_are_those_of_python(model: Model, table: Path):
    settings = RobustnessSettings(rows=6, epsilons=(4 / 255, 8 / 255), steps=2, queries=3, corruptions=False)
    found = gw.robustness(model, table, settings)
    assert found == gw.robustness(model, table, "rows=6,epsilons=4/255+8/255,steps=2,queries=3,corruptions=no")
    assert found.rows == 6
    assert found.attacked[0].epsilons == (4 / 255, 8 / 255)


@pytest.mark.slow
def test_command_line(model: Model, table: Path, tmp_path: Path):
    model.save(tmp_path / "model")
    brief = ("--robust", "--robust-set", "rows=6,steps=2,queries=3")
    ran = graft("evaluate", tmp_path / "model", table, *brief).works()
    for words in (
        "under attack of image",
        "gradient attack",
        "8/255",
        "under corruption of image",
        "motion",
        "report:",
    ):
        assert words in ran.out
    assert "trying: image" in ran.err
    assert (tmp_path / "model" / "robustness" / "robustness.html").is_file()
    told = graft("evaluate", tmp_path / "model", table, *brief, "--json", "--out", tmp_path / "else").works()
    assert json.loads(told.out) == json.loads((tmp_path / "else" / "robustness.json").read_text())
    gw.load(tmp_path / "model")  # the report in its folder does not disturb it


def test_wrong_options_are_refused(model: Model, table: Path, tmp_path: Path):
    model.save(tmp_path / "model")
    evaluate = ("evaluate", tmp_path / "model", table)
    graft(*evaluate, "--robust-set", "rows=6").fails(2, "Give --robust too")
    graft(*evaluate, "--out", tmp_path / "x").fails(2, "Give --robust too")
    graft(*evaluate, "--robust", "--episodes", "5").fails(2, "Give one of them")
    graft(*evaluate, "--robust", "--robust-set", "epsilons=8").fails(2, "epsilon 8 is out of the input's range")
    graft(*evaluate, "--robust", "--robust-set", "colour=3").fails(2, "no setting 'colour'")
    nothing = "attacks=false,corruptions=false"
    graft(*evaluate, "--robust", "--robust-set", nothing).fails(2, "neither attacks nor corruptions")
    graft(*evaluate, "--robust", "--out", table).fails(2, "is a file. Name a folder")


@pytest.mark.slow
def test_numbers_and_categories_are_no_target_of_attacks():
    rows = [{"size": at % 7, "shop": "ab"[at % 2], "label": "xy"[at % 2]} for at in range(40)]
    model = gw.fit(rows, target="label", recipe=gw.Recipe(seed=0))
    with pytest.raises(UsageError, match="nothing to attack: the model reads numbers and categories only"):
        gw.robustness(model, rows)


def test_targets_without_one_class_a_row_are_left_alone():
    """Spans beside classes: their predictions are several tensors, which nothing here compares."""
    found = [(f"a {colour} thing", colour) for colour in ("red", "blue") for _ in range(8)]
    rows = [
        {"text": text, "label": colour, "spans": [{"start": 2, "end": 2 + len(colour), "label": "colour"}]}
        for text, colour in found
    ]
    plain = Recipe(base="gru:width=8", task={"spans": "tagging"}, techniques=[], training=gw.Training(steps=2, batch=8))
    model = gw.fit(rows, target=["label", "spans"], valid=rows[::3], recipe=plain, verbose=False)
    measured = gw.robustness(model, rows, "rows=4,steps=1,restarts=1,queries=2")
    assert {one.target for one in (*measured.attacked, *measured.corrupted)} == {"label"}
    assert all(one.clean.rows == 4 for one in measured.corrupted)

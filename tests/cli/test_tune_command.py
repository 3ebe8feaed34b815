"""`graft tune` from the command line: a small table, a tiny base, what stands in the folder, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import graftwork as gw
from command import graft, topics
from graftwork.cli.tune import fit_command
from tiny import tiny_bert, tiny_texts


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tune")
    topics(folder / "train.csv", 72)
    tiny_bert(folder / "bert")
    return folder


def options(place: Path, *more: str) -> list[str | Path]:
    short = ("--base", str(place / "bert"), "--folds", "1", "--set", "epochs=1", "--try-with", "mixup")
    return ["tune", place / "train.csv", "--target", "label", *short, *more]


@pytest.fixture(scope="module")
def run(place: Path) -> Path:
    graft(*options(place, "--trials", "4", "--out", str(place / "run"))).works()
    return place / "run"


def test_the_folder_is_that_of_a_model_with_what_was_searched(run: Path) -> None:
    model = gw.load(run)
    assert len(model.predict(tiny_texts(4))) == 4
    for name in ("report.html", "README.md", "recipe.yaml", "provenance.json", "metrics.json", "tune.html"):
        assert (run / name).stat().st_size > 100, name
    told = json.loads((run / "tune.json").read_text())
    assert len(told["trials"]) == 4
    assert told["chosen"]["number"] in range(4)
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(run / "trials.parquet")
    assert table.num_rows == 4
    assert table.column("kept").to_pylist().count(True) == 1


@pytest.mark.slow
def test_the_recipe_is_that_of_the_chosen_one_and_repeats_it(run: Path, place: Path) -> None:
    command = ["fit", place / "train.csv", "--target", "label", "--recipe", run / "recipe.yaml"]
    graft(*command, "--out", place / "again").works()
    first, again = (gw.load(folder).predict_proba(tiny_texts(5)) for folder in (run, place / "again"))
    assert (first == again).all()


@pytest.mark.slow
def test_it_goes_on_with_more_trials(run: Path, place: Path) -> None:
    graft(*options(place, "--trials", "4", "--out", str(run))).fails(2, "--resume", "--new", "another --out")
    said = graft(*options(place, "--trials", "6", "--out", str(run), "--resume", "--json")).works()
    assert len(json.loads(said.out)["trials"]) == 6
    assert said.err.count("trial 5,") >= 1
    assert "trial 3," not in said.err  # it is there already
    gw.load(run)


@pytest.mark.slow
def test_other_rows_are_refused_unless_it_begins_afresh(run: Path, place: Path) -> None:
    topics(place / "train.csv", 75)
    try:
        graft(*options(place, "--trials", "7", "--out", str(run), "--resume")).fails(2, "the rows are others", "--new")
        graft(*options(place, "--trials", "2", "--out", str(run), "--new")).works()
    finally:
        topics(place / "train.csv", 72)
    assert len(json.loads((run / "tune.json").read_text())["trials"]) == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--latency", "fast"), "Expected a time such as 5ms"),
        (("--size", "20TB"), "Expected a size such as"),
        (("--trials", "0"), "Expected 1 or more"),
        (("--try-with", "mixupp"), "Did you mean 'mixup'"),
        (("--try-base", "minilmm"), "minilm"),
        (("--resume",), "nothing to resume"),
        (("--resume", "--new"), "Give one of them"),
    ],
)
def test_wrong_use_says_how_it_is_meant(place: Path, more: tuple[str, ...], said: str) -> None:
    graft(*options(place, *more, "--out", str(place / "other"))).fails(2, said)
    assert not (place / "other").exists()


@pytest.mark.slow
def test_limits_that_nothing_keeps_name_the_nearest(place: Path) -> None:
    ran = graft(*options(place, "--trials", "2", "--size", "1kB", "--out", str(place / "small")))
    ran.fails(2, r"at most 0\.0010 MB", "The nearest is trial", "--size [0-9.]+MB")
    again = graft(*options(place, "--trials", "2", "--size", "90MB", "--out", str(place / "small"), "--resume")).works()
    assert "trial 0," not in again.err  # it is there already
    gw.load(place / "small")


def test_a_budget_too_small_says_the_least(place: Path) -> None:
    ran = graft(*options(place, "--budget", "0.5s", "--out", str(place / "late")))
    ran.fails(2, "budget of 0.5s is too small", "Give --budget")


def test_the_command_that_repeats_what_was_chosen() -> None:
    given = ["tune", "t.csv", "--trials", "9", "--try-base=a", "--pareto", "--track", "mlflow", "--budget", "5m"]
    assert fit_command(given, Path("o")) == "graft fit t.csv --recipe o/recipe.yaml --out o-again"

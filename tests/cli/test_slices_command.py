"""`graft evaluate --by`, `model.evaluate(by=...)` and the slices in a report, on a table with one bad channel."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import graftwork as gw
from command import graft, write_rows
from graftwork.errors import UsageError
from graftwork.evidence.evaluation import Evaluation

BASE = ("--base", "table-mlp:width=16,embedding=2", "--with", "none", "--set", "steps=120", "--set", "precision=fp32")


def rows(count: int, seed: int) -> list[tuple[str, ...]]:
    """x says the label, but for the channel 'phone', whose labels are drawn."""
    rng = np.random.default_rng(seed)
    x, channel = rng.uniform(-1, 1, count), rng.choice(["web", "phone", "shop"], count)
    label = np.where(channel == "phone", rng.random(count) < 0.5, x > 0)
    return [
        (f"{value:.3f}", where, f"{at % 7}", "yes" if right else "no")
        for at, (value, where, right) in enumerate(zip(x, channel, label, strict=True))
    ]


HEADER = ("x", "channel", "day", "label")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slices")
    write_rows(folder / "train.csv", rows(400, 1), HEADER)
    write_rows(folder / "test.csv", rows(300, 2), HEADER)
    call = ("fit", folder / "train.csv", "--target", "label", "--inputs", "x", "--test", folder / "test.csv")
    graft(*call, *BASE, "--out", folder / "run").works()
    return folder


@pytest.mark.slow
def test_scores_by_a_column_that_the_model_never_read(place: Path) -> None:
    out = graft("evaluate", place / "run", place / "test.csv", "--by", "channel", "--by", "day").works().out
    assert "by channel" in out
    assert "by day" in out
    assert "where 'channel' is 'phone'" in out
    data = json.loads(graft("evaluate", place / "run", place / "test.csv", "--by", "channel", "--json").works().out)
    channel = data["by"]["channel"]
    assert channel["worst"] == "phone"
    assert sum(part["rows"] for part in channel["parts"].values()) == 300
    (found,) = data["slices"]["found"]
    assert (found["column"], found["value"], found["rows"]) == ("channel", "phone", channel["parts"]["phone"]["rows"])
    assert found["bad"] == pytest.approx(1 - channel["parts"]["phone"]["scores"]["accuracy"]["value"])


def test_without_by_the_json_holds_scores_alone(place: Path) -> None:
    data = json.loads(graft("evaluate", place / "run", place / "test.csv", "--json").works().out)
    assert "by" not in data
    assert all(set(score) == {"value", "low", "high"} for score in data.values())


def test_python_gives_the_same_scores_as_a_table_of_that_part_alone(place: Path) -> None:
    import pandas as pd

    model, frame = gw.load(place / "run"), pd.read_csv(place / "test.csv")
    found = model.evaluate(frame, by="channel")
    assert isinstance(found, Evaluation)
    for part in found.by["channel"]:
        alone = model.evaluate(frame[frame.channel == part.domain])
        assert isinstance(alone, Evaluation)
        assert part.scores["accuracy"] == alone.scores["accuracy"]
        assert part.scores["log_loss"].value == pytest.approx(alone.scores["log_loss"].value)


def test_the_report_shows_the_slice_with_its_rows(place: Path) -> None:
    page = (place / "run" / "report.html").read_text(encoding="utf-8")
    assert "Where it is worse than on the whole" in page
    assert "Rows to look at where &#39;channel&#39; is &#39;phone&#39;" in page
    metrics = json.loads((place / "run" / "metrics.json").read_text(encoding="utf-8"))
    (found,) = metrics["slices"]["found"]
    table = (place / "test.csv").read_text(encoding="utf-8").splitlines()
    assert all(",phone," in table[row] for row in found["worst"])
    assert any("'channel' is 'phone'" in one["text"] for one in metrics["summary"]["trouble"])


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("chanel", r"test\.csv has no column 'chanel' to score by\. Did you mean 'channel'\?"),
        ("length(x)", "holds no texts"),
        ("length(y)", "no column 'y'"),
    ],
)
def test_a_column_that_can_not_be_scored_by_is_said_before_the_model_is_loaded(place: Path, by: str, said: str) -> None:
    ran = graft("evaluate", place / "run", place / "test.csv", "--by", by).fails(2, said)
    assert "loading the model" not in ran.err


def test_by_goes_with_rows_alone(place: Path) -> None:
    ran = graft("evaluate", place / "run", place / "test.csv", "--by", "channel", "--robust")
    ran.fails(2, "neither with --robust")
    with pytest.raises(UsageError, match="no column 'chanel'"):
        gw.load(place / "run").evaluate(place / "test.csv", by=["chanel"])


def test_a_part_of_one_row_has_no_score(place: Path) -> None:
    lone = write_rows(place / "lone.csv", [*rows(80, 3), ("0.5", "fax", "1", "yes")], HEADER)
    out = graft("evaluate", place / "run", lone, "--by", "channel").works().out
    assert "too few rows to say" in out

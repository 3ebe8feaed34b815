"""graftwork.data.quality.leakage: columns that give the target away, and columns that only look like it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from graftwork.data.load import load
from graftwork.data.quality.leakage import Leak, find_leaks


def leaks(frame: pd.DataFrame, target: str | list[str] = "label") -> dict[str, Leak]:
    return {leak.column: leak for leak in find_leaks(load(frame, target=target).table)}


def shop(rows: int = 300) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    label = draw.choice(["shirt", "shoe", "hat"], rows)
    return pd.DataFrame({"text": [f"item number {at} of the shop" for at in range(rows)], "label": label})


def test_a_finer_label_gives_the_label_away() -> None:
    draw = np.random.default_rng(1)
    frame = shop()
    fine = [f"{label}-{draw.integers(4)}" for label in frame["label"]]
    found = leaks(frame.assign(fine=fine, code=pd.factorize(frame["label"])[0]))
    assert found.keys() == {"fine", "code"}
    assert found["fine"].share == 1.0
    assert "fine alone predicts label (100 % of the rows)" in found["fine"].sentence
    assert "--ignore fine" in found["fine"].sentence


def test_a_good_column_is_no_leak() -> None:
    draw = np.random.default_rng(2)
    frame = shop()
    mostly = np.where(draw.random(300) < 0.9, frame["label"], draw.choice(["shirt", "shoe", "hat"], 300))
    assert leaks(frame.assign(mostly=mostly)) == {}


def test_values_that_hardly_repeat_do_not_count() -> None:
    frame = shop()
    unique = [f"{label} {at}" for at, label in enumerate(frame["label"])]
    assert leaks(frame.assign(name=unique, noise=np.random.default_rng(3).normal(size=300))) == {}


def test_a_rare_class_is_not_given_away_by_every_column() -> None:
    """Always answering the usual class is right for 98 % already."""
    draw = np.random.default_rng(4)
    frame = shop(400).assign(label=["yes"] * 8 + ["no"] * 392, colour=draw.choice(["red", "blue"], 400))
    assert leaks(frame) == {}


def test_numbers() -> None:
    draw = np.random.default_rng(5)
    price = draw.gamma(2.0, 50.0, 600)
    frame = (
        shop(600)
        .drop(columns="label")
        .assign(
            price=price,
            taxed=price * 1.2 + 3,
            close=price + draw.normal(size=600) * 60,
            size=draw.integers(30, 46, 600),
        )
    )
    found = leaks(frame, "price")
    assert found.keys() == {"taxed"}
    assert "of the variance" in found["taxed"].sentence
    steps = shop(600).assign(score=price, label=np.where(price > 90, "dear", "cheap"))
    assert leaks(steps).keys() == {"score"}


def test_each_of_several_targets() -> None:
    frame = shop().assign(other=np.random.default_rng(6).choice(["a", "b"], 300))
    found = leaks(frame.assign(copy=frame["other"]), ["label", "other"])
    assert {(leak.column, leak.target) for leak in found.values()} == {("copy", "other")}


@pytest.mark.parametrize("rows", [20, 60])
def test_few_rows_and_single_inputs_are_left_alone(rows: int) -> None:
    frame = shop(rows)
    assert bool(leaks(frame.assign(copy=frame["label"]))) == (rows == 60)
    assert leaks(pd.DataFrame({"copy": ["a", "b"] * 40, "label": ["x", "y"] * 40})) == {}


def test_missing_values_are_a_value_of_their_own() -> None:
    frame = shop()
    hint = frame["label"].where(frame["label"] != "hat")
    assert leaks(frame.assign(hint=hint)).keys() == {"hint"}

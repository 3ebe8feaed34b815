"""graftwork.runs.advice.pool: rows of a pool to label, by what a model is undecided on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.data.load import load_like
from graftwork.errors import UsageError
from graftwork.runs.advice.choosing import Strategy, chosen_rows, drawn_apart, standardised, uncertainty
from graftwork.runs.advice.pool import choose
from tiny import tiny_rows

STRATEGIES: tuple[Strategy, ...] = ("badge", "clusters")


def fitted(base: Path, label: list[object] | None = None, **more: object) -> gw.Model:
    frame = pd.DataFrame(tiny_rows(60), columns=["text", "label"])
    frame = frame if label is None else frame.assign(label=label)
    recipe = gw.Recipe(base=str(base), techniques=["probe"], training=gw.Training(precision="fp32"), **more)  # type: ignore[arg-type]
    return gw.fit(frame, target="label", valid=frame.head(20), recipe=recipe, verbose=False)


def pool_of(model: gw.Model, texts: list[str]) -> object:
    return load_like(pd.DataFrame({"text": texts}), model.schema, with_target=False).table


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_doubtful_rows_are_chosen(base: Path, strategy: Strategy) -> None:
    model = fitted(base)
    sure = [text for text, _ in tiny_rows(30)]
    doubtful = ["the cat and the soup", "rain , bread and dog !", "snow with rice", "where is my wind and fish ?"]
    pool = pool_of(model, [*sure, *doubtful])
    found = choose(model, pool, 4, 0, strategy)  # type: ignore[arg-type]
    assert len({one.row for one in found}) == 4
    told = model.predict_proba([*sure, *doubtful])
    assert isinstance(told, np.ndarray)
    unsure = uncertainty([told])
    for one in found:
        assert one.uncertainty == pytest.approx(unsure[one.row - 1], abs=1e-4)
        first, second = np.argsort(-told[one.row - 1])[:2]
        assert one.reason.startswith(f"'{model.columns[first]}' (")
        assert f"or '{model.columns[second]}' (" in one.reason
    assert np.mean([unsure[one.row - 1] for one in found]) > unsure.mean()


def test_the_same_seed_chooses_the_same_rows(base: Path) -> None:
    model = fitted(base)
    pool = pool_of(model, [text for text, _ in tiny_rows(40)])
    for strategy in STRATEGIES:
        first, second = (choose(model, pool, 5, 3, strategy) for _ in range(2))  # type: ignore[arg-type]
        assert first == second


def test_all_rows_of_a_small_pool(base: Path) -> None:
    model = fitted(base)
    pool = pool_of(model, [text for text, _ in tiny_rows(4)])
    assert sorted(one.row for one in choose(model, pool, 10)) == [1, 2, 3, 4]  # type: ignore[arg-type]
    assert choose(model, pool.take([]), 10) == []  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="Expected 1 or more"):
        choose(model, pool, 0)  # type: ignore[arg-type]


def test_a_model_of_numbers_gets_rows_unlike_each_other(base: Path) -> None:
    model = fitted(base, [float(len(text)) for text, _ in tiny_rows(60)], task="regression")
    pool = pool_of(model, ["the cat is here"] * 10 + ["where is my soup ?"] * 10)
    found = choose(model, pool, 2)  # type: ignore[arg-type]
    assert {(one.row - 1) // 10 for one in found} == {0, 1}
    assert all(one.uncertainty is None and "unlike" in one.reason for one in found)


def test_labels_of_which_a_row_has_several(base: Path) -> None:
    labels: list[object] = [topic + (";long" if len(text) > 20 else "") for text, topic in tiny_rows(60)]
    model = fitted(base, labels, task="multilabel")
    found = choose(model, pool_of(model, [text for text, _ in tiny_rows(20)]), 3)  # type: ignore[arg-type]
    assert len(found) == 3
    assert all("or not (" in one.reason for one in found)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_repeats_are_not_chosen_while_others_are_there(strategy: Strategy) -> None:
    draw = np.random.default_rng(0)
    features = np.repeat(draw.normal(size=(5, 8)), 10, axis=0)
    found = chosen_rows([np.full((50, 3), 1 / 3)], features, 5, 0, strategy)
    assert sorted(found // 10) == [0, 1, 2, 3, 4]


def test_distances_of_gradients_are_those_of_the_gradients() -> None:
    """The outer products, written out, drawn apart with the same stream."""
    draw = np.random.default_rng(1)
    logits = draw.normal(size=(30, 4))
    told = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    features = draw.normal(size=(30, 6)).astype(np.float32)
    slopes = told - np.eye(4)[told.argmax(1)]
    extended = np.concatenate([standardised(features), np.ones((30, 1))], axis=1)
    whole = np.einsum("nk,nf->nkf", slopes, extended).reshape(30, -1)
    expected = drawn_apart((whole**2).sum(1), lambda at: ((whole - whole[at]) ** 2).sum(1), 8, np.random.default_rng(5))
    assert chosen_rows([told], features, 8, 5, "badge").tolist() == expected.tolist()


def test_uncertainty_is_one_less_the_margin() -> None:
    told = np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.2, 0.5, 0.3]])
    np.testing.assert_allclose(uncertainty([told]), [0, 1, 0.8])
    np.testing.assert_allclose(uncertainty([told, np.eye(3)]), [0, 0.5, 0.4])

"""What each input brings: left out in turn, against scores by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss

from graftwork.core.rows.examples import prepare
from graftwork.core.scoring import predict_examples, probabilities
from graftwork.data.columns.text import TextSettings
from graftwork.errors import UsageError
from graftwork.evidence.scores.intervals import difference
from graftwork.evidence.scores.modalities import contributions, known_inputs, left_out
from graftwork.model import Model
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from graftwork.tasks.metrics.registry import METRICS
from graftwork.techniques import FusionTransformer, Gated
from tinyrun import Fixture, make_worlds, mixed_table


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Fixture:
    folder: Path = tmp_path_factory.mktemp("fixtures")
    return make_worlds(folder)("mixed")


@pytest.fixture(scope="module")
def network(fixture: Fixture) -> Network:
    return fixture.fit(steps=12)[1].network


def test_difference_is_paired_and_points_to_what_is_better():
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 2, 400)
    sure = np.where(generator.random(400) < 0.9, truth, 1 - truth)
    unsure = np.where(generator.random(400) < 0.7, sure, 1 - sure)
    found = difference(METRICS["accuracy"], truth, sure, unsure)
    assert found.value == pytest.approx(accuracy_score(truth, sure) - accuracy_score(truth, unsure))
    drawn = []
    for _ in range(2000):
        rows = generator.integers(400, size=400)
        drawn.append((truth[rows] == sure[rows]).mean() - (truth[rows] == unsure[rows]).mean())
    np.testing.assert_allclose([found.low, found.high], np.quantile(drawn, [0.025, 0.975]), atol=0.012)
    assert difference(METRICS["accuracy"], truth, sure, sure).to_json() == {"value": 0.0, "low": 0.0, "high": 0.0}
    good = np.stack([1 - sure * 0.8 - 0.1, sure * 0.8 + 0.1], axis=1)
    bad = np.full((400, 2), 0.5)
    fewer = difference(METRICS["log_loss"], truth, good, bad)  # less is better there
    assert fewer.value == pytest.approx(log_loss(truth, bad) - log_loss(truth, good))


@pytest.mark.parametrize("listed", [(), (Gated(8),), (FusionTransformer(8, 1, 2),)], ids=len)
def test_scores_are_those_of_the_model_with_the_input_gone(listed: tuple, fixture: Fixture):
    network = fixture.fit(listed, steps=3, evaluations=1)[1].network
    found = contributions(network, fixture.tasks, fixture.valid, {"label": "accuracy"})["label"]
    assert [one.name for one in found] == ["text", "photo", "table"]
    assert found[2].columns == ("size", "shop")
    assert [one.learned for one in found] == [False, True, False]
    truth = fixture.valid.targets["label"]

    def accuracy(without: tuple[str, ...]) -> float:
        values = predict_examples(network, left_out(fixture.valid, without))["label"]
        return accuracy_score(truth, probabilities(fixture.tasks["label"], values).argmax(1))

    for one in found:
        assert one.score == pytest.approx(accuracy(()))
        assert one.without == pytest.approx(accuracy((one.name,)))
        assert one.gain.value == pytest.approx(one.score - one.without)
        assert one.gain.low <= one.gain.value <= one.gain.high


def test_an_input_that_tells_all_brings_much(fixture: Fixture):
    """The photo has the topic's colour; with weights that read it alone, the others bring nothing."""
    network = fixture.fit(steps=60, head_lr=0.02)[1].network
    text, photo, table = network.widths()
    with torch.no_grad():
        network.heads[0].layers[-1].weight[:, :text] = 0
        network.heads[0].layers[-1].weight[:, text + photo :] = 0
    found = contributions(network, fixture.tasks, fixture.train, {"label": "log_loss"})["label"]
    gains = {one.name: one.gain for one in found}
    assert gains["photo"].low > 0
    assert gains["text"].value == gains["table"].value == pytest.approx(0, abs=1e-6)
    assert table > 0


def test_unlabelled_rows_and_a_single_input_are_passed_over(fixture: Fixture, network: Network):
    nothing = replace(fixture.valid, labelled={"label": np.zeros(16, bool)})
    assert contributions(network, fixture.tasks, nothing, {"label": "accuracy"}) == {}
    half = np.arange(16) % 2 == 0
    some = contributions(
        network, fixture.tasks, replace(fixture.valid, labelled={"label": half}), {"label": "accuracy"}
    )
    assert some["label"][0].score * 8 == pytest.approx(round(some["label"][0].score * 8))


def test_evaluate_without(fixture: Fixture, network: Network):
    model = Model(Recipe(base=fixture.spec), fixture.schema, network, fixture.tasks)
    table = mixed_table()
    rows = table.data.slice(40, 16).to_pylist()
    whole, without = model.evaluate(rows), model.evaluate(rows, without=["text"])
    examples = prepare(table.take(np.arange(40, 56)), network, fixture.tasks, TextSettings())
    one = contributions(network, fixture.tasks, examples, {"label": "accuracy"})["label"][0]
    assert whole.scores["accuracy"].value == pytest.approx(one.score)
    assert without.scores["accuracy"].value == pytest.approx(one.without)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["shop"], "there is no input 'shop'. It is read as a part of 'table'"),
        (["foto"], "there is no input 'foto'.*photo"),
        (["text", "photo", "table"], "is all that the model reads. Leave one input in"),
    ],
)
def test_what_cannot_be_left_out_is_named(names: list[str], reason: str, network: Network):
    with pytest.raises(UsageError, match=reason):
        known_inputs(network, names)

"""Accuracy under attack, on a linear model whose worst case is known and on tiny networks; what is doubted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn

from graftwork.core.rows.examples import make_batch, prepare
from graftwork.data.columns.text import TextSettings
from graftwork.errors import UsageError
from graftwork.evidence.robustness.attacks import Aim, Attacked, attack
from graftwork.evidence.robustness.measure import measure
from graftwork.evidence.robustness.report import attack_rows, corruption_rows, write
from graftwork.evidence.robustness.settings import RobustnessSettings
from graftwork.evidence.robustness.shares import Share
from graftwork.networks.image.encoder import ImageEncoder
from graftwork.networks.image.view import View
from graftwork.networks.network import Network
from tinyrun import make_worlds, mixed_table

QUICK = RobustnessSettings(rows=12, steps=3, restarts=2, queries=5)


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory):
    return make_worlds(tmp_path_factory.mktemp("fixtures"))


class Flat(ImageEncoder):
    """The pixels themselves are the features, so that a linear head makes a linear model."""

    architecture = "flat"

    def __init__(self, quantised=False):
        super().__init__(View(8, 8), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
        self.depth, self.width, self.hidden_width, self.facts = 1, 192, 192, frozenset()
        self.scale, self.quantised = nn.Parameter(torch.ones(())), quantised

    def block(self, index, states):  # noqa: ARG002
        # Rounded to few levels: gradients are 0 everywhere, and say nothing.
        return (states * 8).round() / 8 * self.scale if self.quantised else states * self.scale

    def pooled(self, states):
        return states.flatten(1)

    def blocks(self):
        return [[self]]

    def config(self):
        return {}

    @classmethod
    def from_config(cls, config, folder):
        raise NotImplementedError


def linear_world(fixtures, *, quantised=False):
    """A linear model that is right for nearly all rows, and their examples."""
    fixture = fixtures("image")
    network = Network({"image": Flat(quantised)}, {"label": fixture.network.heads[0].__class__(192, 3)})
    examples = fixture.train
    batch = make_batch(examples, network, np.arange(len(examples)))
    pixels = batch.inputs["image"]["pixels"].flatten(1)
    weight = torch.linalg.lstsq(pixels - 0.5, torch.nn.functional.one_hot(batch.targets["label"], 3).float()).solution
    layer = next(module for module in network.heads[0].modules() if isinstance(module, nn.Linear))
    with torch.no_grad():
        layer.weight.copy_(20 * weight.T)
        layer.bias.copy_(-10 * weight.sum(0))
    return Aim(network.eval(), fixture.tasks["label"], "label", "image"), examples, layer


def test_the_gradient_attack_is_exact_on_a_linear_model(fixtures):
    """Of a linear model with two classes the worst case in the ball is known; with three, PGD finds one of theirs."""
    aim, examples, layer = linear_world(fixtures)
    batch = make_batch(examples, aim.network, np.arange(len(examples)))
    pixels, target = batch.inputs["image"]["pixels"].flatten(1), batch.targets["label"]
    settings = RobustnessSettings(rows=0, epsilons=(0.002, 0.01, 0.05), steps=20, restarts=3, queries=0)
    found = attack(aim, examples, settings)
    for epsilon, share in zip(found.epsilons, found.gradient, strict=True):
        standing = 0
        for row in range(len(pixels)):
            ways = layer.weight[target[row]] - layer.weight
            changed = (pixels[row] - epsilon * ways.sign()).clamp(0, 1)  # the worst against each other class
            margins = (changed * ways).sum(1) + layer.bias[target[row]] - layer.bias
            margins[target[row]] = 1.0
            standing += bool((margins > 0).all())
        assert share.right == pytest.approx(standing, abs=1)
    assert found.clean.value == 1.0
    assert found.far.right == 0
    assert found.notes == ()


def test_masked_gradients_are_told(fixtures):
    aim, examples, _ = linear_world(fixtures, quantised=True)
    settings = RobustnessSettings(rows=0, epsilons=(0.25,), steps=5, restarts=1, queries=60)
    found = attack(aim, examples, settings)
    assert found.gradient[0].value == found.clean.value  # gradients of 0 lead nowhere
    assert found.black_box is not None
    assert found.black_box.value < found.gradient[0].value - 0.02
    assert any("sees predictions only" in note for note in found.notes)
    assert any("still right at epsilon 0.5" in note for note in found.notes)


def test_notes_need_more_than_noise():
    def found(gradient, single, black_box, far):
        shares = [Share(right, 100) for right in (90, gradient, single, black_box, far)]
        return Attacked("y", "x", "image", shares[0], (0.1,), (shares[1],), shares[2], shares[3], shares[4])

    assert found(40, 45, 50, 0).notes == ()
    assert found(40, 39, 39, 5).notes == ()
    assert len(found(40, 30, 50, 0).notes) == 1
    assert "many steps" in found(40, 30, 50, 0).notes[0]
    assert len(found(40, 50, 30, 30).notes) == 2


@pytest.mark.slow
def test_accuracy_never_rises_with_epsilon_and_the_same_seed_gives_the_same(fixtures):
    fixture = fixtures("mixed")
    table = mixed_table().take(np.arange(30))
    first, again = (measure(fixture.network, fixture.tasks, table, QUICK) for _ in range(2))
    assert first == again
    assert first.rows == 12
    assert [(one.input, one.modality) for one in first.attacked] == [("text", "text"), ("photo", "image")]
    for one in first.attacked:
        values = [one.clean.value, *(share.value for share in one.gradient), one.far.value]
        assert values == sorted(values, reverse=True)
    assert [len(one.each) for one in first.corrupted] == [2, 15]
    assert all(len(shares) == 5 for one in first.corrupted for shares in one.each.values())


def test_sounds(fixtures):
    fixture = fixtures("audio")
    aim = Aim(fixture.network, fixture.tasks["label"], "label", "audio")
    found = attack(aim, fixture.valid, QUICK)
    assert found.epsilons == (0.0005, 0.001, 0.002, 0.005)
    assert found.clean.rows == len(fixture.valid)


def test_training_mode_and_weights_stay(fixtures):
    fixture = fixtures("image")
    network = fixture.network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    attack(Aim(network, fixture.tasks["label"], "label", "image"), fixture.valid, QUICK)
    assert network.training
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in before.items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_what_can_not_be_measured_is_refused(fixtures):
    fixture, table = fixtures("mixed", "number"), mixed_table("number")
    with pytest.raises(
        UsageError, match=r"of targets with one class a row; this model predicts 'label' \(regression\)"
    ):
        measure(fixture.network, fixture.tasks, table, QUICK)
    numbers = Network({"table": fixture.network.encoder("table")}, {"label": fixtures("mixed").network.heads[0]})
    with pytest.raises(UsageError, match=r"nothing to attack: the model reads numbers and categories only"):
        measure(numbers, fixtures("mixed").tasks, mixed_table(), QUICK)
    bare = mixed_table()
    place = bare.data.column_names.index("label")
    nothing = pa.nulls(len(bare), pa.string())
    empty = replace(bare, data=bare.data.set_column(place, "label", nothing))
    with pytest.raises(UsageError, match="no row has a label in 'label'"):
        measure(fixtures("mixed").network, fixtures("mixed").tasks, empty, QUICK)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epsilons": (8.0,)}, "epsilon 8 is out of the input's range"),
        ({"epsilons": (0.0,)}, "epsilon 0 is out"),
        ({"steps": 0}, "steps is 0. Expected a number from 1 to 1000"),
        ({"restarts": 0}, "restarts is 0"),
        ({"rows": -1}, "rows is -1"),
    ],
)
def test_settings_out_of_range(changes, message):
    with pytest.raises(UsageError, match=message):
        RobustnessSettings(**changes)


def test_shares_have_wilsons_interval():
    low, high = Share(8, 10).interval
    assert (low, high) == pytest.approx((0.4901, 0.9433), abs=1e-3)  # Wilson 1927, as statsmodels gives it
    assert Share(0, 20).interval[0] == 0
    assert Share(0, 0).text == "0.0 %"


@pytest.mark.slow
def test_the_report_holds_tables_curves_and_doubts(fixtures, tmp_path: Path):
    fixture = fixtures("mixed")
    found = measure(fixture.network, fixture.tasks, mixed_table().take(np.arange(20)), QUICK)
    shares = found.attacked[1].gradient
    doubted = replace(found.attacked[1], black_box=Share(0, 12), gradient=(*shares[:-1], Share(9, 12)))
    found = replace(found, attacked=(found.attacked[0], doubted))
    write(found, tmp_path / "made" / "robustness")
    files = {path.name for path in (tmp_path / "made" / "robustness").iterdir()}
    curves = {f"{kind}-label-{name}.png" for kind in ("attack", "corrupted") for name in ("text", "photo")}
    assert files == {"robustness.json", "robustness.html", *curves}
    data = json.loads((tmp_path / "made/robustness/robustness.json").read_text())
    assert data == found.to_json()
    page = (tmp_path / "made/robustness/robustness.html").read_text()
    assert page.count("<img") == 4
    assert "sees predictions only" in page
    assert attack_rows(doubted)[1:3] == [("0", doubted.clean.text, ""), ("1/255", shares[0].text, "")]
    assert attack_rows(doubted)[5:] == [("8/255", "75.0 %", "0.0 %"), ("0.5", doubted.far.text, "")]
    assert len(corruption_rows(found.corrupted[1])) == 17


def test_texts_are_changed_before_they_are_tokenised(fixtures):
    from graftwork.evidence.robustness.corrupted import _mistyped

    fixture, table = fixtures("mixed"), mixed_table().take(np.arange(20))
    examples = prepare(table, fixture.network, fixture.tasks, TextSettings(), keep_on_disk=False)
    aim = Aim(fixture.network, fixture.tasks["label"], "label", "text")
    changed = _mistyped(aim, table, examples, TextSettings(), "typos", 5, [0])
    same = [
        np.array_equal(changed.inputs["text"].rows([at])[0], examples.inputs["text"].rows([at])[0]) for at in range(20)
    ]
    assert 0 < sum(same) < 20
    assert changed.targets is examples.targets
    np.testing.assert_array_equal(changed.inputs["photo"].rows([3])[0], examples.inputs["photo"].rows([3])[0])

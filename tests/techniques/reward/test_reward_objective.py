"""graftwork.techniques.reward.reward, against gradients by enumeration; and what it refuses."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from graftwork.data.table import Column, Schema, Table
from graftwork.errors import DataError, RefusedError, UsageError
from graftwork.tasks.metrics.registry import METRICS
from graftwork.techniques import Accumulate, Reward
from graftwork.techniques.reward.variation import STEPS, Variation

COSTS = "true,a,b,c\na,0,1,2\nb,5,0,1\nc,1,9,0\n"
MATRIX = np.array([[0, 1, 2], [5, 0, 1], [1, 9, 0]], float)


def now(**settings) -> Reward:
    """From the first step on, with nothing of the usual loss."""
    return Reward(**{"warm": 0.0, "mix": 0.0, **settings})


def policy(this, technique: Reward, batch=None):
    """The measured terms of a step."""
    stages, batch = this.stages(technique), batch or this.batch
    return stages.objective(this.network.as_forward(), stages.inputs(batch)).terms


def chances(this, target: str = "classes") -> torch.Tensor:
    return torch.softmax(this.network(this.batch).predictions[target], dim=1)


# --- the objective ----------------------------------------------------------------------------------------------------
def test_accuracy_is_the_probability_of_the_truth(fixture):
    this = fixture("classes")
    terms = policy(this, now(metric="accuracy"))
    p = chances(this)
    of_truth = p.gather(1, this.batch.targets["classes"].unsqueeze(1)).squeeze(1)
    torch.testing.assert_close(terms["reward classes"].mean, of_truth.mean().detach())
    torch.testing.assert_close(terms["policy classes"].mean, -of_truth.mean())
    entropy = -(p * p.log()).sum(dim=1).mean()
    torch.testing.assert_close(terms["entropy classes"].mean, entropy.detach())


def test_the_gradient_of_a_metric_over_all_rows_is_that_of_an_enumeration(fixture):
    """Each row's answer enumerated, the others held at their most probable one, the metric worked out anew."""
    this = fixture("classes", rows=7)
    truth, p = this.batch.targets["classes"].numpy(), chances(this)
    mode, macro = p.argmax(dim=1).numpy(), METRICS["macro_f1"]
    base, expected = macro(truth, mode), 0.0
    for row, answer in itertools.product(range(7), range(3)):
        given = mode.copy()
        given[row] = answer
        expected = expected + p[row, answer] * (macro(truth, given) - base)
    names = [name for name, _ in this.network.named_parameters()]
    wanted = torch.autograd.grad(-expected, list(this.network.parameters()))
    found = this.gradients(now(metric="macro_f1"))
    for name, gradient in zip(names, wanted, strict=True):
        torch.testing.assert_close(found[name], gradient, atol=1e-6, rtol=1e-4)


def test_many_drawn_answers_come_to_the_exact_gradient(fixture):
    this = fixture("classes", rows=6)
    exact = this.gradients(now(metric="macro_f1"))
    drawn = this.gradients(now(metric="macro_f1", by="rloo", samples=1000))
    for name, gradient in exact.items():
        torch.testing.assert_close(drawn[name], gradient, atol=0.02, rtol=0.0)


def test_costs_are_the_expected_cost(fixture, tmp_path: Path):
    (tmp_path / "costs.csv").write_text(COSTS, encoding="utf-8")
    this = fixture("classes")
    technique = now(costs=str(tmp_path / "costs.csv"))
    (tmp_path / "costs.csv").unlink()  # the recipe keeps what stood in it
    again = replace(technique)
    terms = policy(this, again)
    costs = torch.from_numpy(MATRIX).float()[this.batch.targets["classes"]]
    expected = (chances(this) * costs).sum(dim=1).mean()
    torch.testing.assert_close(terms["reward classes"].mean, -expected.detach())
    torch.testing.assert_close(terms["policy classes"].mean, expected / (19 / 6))  # the mean of what is above 0


def test_a_function_sees_predictions_and_rows(fixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    code = (
        "SEEN = []\n"
        "def profit(predictions, rows):\n"
        "    SEEN.append((predictions, rows))\n"
        "    return [row['price'] * (said == 'b') for said, row in zip(predictions, rows)]\n"
    )
    this = called(fixture, tmp_path, monkeypatch, "seen_rewards", code)
    terms = policy(this, now(call="seen_rewards:profit"))
    prices = torch.arange(24).float()
    torch.testing.assert_close(terms["reward classes"].mean, (prices * chances(this)[:, 1]).mean().detach())
    predictions, rows = sys.modules["seen_rewards"].SEEN[0]
    assert predictions == ["a"] * 24 + ["b"] * 24 + ["c"] * 24
    assert rows[1] == rows[25] == {"price": 1.0}


@pytest.mark.parametrize("by", ["rloo", "self-critical", "group"])
@pytest.mark.parametrize(
    ("target", "metric"), [("classes", "macro_f1"), ("many", "micro_f1"), ("number", "mae"), ("number", "spearman")]
)
def test_it_climbs(fixture, target: str, metric: str, by: str):
    """A hundred steps on the same rows earn more than was earned before."""
    this = fixture(target)
    technique = now(metric=metric, by=by, samples=8)
    stages = this.stages(technique)
    optimizer = torch.optim.Adam(this.network.parameters(), lr=0.01)
    earned = []
    for _ in range(100):
        optimizer.zero_grad()
        batch = stages.inputs(this.batch)
        measured = stages.gradient(stages.objective, this.network, batch)
        optimizer.step()
        earned.append(float(measured.terms[f"reward {target}"].mean))
    assert np.mean(earned[-10:]) > np.mean(earned[:10]) + 0.05


def test_only_labelled_rows_are_rewarded_by_a_truth(fixture):
    this = fixture("classes", unlabelled=(0, 5))
    terms = policy(this, now(metric="accuracy"))
    value = terms["policy classes"].value
    assert not value[[0, 5]].any()
    of_truth = chances(this).gather(1, this.batch.targets["classes"].clamp(min=0).unsqueeze(1)).squeeze(1)
    kept = this.batch.labelled["classes"]
    torch.testing.assert_close(terms["policy classes"].mean, -of_truth[kept].mean())
    torch.testing.assert_close(terms["reward classes"].mean, of_truth[kept].mean().detach())


def test_parts_of_a_batch_add_up_where_rows_are_rewarded_one_by_one(fixture, tmp_path: Path):
    (tmp_path / "costs.csv").write_text(COSTS, encoding="utf-8")
    technique = now(costs=str(tmp_path / "costs.csv"), kl=0.5, entropy=0.1)
    assert not technique.couples_rows
    this = fixture("classes", unlabelled=(1,))
    whole, parts = this.gradients(technique), this.gradients(Accumulate(5), technique)
    for name, gradient in whole.items():
        torch.testing.assert_close(parts[name], gradient, atol=1e-6, rtol=1e-4)


# --- when it acts, and what it is held near to ------------------------------------------------------------------------
@pytest.mark.parametrize(("warm", "acts"), [(0.0, True), (0.3, True), (0.31, False), (3, True), (4, False)])
def test_the_usual_loss_comes_first(fixture, warm: float, acts: bool):
    this = fixture("classes")
    this = replace(this, setup=replace(this.setup, total_steps=10), batch=replace(this.batch, progress=0.3))
    assert ("policy classes" in policy(this, Reward(metric="accuracy", warm=warm))) == acts


def test_a_reward_that_would_never_act_is_refused(fixture):
    this = fixture("classes")
    this = replace(this, setup=replace(this.setup, total_steps=10))
    with pytest.raises(UsageError, match="warm is 10 steps, and the run has 10, so that it would never act"):
        this.stages(Reward(metric="accuracy", warm=10))


def test_it_is_held_near_the_network_as_it_was(fixture):
    this = fixture("classes")
    technique = now(metric="accuracy", kl=0.5)
    stages = this.stages(technique)
    batch = stages.inputs(this.batch)
    before = this.network(this.batch).predictions["classes"].detach()
    torch.testing.assert_close(
        stages.objective(this.network.as_forward(), batch).terms["kl classes"].value, torch.zeros(24), atol=1e-6, rtol=0
    )
    with torch.no_grad():
        for parameter in this.network.parameters():
            parameter.mul_(1.3)
    moved = [parameter.detach().clone() for parameter in this.network.parameters()]
    term = stages.objective(this.network.as_forward(), stages.inputs(this.batch)).terms["kl classes"]
    log_p = torch.log_softmax(this.network(this.batch).predictions["classes"], dim=1)
    expected = (log_p.exp() * (log_p - torch.log_softmax(before, dim=1))).sum(dim=1)
    torch.testing.assert_close(term.value, expected)
    assert term.weight == 0.5
    assert all(torch.equal(one, other) for one, other in zip(moved, this.network.parameters(), strict=True))
    reference = stages.reference(this.network)
    torch.testing.assert_close(reference(this.batch).predictions["classes"], before)
    assert reference is not this.network


def test_before_it_acts_the_network_is_its_own_reference(fixture):
    this = fixture("classes")
    stages = this.stages(Reward(metric="accuracy", warm=0.5))
    stages.inputs(this.batch)
    assert stages.reference(this.network) is this.network


def test_what_is_frozen_is_not_copied(fixture):
    this = fixture("classes")
    encoder = this.network.encoder("text")
    encoder.requires_grad_(False)
    stages = this.stages(now(metric="accuracy"))
    stages.inputs(this.batch)
    reference = stages.reference(this.network)
    assert reference.encoder("text").embedding.weight is encoder.embedding.weight
    assert not any("encoders" in name for name in stages.state["reward"]["start"].names)
    assert reference.heads[0] is not this.network.heads[0]


@pytest.mark.parametrize("mix", [0.0, 0.25, 1.0])
def test_a_share_of_the_usual_loss_stays(fixture, mix: float):
    this = fixture("classes", "number")
    terms = policy(this, Reward(metric="accuracy", warm=0.0, mix=mix))
    assert terms["classes"].weight == mix
    assert terms["number"].weight == 1.0
    assert "policy number" not in terms


def test_one_of_several_targets_is_rewarded(fixture):
    this = fixture("classes", "many")
    assert {name for name in policy(this, now(metric="macro_f1")) if name.startswith("policy")} == {
        "policy classes",
        "policy many",
    }
    assert "policy classes" not in policy(this, now(metric="macro_f1", target="many"))


# --- what is refused --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"metric": "accuracy", "costs": "costs.csv"}, "metric and costs say what is rewarded"),
        ({"cost_table": "x"}, "without costs"),
        ({"costs": "nowhere.csv"}, "nowhere.csv"),
        ({"call": "no colon"}, "module:attribute"),
        ({"call": print}, "module:attribute"),
        ({"costs": [1.0]}, "costs.* is a list. Expected a file.s name"),
        ({"weight": -1.0}, "at least 0"),
        ({"samples": 1}, "from 2"),
        ({"spread": 0.0}, "above 0"),
    ],
)
def test_wrong_settings(settings, said: str):
    with pytest.raises(UsageError, match=said):
        Reward(**settings)


@pytest.mark.parametrize(
    ("target", "settings", "said"),
    [
        ("classes", {"metric": "log_loss"}, "scores probabilities.*accuracy"),
        ("classes", {"metric": "f1x"}, "Unknown metric"),
        ("classes", {"metric": "rmse"}, "does not fit"),
        ("classes", {"metric": "python:mine"}, "call=module:function"),
        ("number", {"metric": "mae", "by": "exact"}, "can't be listed.*rloo"),
        ("number", {"metric": "mae", "target": "numbr"}, "Did you mean 'number'"),
    ],
)
def test_what_does_not_fit_is_refused(fixture, target: str, settings, said: str):
    with pytest.raises(UsageError, match=said):
        fixture(target).stages(Reward(**settings))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (COSTS.replace("c,1,9,0\n", ""), "there is no row for c"),
        (COSTS.replace(",9,", ",,"), r"costs.csv, row 3 \('c'\), column 'b': the cost is missing"),
        (COSTS.replace(",9,", ",nine,"), "column 'b': 'nine'"),
    ],
)
def test_costs_that_are_not_whole_are_refused(fixture, tmp_path: Path, text: str, said: str):
    (tmp_path / "costs.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        fixture("classes").stages(Reward(costs=str(tmp_path / "costs.csv")))


def test_costs_that_tell_no_answers_apart_are_refused(fixture, tmp_path: Path):
    (tmp_path / "costs.csv").write_text("true,a,b,c\na,1,1,1\nb,2,2,2\nc,3,3,3\n", encoding="utf-8")
    with pytest.raises(RefusedError, match="all answers cost the same"):
        fixture("classes").stages(Reward(costs=str(tmp_path / "costs.csv")))
    with pytest.raises(RefusedError, match="one class a row"):
        fixture("many").stages(Reward(costs=str(tmp_path / "costs.csv")))


def called(fixture, folder: Path, monkeypatch: pytest.MonkeyPatch, module: str, code: str):
    """A fixture whose rows have a price, and a module of the user's."""
    (folder / f"{module}.py").write_text(code, encoding="utf-8")
    monkeypatch.chdir(folder)
    this = fixture("classes")
    prices = pa.table({"price": np.arange(24.0)})
    table = Table(prices, Schema((Column("price", "number"),)), "shop.csv", np.arange(1, 25))
    return replace(this, setup=replace(this.setup, table=table))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return [0.0] * 5", "gave 5 for 72 predictions"),
        ("return 1.0", "gave a single number"),
        ("return [1.0] * 30 + [float('nan')] + [0.0] * 41", "gave nan for the prediction 'b' of shop.csv, row 7"),
        ("return rows[0]['cost']", "KeyError: 'cost'"),
        ("return ['much'] * len(rows)", "ValueError"),
    ],
)
def test_a_function_that_goes_wrong_is_told(fixture, tmp_path, monkeypatch, body: str, said: str):
    module = f"wrong_{abs(hash(body))}"
    this = called(fixture, tmp_path, monkeypatch, module, f"def reward(predictions, rows):\n    {body}\n")
    with pytest.raises(UsageError, match=said):
        policy(this, now(call=f"{module}:reward"))


def test_no_function_is_no_reward(fixture, tmp_path, monkeypatch):
    this = called(fixture, tmp_path, monkeypatch, "constants", "reward = 3\n")
    with pytest.raises(UsageError, match="Expected a function"):
        this.stages(now(call="constants:reward"))
    assert now(call="constants:reward").code == ("constants",)


def test_a_reward_that_never_varies_is_told():
    seen = Variation("shop:profit")
    for _ in range(STEPS - 1):
        seen.see(torch.ones(3, 4))
    again = Variation("shop:profit")
    again.load_state_dict(seen.state_dict())
    with pytest.raises(UsageError, match="shop:profit is 1 for every answer of 10 steps"):
        again.see(torch.ones(3, 4))
    seen.see(torch.eye(3))
    seen.see(torch.ones(3, 4))
    with pytest.raises(UsageError, match="no finite number"):
        seen.see(torch.full((1, 2), float("nan")))

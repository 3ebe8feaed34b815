"""Distillation of predictions, of features, and from the own averaged weights."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from scipy.stats import entropy

from graftwork import specs
from graftwork.core.technique import TeacherOutputs
from graftwork.errors import UsageError
from graftwork.techniques import TECHNIQUES, Distil, DistilFeatures, SelfDistil
from graftwork.techniques.distil.distil import softened_divergence
from graftwork.techniques.distil.distil_features import hint_distance
from graftwork.techniques.distil.self_distil import ramp, with_average
from graftwork.techniques.weights.average import Average
from techniques.conftest import TASKS, Fixture


def teacher_outputs(fixture: Fixture, teacher: str = "t") -> Fixture:
    """The fixture with answers of a teacher: predictions of all targets, and features of another width."""
    draw = np.random.default_rng(4)
    rows = fixture.setup.rows
    predictions = {
        name: draw.normal(size=(rows, task.outputs)).astype(np.float32) for name, task in fixture.setup.tasks.items()
    }
    said = TeacherOutputs(predictions, draw.normal(2.0, 3.0, size=(rows, 5)).astype(np.float32))
    return replace(fixture, setup=replace(fixture.setup, teacher_outputs={teacher: said}))


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_softened_divergence_is_that_of_the_paper(temperature: float) -> None:
    draw = np.random.default_rng(0)
    student, teacher = draw.normal(size=(2, 7, 3)) * 3
    p, q = softmax(teacher / temperature, axis=1), softmax(student / temperature, axis=1)
    found = softened_divergence(TASKS["classes"](), torch.tensor(student), torch.tensor(teacher), temperature)
    np.testing.assert_allclose(found, temperature**2 * entropy(p, q, axis=1), rtol=1e-4)


def test_of_several_labels_each_is_a_yes_or_no() -> None:
    draw = np.random.default_rng(1)
    student, teacher = draw.normal(size=(2, 4, 3))
    p, q = expit(teacher / 2), expit(student / 2)
    each = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    found = softened_divergence(TASKS["many"](), torch.tensor(student), torch.tensor(teacher), 2.0)
    np.testing.assert_allclose(found, 4 * each.mean(axis=1), rtol=1e-4)


def test_of_numbers_the_temperature_changes_nothing() -> None:
    student, teacher = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [0.5]])
    for temperature in (1.0, 4.0):
        found = softened_divergence(TASKS["number"](), student, teacher, temperature)
        assert found.tolist() == pytest.approx([4.0, 2.25])


def test_a_high_temperature_matches_logits() -> None:
    """The limit that the paper derives: the gradient goes to that of half the squared difference of centred logits,
    divided by the number of classes."""
    student = torch.tensor([[0.3, -0.2, 0.5]], requires_grad=True)
    teacher = torch.tensor([[0.1, 0.4, -0.6]])
    softened_divergence(TASKS["classes"](), student, teacher, 500.0).sum().backward()
    centred = [value.detach() - value.detach().mean() for value in (student, teacher)]
    assert student.grad is not None
    torch.testing.assert_close(student.grad, (centred[0] - centred[1]) / 3, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_loss_is_a_weighted_mean_of_labels_and_teacher(fixture: Any, weight: float) -> None:
    made = teacher_outputs(fixture("classes", "number", unlabelled=(2, 5)))
    stages = made.stages(Distil("t", temperature=3.0, weight=weight))
    measured = stages.objective(made.network.as_forward(), made.batch)
    expected = torch.tensor(0.0)
    for name, task in made.setup.tasks.items():
        predictions = measured.output.predictions[name]
        labelled = made.batch.labelled[name]
        own = (task.loss(predictions, made.batch.targets[name]) * labelled).sum() / labelled.sum()
        said = torch.from_numpy(made.setup.teacher_outputs["t"].predictions[name])
        expected = expected + (1 - weight) * own + weight * softened_divergence(task, predictions, said, 3.0).mean()
    torch.testing.assert_close(measured.total, expected)


def test_unlabelled_rows_teach(fixture: Any) -> None:
    made = teacher_outputs(fixture("classes", unlabelled=range(1, 24)))
    changed = made.setup.teacher_outputs["t"].predictions["classes"].copy()
    changed[7] = 9.0, -9.0, 0.0
    other = replace(
        made, setup=replace(made.setup, teacher_outputs={"t": TeacherOutputs({"classes": changed}, np.zeros((24, 1)))})
    )
    first, second = (one.gradients(Distil("t")) for one in (made, other))
    assert any(not torch.equal(first[name], second[name]) for name in first)


def test_answers_belong_to_rows_not_to_places(fixture: Any) -> None:
    made = teacher_outputs(fixture("classes"))
    order = torch.randperm(24, generator=torch.Generator().manual_seed(0))
    shuffled = replace(made, batch=made.batch.part(order))
    for technique in (Distil("t"), DistilFeatures("t")):
        first, second = made.gradients(technique), shuffled.gradients(technique)
        for name in first:
            torch.testing.assert_close(first[name], second[name])


def test_a_target_that_the_teacher_does_not_know_keeps_its_loss(fixture: Any) -> None:
    made = teacher_outputs(fixture("classes", "number"))
    known = TeacherOutputs({"classes": made.setup.teacher_outputs["t"].predictions["classes"]}, np.zeros((24, 1)))
    made = replace(made, setup=replace(made.setup, teacher_outputs={"t": known}))
    terms = made.stages(Distil("t", weight=0.25)).objective(made.network.as_forward(), made.batch).terms
    weights = {name: term.weight for name, term in terms.items()}
    assert weights == {"classes": 0.75, "number": 1.0, "distil classes": 0.25}


def test_hint_distances() -> None:
    first, second = np.random.default_rng(0).normal(size=(2, 6, 4))
    mse = hint_distance(torch.tensor(first), torch.tensor(second), "mse")
    np.testing.assert_allclose(mse, ((first - second) ** 2).mean(axis=1))
    cosine = hint_distance(torch.tensor(first), torch.tensor(second), "cosine")
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    np.testing.assert_allclose(cosine, 1 - (first * second).sum(axis=1) / lengths)


@pytest.mark.parametrize("measure", ["mse", "cosine"])
def test_features_are_projected_to_the_teachers(fixture: Any, measure: Any) -> None:
    made = teacher_outputs(fixture("classes"))
    technique = DistilFeatures("t", weight=2.0, measure=measure)
    graft = technique.attach(made.network, made.setup)
    assert graft.losses is not None
    assert isinstance(graft.state, torch.nn.Linear)
    output = made.network.as_forward()(made.batch)
    hints = made.setup.teacher_outputs["t"].features
    scale = np.sqrt(hints.var(axis=0).mean())
    expected = hint_distance(graft.state(output.features.rows), torch.from_numpy(hints) / scale, measure).mean() * 2
    term = graft.losses(made.batch, output)["distil-features"]
    torch.testing.assert_close(term.mean * term.weight, expected)
    expected.backward()
    assert all(parameter.grad is not None for parameter in graft.state.parameters())
    again = technique.attach(made.network, made.setup).state
    assert isinstance(again, torch.nn.Linear)
    assert torch.equal(again.weight, graft.state.weight)


def test_a_plan_may_be_made_with_zeros(fixture: Any) -> None:
    made = teacher_outputs(fixture("classes"))
    blank = TeacherOutputs(
        {"classes": np.broadcast_to(np.float32(0), (24, 3))}, np.broadcast_to(np.float32(0), (24, 5))
    )
    made = replace(made, setup=replace(made.setup, teacher_outputs={"t": blank}))
    for technique in (Distil("t"), DistilFeatures("t")):
        assert all(torch.isfinite(gradient).all() for gradient in made.gradients(technique).values())


def test_ramp_rises_as_in_the_paper() -> None:
    assert ramp(0.0, 0.4) == pytest.approx(np.exp(-5))
    assert ramp(0.1, 0.4) == pytest.approx(np.exp(-5 * 0.75**2))
    assert ramp(0.4, 0.4) == ramp(0.9, 0.4) == ramp(0.0, 0.0) == 1.0


def test_own_average_is_the_teacher(fixture: Any) -> None:
    made = fixture("classes", "number", dropout=0.3)
    graft = SelfDistil(weight=2.0, decay=0.5, rise=0.0).attach(made.network, made.setup)
    assert graft.objective is not None
    assert graft.after_step is not None
    start = copy.deepcopy(made.network)
    with torch.no_grad():
        for parameter in made.network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    graft.after_step(made.network)  # the decay of the first step is a half: (start + moved) / 2
    with torch.no_grad():
        for own, begun in zip(made.network.parameters(), start.parameters(), strict=True):
            begun.lerp_(own, 0.5)
    stages = made.stages()
    torch.manual_seed(3)
    measured = graft.objective(stages.objective)(made.network.as_forward(), made.batch)
    average = start.eval().as_forward()(made.batch).predictions
    for name, task in made.setup.tasks.items():
        term = measured.terms[f"self-distil {name}"]
        value = task.divergence(measured.output.predictions[name], average[name])
        torch.testing.assert_close(term.value, value)
        assert term.weight == 2.0
    torch.manual_seed(3)  # the pass of the average draws nothing
    plain = stages.objective(made.network.as_forward(), made.batch)
    assert torch.equal(plain.output.features.rows, measured.output.features.rows)


def test_weights_come_back_whatever_happens(fixture: Any) -> None:
    made = fixture("classes")
    average = Average(made.network)
    before = {name: (value, value.data_ptr()) for name, value in made.network.named_parameters()}

    def stopped() -> None:
        with with_average(made.network, average):
            assert not made.network.training
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert made.network.training
    assert {name: (value, value.data_ptr()) for name, value in made.network.named_parameters()} == before


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("distil", "technique 'distil' needs the setting 'teacher', which has no default: teacher=VALUE"),
        ("distil:teacher= ", "there is no teacher"),
        ("distil:teacher=t,temperature=0", "temperature is 0.0. Expected a number above 0"),
        ("distil:teacher=t,temperature=nan", "temperature is nan"),
        ("distil:teacher=t,weight=1.5", "from 0 to 1"),
        ("distil-features:teacher=t,weight=-1", "at least 0"),
        ("distil-features:teacher=t,measure=l1", "Expected one of: mse, cosine"),
        ("self-distil:decay=1", "from 0 to below 1"),
        ("self-distil:weight=-1", "at least 0"),
        ("self-distil:rise=2", "from 0 to 1"),
    ],
)
def test_wrong_settings_are_named(spec: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        specs.parse(spec, TECHNIQUES, "technique")

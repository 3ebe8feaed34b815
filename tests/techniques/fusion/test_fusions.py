"""What fusions share as techniques: refusals, seeds, frozen bases, saving; and what stands in for a lacking input."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from graftwork.core.scoring import predict_examples
from graftwork.core.technique import Technique
from graftwork.errors import RefusedError, UsageError
from graftwork.model import Model, load
from graftwork.networks.fusion.late import LateHead
from graftwork.recipe import Recipe
from graftwork.techniques import (
    FusionTransformer,
    Gated,
    Late,
    ModalityDropout,
    Probe,
    Refit,
    WarmStart,
    WeightedSum,
)
from tinyrun import Fixture, Worlds, make_worlds, mixed_table, same, weights

FUSIONS = (WeightedSum(8), Gated(8), FusionTransformer(8, 1, 2), Late())


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    return make_worlds(tmp_path_factory.mktemp("fixtures"))


@pytest.fixture(scope="module")
def fixture(fixtures: Worlds) -> Fixture:
    return fixtures("mixed")


def named(value: object) -> str:
    return value.name if isinstance(value, Technique) else str(value)


@pytest.mark.parametrize("technique", [*FUSIONS, ModalityDropout()], ids=named)
def test_one_input_is_refused_with_a_way_out(technique: Technique, fixtures: Worlds):
    with pytest.raises(RefusedError, match=f"{technique.name} needs several_inputs.*several columns of texts"):
        fixtures("cnn").run([technique], started=False)


def test_two_fusions_are_refused(fixture: Fixture):
    with pytest.raises(RefusedError, match="gated and late both decide how several inputs are fused"):
        fixture.run([Late(), Gated()], started=False)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda: WeightedSum(0), "weighted-sum: width is 0. Expected a number of at least 1"),
        (lambda: Gated(0), "gated: width is 0"),
        (lambda: FusionTransformer(tokens=0), "fusion-transformer: tokens is 0"),
        (lambda: FusionTransformer(width=10, heads=4), "multiple of heads, such as 8"),
        (lambda: FusionTransformer(dropout=1.0), "dropout is 1.0"),
        (lambda: Late(-1.0), "late: own is -1.0"),
        (lambda: ModalityDropout(1.0), "modality-dropout: share is 1.0. Expected a number from 0 to below 1"),
    ],
)
def test_settings_out_of_range_are_refused(made: object, reason: str):
    with pytest.raises(UsageError, match=reason):
        made()  # type: ignore[operator]


@pytest.mark.parametrize("technique", FUSIONS, ids=named)
def test_weights_are_seeded_and_the_global_state_is_left_alone(technique: Technique, fixture: Fixture):
    before = torch.get_rng_state()
    first = weights(fixture.run([technique], started=False).network)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(77)
    assert same(weights(fixture.run([technique], started=False).network), first)


@pytest.mark.parametrize("technique", FUSIONS, ids=named)
def test_a_probe_trains_what_is_new_on_a_frozen_base(technique: Technique, fixture: Fixture):
    run, fitted = fixture.fit([technique, Probe(l2=0.1)])
    frozen = {name for name, value in run.network.named_parameters() if not value.requires_grad}
    assert {name.split(".")[0] for name in frozen} >= {"encoders"}
    assert run.plan.total_steps > 0
    assert run.cached  # the frozen blocks were computed once
    if technique.name == "fusion-transformer":
        assert all(store.depth < run.network.encoder(name).depth for name, store in run.cached.items())
    elif technique.name != "late":  # whose own heads are solved, each by itself
        assert any(p.requires_grad for p in fitted.network.fusion.parameters())


def test_a_probe_with_late_heads_has_nothing_left_to_train_but_their_sum(fixture: Fixture):
    """Each head is the one that a run on its input alone would solve."""
    run = fixture.run([Late(0.0), Probe(l2=0.1)], epochs=None, steps=None)
    head = run.network.heads[0]
    assert isinstance(head, LateHead)
    features = {name: store.states for name, store in run.cached.items()}
    assert run.plan.total_steps == 0
    for one, name in zip(head.heads, run.network.columns, strict=True):
        rows = np.asarray(features[name])[fixture.train.present.get(name, np.ones(40, bool))]
        np.testing.assert_allclose(one.shift.numpy(), rows.mean(0), atol=1e-5)
    rated = predict_examples(run.network, fixture.train, cached=run.cached)["label"].argmax(1)
    assert (rated == fixture.train.targets["label"]).mean() > 0.8


@pytest.mark.parametrize("listed", [(f,) for f in FUSIONS] + [(Late(), WarmStart(), Refit()), ()], ids=len)
def test_a_saved_model_predicts_the_same_bits(listed: tuple[Technique, ...], fixture: Fixture, tmp_path: Path):
    run, fitted = fixture.fit(listed, steps=3, evaluations=1)
    recipe = Recipe(base=fixture.spec, techniques=run.techniques)
    model = Model(recipe, fixture.schema, run.stages.fold(fitted.network), fixture.tasks, {"label": 1.5})
    rows = mixed_table().data.slice(40).drop(["label"]).to_pylist()
    here = model.predict_proba(rows)
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert np.array_equal(again.predict_proba(rows), here)
    assert again.network.missing_inputs == {"photo"}
    assert np.isfinite(here).all()
    alone = np.concatenate([model.predict_proba([row]) for row in rows[:4]])
    np.testing.assert_allclose(alone, here[:4], atol=1e-5)  # a row's prediction does not hang on its neighbours


def test_what_stands_in_for_an_input_is_the_mean_of_the_training_rows(fixture: Fixture):
    """Of the rows that have it, before training; then it follows the features, unless it is learned."""
    run = fixture.run([Probe(l2=0.1)])
    text, photo, _ = run.network.each_absent()
    assert [absent.shift.requires_grad for absent in run.network.each_absent()] == [False, True, False]
    here = fixture.train.present["photo"]
    np.testing.assert_allclose(photo.usual, np.asarray(run.cached["photo"].states)[here].mean(0), atol=1e-5)
    np.testing.assert_allclose(text.usual, np.asarray(run.cached["text"].states).mean(0), atol=1e-5)
    full, trained = fixture.run(), fixture.fit()[1].network
    assert not torch.equal(full.network.each_absent()[0].usual, trained.each_absent()[0].usual)
    assert torch.equal(full.network.each_absent()[1].usual, trained.each_absent()[1].usual)
    assert trained.each_absent()[1].shift.abs().max() > 0


def test_a_row_without_an_input_that_training_never_lacked_is_predicted_with_a_warning(fixture: Fixture):
    row = {**mixed_table().data.slice(40).drop(["label"]).to_pylist()[0], "text": None}
    recipe = Recipe(base=fixture.spec)
    run, fitted = fixture.fit(steps=2)
    model = Model(recipe, fixture.schema, fitted.network, fixture.tasks)
    with pytest.warns(UserWarning, match="no text, and every training row had.*modality-dropout"):
        assert model.predict([row])[0] in fixture.tasks["label"].classes
    _, fitted = fixture.fit([ModalityDropout()], steps=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Model(recipe, fixture.schema, fitted.network, fixture.tasks).predict([row])
    assert run.network.missing_inputs == {"photo"}

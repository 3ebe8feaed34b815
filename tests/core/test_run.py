from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from graftwork.core.run import technique_seed
from graftwork.core.training.state import scoring_steps
from graftwork.errors import RefusedError
from graftwork.techniques import BalancedSampling, ClassWeights, LoRA, Mixup, Partial, Probe
from tinyrun import Worlds, same, weights


def test_rows_of_each_epoch_come_once(fixtures: Worlds):
    run = fixtures("cnn").run(steps=None, epochs=3.0)
    assert run.plan.total_steps == 15
    drawn = list(run.rows_from(0))
    assert len(drawn) == 15
    for epoch in range(3):
        assert sorted(np.concatenate(drawn[5 * epoch : 5 * epoch + 5])) == list(range(40))


@pytest.mark.parametrize("start", [0, 1, 5, 7, 11, 12])
@pytest.mark.parametrize("techniques", [[], [BalancedSampling()]], ids=["plain", "weighted"])
def test_rows_go_on_from_any_step(start: int, techniques: list[BalancedSampling], fixtures: Worlds):
    run = fixtures("cnn").run(techniques, steps=12)
    every = [indices.tolist() for indices in run.rows_from(0)]
    assert len(every) == 12
    assert [indices.tolist() for indices in run.rows_from(start)] == every[start:]


def test_techniques_see_the_number_of_steps_that_is_planned(fixtures: Worlds):
    run = fixtures("cnn").run([BalancedSampling()], steps=None, epochs=2.0, max_tokens=40)
    assert run.plan.total_steps == len(list(run.rows_from(0)))


def test_streams_differ_by_technique_and_seed_and_stay():
    seeds = {technique_seed(name, seed) for name in ("mixup", "consistency") for seed in (0, 1)}
    assert len(seeds) == 4
    assert technique_seed("mixup", 0) == technique_seed("mixup", 0) < 2**62


def test_a_refused_run_leaves_the_network_as_it_was(fixtures: Worlds):
    from graftwork.core.run import make_run
    from tinyrun import TRAINING

    fixture = fixtures("transformer")
    network = fixture.network
    before, trained = weights(network), [p.requires_grad for p in network.parameters()]
    with pytest.raises(RefusedError):
        make_run(
            network,
            fixture.tasks,
            [LoRA(), Probe()],
            TRAINING,
            fixture.train,
            fixture.valid,
            metrics={"label": "accuracy"},
        )
    assert same(weights(network), before)
    assert [p.requires_grad for p in network.parameters()] == trained


def test_a_plan_computes_nothing(fixtures: Worlds):
    fixture = fixtures("transformer")
    run = fixture.run([Probe()], started=False)
    assert run.cached == {}
    assert same(weights(run.network), weights(fixture.network))
    assert run.plan.cache == {"text": 3}


def test_evaluations_are_once_an_epoch_at_most_ten_and_always_at_the_end(fixtures: Worlds):
    fixture = fixtures("cnn")
    assert scoring_steps(fixture.run(steps=None, epochs=3.0, evaluations=None)) == {5, 10, 15}
    assert len(scoring_steps(fixture.run(steps=None, epochs=30.0, evaluations=None))) == 10
    assert scoring_steps(fixture.run(steps=7, evaluations=0)) == {7}
    assert scoring_steps(fixture.run(steps=7, evaluations=2)) == {4, 7}


def test_weights_of_rows_reach_the_loss(fixtures: Worlds):
    fixture = fixtures("cnn")
    weight = np.ones(len(fixture.train), np.float32)
    weight[::2] = 3.0
    weighted = dataclasses.replace(fixture, train=dataclasses.replace(fixture.train, weight=weight / weight.mean()))
    assert not same(weights(fixture.fit()[1].network), weights(weighted.fit()[1].network))
    both = weighted.fit([ClassWeights(), Mixup()])[1]
    assert all(torch.isfinite(value).all() for value in both.network.state_dict().values())


def test_counts_of_parameters(fixtures: Worlds):
    network = fixtures("transformer").network
    run = fixtures("transformer").run([Partial(1)], started=False)
    top = {name for name, above in network.blocks_above().items() if above == 0}
    expected = sum(p.numel() for name, p in network.named_parameters() if name in top or name.startswith("heads"))
    assert run.plan.trained == expected
    assert run.plan.parameters == sum(p.numel() for p in network.parameters())

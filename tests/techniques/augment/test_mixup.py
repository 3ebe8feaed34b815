from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from graftwork.core.technique import LossOutput, Term
from graftwork.techniques import SAM, Mixup
from graftwork.techniques.augment.blending import blend, blend_targets, choose_partners


def test_weighted_blend_is_the_blend_of_weighted_losses():
    torch.manual_seed(0)
    logits, labels = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    weight, partner, share = torch.rand(6), torch.tensor([5, 4, 3, 2, 1, 0]), 0.3
    targets = blend_targets(F.one_hot(labels, 3).float(), weight, partner, share)
    loss = F.cross_entropy(logits, targets, reduction="none") * blend(weight, partner, share)
    own = F.cross_entropy(logits, labels, reduction="none") * weight
    other = F.cross_entropy(logits, labels[partner], reduction="none") * weight[partner]
    torch.testing.assert_close(loss, share * own + (1 - share) * other)


def test_rows_of_weight_zero_are_not_nan():
    targets = blend_targets(torch.eye(2), torch.zeros(2), torch.tensor([1, 0]), 0.5)
    assert torch.isfinite(targets).all()


def test_partners_share_their_labels_and_are_a_permutation(fixture):
    this = fixture(unlabelled=(0, 3, 7))
    partner = choose_partners(this.batch, np.random.default_rng(0))
    assert sorted(partner) == list(range(24))
    mask = this.setup.labelled["classes"]
    np.testing.assert_array_equal(mask[partner], mask)
    assert (partner != np.arange(24)).any()


def test_features_and_targets_are_blended_alike(fixture):
    this = fixture("classes", "number", unlabelled=(2,))
    stages = this.stages(Mixup(5.0))
    seen = {}

    def inner(forward, batch):
        seen["features"], seen["targets"] = forward.features(batch).rows, batch.targets
        return LossOutput({"x": Term(seen["features"].sum(), 1.0)}, forward(batch))

    objective = Mixup(5.0).attach(this.network, this.setup).objective(inner)
    objective(this.network.as_forward(), this.batch)
    share, partner = _mixing(this)
    plain = this.network.features(this.batch).rows
    torch.testing.assert_close(seen["features"], share * plain + (1 - share) * plain[partner])
    number = this.batch.targets["number"]
    torch.testing.assert_close(seen["targets"]["number"], share * number + (1 - share) * number[partner])
    assert stages.generators.keys() == {"mixup.mixing"}


def _mixing(this):
    """What the technique draws for the first rows before any step was announced."""
    generator = np.random.default_rng(0)
    share = float(generator.beta(5.0, 5.0))
    return share, torch.from_numpy(choose_partners(this.batch, generator))


def test_each_step_draws_anew_and_sam_sees_one_objective_twice(fixture):
    this = fixture()
    stages = this.stages(Mixup(1.0))
    losses = []
    for _ in range(3):
        batch = stages.inputs(this.batch)
        twice = [float(stages.objective(this.network.as_forward(), batch).total.detach()) for _ in range(2)]
        assert twice[0] == twice[1]
        losses.append(twice[0])
    assert len(set(losses)) == 3
    assert this.gradients(Mixup(1.0), SAM())

from __future__ import annotations

import torch
from torch.nn import functional as F

from graftwork.techniques import LabelSmoothing
from graftwork.techniques.labels.label_smoothing import smooth


def test_equals_torch(fixture):
    this = fixture()
    stages = this.stages(LabelSmoothing(0.2))
    measured = stages.objective(this.network.as_forward(), stages.inputs(this.batch))
    expected = F.cross_entropy(
        measured.output.predictions["classes"], this.batch.targets["classes"], label_smoothing=0.2
    )
    torch.testing.assert_close(measured.total, expected)


def test_unlabelled_rows_stay_without_loss(fixture):
    this = fixture(unlabelled=(0, 5))
    stages = this.stages(LabelSmoothing(0.2))
    value = stages.objective(this.network.as_forward(), stages.inputs(this.batch)).terms["classes"].value
    assert value[[0, 5]].tolist() == [0.0, 0.0]
    assert (value[1:5] > 0).all()


def test_true_class_stays_the_most_probable():
    target = torch.eye(3)
    assert smooth(target, 0.99, 1 / 3).argmax(dim=1).tolist() == [0, 1, 2]
    torch.testing.assert_close(smooth(target, 0.3, 1 / 3).sum(dim=1), torch.ones(3))


def test_multilabel_smooths_each_answer_and_numbers_stay(fixture):
    this = fixture("many", "number")
    smoothed = this.stages(LabelSmoothing(0.2)).inputs(this.batch)
    expected = this.batch.targets["many"].float() * 0.8 + 0.1
    torch.testing.assert_close(smoothed.targets["many"], expected)
    assert torch.equal(smoothed.targets["number"], this.batch.targets["number"])

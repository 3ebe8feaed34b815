"""Computing a batch in parts of similar length changes the work, not the features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from graftwork.data.batch import Hidden
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.text import length_groups
from tiny import tiny_bert


def test_parts_hold_every_row_once_and_fit_their_rows() -> None:
    lengths = torch.tensor([3] * 30 + [40] * 3)
    mask = (torch.arange(40) < lengths.unsqueeze(1)).long()
    found = length_groups.parts(mask)
    assert found is not None
    assert sorted(torch.cat([rows for rows, _ in found]).tolist()) == list(range(33))
    assert all(length == int(lengths[rows].max()) for rows, length in found)


@pytest.mark.parametrize("lengths", [[5] * 40, [2, 60]], ids=["no padding", "few rows"])
def test_a_batch_that_gains_nothing_stays_whole(lengths: list[int]) -> None:
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)).long()
    assert length_groups.parts(mask) is None


def test_features_and_gradients_are_those_of_the_whole_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = parse_base(str(tiny_bert(tmp_path / "base"))).build(TrainingRows(), 0).eval()
    words = ["the", "card", "is", "late"]
    texts = [" ".join(np.random.default_rng(row).choice(words, 2 + 20 * (row % 8 == 0))) for row in range(40)]
    inputs = encoder.collate(encoder.prepare(texts))
    assert length_groups.parts(inputs["attention_mask"]) is not None
    hidden = Hidden(1, encoder.states(inputs, 1).detach())

    def run() -> list[torch.Tensor]:
        encoder.zero_grad()
        features = encoder(inputs)
        features.square().sum().backward()
        gradients = [p.grad.clone() for p in encoder.parameters() if p.grad is not None]
        return [features.detach(), encoder(inputs, hidden).detach(), *gradients]

    parted = run()
    monkeypatch.setattr(length_groups, "parts", lambda _: None)
    for one, other in zip(parted, run(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)

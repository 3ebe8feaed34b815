"""1. A run without techniques is the training loop that a reader would write by hand, to the bit."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from graftwork.data.samplers import LengthBuckets
from tinyrun import BASES, SEED, TRAINING, Fixture, Worlds, same, weights


def train_by_hand(fixture: Fixture, steps: int) -> dict[str, torch.Tensor]:
    network = copy.deepcopy(fixture.network)
    encoder, head = network.encoders[0], network.heads[0]
    groups = []
    for module, lr in ((encoder, TRAINING.lr), (head, TRAINING.head_lr)):
        trained = [p for p in module.parameters() if p.requires_grad]
        groups.append({"params": [p for p in trained if p.ndim > 1], "rate": lr, "weight_decay": 0.05})
        groups.append({"params": [p for p in trained if p.ndim == 1], "rate": lr, "weight_decay": 0.0})
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8, fused=True)
    warmup = 0.25 * steps
    sampler = LengthBuckets(fixture.train.lengths, batch=8, max_tokens=16384, seed=SEED)
    batches = [rows for epoch in range(9) for rows in sampler.epoch(epoch)][:steps]
    targets = torch.from_numpy(fixture.train.targets["label"])

    torch.manual_seed(SEED)
    network.train()
    for step, rows in enumerate(batches):
        inputs = encoder.collate(fixture.train.inputs["text"].rows(rows))
        loss = F.cross_entropy(head.of_rows(encoder(inputs)), targets[rows], reduction="none").sum() / len(rows)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], 1.0)
        factor = (step + 1) / warmup if step < warmup else (steps - step) / (steps - warmup)
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * factor
        optimizer.step()
    return weights(network)


@pytest.mark.parametrize("base", BASES)
def test_no_techniques_is_a_plain_loop(base: str, fixtures: Worlds):
    fixture = fixtures(base)
    _, fitted = fixture.fit(keep="last", steps=12)
    assert not same(weights(fitted.network), weights(fixture.network))
    assert same(weights(fitted.network), train_by_hand(fixture, 12))

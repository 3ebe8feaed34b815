"""4. The order of the list changes nothing, and no technique changes what another one draws."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from conformance.table import COMBINATIONS, ELSEWHERE, techniques
from graftwork.core.checkpoint import Checkpointing, read
from graftwork.core.technique import Technique
from graftwork.techniques import EMA, SAM, BalancedSampling, Consistency, LabelSmoothing, LoRA, Mixup
from tinyrun import World, Worlds, same, weights


@pytest.mark.parametrize(("base", "names"), [*(("transformer", names) for names in COMBINATIONS), *ELSEWHERE])
def test_order_of_the_list_changes_nothing(base: str, names: tuple[str, ...], worlds: Worlds):
    world = worlds(base, "classes", True)
    listed = techniques(names)
    run, first = world.fit(listed)
    for seed in range(2):
        shuffled = random.Random(seed).sample(listed, len(listed))
        again, second = world.fit(shuffled)
        assert again.plan == run.plan
        assert same(weights(first.network), weights(second.network))
        assert first.history == second.history


def streams(world: World, listed: Sequence[Technique], folder: Path) -> dict[str, torch.Tensor]:
    """Every random stream as it stands at the end of a run, by name; "torch" is the one of the network's dropout."""
    kept = Checkpointing(folder, "run")
    world.fit(listed, checkpoints=kept)
    found = read(kept)
    assert found is not None
    return found.group("streams")


@pytest.mark.parametrize("more", [Consistency(), LabelSmoothing(), SAM(), EMA(0.9)], ids=lambda t: t.name)
def test_draws_are_a_techniques_own(more: Technique, worlds: Worlds, tmp_path: Path):
    world = worlds("transformer")
    alone = streams(world, [Mixup()], tmp_path / "alone")
    together = streams(world, [Mixup(), more], tmp_path / "together")
    assert set(alone) == {"torch", "mixup.mixing"}
    for name, state in alone.items():
        assert torch.equal(state, together[name]), name


def test_adapters_start_the_same_beside_others(worlds: Worlds):
    lora = LoRA(rank=2, dropout=0.1)
    alone = worlds("transformer").run([lora])
    together = worlds("transformer").run([lora, Mixup(), Consistency(), BalancedSampling()])
    assert same(weights(alone.network), weights(together.network))


def test_the_stream_goes_on_from_step_to_step(worlds: Worlds, tmp_path: Path):
    """A stream that began anew at each step would pass the tests above."""
    two = streams(worlds("cnn"), [Mixup()], tmp_path / "two")
    world = worlds("cnn")
    _, fitted = world.fit([Mixup()], steps=2, checkpoints=Checkpointing(tmp_path / "short", "run"))
    short = read(Checkpointing(tmp_path / "short", "run"))
    assert fitted.steps == 2
    assert short is not None
    assert not torch.equal(two["mixup.mixing"], short.group("streams")["mixup.mixing"])

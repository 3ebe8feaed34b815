"""4. The order of the list changes nothing, and no technique changes what another one draws.

That the order by name within a phase says nothing either is in `test_phases.py`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from conformance.table import COMBINATIONS, ELSEWHERE, techniques
from graftwork.core.technique import Technique
from graftwork.core.training.checkpoint import Checkpointing, read
from graftwork.techniques import EMA, SAM, BalancedSampling, Consistency, LabelSmoothing, LoRA, Mixup
from tinyrun import Fixture, Worlds, same, weights


@pytest.mark.parametrize(("base", "names"), [*(("transformer", names) for names in COMBINATIONS), *ELSEWHERE])
def test_order_of_the_list_changes_nothing(base: str, names: tuple[str, ...], fixtures: Worlds):
    fixture = fixtures(base, "classes", True)
    listed = techniques(names)
    run, first = fixture.fit(listed)
    again, second = fixture.fit(random.Random(0).sample(listed, len(listed)))
    assert again.plan == run.plan
    assert same(weights(first.network), weights(second.network))
    assert first.history == second.history


def streams(fixture: Fixture, listed: Sequence[Technique], folder: Path) -> dict[str, torch.Tensor]:
    """Every random stream as it stands at the end of a run, by name; "torch" is the one of the network's dropout."""
    kept = Checkpointing(folder, "run")
    fixture.fit(listed, checkpoints=kept)
    found = read(kept)
    assert found is not None
    return found.group("streams")


@pytest.mark.parametrize("more", [Consistency(), LabelSmoothing(), SAM(), EMA(0.9)], ids=lambda t: t.name)
def test_draws_are_a_techniques_own(more: Technique, fixtures: Worlds, tmp_path: Path):
    fixture = fixtures("transformer")
    alone = streams(fixture, [Mixup()], tmp_path / "alone")
    together = streams(fixture, [Mixup(), more], tmp_path / "together")
    assert set(alone) == {"torch", "mixup.mixing"}
    for name, state in alone.items():
        assert torch.equal(state, together[name]), name


def test_adapters_start_the_same_beside_others(fixtures: Worlds):
    lora = LoRA(rank=2, dropout=0.1)
    alone = fixtures("transformer").run([lora])
    together = fixtures("transformer").run([lora, Mixup(), Consistency(), BalancedSampling()])
    assert same(weights(alone.network), weights(together.network))


def test_the_stream_goes_on_from_step_to_step(fixtures: Worlds, tmp_path: Path):
    """A stream that began anew at each step would pass the tests above."""
    two = streams(fixtures("cnn"), [Mixup()], tmp_path / "two")
    fixture = fixtures("cnn")
    _, fitted = fixture.fit([Mixup()], steps=2, checkpoints=Checkpointing(tmp_path / "short", "run"))
    short = read(Checkpointing(tmp_path / "short", "run"))
    assert fitted.steps == 2
    assert short is not None
    assert not torch.equal(two["mixup.mixing"], short.group("streams")["mixup.mixing"])

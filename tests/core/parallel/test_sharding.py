"""Two processes that shard the layers of a small Transformer end as two that don't, and go on from a checkpoint."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from graftwork.core.fit import Fitted, fit
from graftwork.core.parallel.sharding import is_sharded
from graftwork.core.parallel.workers import Workers, joined
from graftwork.core.rows.examples import make_batch
from graftwork.core.run import Run
from graftwork.core.technique import Graft, Phase, Setup, Technique
from graftwork.core.training.checkpoint import Checkpointing, read
from graftwork.core.training.sharded_run import sharded as sharded_run
from graftwork.core.training.timing import affordable_steps
from graftwork.errors import RefusedError
from graftwork.networks.network import Network
from graftwork.networks.text.transformer import TransformerEncoder
from graftwork.techniques import EMA, L2SP, SAM, Full, LabelSmoothing, LoRA, Partial, Probe, WarmStart
from tinyrun import Fixture, Killed, Worlds, kill_at, make_worlds, same, weights
from together import still

SETTINGS: dict[str, Any] = {"steps": 6, "evaluations": 3, "clip": 0.5, "head_lr": 1e-3}
SETS: dict[str, list[Technique]] = {
    "full": [Full()],
    "partial": [Partial(1), WarmStart(l2=1.0), LabelSmoothing(0.1)],
    "lora": [LoRA(rank=1, alpha=4.0)],
    "dora": [LoRA(rank=2, alpha=4.0, dora=True)],
}


def numbers(found: Fitted) -> list[list[float | None]]:
    return [[point.loss for point in found.history], [point.score for point in found.history]]


def close(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> float:
    assert first.keys() == second.keys()
    return max(float((value.float() - second[name].float()).abs().max()) for name, value in first.items())


def held(run: Run, workers: Workers) -> dict[str, Any]:
    """How many numbers of what is sharded each worker holds, and of what is given away the run's own network."""
    made = sharded_run(run)
    parts = {name: value for name, value in made.network.named_parameters() if is_sharded(value)}
    own = dict(run.network.named_parameters())
    mine = sum(value.to_local().numel() for value in parts.values())
    return {
        "whole": sum(value.numel() for value in parts.values()),
        "each": workers.gather(np.array([mine])).tolist(),
        "left": sum(own[name].numel() for name in parts),
        "shared": all(own[name] is value for name, value in made.network.named_parameters() if name not in parts),
    }


def resumed(fixture: Fixture, names: Sequence[Technique], workers: Workers, folder: Path) -> tuple[Fitted, bool]:
    """A sharded fit that was killed and went on; and whether its checkpoint held whole tensors."""
    kept, asked = Checkpointing(folder, "run", seconds=0.0), {**SETTINGS, "sharded": True}
    with pytest.raises(Killed):
        fixture.fit(names, workers=workers, observers=[kill_at(4)], checkpoints=kept, **asked)
    run, whole = fixture.run(names, workers=workers, **asked), True
    if workers.leads:
        found, parameters = read(kept), dict(run.network.named_parameters())
        assert found is not None
        of_network = found.group("network")
        trained = [name for name, value in parameters.items() if value.requires_grad]
        whole = all(of_network[name].shape == parameters[name].shape for name in trained)
        moments = sorted(value.numel() for name, value in found.group("optimizer").items() if "exp_avg_sq" in name)
        whole &= moments == sorted(parameters[name].numel() for name in trained)
    again = dataclasses.replace(kept, resume=True)
    return fit(run, checkpoints=again), whole


def told(fixture: Fixture, name: str, workers: Workers, folder: Path) -> dict[str, Any]:
    """What became of a fit that is sharded, of one that is not, and of one that was killed and went on."""
    names, asked = SETS[name], {**SETTINGS, "sharded": True}
    run = fixture.run(names, workers=workers, **asked)
    before = weights(run.network)
    affordable_steps(run, None, workers.clock(time.monotonic))
    untouched = same(weights(run.network), before)
    plain = fixture.fit(names, workers=workers, **SETTINGS)[1]
    sharded = fixture.fit(names, workers=workers, **asked)[1]
    after, whole = resumed(fixture, names, workers, folder / name)
    return {
        "plain": numbers(plain),
        "sharded": numbers(sharded),
        "resumed": numbers(after),
        "same": same(weights(after.network), weights(sharded.network)),
        "plainly": not any(map(is_sharded, sharded.network.state_dict().values())),
        "untouched": untouched,
        "checkpoint": whole,
        **held(run, workers),
    }


@pytest.mark.slow
def test_sharded_layers_learn_as_whole_ones(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    found_by = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([*command, __file__, str(tmp_path)], check=True, timeout=900, env=found_by)
    for name in SETS:
        first, second = (json.loads((tmp_path / f"{name}-{index}.json").read_text()) for index in range(2))
        assert first == second
        for kind in ("sharded", "resumed"):
            for found, expected in zip(first[kind], first["plain"], strict=True):
                assert found == pytest.approx(expected, abs=1e-5), (name, kind)
        assert first["resumed"] == first["sharded"]
        assert all(first[one] for one in ("same", "plainly", "untouched", "checkpoint", "shared")), (name, first)
        assert sum(first["each"]) == first["whole"] > 5000
        assert max(first["each"]) < 0.6 * first["whole"]
        assert first["left"] == 0


def test_a_plan_of_what_can_t_be_sharded_is_refused(fixtures: Worlds) -> None:
    two = Workers(0, 2)
    asked: dict[str, Any] = {"sharded": True, "started": False}
    for technique in (EMA(0.5), SAM(0.1), L2SP(0.1)):
        with pytest.raises(RefusedError, match=f"{technique.name} can't run with sharded: it .* leave out sharded"):
            fixtures("transformer").run([technique], workers=two, **asked)
    with pytest.raises(RefusedError, match=r"ours can't run with sharded: it has a stage after_step, and does not say"):
        fixtures("transformer").run([Ours()], workers=two, **asked)
    for base in ("cnn", "rnn"):
        with pytest.raises(RefusedError, match=r"has none that can be split. Leave out sharded, or use such a base"):
            fixtures(base).run([], workers=two, **asked)


@dataclasses.dataclass(frozen=True)
class Ours(Technique):
    """One that acts on weights, and says nothing of who holds them."""

    name: ClassVar[str] = "ours"
    phase: ClassVar[Phase] = Phase.WEIGHTS
    summary: ClassVar[str] = "nothing"

    def attach(self, network: Network, setup: Setup) -> Graft:  # noqa: ARG002
        return Graft(after_step=lambda _: None)


def test_one_process_says_that_nothing_is_sharded(fixtures: Worlds) -> None:
    """And has the bits of a run that was not asked to."""
    fixture = fixtures("transformer")
    (run, asked), (_, plain) = (fixture.fit([Partial(1)], sharded=one, **SETTINGS) for one in (True, False))
    assert same(weights(asked.network), weights(plain.network))
    assert asked.history == plain.history
    assert "sharded says nothing here: one process holds all. Add --workers" in run.plan.notes


def test_nothing_is_sharded_of_a_base_that_stays_as_it_is(fixtures: Worlds) -> None:
    run = fixtures("transformer").run([Probe()], workers=Workers(0, 2), started=False, sharded=True)
    assert "sharded says nothing here: nothing of the base is trained" in run.plan.notes


def test_a_base_in_which_workers_meet_runs_whatever_rows_there_are(fixtures: Worlds) -> None:
    """In validation as well, where one that does not meet anybody is left out where no row has its input."""
    fixture = fixtures("mixed")
    network = copy.deepcopy(fixture.network).eval()
    encoder, calls = network.encoder("photo"), list[int]()
    encoder.register_forward_hook(lambda *_: calls.append(1))
    lacking = np.flatnonzero(~fixture.train.present["photo"])[:3]
    batch = make_batch(fixture.train, network, lacking, {})
    with torch.no_grad():
        before = network.features(batch).rows
        assert calls == []
        encoder.meets = True
        after = network.features(batch).rows
    assert calls == [1]
    assert torch.equal(before, after)


def test_a_batch_of_unequal_texts_is_one_pass_where_workers_meet(fixtures: Worlds) -> None:
    network = still(fixtures("transformer")).network.eval()
    encoder = network.encoder("text")
    assert isinstance(encoder, TransformerEncoder)
    rows = [np.arange(4, 6, dtype=np.int32)] * 30 + [np.arange(4, 24, dtype=np.int32)] * 2
    inputs, calls = encoder.collate(rows), list[int]()
    encoder.layers_apart()[0].register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        parted = encoder(inputs)
        assert len(calls) > 1
        calls.clear()
        encoder.meets = True
        at_once = encoder(inputs)
    assert calls == [1]
    torch.testing.assert_close(at_once, parted)


def _main(folder: Path) -> None:
    # Before the workers have joined: transformers writes a model at the first of them only.
    fixture = still(make_worlds(folder / f"world-{os.environ['RANK']}")("transformer", "classes", False))
    with joined() as workers:
        for name in SETS:
            found = told(fixture, name, workers, folder)
            (folder / f"{name}-{workers.index}.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    _main(Path(sys.argv[1]))

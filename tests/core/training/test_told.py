from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from graftwork.core.fit import fit
from graftwork.core.technique import Graft, Phase, Setup, Technique, Term, Terms
from graftwork.core.training.checkpoint import Checkpointing
from graftwork.core.training.told import Told, told_of
from graftwork.data.batch import Batch
from graftwork.networks.network import Network, Output
from tinyrun import Worlds


@dataclass(frozen=True)
class Counts(Technique):
    """Adds a term without weight that says how far the run is."""

    name: ClassVar[str] = "counts"
    phase: ClassVar[Phase] = Phase.VIEWS
    summary: ClassVar[str] = "a fake"

    def attach(self, network: Network, setup: Setup) -> Graft:
        assert network.targets == tuple(setup.tasks)

        def losses(batch: Batch, _output: Output) -> Terms:
            return {"progress": Term(torch.tensor(batch.progress), 1.0, 0.0)}

        return Graft(losses=losses, told=("progress", "never"))


def test_points_are_means_over_as_many_steps():
    told = Told(("a",), 2)
    for step in range(1, 6):
        told.measured(step, {"a": step / 2, "b": 1.0})
    assert told.curves() == {"a": ((2, 0.75), (4, 1.75), (5, 2.5))}


@pytest.mark.parametrize(("steps", "every"), [(0, 1), (1, 1), (50, 1), (51, 2), (1000, 20)])
def test_a_curve_has_fifty_points_at_most(steps: int, every: int):
    assert told_of(("a",), steps).every == every


def test_a_resumed_run_tells_the_same(fixtures: Worlds, tmp_path: Path):
    fixture = fixtures("rnn")
    run, whole = fixture.fit([Counts()], steps=6)
    assert whole.told == {"progress": tuple((step + 1, pytest.approx(step / 6)) for step in range(6))}
    fit(fixture.run([Counts()], steps=6), checkpoints=Checkpointing(tmp_path, "one"), until=3)
    again = fit(fixture.run([Counts()], steps=6), checkpoints=Checkpointing(tmp_path, "one", resume=True))
    assert again.told == whole.told
    assert run.stages.told == ("progress", "never")


def test_a_run_without_it_tells_nothing(fixtures: Worlds):
    assert fixtures("rnn").fit([], steps=1)[1].told == {}

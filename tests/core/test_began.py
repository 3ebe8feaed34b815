"""What a technique computes from the training rows before the first step reaches it in its steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from graftwork.core.technique import Graft, Phase, Setup, Technique
from graftwork.core.training.checkpoint import Checkpointing
from graftwork.networks.network import Network
from tinyrun import Killed, Worlds, kill_at


@dataclass(frozen=True)
class Measures(Technique):
    """Gives the features of the rows, and keeps what `attach` finds."""

    found: list[Mapping[str, np.ndarray]] = field(default_factory=list, compare=False)
    name: ClassVar[str] = "measures"
    phase: ClassVar[Phase] = Phase.VIEWS
    summary: ClassVar[str] = "a fake"

    def start(self, network: Network, setup: Setup) -> Mapping[str, np.ndarray]:
        assert not setup.began
        return {"features": setup.features(network).copy()}

    def attach(self, network: Network, setup: Setup) -> Graft:  # noqa: ARG002
        self.found.append(setup.began)
        return Graft()


def test_what_start_gives_is_found_when_attaching(fixtures: Worlds) -> None:
    fixture, technique = fixtures("rnn"), Measures()
    run = fixture.run([technique])
    assert technique.found[-1]["features"].shape == (len(fixture.train), run.network.width)
    run.with_steps(2)
    assert technique.found[-1]["features"] is technique.found[-2]["features"]


def test_a_plan_has_nothing_yet(fixtures: Worlds) -> None:
    technique = Measures()
    fixtures("rnn").run([technique], started=False)
    assert technique.found
    assert not any(technique.found)


def test_a_resumed_run_finds_the_same(fixtures: Worlds, tmp_path: Path) -> None:
    fixture, technique = fixtures("rnn"), Measures()
    with pytest.raises(Killed):
        fixture.fit([technique], observers=[kill_at(4)], checkpoints=Checkpointing(tmp_path, "run", seconds=0.0))
    fixture.fit([technique], checkpoints=Checkpointing(tmp_path, "run", resume=True, seconds=0.0))
    first, again = (one["features"] for one in (technique.found[0], technique.found[-1]))
    np.testing.assert_array_equal(first, again)

"""Ablations of a technique that does nothing of use: a head begins from other random weights. One with all repeats, one
with a race, which uses the runs of the first.

Heads are solved on features that are computed once. Settings: rows (a csv with text and label), repeats and last: of
the two.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

import graftwork as gw
from graftwork.bases.home import need
from graftwork.extend import TECHNIQUES, Network, Phase, Setup, Technique
from harness.measure import settings_and_answer


@dataclass(frozen=True)
class Placebo(Technique):
    """amount: 0 is off; any other one draws the weights that the head begins from anew."""

    amount: float = 1.0

    name: ClassVar[str] = "placebo"
    phase: ClassVar[Phase] = Phase.FUSION  # before the head is solved
    summary: ClassVar[str] = "does nothing of use"

    @property
    def off(self) -> bool:
        return self.amount == 0.0

    def start(self, network: Network, setup: Setup) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(10_000 + setup.seed)
            for _, head in network.each_head():
                for module in head.modules():
                    if isinstance(module, torch.nn.Linear):
                        module.reset_parameters()


TECHNIQUES[Placebo.name] = Placebo


def main() -> None:
    settings, answer = settings_and_answer()
    base = str(need("minilm"))
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        os.environ["GRAFTWORK_HOME"] = folder  # no run of before is found
        began = time.process_time()
        found = {mode: ablated(base, settings, race=mode == "race") for mode in ("all repeats", "race")}
        cpu = time.process_time() - began
    told = {mode: one.findings[0] for mode, one in found.items()}
    values = {f"value, {mode}": one.value for mode, one in told.items()}
    answer.write_text(json.dumps({mode: one.verdict for mode, one in told.items()} | values | {"cpu": cpu}))


def ablated(base: str, settings: dict[str, Any], *, race: bool) -> gw.Ablation:
    """With the technique, and without it."""
    return gw.ablate(
        settings["rows"],
        target="label",
        inputs=["text"],
        recipe=gw.Recipe(base=base, head="mlp:width=32", techniques=[gw.Probe(), Placebo()]),
        between=["placebo.amount=0+1"],
        repeats=settings["last"] if race else settings["repeats"],
        race=race,
        on_bad_rows="skip",
        verbose=False,
    )


if __name__ == "__main__":
    main()

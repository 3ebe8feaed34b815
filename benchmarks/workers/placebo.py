"""An ablation of a technique that does nothing of use: rows count by a factor around 1 that is drawn at random.

Heads are solved on features that are computed once. Settings: rows (a csv with text and label), repeats, race.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import graftwork as gw
from graftwork.bases.home import need
from graftwork.extend import TECHNIQUES, Phase, Setup, Technique
from harness.measure import settings_and_answer


@dataclass(frozen=True)
class Placebo(Technique):
    """amount: rows count by 1 - amount to 1 + amount; 0 is off."""

    amount: float = 0.5

    name: ClassVar[str] = "placebo"
    phase: ClassVar[Phase] = Phase.LABELS
    summary: ClassVar[str] = "does nothing of use"

    @property
    def off(self) -> bool:
        return self.amount == 0.0

    def importance(self, setup: Setup) -> np.ndarray:
        rows = len(next(iter(setup.labelled.values())))
        draw = np.random.default_rng(setup.seed)
        return draw.uniform(1 - self.amount, 1 + self.amount, rows).astype(np.float32)


TECHNIQUES[Placebo.name] = Placebo


def main() -> None:
    settings, answer = settings_and_answer()
    base = str(need("minilm"))
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        os.environ["GRAFTWORK_HOME"] = folder  # no run of before is found
        began = time.process_time()
        found = ablated(base, settings)
        cpu = time.process_time() - began
    (one,) = found.findings
    told = {"verdict": one.verdict, "value": one.value, "low": one.low, "high": one.high, "p": one.p}
    answer.write_text(json.dumps({**told, "repeats": one.repeats, "failed": len(found.failed), "cpu": cpu}))


def ablated(base: str, settings: dict[str, Any]) -> gw.Ablation:
    """With the technique, and without it."""
    return gw.ablate(
        settings["rows"],
        target="label",
        inputs=["text"],
        recipe=gw.Recipe(base=base, techniques=[gw.Probe(l2=0.1), Placebo()]),
        between=["placebo.amount=0+0.5"],
        repeats=settings["repeats"],
        race=settings["race"],
        on_bad_rows="skip",
        verbose=False,
    )


if __name__ == "__main__":
    main()

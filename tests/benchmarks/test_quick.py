"""Benchmarks still run: their programs are called by nothing else, and break unseen when the library changes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = (
    "verdicts",
    "choices",
    "startup",
    "step_cost",
    "data_parallel",
    "nodes",
    "technique_cost",
    "domains",
    "distil",
    "merge",
    "busy",
    "pretrain",
    "profiles",
    "coverage",
    "bandit",
    "label_errors",
    "forecast",
    "labelling",
    "strange",
    "forgetting",
    "portfolio",
    "many_rows",
    "tune",
    "tune_planted",
    "rl",
    "reward",
    "predict_workers",
    "scaling",
)
"""Those that need no peer that a developer lacks."""


FETCHED = {
    "speakers": ("ge2e-speaker",),
    "sound_bases": ("whisper-tiny.en",),
    "images": ("efficientnet-lite0",),
    "worlds": ("efficientnet-lite0",),
    "faces": ("faceres",),
    "multilingual": ("multilingual-e5-small",),
}
"""Those that need bases, which were fetched."""


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [*SCRIPTS, *FETCHED])
def test_a_benchmark_runs_with_few_rows(name: str, real_data: Path, real_bases: Callable[..., None]) -> None:
    if name in FETCHED:
        real_bases(*FETCHED[name])
    done = subprocess.run(
        [sys.executable, FOLDER / f"{name}.py", "--quick", "--fresh"],
        env=os.environ | {"GRAFTWORK_DATA": str(real_data)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]

"""5, for real: `graft fit` is killed with SIGKILL, resumed, and leaves the bytes of a run that was never stopped."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from graftwork.core.training.checkpoint import NAME
from tiny import tiny_bert, tiny_rows

STEPS = 240
FIT = ("--with", "mixup", "--with", "consistency", "--with", "ema:decay=0.9", "--with", "lora:rank=2")


def command(folder: Path, out: Path, *more: str) -> list[str]:
    settings = (f"steps={STEPS}", "batch=8", "evaluations=60", "precision=fp32", "lr=1e-3")
    chosen = [part for setting in settings for part in ("--set", setting)]
    base = ("--base", str(folder / "bert"), "--target", "label")
    return [
        sys.executable,
        "-m",
        "graftwork.cli.main",
        "fit",
        str(folder / "train.csv"),
        *base,
        *FIT,
        *chosen,
        "--out",
        str(out),
        *more,
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("kill")
    tiny_bert(made / "bert", num_hidden_layers=2, hidden_size=16, num_attention_heads=2)
    with open(made / "train.csv", "w", newline="") as file:
        csv.writer(file).writerows(
            [("text", "label"), *((f"{text} {row}", topic) for row, (text, topic) in enumerate(tiny_rows(120)))]
        )
    return made


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.slow
def test_kill_minus_9_and_resume(folder: Path):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    whole, killed = folder / "whole", folder / "killed"
    subprocess.run(command(folder, whole), check=True, env=environment, capture_output=True, timeout=300)

    running = subprocess.Popen(
        command(folder, killed), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        step = wait_for_checkpoint(killed, running)
    finally:
        running.kill()
        output = running.communicate(timeout=60)[0]
    assert running.returncode == -signal.SIGKILL, output.decode()
    assert 0 < step < STEPS
    assert not (killed / "model.json").exists()

    refused = subprocess.run(command(folder, killed), env=environment, capture_output=True, text=True, timeout=300)
    assert refused.returncode == 2
    assert "--resume" in refused.stderr
    done = subprocess.run(
        command(folder, killed, "--resume"), env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    first, second = (load_file(out / "weights.safetensors") for out in (whole, killed))
    assert first.keys() == second.keys()
    assert all(first[name].equal(second[name]) for name in first)
    assert scores(whole) == scores(killed)
    assert not (killed / ".work").exists()


def wait_for_checkpoint(out: Path, running: subprocess.Popen[bytes]) -> int:
    """The step of the first checkpoint that is seen."""
    from safetensors import safe_open

    begun = time.monotonic()
    while time.monotonic() - begun < 240 and running.poll() is None:
        found = next(out.glob(f".work/*/{NAME}"), None)
        if found:
            with safe_open(found, framework="pt") as file:
                return int(json.loads(file.metadata()["graftwork"])["step"])
        time.sleep(0.01)
    raise AssertionError(f"no checkpoint in {out}")


def scores(out: Path) -> object:
    return json.loads((out / "model.json").read_text())["temperature"]

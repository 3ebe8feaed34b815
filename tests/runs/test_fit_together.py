"""`fit_data` called by each of two processes of torchrun, with the same arguments: one model, written by the first."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import graftwork as gw
from tiny import tiny_rows

pytestmark = pytest.mark.slow
WORK = """
import json, sys
from graftwork.core.parallel.workers import joined
from graftwork.errors import GraftworkError
from graftwork.runs.fit import fit_data
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.listener import Listener

settings = json.loads(sys.argv[1])

class Heard(Listener):
    def note(self, text):
        said.append(text)

said = []
with joined() as workers:
    told = {}
    try:
        model = fit_data(
            DataArguments(train="rows.csv", target="topic"), "recipe.yaml", out="out", workers=workers,
            listener=Heard(), **settings
        )
        told["probabilities"] = model.predict_proba([{"text": "the cat is here"}])[0].tolist()
        told["reported"] = model.report is not None
    except GraftworkError as error:
        told["error"] = str(error)
    open(f"told-{workers.index}.json", "w").write(json.dumps(told | {"said": said}))
"""


def fit_by(folder: Path, count: int, recipe: str, **settings: object) -> list[dict[str, object]]:
    """What each of the processes says of a fit in this folder."""
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "topic"), *tiny_rows(120)])
    (folder / "recipe.yaml").write_text(textwrap.dedent(recipe), encoding="utf-8")
    (folder / "work.py").write_text(WORK, encoding="utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    done = subprocess.run(
        [*command, "work.py", json.dumps(settings)], cwd=folder, timeout=600, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads((folder / f"told-{index}.json").read_text(encoding="utf-8")) for index in range(count)]


PLAIN = """
    base: gru:width=16
    techniques: [warm-start, ema]
    training: {steps: 12, batch: 16, precision: fp32}
"""


def test_two_processes_make_one_model(tmp_path: Path) -> None:
    first, second = fit_by(tmp_path, 2, PLAIN)
    assert first["probabilities"] == second["probabilities"]
    assert (first["reported"], second["reported"]) == (True, False)
    assert second["said"] == []
    kept = gw.load(tmp_path / "out")
    assert kept.predict_proba([{"text": "the cat is here"}])[0].tolist() == pytest.approx(first["probabilities"])
    assert not (tmp_path / "out" / ".work").exists()


def test_a_budget_is_kept_by_one_clock(tmp_path: Path) -> None:
    first, second = fit_by(tmp_path, 2, "base: gru:width=16", budget=60.0)
    assert first["probabilities"] == second["probabilities"]
    assert gw.load(tmp_path / "out").predict(["the rain"]).shape == (1,)


def test_what_is_refused_is_told_to_all(tmp_path: Path) -> None:
    told = fit_by(tmp_path, 2, PLAIN.replace("ema", "supervised-contrastive"))
    assert told[0]["error"] == told[1]["error"]
    assert "supervised-contrastive can't run with 2 workers" in str(told[0]["error"])
    assert not (tmp_path / "out").exists()

"""Every example runs. The embedded base is replaced by a tiny random one, so that they take seconds."""

from __future__ import annotations

import csv
import importlib.util
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from command import graft
from graftwork.networks.text.bases import MiniLM
from graftwork.techniques import TECHNIQUES
from tiny import tiny_bert

EXAMPLES = Path(__file__).parents[1] / "examples"
SAYS = {
    "classify_sounds": "trill-0.flac is a trill",
    "classify_images": "five of them",
    "augment_images": "crop, 6 views:",
    "classify_text": "model and report: runs/classify_text/report.html",
    "choose_techniques": "refused: supervised-contrastive needs hard_labels, but mixup removes them.",
    "new_classes": "now it knows: digit 6",
    "few_shot": "contrastive: Accuracy",
    "verify_faces": "who is this? (a stranger)",
    "verify_voices": "whose voice is it? (a stranger's)",
    "multilabel": "Micro-F1",
    "several_targets": "projected gradients:",
    "face_attributes": "0.png: glasses ",
    "search_rows": "' answers '",
    "regression": "Mean absolute error",
    "from_scratch_gru": "parameters",
    "distil": "distilled: ",
    "forgetting": "The old task 'label' on 240 rows",
    "merge": "soup of model",
    "classify_table": "FT-Transformer: Accuracy",
    "scikit_learn": "best of the grid",
    "domains": "no camera told, adapted at prediction:",
    "own_technique": "confidence-penalty:",
    "compare_techniques": "+ mixup",
    "ablate": "left out: ",
    "tune": "kept: trial ",
    "fuse_columns": "without the photo:",
    "pairs_of_texts": "joined: ",
    "robustness": "trained under attack:",
    "tag_spans": "Lima: PLACE",
    "quantiles": "coverage of the interval",
    "costs": "Saved by Bayes decisions: ",
    "profile_table": "rows to settle: {'duplicates': 25, 'conflicts': 12, 'overlap': 12}",
    "advise": "to label first:",
    "bandit": "clicks a visit, in truth: 0.4",
    "rollouts": "cloned weighted by what came of it:",
    "reward": "tuned by reward: earns",
    "slices": "where 'carrier' is 'Blitz'",
    "rl": "the pole stood for",
    "several_workers": "two processes and one say the same: True",
}
"""What each prints when it has done its work."""
APART = {"make_sample_data", "resume_after_kill"}
"""Those with a test of their own."""
EVERYDAY = {
    "costs",
    "multilabel",
    "regression",
    "search_rows",
    "tag_spans",
}
"""Those that every run runs; the others take minutes together."""


@pytest.fixture
def tiny_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = str(tiny_bert(tmp_path / "tiny"))
    monkeypatch.setattr(MiniLM, "folder", lambda _: folder)
    monkeypatch.chdir(tmp_path)
    yield
    TECHNIQUES.pop("confidence-penalty", None)  # of the example that adds one


def test_every_example_is_tested_and_listed() -> None:
    files = {path.stem for path in EXAMPLES.glob("*.py")}
    assert files == set(SAYS) | APART
    listing = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert all(f"({name}.py)" in listing for name in files)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in EVERYDAY else [pytest.mark.slow]) for name in SAYS]
)
@pytest.mark.usefixtures("tiny_base")
def test_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert SAYS[name] in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("tiny_base")
def test_sequence() -> None:
    shutil.copytree(EXAMPLES / "data", Path("examples") / "data")
    ran = graft("run", EXAMPLES / "sequence.yaml", "--out", "runs/sequence").works()
    assert "self-trained" in ran.out
    assert Path("runs/sequence/self-trained/report.html").is_file()
    listing = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert "(sequence.yaml)" in listing


@pytest.mark.slow
def test_resume_after_kill() -> None:
    script = EXAMPLES / "resume_after_kill.py"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=500, env=environment)
    assert "same weights as an uninterrupted run: True" in done.stdout, done.stderr


def test_sample_data_are_what_their_script_writes(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_sample_data", EXAMPLES / "make_sample_data.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.main(tmp_path)
    for made in tmp_path.iterdir():
        kept = EXAMPLES / "data" / made.name
        assert made.read_bytes() == kept.read_bytes(), f"{made.name} is stale: run examples/make_sample_data.py"


def test_sample_data_have_something_to_warn_of() -> None:
    from graftwork.data.load import load, load_like
    from graftwork.data.quality import compare

    train = load(EXAMPLES / "data" / "train.csv", target="label").table
    test = load_like(EXAMPLES / "data" / "test.csv", train.schema, with_target=True).table
    assert len(compare.overlap(train, test).pairs)
    assert compare.conflicts(train, "label").texts
    with open(EXAMPLES / "data" / "train.csv", encoding="utf-8", newline="") as file:
        assert len({row["label"] for row in csv.DictReader(file)}) == 8
    assert sum(path.stat().st_size for path in (EXAMPLES / "data").iterdir()) < 200_000

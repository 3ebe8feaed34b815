"""7. A saved model loads in a fresh process, offline and without pickle, and predicts the same bits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from conformance.table import COMBINATIONS, techniques
from graftwork.model import Model, load
from graftwork.recipe import Recipe
from tiny import tiny_texts
from tinyrun import Worlds

SETS = (
    ("transformer", "classes", COMBINATIONS[0]),
    ("transformer", "many", ("probe",)),
    ("transformer", "number", ("ema", "partial")),
    ("rnn", "classes", COMBINATIONS[1]),
    ("rnn", "number", ()),
    ("cnn", "classes", ("lora", "mixup")),
    ("cnn", "many", ("ema", "warm-start", "label-smoothing")),
)

FRESH = """
import pickle, sys, socket
from pathlib import Path
import torch

def refuse(*args, **kwargs):
    raise AssertionError("pickle or the network was used")

class Unpickler(pickle._Unpickler):
    __init__ = refuse

pickle.load = pickle.loads = torch.load = refuse
pickle.Unpickler = pickle._Unpickler = Unpickler
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
torch.set_num_threads(1)

import numpy as np
from graftwork.model import Model, load
from tiny import tiny_texts

for folder in sys.argv[1:]:
    np.save(Path(folder).with_suffix(".npy"), load(folder).predict_proba(tiny_texts(33)))
"""


@pytest.fixture(scope="module")
def saved(fixtures: Worlds, tmp_path_factory: pytest.TempPathFactory) -> dict[Path, np.ndarray]:
    """Folders of saved models, and the probabilities that a fresh process gives for `tiny_texts`."""
    folders = []
    for index, (base, task, names) in enumerate(SETS):
        fixture = fixtures(base, task)
        run, fitted = fixture.fit(techniques(names))
        recipe = Recipe(base=fixture.spec, techniques=run.techniques)
        model = Model(recipe, fixture.schema, run.stages.fold(fitted.network), fixture.tasks, {"label": 1.5})
        folder = tmp_path_factory.mktemp("models") / f"model-{index}"
        np.save(folder.with_suffix(".here.npy"), model.predict_proba(tiny_texts(33)))
        model.save(folder)
        folders.append(folder)
    tests = str(Path(__file__).parents[1])
    offline = {"HF_HUB_OFFLINE": "1", "PYTHONPATH": tests, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", "-c", FRESH, *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | offline, timeout=300)
    assert done.returncode == 0, done.stderr
    return {folder: np.load(folder.with_suffix(".npy")) for folder in folders}


@pytest.mark.slow
@pytest.mark.parametrize("index", range(len(SETS)), ids=lambda index: f"{SETS[index][0]}-{SETS[index][1]}")
def test_a_fresh_process_predicts_the_same_bits(index: int, saved: dict[Path, np.ndarray]):
    folder, there = list(saved.items())[index]
    here = np.load(folder.with_suffix(".here.npy"))
    assert here.shape[0] == 33
    assert np.isfinite(here).all()
    assert np.array_equal(here, there)
    assert np.array_equal(load(folder).predict_proba(tiny_texts(33)), there)


@pytest.mark.slow
def test_the_files_are_plain(saved: dict[Path, np.ndarray]):
    for folder in saved:
        endings = {path.suffix for path in folder.rglob("*") if path.is_file()}
        assert endings <= {".json", ".safetensors", ".yaml", ".txt", ".model"}, endings

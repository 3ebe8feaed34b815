"""A damaged checkpoint or working folder: the run goes on to the same weights, or says in words why it can't."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

import graftwork as gw
from fuzz.examine import examine
from fuzz.killing import forked
from fuzz.mutations import damaged
from tiny import tiny_bert, tiny_rows


@pytest.mark.slow
def test_damaged_working_folders(tmp_path: Path) -> None:
    base = tiny_bert(tmp_path / "base")
    texts, labels = map(list, zip(*tiny_rows(40), strict=True))
    training = gw.Training(steps=6, batch=8, evaluations=3, precision="fp32")
    recipe = gw.Recipe(base=str(base), techniques=[gw.EMA()], training=training)
    killed, out = tmp_path / "killed", tmp_path / "out"

    def run(folder: Path, resume: bool = False) -> None:
        gw.fit({"text": texts, "label": labels}, target="label", recipe=recipe, out=folder, resume=resume)

    count = forked(lambda: run(tmp_path / "whole"), None, tmp_path)
    expected = load_file(tmp_path / "whole" / "weights.safetensors")
    for place in range(count):  # killed where a checkpoint is there
        shutil.rmtree(killed, ignore_errors=True)
        if forked(lambda: run(killed), place, tmp_path) == -1 and list(killed.glob(".work/*/*.safetensors")):
            break
    files = sorted(path.relative_to(killed) for path in killed.rglob("*") if path.is_file())
    assert files, "there is no checkpoint"

    def act(seed: int) -> None:
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(killed, out)
        draw = random.Random(seed)
        path = out / draw.choice(files)
        content = path.read_bytes()
        path.write_bytes(draw.choice((b"", b"\0" * len(content), damaged(content, seed), damaged(content, seed + 1))))
        run(out, resume=True)
        found = load_file(out / "weights.safetensors")
        assert all(found[name].equal(expected[name]) for name in expected), "other weights, without a word"

    examine(act).holds()


pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

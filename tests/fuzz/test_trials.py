"""The folder of a trial, damaged anywhere or left by a kill at any moment: the trial ends as if nothing had been."""

from __future__ import annotations

import random
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

import graftwork as gw
from fuzz.examine import examine
from fuzz.killing import forked, places
from fuzz.mutations import damaged
from graftwork.evidence.tune.trials import Trial
from graftwork.runs.tune.judged import Judged, judged_rows
from graftwork.runs.tune.trials.run import TrialRunner
from jobs import job_of
from tiny import tiny_bert, tiny_rows

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
Made = tuple[Judged, gw.Recipe]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    base = tiny_bert(tmp_path_factory.mktemp("base") / "bert")
    training = gw.Training(steps=6, batch=16, evaluations=1, precision="fp32")
    recipe = gw.Recipe(base=str(base), techniques=[gw.EMA(0.9)], training=training)
    texts, labels = map(list, zip(*tiny_rows(90), strict=True))
    return judged_rows(job_of({"text": texts, "label": labels}, recipe, target="label"), recipe, 1), recipe


def go_on(folder: Path, made: Made, until: int) -> tuple[Trial, np.ndarray]:
    """From whatever is known of the trial; and what it predicts."""
    judged, recipe = made
    runner = TrialRunner(judged, lambda steps: {0: 2, 1: 4, 2: steps}, folder)
    trial = runner.known(0) or Trial(0, "tried", "searched", "paused", recipe.to_dict())
    return runner.run(trial, recipe, until), np.asarray(runner.predictions(0)["label"])


def ends_alike(folder: Path, made: Made, whole: tuple[Trial, np.ndarray]) -> None:
    done, predicted = go_on(folder, made, 2)
    assert (done.state, done.rungs) == ("finished", whole[0].rungs)
    assert np.array_equal(predicted, whole[1])


@pytest.mark.slow
def test_damaged_folders_of_trials(made: Made, tmp_path: Path) -> None:
    whole, begun, out = go_on(tmp_path / "whole", made, 2), tmp_path / "begun", tmp_path / "out"
    go_on(begun, made, 0)
    files = sorted(path.relative_to(begun) for path in begun.rglob("*") if path.is_file())
    assert len(files) == 4  # the trial, its predictions, its checkpoint, its steps

    def act(seed: int) -> None:
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(begun, out)
        draw = random.Random(seed)
        path = out / draw.choice(files)
        content = path.read_bytes()
        path.write_bytes(draw.choice((b"", b"\0" * len(content), damaged(content, seed), damaged(content, seed + 1))))
        ends_alike(out, made, whole)

    examine(act).holds()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_killed_trials_go_on(made: Made, tmp_path: Path) -> None:
    whole, out = go_on(tmp_path / "whole", made, 2), tmp_path / "out"

    def steps(folder: Path) -> None:
        for until in (0, 1, 2):
            go_on(folder, made, until)

    for place in places(forked(lambda: steps(tmp_path / "counted"), None, tmp_path)):
        shutil.rmtree(out, ignore_errors=True)
        assert forked(lambda: steps(out), place, tmp_path) == -1
        ends_alike(out, made, whole)
        left = [path for path in out.rglob(".*") if path.is_file()]
        assert not left, f"killed before change {place}: {left}"

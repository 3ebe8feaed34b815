"""graftwork.networks.heads.solving.tree_child: the process in which trees are trained."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from graftwork.errors import NumericalError
from graftwork.networks.heads.solving import tree_child
from graftwork.networks.heads.solving.tree_child import run_worker

SOLVE = """
import numpy as np
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.heads.solving.problem import Problem
from graftwork.tasks.regression import Regression
features = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
head = RowHead(3, 1, "boosting:rounds=5,seeds=1")
head.solve(Problem(features, features[:, 0], Regression()))
print(len(head.layers[0].value))
"""


def test_it_imports_neither_torch_nor_what_is_slow() -> None:
    """Two OpenMP runtimes in one process crash on macOS."""
    code = (
        "import sys; import graftwork.networks.heads.solving.tree_worker as worker; "
        "from pathlib import Path\ntry:\n    worker.train(Path(sys.argv[1]))\nexcept OSError:\n    pass\n"
        "import lightgbm\nprint([name for name in ('torch', 'pandas', 'sklearn', 'pyarrow') if sys.modules.get(name)])"
    )
    done = subprocess.run([sys.executable, "-c", code, "/nowhere"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_nothing_of_the_folder_in_which_it_is_called_is_imported(tmp_path: Path) -> None:
    for name in ("lightgbm", "numpy", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('this is not yours')")
    place = {**os.environ, "PYTHONPATH": os.path.relpath(Path(tree_child.__file__).parents[4], tmp_path)}
    command = [sys.executable, "-P", "-c", SOLVE]
    done = subprocess.run(command, cwd=tmp_path, env=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use can't be removed there")
def test_it_works_from_a_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = f"{SOLVE}\nimport os; os.rmdir({str(gone)!r})\nhead.solve(Problem(features, features[:, 0], Regression()))"
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=gone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_failure_says_what_the_process_said_last(tmp_path: Path) -> None:
    with pytest.raises(NumericalError, match=r"(?s)LightGBM could not be trained.*job\.json.*--set head=linear"):
        run_worker(tmp_path, lambda: None)


def test_it_is_ended_where_time_is_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Remembered(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *_: object, **__: object) -> None:
            super().__init__([sys.executable, "-c", "import time; time.sleep(60)"], stdin=subprocess.PIPE)
            started.append(self)

    def hurry() -> None:
        if started:
            raise TimeoutError("time is up")

    monkeypatch.setattr(tree_child.subprocess, "Popen", Remembered)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        run_worker(tmp_path, hurry)
    assert time.monotonic() - began < 20
    assert started[0].poll() is not None


def test_it_ends_with_its_caller(tmp_path: Path) -> None:
    """It watches its standard input, which ends where the caller does, however that ends."""
    code = (
        "from graftwork.networks.heads.solving import tree_worker as worker; import time\n"
        "worker.train = lambda folder: time.sleep(60)\nworker.main()"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=30) == 1

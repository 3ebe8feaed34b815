"""pandas is for those who have frames: all else works where it is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from command import QUICK, topics
from tiny import tiny_bert

HIDDEN = """
import importlib.machinery
import sys

class Hidden(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] == "pandas":
            return None
        return super().find_spec(name, path, target)

sys.meta_path[:] = [Hidden if finder is importlib.machinery.PathFinder else finder for finder in sys.meta_path]
"""


def graft(*arguments: str | Path) -> str:
    command = [sys.executable, "-c", f"{HIDDEN}from graftwork.cli.main import main; main()", *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=240, env=os.environ)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.slow
def test_from_a_table_to_predictions(tmp_path: Path) -> None:
    base = tiny_bert(tmp_path / "base", num_hidden_layers=2)
    train, model = topics(tmp_path / "train.csv", 60), tmp_path / "model"
    graft("fit", train, "--target", "label", "--base", base, "--test", train, "--out", model, *QUICK)
    assert (model / "report.html").is_file()
    graft("predict", model, train, "--out", tmp_path / "found.parquet", "--proba")
    assert "accuracy" in graft("evaluate", model, train, "--json")
    assert "mpnet" in graft("bases")


def test_in_python() -> None:
    code = """
import graftwork as gw
rows = {"size": [1.0, 2.0, 3.0, 4.0] * 10, "label": ["a", "b", "a", "b"] * 10}
model = gw.fit(rows, target="label", recipe=gw.Recipe(techniques=[gw.Probe()]))
print(type(model.predict(rows)).__name__)
assert "pandas" not in sys.modules
try:
    gw.Classifier
except gw.GraftworkError as error:
    print(error)
"""
    ran = subprocess.run(
        [sys.executable, "-c", HIDDEN + code], capture_output=True, text=True, timeout=240, env=os.environ
    )
    assert ran.stdout.splitlines()[-2:] == [
        "ndarray",
        "Classifier and Regressor need scikit-learn 1.6 or newer, and pandas. Run: pip install graftwork[sklearn]",
    ], ran.stderr

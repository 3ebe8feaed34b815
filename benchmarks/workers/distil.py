"""A large model, a small one on the labels alone, and the small one that learns from the large one too.

Settings: train, unlabelled, validation, test (files), column, teacher, student (base, techniques, training settings),
with (techniques of the student that learns from the teacher; TEACHER stands for its folder), seed. The answer gives
accuracies on the test rows and CPU seconds of each fit. With repeats (of the predictions that are timed, in turns) it
says instead how many times quicker the student predicts, which does not depend on what the two have learned.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import graftwork as gw
from graftwork.model import Model
from harness.measure import settings_and_answer


def main() -> None:
    given, answer = settings_and_answer()
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        root = Path(folder)
        teacher, spent = fitted(given, given["teacher"], [], root / "teacher", None)
        if "repeats" in given:
            student, _ = fitted(given, given["student"], [], root / "alone", None)
            answer.write_text(json.dumps(timed(teacher, student, given)))
            return
        found: dict[str, Any] = {"teacher": accuracy(teacher, given), "teacher_cpu": spent}
        alone, spent = fitted(given, given["student"], [], root / "alone", None)
        found |= {"alone": accuracy(alone, given), "alone_cpu": spent}
        for name, techniques in given["with"].items():
            named = [one.replace("TEACHER", str(root / "teacher")) for one in techniques]
            student, spent = fitted(given, given["student"], named, root / name, given["unlabelled"])
            found |= {name: accuracy(student, given), f"{name}_cpu": spent}
        answer.write_text(json.dumps(found))


def fitted(
    given: dict[str, Any], settings: dict[str, Any], more: list[str], out: Path, unlabelled: str | None
) -> tuple[Model, float]:
    """The model, and the CPU seconds of the fit."""
    recipe = gw.Recipe(
        base=settings["base"],
        techniques=[*settings["techniques"], *more],
        training=gw.Training(**settings["distilled" if more and "distilled" in settings else "training"]),
        seed=given["seed"],
    )
    tables = {"valid": given["validation"], "unlabelled": unlabelled, "inputs": [given["column"]]}
    began = time.process_time()
    gw.fit(given["train"], target="label", recipe=recipe, out=out, **tables)
    return gw.load(out), time.process_time() - began


def accuracy(model: Model, given: dict[str, Any]) -> float:
    return float(model.evaluate(given["test"]).to_json()["accuracy"]["value"])


def timed(teacher: Model, student: Model, given: dict[str, Any]) -> dict[str, float]:
    """CPU seconds of predicting the test rows, in turns, the first turn not counted: medians and their ratio."""
    seconds: dict[str, list[float]] = {"teacher": [], "student": []}
    for _ in range(given["repeats"] + 1):
        for name, model in (("teacher", teacher), ("student", student)):
            began = time.process_time()
            model.predict_rows(given["test"])
            seconds[name].append(time.process_time() - began)
    medians = {name: float(np.median(values[1:])) for name, values in seconds.items()}
    return {
        "faster": medians["teacher"] / medians["student"],
        **{f"{name}_predicts": value for name, value in medians.items()},
    }


if __name__ == "__main__":
    main()

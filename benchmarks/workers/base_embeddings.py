"""The peer for any input: what frozen bases give of each, side by side, and scikit-learn's logistic regression.

Settings: train, validation, test (files), target, bases (by column), strengths (values of C; the best on validation is
taken). Answer: `cpu`, `wall`, `accuracy`, `C`.
"""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.encoder import Encoder
from harness.clock import Clock
from harness.measure import settings_and_answer
from harness.tuned_sets import read

BATCH = 32


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)
    bases = {column: parse_base(base).build(TrainingRows(), 0).eval() for column, base in settings["bases"].items()}
    train, truth = embedded(bases, read(settings["train"]), settings["target"])
    valid, checked = embedded(bases, read(settings["validation"]), settings["target"])
    scaler = StandardScaler().fit(train)
    heads = [LogisticRegression(C=c, max_iter=1000).fit(scaler.transform(train), truth) for c in settings["strengths"]]
    best = max(heads, key=lambda head: head.score(scaler.transform(valid), checked))
    spent = clock.read()
    tested, right = embedded(bases, read(settings["test"]), settings["target"])
    answer.write_text(json.dumps({**spent, "accuracy": best.score(scaler.transform(tested), right), "C": best.C}))


def embedded(bases: dict[str, Encoder], rows: pa.Table, target: str) -> tuple[np.ndarray, list[str]]:
    """The features of all columns (N, width), and the targets."""
    parts = [features(encoder, rows[column].to_pylist()) for column, encoder in bases.items()]
    return np.hstack(parts), [str(one) for one in rows[target].to_pylist()]


def features(encoder: Encoder, cells: list[object]) -> np.ndarray:
    """(N, width), in batches of like length."""
    rows = encoder.prepare([one["bytes"] if isinstance(one, dict) else one for one in cells])
    order = np.argsort([len(row) for row in rows], kind="stable")
    found = np.zeros((len(rows), encoder.width), np.float32)
    for start in range(0, len(rows), BATCH):
        at = order[start : start + BATCH]
        with torch.inference_mode():
            found[at] = encoder(encoder.collate([rows[row] for row in at])).float().numpy()
    return found


if __name__ == "__main__":
    main()

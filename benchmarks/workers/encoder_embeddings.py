"""The peer for bases that transformers does not have: features of the frozen base, and scikit-learn's regression.

Settings: train, validation, test (parquet files with `image`), target (column), base (spec, its size named), strengths
(values of C; the best on validation is taken). Answer: `cpu`, `accuracy`, `C`.
"""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.encoder import Encoder
from harness.clock import Clock
from harness.measure import settings_and_answer

BATCH = 64


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)
    encoder = parse_base(settings["base"]).build(TrainingRows(), 0).eval()
    train, truth = embedded(encoder, settings["train"], settings["target"])
    valid, checked = embedded(encoder, settings["validation"], settings["target"])
    scaler = StandardScaler().fit(train)
    heads = [
        LogisticRegression(C=strength, max_iter=1000).fit(scaler.transform(train), truth)
        for strength in settings["strengths"]
    ]
    best = max(heads, key=lambda head: head.score(scaler.transform(valid), checked))
    spent = clock.read()
    tested, right = embedded(encoder, settings["test"], settings["target"])
    answer.write_text(json.dumps({**spent, "accuracy": best.score(scaler.transform(tested), right), "C": best.C}))


def embedded(encoder: Encoder, path: str, target: str) -> tuple[np.ndarray, list[str]]:
    """The features of the images (N, width), and the targets."""
    rows = pq.read_table(path, columns=["image", target])
    found = []
    for start in range(0, len(rows), BATCH):
        cells = rows.column("image").slice(start, BATCH).to_pylist()
        values = [cell["bytes"] if isinstance(cell, dict) else cell for cell in cells]
        with torch.inference_mode():
            found.append(encoder(encoder.collate(encoder.prepare(values))).numpy())
    return np.concatenate(found), rows.column(target).to_pylist()


if __name__ == "__main__":
    main()

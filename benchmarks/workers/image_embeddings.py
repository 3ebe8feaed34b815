"""The peer: features of an image model, as its own processor prepares the images, and scikit-learn's regression.

Settings: train, validation, test (parquet files), weights (folder), size (pixels a side).
"""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pyarrow.parquet as pq
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from transformers import AutoImageProcessor, AutoModel

from harness.clock import Clock
from harness.measure import settings_and_answer

BATCH, STRENGTH = 64, 0.01


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)
    side = {"height": settings["size"], "width": settings["size"]}
    processor = AutoImageProcessor.from_pretrained(
        settings["weights"], backend="pil", size={"shortest_edge": settings["size"]}, crop_size=side
    )
    model = AutoModel.from_pretrained(settings["weights"]).eval()
    features, labels = embed(model, processor, settings["train"])
    head = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=1000)).fit(features, labels)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        joblib.dump(head, Path(folder) / "head.joblib")
        spent = clock.read()
    accuracy = head.score(*embed(model, processor, settings["test"]))
    answer.write_text(json.dumps({**spent, "accuracy": accuracy}))


def embed(model: Any, processor: Any, path: str) -> tuple[np.ndarray, list[str]]:
    rows = pq.read_table(path)
    found = []
    for start in range(0, len(rows), BATCH):
        cells = rows.column("image").slice(start, BATCH).to_pylist()
        images = [
            Image.open(io.BytesIO(cell["bytes"] if isinstance(cell, dict) else cell)).convert("RGB") for cell in cells
        ]
        with torch.inference_mode():
            found.append(model(**processor(images=images, return_tensors="pt")).pooler_output.flatten(1).numpy())
    return np.concatenate(found), rows.column("label").to_pylist()


if __name__ == "__main__":
    main()

"""The peer: embeddings of names and photos, one-hot columns, side by side, and scikit-learn's logistic regression.

Settings: train, validation, test (files), name (folder of the base for names), photo (that for photos), size (pixels a
side), strengths (values of C; the best on validation is taken). Answer: `cpu`, `accuracy`, `right`, `C`.
"""

from __future__ import annotations

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image
from sentence_transformers import SentenceTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from transformers import AutoImageProcessor, AutoModel

from harness.clock import Clock
from harness.measure import settings_and_answer
from workers.fashion import NAME, PHOTO, TABLE, TARGET

BATCH = 64


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)
    names = SentenceTransformer(settings["name"], device="cpu")
    processor = AutoImageProcessor.from_pretrained(settings["photo"], backend="pil")
    photos, size = AutoModel.from_pretrained(settings["photo"]).eval(), settings["size"]
    processor.size, processor.crop_size = {"shortest_edge": size}, {"height": size, "width": size}
    parts = {part: pq.read_table(settings[part]) for part in ("train", "validation", "test")}
    columns = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(_columns(parts["train"]))
    features = {
        part: np.hstack(
            [
                names.encode(table[NAME].to_pylist(), show_progress_bar=False),
                photo_features(table, processor, photos),
                columns.transform(_columns(table)),
            ]
        )
        for part, table in parts.items()
    }
    scaler = StandardScaler().fit(features["train"])
    scaled = {part: scaler.transform(values) for part, values in features.items()}
    truth = {part: np.asarray(table[TARGET].to_pylist()) for part, table in parts.items()}
    heads = [
        LogisticRegression(C=strength, max_iter=1000).fit(scaled["train"], truth["train"])
        for strength in settings["strengths"]
    ]
    best = max(heads, key=lambda head: head.score(scaled["validation"], truth["validation"]))
    right = best.predict(scaled["test"]) == truth["test"]
    spent = clock.read()
    bits = "".join("01"[int(each)] for each in right)
    answer.write_text(json.dumps({**spent, "accuracy": float(right.mean()), "right": bits, "C": best.C}))


def _columns(table: pa.Table) -> np.ndarray:
    return np.array([table[name].to_pylist() for name in TABLE], dtype=object).T.astype(str)


def photo_features(table: pa.Table, processor: object, model: torch.nn.Module) -> np.ndarray:
    rows = []
    encoded = table[PHOTO].to_pylist()
    for start in range(0, len(encoded), BATCH):
        images = [Image.open(io.BytesIO(each)).convert("RGB") for each in encoded[start : start + BATCH]]
        pixels = processor(images=images, return_tensors="pt")["pixel_values"]  # type: ignore[operator]
        with torch.inference_mode():
            rows.append(model(pixel_values=pixels).last_hidden_state.mean((2, 3)).numpy())
    return np.concatenate(rows)


if __name__ == "__main__":
    main()

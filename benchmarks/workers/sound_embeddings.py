"""The peer: embeddings of YAMNet's network over patches of 0.96 seconds, their mean, and scikit-learn's regression.

Settings: train, validation, test (parquet files), target, weights (folder).
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from transformers import AutoModel

from harness.clock import Clock
from harness.measure import settings_and_answer
from workers.sounds import log_mel, read

FRAMES, HOP = 96, 48
STRENGTHS = (0.001, 0.01, 0.1, 1.0)


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)
    model = AutoModel.from_pretrained(settings["weights"]).eval()
    train, held = (embed(model, settings[part], settings["target"]) for part in ("train", "validation"))
    heads = [make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000)).fit(*train) for c in STRENGTHS]
    head = max(heads, key=lambda one: one.score(*held))
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        joblib.dump(head, Path(folder) / "head.joblib")
        spent = clock.read()
    answer.write_text(
        json.dumps({**spent, "accuracy": head.score(*embed(model, settings["test"], settings["target"]))})
    )


def embed(model: Any, path: str, target: str) -> tuple[np.ndarray, list[str]]:
    waves, labels = read(path, target)
    found = []
    for wave in waves:
        hops = max(0, -(-(len(wave) - 15600) // 7680))
        mel = log_mel(np.pad(wave, (0, max(0, 15600 + 7680 * hops - len(wave)))))
        patches = np.stack([mel[at : at + FRAMES] for at in range(0, len(mel) - FRAMES + 1, HOP)])
        with torch.inference_mode():
            found.append(model(torch.from_numpy(patches)[:, None]).pooler_output.mean(0).numpy())
    return np.stack(found), labels


if __name__ == "__main__":
    main()

"""The peer: what a frozen base gives for each sound, and scikit-learn's regression.

Settings: train, validation, test (parquet files), target, base.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import joblib
import numpy as np
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from harness.clock import Clock
from harness.measure import settings_and_answer
from workers.sound_features import features

STRENGTHS = (0.001, 0.01, 0.1, 1.0)


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)

    def read(part: str) -> tuple[np.ndarray, list[str]]:
        rows = pq.read_table(settings[part])
        clips = [one["bytes"] if isinstance(one, dict) else one for one in rows.column("audio").to_pylist()]
        return features(settings["base"], clips), [str(one) for one in rows.column(settings["target"]).to_pylist()]

    train, held = read("train"), read("validation")
    heads = [make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000)).fit(*train) for c in STRENGTHS]
    head = max(heads, key=lambda one: one.score(*held))
    with tempfile.TemporaryDirectory() as folder:
        joblib.dump(head, Path(folder) / "head.joblib")
        spent = clock.read()
    answer.write_text(json.dumps({**spent, "accuracy": head.score(*read("test"))}))


if __name__ == "__main__":
    main()

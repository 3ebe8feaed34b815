"""The peer: sentence embeddings and scikit-learn's logistic regression, from csv files to a saved model.

Settings: train, validation, test (files), base (folder), share (of the training rows, drawn with `seed`), strengths
(values of C; with several, the best on validation is taken), prompt (read before each text; none where it is left out).
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import joblib
import numpy as np
from sentence_transformers import SentenceTransformer
from sklearn.linear_model import LogisticRegression

from harness import data
from harness.clock import Clock
from harness.measure import settings_and_answer


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)
    train = data.read(Path(settings["train"]))
    keep = np.random.default_rng(settings["seed"]).permutation(len(train))[: round(settings["share"] * len(train))]
    rows = [train[at] for at in np.sort(keep)]
    encoder = SentenceTransformer(settings["base"], device="cpu")
    prompt = settings.get("prompt", "")
    features = embed(encoder, rows, prompt)
    held = data.read(Path(settings["validation"])) if len(settings["strengths"]) > 1 else []
    head = fit(features, rows, embed(encoder, held, prompt) if held else None, held, settings["strengths"])
    with tempfile.TemporaryDirectory() as folder:
        encoder.save(folder)
        joblib.dump(head, Path(folder) / "head.joblib")
        spent = clock.read()
    test = data.read(Path(settings["test"]))
    answer.write_text(
        json.dumps({**spent, "accuracy": head.score(embed(encoder, test, prompt), labels(test)), "C": head.C})
    )


def embed(encoder: SentenceTransformer, rows: list[data.Row], prompt: str) -> np.ndarray:
    texts = [prompt + row["text"] for row in rows]
    return encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False)


def labels(rows: list[data.Row]) -> list[str]:
    return [row["label"] for row in rows]


def fit(
    features: np.ndarray,
    rows: list[data.Row],
    held_features: np.ndarray | None,
    held: list[data.Row],
    strengths: list[float],
) -> LogisticRegression:
    heads = [LogisticRegression(C=strength, max_iter=1000).fit(features, labels(rows)) for strength in strengths]
    return max(heads, key=lambda head: head.score(held_features, labels(held))) if held else heads[0]


if __name__ == "__main__":
    main()

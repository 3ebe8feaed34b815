"""One method on a few rows a class. What is imported does not count: each method adapts to a toy table first.

Settings: method (ours, embeddings, setfit), train, test (files), base (folder), seed, iterations (of SetFit).
The answer says which test rows were right, as one character a row.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness import data
from harness.clock import Clock
from harness.measure import settings_and_answer

Predict = Callable[[list[str]], Sequence[Any]]
Method = Callable[[list[data.Row], dict[str, Any]], Predict]
TOY = [{"text": f"this is number {row} of the {label} ones", "label": label} for row in range(8) for label in "ab"]


def main() -> None:
    settings, answer = settings_and_answer()
    train, test = (data.read(Path(settings[part])) for part in ("train", "test"))
    rows = [{"text": row["text"], "label": row["label"]} for row in train]
    method = METHODS[settings["method"]]
    method(TOY, settings)(["this is one"])
    clock = Clock()
    predict = method(rows, settings)
    spent = clock.read()
    given = predict([row["text"] for row in test])
    right = [str(value) == row["label"] for value, row in zip(given, test, strict=True)]
    answer.write_text(
        json.dumps({**spent, "accuracy": float(np.mean(right)), "right": "".join("01"[value] for value in right)})
    )


def ours(rows: list[data.Row], settings: dict[str, Any]) -> Predict:
    import graftwork as gw

    model = gw.fit(rows, target="label", recipe=gw.Recipe(seed=settings["seed"]))
    return lambda texts: model.predict(texts).tolist()


def embeddings(rows: list[data.Row], settings: dict[str, Any]) -> Predict:
    from sentence_transformers import SentenceTransformer
    from sklearn.linear_model import LogisticRegression

    encoder = SentenceTransformer(settings["base"], device="cpu")

    def encode(texts: list[str]) -> np.ndarray:
        return encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False)

    head = LogisticRegression(C=16.0, max_iter=1000)
    head.fit(encode([row["text"] for row in rows]), [row["label"] for row in rows])
    return lambda texts: head.predict(encode(texts)).tolist()


def setfit(rows: list[data.Row], settings: dict[str, Any]) -> Predict:
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    model = SetFitModel.from_pretrained(settings["base"], device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            num_iterations=settings["iterations"],
            seed=settings["seed"],
            save_strategy="no",
            show_progress_bar=False,
            report_to="none",
        )
        Trainer(model, arguments, train_dataset=Dataset.from_list(rows)).train()
    return lambda texts: np.asarray(model.predict(texts, show_progress_bar=False)).tolist()


METHODS: dict[str, Method] = {"ours": ours, "embeddings": embeddings, "setfit": setfit}

if __name__ == "__main__":
    main()

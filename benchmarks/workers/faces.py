"""The equal error rate on people never trained on: of a saved model, of the frozen base, and of the base with
scikit-learn's discriminant analysis. Each with the same draws of people, so that methods can be compared draw by draw.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from harness.measure import settings_and_answer

RESAMPLES = 400


def main() -> None:
    settings, answer = settings_and_answer()
    answer.write_text(json.dumps(measured(**settings)), encoding="utf-8")


def measured(method: str, train: str, test: str, base: str, model: str = "") -> dict[str, Any]:
    """method: ours (a saved model in the folder `model`), frozen or lda. train, test: parquet files of one fold."""
    return verified(method, train, test, model, partial(features, base), ("image", "identity"))


def verified(
    method: str,
    train: str,
    test: str,
    model: str,
    features: Callable[[list[bytes]], np.ndarray],
    columns: tuple[str, str],
) -> dict[str, Any]:
    """The same of whatever has identities. features: of a frozen base, (N, width). columns: what is read, and whose."""
    import pyarrow.parquet as pq

    began, (read, identity) = time.process_time(), columns
    known, new = (pq.read_table(path).to_pydict() for path in (train, test))
    if method == "ours":
        from graftwork.model import load

        embeddings = load(model).verifier().embed(new[read])
    else:
        embeddings = features(new[read])
        if method == "lda":
            from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

            solved = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto")
            embeddings = solved.fit(features(known[read]), known[identity]).transform(embeddings)
    spent = time.process_time() - began
    value, draws = scored(np.unique(new[identity], return_inverse=True)[1], embeddings)
    return {"eer": value, "cpu": spent, "draws": draws}


def features(base: str, photos: list[bytes]) -> np.ndarray:
    """The mean of the base's last feature map (N, width), by transformers alone, of the whole photo."""
    import torch
    from PIL import Image
    from transformers import AutoImageProcessor, AutoModel

    process = AutoImageProcessor.from_pretrained(base)
    network = AutoModel.from_pretrained(base, dtype=torch.float32).eval()
    found = []
    for start in range(0, len(photos), 20):
        images = [Image.open(io.BytesIO(photo)).convert("RGB") for photo in photos[start : start + 20]]
        pixels = process(images, size={"height": 224, "width": 224}, do_center_crop=False, return_tensors="pt")
        with torch.inference_mode():
            found.append(network(**pixels).last_hidden_state.mean((2, 3)).numpy())
    return np.concatenate(found)


def scored(identities: np.ndarray, embeddings: np.ndarray) -> tuple[float, list[float]]:
    """The equal error rate by scikit-learn's curve, and that of 400 draws of people."""
    from sklearn.metrics import roc_curve
    from sklearn.metrics.pairwise import cosine_similarity

    first, second = np.triu_indices(len(identities), 1)
    same, scores = identities[first] == identities[second], cosine_similarity(embeddings)[first, second]

    def eer(counts: np.ndarray) -> float:
        one, other = counts[identities[first]], counts[identities[second]]
        weight = np.where(same, one, one * other).astype(float)
        far, tar, _ = roc_curve(same, scores, sample_weight=weight, drop_intermediate=False)
        at = int(np.nanargmin(np.abs(far - (1 - tar))))
        return float((far[at] + 1 - tar[at]) / 2)

    people = int(identities.max()) + 1
    draw = np.random.default_rng(0)
    draws = [eer(np.bincount(draw.integers(people, size=people), minlength=people)) for _ in range(RESAMPLES)]
    return eer(np.ones(people)), draws


if __name__ == "__main__":
    main()

"""The peers: embeddings of photos and names, brought into one space by scikit-learn.

Settings: train, test (files), name (folder of the base for names), photo (that for photos), size (pixels a side),
method ("random": Gaussian random projections; "ridge": names' embeddings predicted from photos; "pls": partial least
squares, PLSSVD). Answer: `cpu`, `forward`, `backward`, `recall` (at 10, mean of both ways).
"""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
from sentence_transformers import SentenceTransformer
from sklearn.cross_decomposition import PLSSVD
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import StandardScaler
from sklearn.random_projection import GaussianRandomProjection
from transformers import AutoImageProcessor, AutoModel

from harness.clock import Clock
from harness.measure import settings_and_answer
from workers.fashion import NAME, PHOTO
from workers.fashion_peer import photo_features

WIDTH, MOST = 128, 10
Space = tuple[np.ndarray, np.ndarray]


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)
    names = SentenceTransformer(settings["name"], device="cpu")
    processor = AutoImageProcessor.from_pretrained(settings["photo"], backend="pil")
    photos, size = AutoModel.from_pretrained(settings["photo"]).eval(), settings["size"]
    processor.size, processor.crop_size = {"shortest_edge": size}, {"height": size, "width": size}
    read = {}
    for part in ("train", "test"):
        rows = pq.read_table(settings[part])
        read[part] = (
            photo_features(rows, processor, photos),
            names.encode(rows[NAME].to_pylist(), show_progress_bar=False),
        )
    spaces = [StandardScaler().fit(side) for side in read["train"]]
    scaled = {
        part: tuple(space.transform(side) for space, side in zip(spaces, sides, strict=True))
        for part, sides in read.items()
    }
    first, second = METHODS[settings["method"]](scaled["train"], scaled["test"])
    spent = clock.read()
    rows = pq.read_table(settings["test"])
    found = recalls(first, second, same_content(rows[PHOTO].to_pylist(), rows[NAME].to_pylist()))
    answer.write_text(json.dumps({**spent, **found}))


def _random(train: Space, test: Space) -> Space:
    first, second = (
        GaussianRandomProjection(WIDTH, random_state=seed).fit(side).transform(rows)
        for seed, (side, rows) in enumerate(zip(train, test, strict=True))
    )
    return first, second


def _ridge(train: Space, test: Space) -> Space:
    model = RidgeCV(alphas=np.logspace(1, 5, 9)).fit(*train)
    return model.predict(test[0]), test[1]


def _pls(train: Space, test: Space) -> Space:
    first, second = PLSSVD(WIDTH, scale=False).fit(*train).transform(*test)
    return first, second


METHODS = {"random": _random, "ridge": _ridge, "pls": _pls}


def same_content(photos: list[bytes], names: list[str]) -> np.ndarray:
    """Which rows share a photo or a name (N, N): those are partners of each other."""
    both = [np.unique(np.array(values, dtype=object), return_inverse=True)[1] for values in (photos, names)]
    shared: np.ndarray = (both[0][:, None] == both[0]) | (both[1][:, None] == both[1])
    return shared


def recalls(first: np.ndarray, second: np.ndarray, partners: np.ndarray) -> dict[str, float]:
    """The share of rows with a partner among the 10 most similar rows of the other side, each way and the mean."""
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (first, second)]
    scores = unit[0] @ unit[1].T
    forward, backward = (
        float(np.take_along_axis(partners, np.argsort(-way, axis=1)[:, :MOST], axis=1).any(axis=1).mean())
        for way in (scores, scores.T)
    )
    return {"forward": forward, "backward": backward, "recall": (forward + backward) / 2}


if __name__ == "__main__":
    main()

"""Kinds of rows that no column names: clusters of their features, or of the words of their texts.

k-means (Lloyd 1982) from k-means++ (Arthur and Vassilvitskii 2007), on rows of length 1. Labels and predictions play no
part in it, so that a cluster may be held against them afterwards.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from graftwork.evidence.slices.partition import Partition

MOST = 10
"""Clusters, at most."""
_ROWS_A_CLUSTER = 60
_LOOKED_AT = 20_000
"""Rows that are divided; of more, so many drawn ones."""
_LEARNED_FROM = 2_000
_PASSES = 15
_WORDS = 3
"""By which a cluster is called."""
_BUCKETS, _WIDTH = 4096, 64
_WORD = re.compile(r"[^\W\d_]{3,}")


def clusters(name: str, features: np.ndarray | None, texts: Sequence[str] | None, seed: int = 0) -> Partition | None:
    """features (N, F); texts: of each row, from whose words clusters get their names, and without features also come.
    None where the rows are too few, or alike."""
    rows = len(features) if features is not None else len(texts or ())
    count = min(MOST, rows // _ROWS_A_CLUSTER)
    if count < 2:
        return None
    rng = np.random.default_rng(seed)
    looked = np.sort(rng.choice(rows, _LOOKED_AT, replace=False)) if rows > _LOOKED_AT else np.arange(rows)
    words = None if texts is None else [_WORD.findall(texts[at].lower()) for at in looked.tolist()]
    if features is not None:
        points = np.asarray(features[looked], dtype=np.float32)
        points = points - points.mean(axis=0)
    elif words is not None:
        points = _word_points(words, rng)
    points = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
    centres = _centres(points[rng.permutation(len(points))[:_LEARNED_FROM]], count, rng)
    codes, there = np.full(rows, -1), np.unique((points @ centres.T).argmax(axis=1))
    codes[looked] = np.searchsorted(there, (points @ centres.T).argmax(axis=1))
    if len(there) < 2:
        return None
    called = (
        _called(words, codes[looked], len(there)) if words is not None else [f"{at + 1}" for at in range(len(there))]
    )
    return Partition("cluster", name, tuple(called), codes)


def _centres(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """(count, F) unit vectors."""
    centres = points[:1]
    for _ in range(count - 1):
        far = np.maximum(1 - (points @ centres.T).max(axis=1), 0.0).astype(np.float64)
        if far.sum() <= 0:
            break
        centres = np.concatenate([centres, points[[rng.choice(len(points), p=far / far.sum())]]])
    for _ in range(_PASSES):
        nearest = (points @ centres.T).argmax(axis=1)
        sums = np.stack([points[nearest == at].sum(axis=0) for at in range(len(centres))])
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 0, sums / np.maximum(lengths, 1e-9), centres)
    return centres


def _word_points(words: Sequence[Sequence[str]], rng: np.random.Generator) -> np.ndarray:
    """Rows (N, 64) of texts: their words weighed by how rare they are, hashed and projected at random."""
    known = Counter[str](word for row in words for word in set(row))
    weight = {word: np.log(len(words) / rows) for word, rows in known.items()}
    base = rng.normal(size=(_BUCKETS, _WIDTH)).astype(np.float32)
    bucket = {word: zlib.crc32(word.encode()) % _BUCKETS for word in known}
    points = np.zeros((len(words), _WIDTH), np.float32)
    for at, row in enumerate(words):
        if row:
            weights = np.array([weight[word] for word in row], np.float32)
            points[at] = weights @ base[[bucket[word] for word in row]]
    return points


def _called(words: Sequence[Sequence[str]], codes: np.ndarray, count: int) -> list[str]:
    """By the words that a cluster has more often than the others do; those with one name are numbered."""
    every = Counter[str](word for row in words for word in set(row))
    names = []
    for at in range(count):
        rows = np.flatnonzero(codes == at)
        own = Counter[str](word for row in rows.tolist() for word in set(words[row]))
        telling = {
            word: here / len(rows) * np.log(here / len(rows) * len(words) / every[word]) for word, here in own.items()
        }
        best = sorted(telling, key=lambda word: (-telling[word], word))[:_WORDS]
        names.append(", ".join(best) or "other")
    seen = Counter[str]()
    for at, name in enumerate(names):
        seen[name] += 1
        names[at] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return names

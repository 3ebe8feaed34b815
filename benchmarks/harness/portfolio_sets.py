"""The sets of the grid of recipes: cuts of real data with at most 2,000 rows, and small tables of scikit-learn."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from harness import data

TARGET = "to_predict"
MPNET = tuple(f"{name} on mpnet" for name in ("kernel probe", "linear probe", "tune"))
VOICES = tuple(f"{name} on ge2e-speaker" for name in ("kernel probe", "linear probe"))


@dataclass(frozen=True)
class Set:
    """A task of at most 2,000 rows.

    origin: the data that it is cut of; sets of one origin are never taken for independent. target: the column to
    predict, inputs: those to read. rows, tests: how many train and validate, and are scored, drawn by a fixed seed.
    valid: of the rows, how many validate; None: the library's own share. noise: share of training labels that are
    wrong. rare: share of rows that all but the commonest class keep. numbers: the target is one. base: by kind, the one
    that the default takes today; others: candidates on other bases.
    """

    name: str
    kind: str
    origin: str
    target: str
    inputs: tuple[str, ...]
    rows: int
    tests: int = 400
    valid: int | None = None
    noise: float = 0.0
    rare: float = 1.0
    numbers: bool = False
    base: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()

    @property
    def metric(self) -> str:
        """Of validation and test: what a mean over classes or numbers asks for, else accuracy."""
        return "r2" if self.numbers else "macro_f1" if self.rare < 1 else "accuracy"


ENGLISH, CHINESE, SPEECH = {"text": "minilm"}, {"text": "multilingual-e5-small"}, {"audio": "whisper-tiny.en"}
PHOTO = {"image": "efficientnet-lite0"}
BOTH = ENGLISH | PHOTO
_FASHION, _NAME, _TEXT, _PHOTO = "fashion_products", "productDisplayName", ("text",), ("image",)
_PIXELS = tuple(f"p{at}" for at in range(32, 64))

SETS = (
    Set("trec", "text", "trec", "label", _TEXT, 900, base=ENGLISH, others=MPNET),
    Set("banking77", "text", "banking77", "label", _TEXT, 1600, base=ENGLISH),
    Set("sst2", "text", "sst2", "label", _TEXT, 800, base=ENGLISH, others=MPNET),
    Set("sst2 (few rows)", "text", "sst2", "label", _TEXT, 120, base=ENGLISH, others=MPNET),
    Set("tweeteval_emotion", "text", "tweeteval_emotion", "label", _TEXT, 900, base=ENGLISH, others=MPNET),
    Set("ag_news_small", "text", "ag_news_small", "label", ("title", "description"), 500, base=ENGLISH),
    Set(
        "ag_news_small (wrong labels)",
        "text",
        "ag_news_small",
        "label",
        ("description",),
        800,
        noise=0.2,
        base=ENGLISH,
        others=MPNET,
    ),
    Set("sentiment_3domains", "text", "sentiment_3domains", "label", _TEXT, 400, base=ENGLISH, others=MPNET),
    Set("sst5 as numbers", "text", "sst2", "stars", _TEXT, 800, numbers=True, base=ENGLISH),
    Set("hotel reviews", "text", "chnsenticorp_hotel", "label", _TEXT, 500, 300, base=CHINESE),
    Set("hotel reviews (imbalanced)", "text", "chnsenticorp_hotel", "label", _TEXT, 500, 300, rare=0.15, base=CHINESE),
    Set("cifar10", "image", "cifar10", "label", _PHOTO, 900, base=PHOTO),
    Set("cifar10 (wrong labels)", "image", "cifar10", "label", _PHOTO, 500, noise=0.2, base=PHOTO),
    Set("pacs", "image", "pacs", "label", _PHOTO, 900, base=PHOTO),
    Set("products by photo", "image", _FASHION, "subCategory", _PHOTO, 900, base=PHOTO),
    Set("digits as pictures", "image", "digits", "digit", _PHOTO, 400, base=PHOTO),
    Set("alphabets", "image", "omniglot_small1", "alphabet", _PHOTO, 300, base=PHOTO),
    Set("cells counted", "image", "bccd", "cells", _PHOTO, 280, 80, numbers=True, base=PHOTO),
    Set("fsdd", "audio", "fsdd", "label", ("audio",), 240, 300, base=SPEECH, others=VOICES),
    Set("fsdd (wrong labels)", "audio", "fsdd", "label", ("audio",), 400, 300, noise=0.2, base=SPEECH, others=VOICES),
    Set("fsdd (speakers)", "audio", "fsdd", "speaker", ("audio",), 200, 300, base=SPEECH, others=VOICES),
    Set("esc10", "audio", "esc10", "label", ("audio",), 320, 80, base=SPEECH, others=VOICES),
    Set("breast_cancer", "table", "breast_cancer", TARGET, (), 370, 199, valid=100),
    Set("breast_cancer (few rows)", "table", "breast_cancer", TARGET, (), 160, 199, valid=100),
    Set("breast_cancer (wrong labels)", "table", "breast_cancer", TARGET, (), 370, 199, valid=100, noise=0.2),
    Set("diabetes", "table", "diabetes", TARGET, (), 320, 122, valid=100, numbers=True),
    Set("digits", "table", "digits", TARGET, (), 700, valid=100),
    Set(
        "season", "table", _FASHION, "season", ("gender", "articleType", "baseColour", "usage", "year"), 900, valid=120
    ),
    Set(
        "gender (imbalanced)",
        "table",
        _FASHION,
        "gender",
        ("articleType", "baseColour", "season", "usage", "year"),
        900,
        valid=120,
        rare=0.3,
    ),
    Set("colour", "several", _FASHION, "baseColour", ("image", _NAME), 700, base=BOTH),
    Set(
        "season by name and table", "several", _FASHION, "season", (_NAME, "gender", "usage", "year"), 600, base=ENGLISH
    ),
    Set(
        "usage by photo and table",
        "several",
        _FASHION,
        "usage",
        ("image", "gender", "season"),
        500,
        rare=0.5,
        base=PHOTO,
    ),
    Set("sentiment and domain", "several", "sentiment_3domains", "label", ("text", "domain"), 400, base=ENGLISH),
    Set(
        "digits by halves",
        "several",
        "digits",
        "digit",
        ("image", *_PIXELS),
        400,
        base=PHOTO,
    ),
)
BY_NAME = {one.name: one for one in SETS}


def tables(one: Set, seed: int = 0, scale: float = 1.0) -> dict[str, pd.DataFrame]:
    """Training, validation (where the set gives it) and test rows. scale: of a quick trial, to so much of the rows."""
    columns = [*(one.inputs or ()), one.target] if one.inputs else None
    train, test = SOURCES.get(one.origin, _files)(one)
    parts = [part[columns] if columns else part for part in (train, test)]
    if not one.numbers:
        parts = [part.assign(**{one.target: part[one.target].astype(str)}) for part in parts]
    draw = np.random.default_rng(seed)
    train = _rarer(parts[0], one, draw).iloc[: int(one.rows * scale)]
    known = train[one.target].unique()
    train = _wrong(train, one, draw)
    tests = parts[1] if one.numbers else parts[1][parts[1][one.target].isin(known)]
    tests = _rarer(tests, one, draw).iloc[: int(one.tests * scale)]
    held = int((one.valid or 0) * scale)
    found = {"train": train.iloc[held:], "test": tests} | ({"validation": train.iloc[:held]} if held else {})
    return {part: rows.reset_index(drop=True) for part, rows in found.items()}


def _rarer(rows: pd.DataFrame, one: Set, draw: np.random.Generator) -> pd.DataFrame:
    """In random order; of an imbalanced set with fewer rows of all classes but the commonest."""
    rows = rows.iloc[draw.permutation(len(rows))]
    if one.rare == 1.0:
        return rows if one.numbers else _no_singles(rows, one)
    common = rows[one.target] == rows[one.target].value_counts().index[0]
    return _no_singles(rows[common | (draw.random(len(rows)) < one.rare)], one)


def _no_singles(rows: pd.DataFrame, one: Set) -> pd.DataFrame:
    """Without classes of so few rows that none could be learned and held out in the cut."""
    share = min(1.0, one.rows / len(rows))
    counts = rows[one.target].value_counts()
    return rows[rows[one.target].isin(counts[counts * share >= min(4, counts.iloc[0] * share)].index)]


def _wrong(rows: pd.DataFrame, one: Set, draw: np.random.Generator) -> pd.DataFrame:
    """With some labels replaced by another class."""
    labels, classes = rows[one.target].to_numpy(copy=True), np.unique(rows[one.target])
    for at in np.flatnonzero(draw.random(len(rows)) < one.noise) if one.noise else ():
        labels[at] = draw.choice(classes[classes != labels[at]])
    return rows.assign(**{one.target: labels})


def _files(one: Set) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and test rows of the files under GRAFTWORK_DATA."""
    found = []
    for part in ("train", "test"):
        path = data.table(one.origin, part)
        found.append(pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=str))
    return found[0], found[1]


def _stars(one: Set) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Movie reviews; with their stars, 0 to 4, where those are to be predicted."""
    if one.target != "stars":
        return _files(one)
    parts = [pd.read_csv(data.table("sst5", part), dtype=str) for part in ("train", "test")]
    train, test = (part.assign(stars=part["label"].astype(float)) for part in parts)
    return train, test


def _counted(_: Set) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pictures of blood with how many red cells were boxed."""
    parts = {part: pd.read_parquet(data.table("bccd", part)) for part in ("train", "validation", "test")}
    for rows in parts.values():
        rows["cells"] = [float(sum(box["label"] == "RBC" for box in boxes)) for boxes in rows["objects"]]
    return pd.concat([parts["train"], parts["validation"]]), parts["test"]


def _alphabets(_: Set) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Drawn characters; the files split by alphabet, so that the drawers are split instead."""
    rows = pd.read_parquet(data.table("omniglot_small1", "train"))
    return rows[rows["drawer"] <= 12], rows[rows["drawer"] > 12]


def _clips(one: Set) -> tuple[pd.DataFrame, pd.DataFrame]:
    parts = [pd.read_parquet(data.table(one.origin, part)) for part in ("train", "validation", "test")]
    return pd.concat(parts[:2]), parts[2]


def _digits(one: Set) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The handwritten digits of scikit-learn, as pictures of their upper or whole square, and pixel by pixel."""
    from PIL import Image
    from sklearn.datasets import load_digits

    loaded = load_digits()
    height = 4 if one.kind == "several" else 8
    pictures = []
    for pixels in loaded.images:
        file = io.BytesIO()
        square = (pixels[:height] * 15.9).astype(np.uint8)
        Image.fromarray(square).convert("RGB").resize((64, 8 * height)).save(file, "png")
        pictures.append(file.getvalue())
    rows = pd.DataFrame(loaded.data, columns=[f"p{at}" for at in range(64)])
    if one.kind == "table":
        return _halves(rows.assign(**{TARGET: loaded.target}))
    return _halves(rows.assign(digit=loaded.target, image=pictures))


def _sklearn(one: Set) -> tuple[pd.DataFrame, pd.DataFrame]:
    from sklearn import datasets

    loaded = getattr(datasets, f"load_{one.origin}")(as_frame=True)
    rows = loaded.data.assign(**{TARGET: loaded.target})
    return _halves(rows.sample(frac=1.0, random_state=0), len(rows) - one.tests)


def _halves(rows: pd.DataFrame, train: int = 1000) -> tuple[pd.DataFrame, pd.DataFrame]:
    return rows.iloc[:train], rows.iloc[train:]


SOURCES: dict[str, Callable[[Set], tuple[Any, Any]]] = {
    "sst2": _stars,
    "bccd": _counted,
    "omniglot_small1": _alphabets,
    "fsdd": _clips,
    "esc10": _clips,
    "digits": _digits,
    "breast_cancer": _sklearn,
    "diabetes": _sklearn,
}
"""What reads an origin that is no plain pair of files."""

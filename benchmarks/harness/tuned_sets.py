"""The eight sets that a tune is measured on: texts, photos, products with a photo and a name, sounds; whole, or cut."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from harness import data

PARTS = ("train", "validation", "test")
PHOTOS = "efficientnet-lite0"


@dataclass(frozen=True)
class Set:
    """inputs: columns that every method reads. tuned: the base of full fine-tuning, the project's default for what is
    read. embedded: by column the best base that is fetched, for embeddings. long: also measured with more time."""

    name: str
    target: str
    inputs: tuple[str, ...]
    tuned: str | dict[str, str]
    embedded: dict[str, str]
    long: bool = False

    @property
    def is_text(self) -> bool:
        return self.inputs == ("text",)


def _texts(name: str, *, long: bool = False) -> Set:
    return Set(name, "label", ("text",), "minilm", {"text": "mpnet"}, long)


NAME = "productDisplayName"
SETS = (
    _texts("banking77", long=True),
    _texts("sst2"),
    _texts("trec"),
    _texts("tweeteval_emotion"),
    Set("cifar10", "label", ("image",), PHOTOS, {"image": PHOTOS}, long=True),
    Set("pacs", "label", ("image",), PHOTOS, {"image": PHOTOS}),
    Set(
        "fashion_products",
        "articleType",
        ("image", NAME),
        {"image": PHOTOS, "text": "minilm"},
        {"image": PHOTOS, NAME: "mpnet"},
        long=True,
    ),
    Set("fsdd", "label", ("audio",), "whisper-tiny.en", {"audio": "whisper-base"}),
)
QUICK = {"train": 20, "validation": 8, "test": 8}
"""Rows a class, of three classes."""


def read(path: str | Path) -> pa.Table:
    """A part, csv or parquet."""
    if Path(path).suffix == ".parquet":
        return pq.read_table(path)
    return pyarrow.csv.read_csv(path, parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True))


def files(one: Set, folder: Path, *, quick: bool) -> dict[str, str]:
    """Train, validation and test with the inputs and the target alone, written as parquet into `folder`."""
    folder.mkdir(parents=True)
    kept: Any = None
    for part in PARTS:
        table = read(data.table(one.name, part)).select([*one.inputs, one.target])
        if quick:
            kept = kept or sorted(set(table[one.target].to_pylist()))[:3]
            rows = [pc.indices_nonzero(pc.equal(table[one.target], label))[: QUICK[part]] for label in kept]
            table = table.take(pa.concat_arrays(rows))
        pq.write_table(table, folder / f"{part}.parquet")
    return {part: str(folder / f"{part}.parquet") for part in PARTS}

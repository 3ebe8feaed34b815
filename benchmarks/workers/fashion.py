"""Ways to read the products, in one process that shares what the frozen bases gave.

Settings: train, validation, test (files), photo (the base for photos), seeds, kind (of ways: "frozen", "default" or
"fusions").
Answer: a list of ways and seeds, each with CPU seconds of the fit (`cpu`; the first way that reads a column pays for
its pass through the base), `accuracy`, and for each test row whether it is right (`right`, a string of 0 and 1).
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import graftwork as gw
from graftwork.core.technique import Technique
from harness.measure import settings_and_answer

TARGET, NAME, PHOTO = "articleType", "productDisplayName", "image"
TABLE = ["gender", "baseColour", "season", "year", "usage"]
EACH = {"name": [NAME], "photo": [PHOTO], "table": TABLE}
ALL = [NAME, PHOTO, *TABLE]

FROZEN: dict[str, tuple[Technique, ...]] = {
    "concatenation": (),
    "weighted-sum": (gw.WeightedSum(),),
    "gated": (gw.Gated(),),
    "late": (gw.Late(),),
    "concatenation, modality-dropout": (gw.ModalityDropout(),),
}
TUNED: tuple[Technique, ...] = (gw.WarmStart(), gw.Partial(4), gw.LabelSmoothing())
FUSIONS: dict[str, tuple[Technique, ...]] = {
    "concatenation, tuned": TUNED,
    "gated, tuned": (gw.Gated(), *TUNED),
    "late, tuned": (gw.Late(), *TUNED),
    "fusion-transformer": (gw.FusionTransformer(), gw.Probe()),
}
Way = tuple[str, list[str], "tuple[Technique, ...] | str"]


def main() -> None:
    settings, answer = settings_and_answer()
    found = []
    for seed in settings["seeds"]:
        for way, inputs, techniques in ways(settings["kind"])[:: 1 if seed == 0 else 3]:  # later the first and the last
            found.append({"way": way, "seed": seed, **one(settings, seed, inputs, techniques)})
            answer.write_text(json.dumps({"ways": found}))


def ways(kind: str) -> list[Way]:
    """Name, columns and techniques of each."""
    if kind == "default":
        return [(f"{name}, default", inputs, "auto") for name, inputs in (*EACH.items(), ("all", ALL))]
    if kind == "fusions":
        return [(f"all, {name}", ALL, techniques) for name, techniques in FUSIONS.items()]
    alone: list[Way] = [(f"{name}, probe", inputs, (gw.Probe(),)) for name, inputs in EACH.items()]
    return [*alone, *((f"all, {name}, probe", ALL, (*fusion, gw.Probe())) for name, fusion in FROZEN.items())]


def one(
    settings: dict[str, Any], seed: int, inputs: list[str], techniques: tuple[Technique, ...] | str
) -> dict[str, Any]:
    """A fit on these columns, and the model's answers on the test rows."""
    cpu = time.process_time()
    bases = {use: base for use, base in (("text", "minilm"), ("image", settings["photo"])) if reads(use, inputs)}
    recipe = gw.Recipe(base=bases or "auto", techniques=techniques, seed=seed)
    ignore = [column for column in pq.read_schema(settings["train"]).names if column not in (*inputs, TARGET)]
    model = gw.fit(settings["train"], target=TARGET, ignore=ignore, valid=settings["validation"], recipe=recipe)
    spent = time.process_time() - cpu
    test = pq.read_table(settings["test"])
    right = np.asarray(model.predict(settings["test"])) == np.asarray(test[TARGET].to_pylist())
    return {"cpu": spent, "accuracy": float(right.mean()), "right": "".join("01"[int(each)] for each in right)}


def reads(use: str, inputs: list[str]) -> bool:
    return {"text": NAME, "image": PHOTO}[use] in inputs


if __name__ == "__main__":
    main()

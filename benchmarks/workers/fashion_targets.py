"""Models of a product's attributes, one for all of them or one for each, fitted in one process with one cache.

Settings: train, validation, test (files), groups (lists of targets, a model each), photo (base of the photos), head,
tuned (the upper blocks of both bases are trained; else they stay frozen).
Imports do not count, and neither does scoring on the test rows. The answer says which test rows each target has right,
as one character a row.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

import graftwork as gw
from harness.clock import Clock
from harness.measure import settings_and_answer
from workers.fashion import TUNED

TARGETS = ("articleType", "baseColour", "season", "usage")
INPUTS = ("image", "productDisplayName", "gender", "year")


def main() -> None:
    import transformers.models.auto.modeling_auto  # noqa: F401 - so that the first fit does not pay for the import

    settings, answer = settings_and_answer()
    parts = _parts(settings)
    base = {"image": settings["photo"], "text": "minilm", "table": "columns"}
    techniques = TUNED if settings["tuned"] else (gw.Probe(),)
    recipe = gw.Recipe(base=base, head=settings["head"], techniques=techniques)
    clock, right = Clock(), dict[str, str]()
    for group in settings["groups"]:
        model = gw.fit(
            parts["train"],
            target=group,
            inputs=INPUTS,
            valid=parts["validation"],
            recipe=recipe,
            on_bad_rows="skip",
        )
        with clock.stopped():
            given = model.predict(parts["test"])
            for target in group:
                found = given[target] if len(group) > 1 else given
                pairs = zip(found, parts["test"][target], strict=True)
                right[target] = "".join("01"[one == truth] for one, truth in pairs)
    shares = {target: float(np.mean([each == "1" for each in bits])) for target, bits in right.items()}
    answer.write_text(json.dumps({**clock.read(), "accuracy": shares, "right": right}))


def _parts(settings: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """The tables. A colour of a single training row is no class that could be learned, so it is missing everywhere."""
    parts = {part: pd.read_parquet(settings[part]) for part in ("train", "validation", "test")}
    for target in TARGETS:
        counts = parts["train"][target].value_counts()
        known = set(counts[counts > 1].index)
        for frame in parts.values():
            frame[target] = frame[target].where(frame[target].isin(known))
    return parts


if __name__ == "__main__":
    main()

"""The peer: transformers' pipeline("text-classification") from a folder; a csv in, a csv out; imports are done before.

Settings: model (folder), table, out (files), batch (none: the pipeline's own, one text at a time).
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from transformers import pipeline

from harness import data
from harness.clock import Clock
from harness.measure import settings_and_answer


def main() -> None:
    settings, answer = settings_and_answer()
    table, out = Path(settings["table"]), Path(settings["out"])
    with tempfile.TemporaryDirectory() as folder:
        few = data.write(Path(folder) / "few.csv", data.read(table)[:16])
        predict(settings["model"], few, Path(folder) / "few-out.csv", settings["batch"])
    clock = Clock()
    rows = predict(settings["model"], table, out, settings["batch"])
    answer.write_text(json.dumps({**clock.read(), "rows": rows}))


def predict(model: str, table: Path, out: Path, batch: int | None) -> int:
    rows = data.read(table)
    classify = pipeline("text-classification", model=model, device="cpu", batch_size=batch)
    given = classify([row["text"] for row in rows])
    data.write(out, [row | {"prediction": one["label"]} for row, one in zip(rows, given, strict=True)])
    return len(rows)


if __name__ == "__main__":
    main()

"""A tune as files: `tune.html`, `tune.json` and `trials.parquet`, each whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

from graftwork.data.store.writing import write_text
from graftwork.evidence.tune.outcome import Outcome
from graftwork.evidence.tune.page.page import page
from graftwork.evidence.tune.table import PARQUET, write_table

HTML, JSON = "tune.html", "tune.json"


def write(folder: Path, found: Outcome) -> None:
    """Into `folder`, which is made where it is missing. Raises OSError where the disk refuses it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / PARQUET, found.trials, kept=found.chosen.number, front=found.front)
    write_text(folder / JSON, json.dumps(found.to_json(), ensure_ascii=False, indent=1) + "\n")
    write_text(folder / HTML, page(found))

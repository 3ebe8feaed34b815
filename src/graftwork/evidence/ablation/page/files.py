"""An ablation as files: `ablation.html`, `ablation.csv` and `ablation.json`, each whole or not at all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graftwork.data.store.writing import write_text
from graftwork.evidence.ablation.finding import Finding
from graftwork.evidence.ablation.outcome import Outcome
from graftwork.evidence.ablation.page.page import page

HTML, CSV, JSON = "ablation.html", "ablation.csv", "ablation.json"
_COLUMNS = ("name", "kind", "value", "low", "high", "p", "holm", "verdict", "repeats", "settles", "failed", "refused")
_COSTS = ("seconds", "predict_seconds", "memory", "parameters")


def write(folder: Path, found: Outcome, data: Mapping[str, Any]) -> None:
    """Into `folder`, which is made where it is missing. data: what `ablation.json` holds, plain."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / JSON, json.dumps(data, ensure_ascii=False, indent=1) + "\n")
    write_text(folder / CSV, csv_text(found))
    write_text(folder / HTML, page(found))


def csv_text(found: Outcome) -> str:
    """A finding a row, in the order of the design; what is not known is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *_COSTS, "sentence"])
    for one in found.findings:
        writer.writerow(_row(one))
    return text.getvalue()


def _row(one: Finding) -> list[str]:
    values = [getattr(one, name) for name in _COLUMNS] + [getattr(one.costs, name) for name in _COSTS] + [one.sentence]
    return [_cell(value) for value in values]


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    return _plain(value) if isinstance(value, str) else str(value)


def _plain(text: str) -> str:
    """A name that a spreadsheet would take for a formula gets an apostrophe in front."""
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@") and text.strip() else text

"""Learning by reward as files: `report.html`, `scores.json` and a GIF for each clip, each whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

from graftwork.data.store.writing import write_bytes, write_text
from graftwork.evidence.rl.outcome import Outcome
from graftwork.evidence.rl.page.page import page

HTML, JSON = "report.html", "scores.json"


def write(folder: Path, found: Outcome) -> None:
    """Into `folder`, which is made where it is missing. Raises OSError where the disk refuses it."""
    folder.mkdir(parents=True, exist_ok=True)
    for clip in found.clips:
        write_bytes(folder / f"{clip.name}.gif", clip.gif)
    write_text(folder / JSON, json.dumps(found.to_json(), ensure_ascii=False, indent=1) + "\n")
    write_text(folder / HTML, page(found))

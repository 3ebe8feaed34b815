"""What each technique brought on real data, beside the same run without it, over seeds.

Measures the families one after another (each is a benchmark of its own, resumable) and writes the table that
docs/techniques.md shows.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from harness.options import parse
from harness.results import FOLDER, latest, read
from harness.shown import shown_table

FAMILIES = ("domains", "robust", "distil", "meta", "merge")
TABLE = FOLDER / "techniques.md"


def main() -> None:
    given = parse(__doc__)
    for family in FAMILIES:
        importlib.import_module(family).main()
    if not given.quick:
        write()


def write(path: Path = TABLE) -> None:
    """The table, from what has been measured so far."""
    rows = []
    for family in FAMILIES:
        module = importlib.import_module(family)
        rows += module.shown(latest(read(FOLDER / f"{module.NAME}.jsonl")))
    path.write_text(shown_table(rows) + "\n", encoding="utf-8")
    print(f"{path} written: {len(rows)} rows")


if __name__ == "__main__":
    write() if sys.argv[1:] == ["--write"] else main()

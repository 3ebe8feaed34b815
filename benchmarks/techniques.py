"""What each technique brought on real data, beside the same run without it, over seeds.

Measures the families, as many at once as there are cores, and writes the table that docs/techniques.md shows. Each
family is a benchmark of its own with one thread, and resumable: run it again after a stop.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.measure import BENCHMARKS
from harness.options import parse
from harness.results import FOLDER, latest, read
from harness.shown import shown_table

FAMILIES = ("robust", "meta", "domains", "distil", "merge", "forgetting")
"""In an order that keeps two cores busy to the end."""
TABLE = FOLDER / "techniques.md"


def main() -> None:
    given, began = parse(__doc__), time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        failed = [family for family, code in zip(FAMILIES, pool.map(measured, FAMILIES), strict=True) if code]
    print(f"measured in {(time.monotonic() - began) / 3600:.2f} hours")
    if not given.quick:
        write()
    if failed:
        sys.exit(f"Not measured whole: {', '.join(failed)}. What was measured is kept; run it again.")


def measured(family: str) -> int:
    """The exit code of a family's own benchmark, with the options of this call."""
    return subprocess.run([sys.executable, BENCHMARKS / f"{family}.py", *sys.argv[1:]], check=False).returncode


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

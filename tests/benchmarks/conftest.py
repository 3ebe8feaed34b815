"""The benchmarks are scripts beside the package: their folder goes onto the path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))  # last: it has a module `techniques`, as the tests do

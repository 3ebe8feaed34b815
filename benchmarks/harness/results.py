"""Results as JSON lines, one a measurement: appended as soon as it is there, so that a second run goes on from it."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import resource
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.measure import BENCHMARKS
from harness.options import OURS, Options, version

FOLDER = BENCHMARKS / "results"
PACKAGES = ("graftwork", "torch", "transformers", "sentence-transformers", "setfit", "scikit-learn", "numpy")
Record = dict[str, Any]


class Results:
    """The results of one benchmark, in `results/<name>.jsonl` (`results/quick/` for quick runs)."""

    def __init__(self, name: str, options: Options) -> None:
        self.path = (FOLDER / "quick" if options.quick else FOLDER) / f"{name}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if options.fresh and self.path.exists():
            kept = [] if options.fresh == "all" else [r for r in read(self.path) if not r["version"].startswith(OURS)]
            self.path.write_text("".join(json.dumps(record) + "\n" for record in kept), encoding="utf-8")
        if self.path.exists() and self.path.read_bytes()[-1:] not in (b"", b"\n"):
            with self.path.open("a", encoding="utf-8") as file:
                file.write("\n")  # behind a line that a stopped run left unfinished

    def measure(self, name: str, seed: int, package: str, measurement: Callable[[], Record]) -> Record:
        """The result of this name, seed and version of the package: from the file, or measured now and appended."""
        key = _key(name, seed, package)
        found = self._find(key)
        if found is not None:
            return found
        began, spent = time.monotonic(), _cpu_seconds()
        record = {**key, **measurement()}
        record |= {"spent": _cpu_seconds() - spent, "commit": _commit(), "date": _now(), "machine": machine()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        print(f"{name}, seed {seed}: {_shown(record)} ({time.monotonic() - began:.0f} s)", flush=True)
        return record

    def has(self, name: str, seed: int, package: str) -> bool:
        """Whether `measure` would measure nothing."""
        return self._find(_key(name, seed, package)) is not None

    def _find(self, key: Record) -> Record | None:
        return next((r for r in read(self.path) if all(r[part] == value for part, value in key.items())), None)

    def records(self) -> list[Record]:
        """What tables are made of, see `latest`."""
        return latest(read(self.path))


def read(path: Path) -> list[Record]:
    """All records of a file; none where there is none. A line that a stopped run left unfinished is passed over."""
    if not path.is_file():
        return []
    records = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    return records


def latest(records: list[Record]) -> list[Record]:
    """Of each name only the results of the version that was measured last, so that no table mixes two versions."""
    version_of = {record["name"]: record["version"] for record in records}
    return [record for record in records if record["version"] == version_of[record["name"]]]


def _cpu_seconds() -> float:
    """Of this process and of those it has waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def machine() -> dict[str, str]:
    """What the measurements depend on, apart from the code: processor, memory, system, versions."""
    facts = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "system": platform.platform(),
    }
    facts["python"] = platform.python_version()
    for package in PACKAGES:
        try:
            facts[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return facts


def _key(name: str, seed: int, package: str) -> Record:
    return {"name": name, "seed": seed, "version": version(package)}


def _shown(record: Record) -> str:
    numbers = {key: value for key, value in record.items() if isinstance(value, float)}
    return ", ".join(f"{key} {value:.4g}" for key, value in numbers.items())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def _commit() -> str:
    """The state of the sources, as git names it; empty outside of a checkout."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    try:
        return subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M")

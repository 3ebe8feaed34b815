"""11. Two workers that shard the layers of a Transformer end as two that don't, or are refused with a reason.

Each technique alone, and several together; by processes, since what is sharded belongs to one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.examine import WAY_OUT
from conformance.table import BY_NAME, COMBINATIONS, ROWS, techniques
from conformance.test_workers import quiet
from graftwork.core.fit import fit
from graftwork.core.parallel.workers import Workers, joined
from graftwork.core.run import Run
from graftwork.errors import RefusedError
from tinyrun import Fixture, make_worlds

SETTINGS: dict[str, Any] = {"steps": 4, "evaluations": 2, "keep": "last"}
TRIED = [
    *((row.name,) for row in ROWS if "transformer" in row.bases),
    *(names for names in COMBINATIONS if len(names) > 1),
    ("lora", "warm-start", "label-smoothing", "balanced-sampling", "mixup", "consistency", "token-dropout"),
    ("full", "layer-decay", "fgm", "vat", "dann", "group-dro", "film", "accumulate"),
]


def losses(run: Run) -> list[list[float | None]]:
    found = fit(quiet(run))
    return [[point.loss for point in found.history], [point.score for point in found.history]]


def refused(fixture: Fixture, names: tuple[str, ...], workers: Workers, sharded: bool) -> str:
    """Why a plan is refused; empty where it is not."""
    try:
        fixture.run(techniques(names), workers=workers, started=False, sharded=sharded, **SETTINGS)
    except RefusedError as error:
        return str(error)
    return ""


def tried(names: tuple[str, ...], fixture: Fixture, workers: Workers) -> dict[str, Any]:
    if why := refused(fixture, names, workers, sharded=False):
        return {"never": why}
    if why := refused(fixture, names, workers, sharded=True):
        return {"refused": why}
    plain, sharded = (
        losses(fixture.run(techniques(names), workers=workers, sharded=one, **SETTINGS)) for one in (False, True)
    )
    return {"plain": plain, "sharded": sharded}


@pytest.mark.slow
def test_sharded_workers_end_as_others(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m"]
    found_by = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([*command, "conformance.test_sharded", str(tmp_path)], check=True, timeout=3600, env=found_by)
    told = json.loads((tmp_path / "0.json").read_text(encoding="utf-8"))
    assert told == json.loads((tmp_path / "1.json").read_text(encoding="utf-8"))
    assert len(told) == len(TRIED)
    compared = set[str]()
    for names, found in zip(TRIED, told, strict=True):
        saying = [name for name in names if BY_NAME[name].acts.whole_weights]
        if "never" in found:
            continue
        if "refused" in found:
            assert any(name in found["refused"] for name in saying), (names, found)
            assert WAY_OUT.search(found["refused"])
            continue
        assert not saying, names
        for sharded, plain in zip(found["sharded"], found["plain"], strict=True):
            assert [one is None for one in sharded] == [one is None for one in plain], names
            known = [[one for one in each if one is not None] for each in (sharded, plain)]
            assert known[0] == pytest.approx(known[1], abs=1e-5, rel=1e-5), names
        compared.update(names)
    assert {"full", "lora", "partial", "warm-start", "consistency", "fgm", "accumulate", "mixup"} <= compared


def _main(folder: Path) -> None:
    # Before the workers have joined: transformers writes a model at the first of them only.
    fixture = make_worlds(folder / f"world-{os.environ['RANK']}")("transformer", "classes", True)
    with joined() as workers:
        told = [tried(names, fixture, workers) for names in TRIED]
        (folder / f"{workers.index}.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    _main(Path(sys.argv[1]))

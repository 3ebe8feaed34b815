"""What workers tell each other: as threads here, and as processes of torchrun where it counts."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from graftwork.core.parallel.workers import ALONE, Joined, joined
from together import together


def meet(workers: Joined) -> dict[str, object]:
    """Every meeting once; what came of it."""
    torch.manual_seed(workers.index)
    first, second, unused = (nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.zeros(4)), nn.Parameter(torch.ones(1)))
    first.grad = torch.full((2, 3), float(workers.index + 1))
    if workers.leads:
        second.grad = torch.arange(4.0)
    workers.sum_gradients([first, second, unused])
    told = torch.full((2,), float(workers.index))
    workers.same_tensors([told])
    own = np.full((workers.index + 1, 2), workers.index, np.int16)
    return {
        "first": first.grad.tolist(),
        "second": None if second.grad is None else second.grad.tolist(),
        "unused": unused.grad is None,
        "told": told.tolist(),
        "same": workers.same({"at": 0.1 + workers.index, "cuts": [workers.index]}),
        "gathered": workers.gather(own).tolist(),
        "empty": workers.gather(own[:0]).shape,
        "every": [workers.every(True), workers.every(workers.leads)],
        "clock": workers.clock(lambda: 5.0 + workers.index)(),
        "part": workers.part(np.arange(5)).tolist(),
    }


EXPECTED = {
    "first": [[3.0] * 3] * 2,
    "second": [0.0, 1.0, 2.0, 3.0],
    "unused": True,
    "told": [0.0, 0.0],
    "same": {"at": 0.1, "cuts": [0]},
    "gathered": [[0, 0], [1, 1], [1, 1]],
    "empty": (0, 2),
    "every": [True, False],
    "clock": 5.0,
}


def test_workers_tell_each_other_the_same() -> None:
    for index, found in enumerate(together(2, meet)):
        assert found == EXPECTED | {"part": [[0, 2, 4], [1, 3]][index]}


@pytest.mark.slow
def test_workers_of_torchrun_tell_each_other_the_same(tmp_path: Path) -> None:
    script = tmp_path / "meet.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import json, sys
            sys.path.insert(0, {str(Path(__file__).parents[2])!r})
            from graftwork.core.parallel.workers import joined
            from core.parallel.test_workers import meet

            with joined() as workers:
                found = meet(workers)
            open({str(tmp_path)!r} + f"/{{workers.index}}.json", "w").write(json.dumps(found))
            """
        )
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    subprocess.run(command, check=True, timeout=300, capture_output=True)
    for index in range(2):
        found = json.loads((tmp_path / f"{index}.json").read_text())
        assert found == json.loads(json.dumps(EXPECTED)) | {"part": [[0, 2, 4], [1, 3]][index]}


def test_nobody_is_idle_in_a_batch_of_fewer_rows_than_workers() -> None:
    rows = np.array([7, 9])
    parts = [Joined(index, 3).part(rows) for index in range(3)]
    assert all(len(part) == 2 for part in parts)
    assert np.array_equal(np.bincount(np.concatenate(parts), minlength=10)[[7, 9]], [3, 3])


def test_alone_nothing_happens() -> None:
    weight = nn.Parameter(torch.ones(2))
    weight.grad = torch.ones(2)
    ALONE.sum_gradients([weight])
    rows = np.arange(3)
    assert all(found is rows for found in (ALONE.part(rows), ALONE.gather(rows), ALONE.same(rows)))
    assert weight.grad.tolist() == [1.0, 1.0]
    assert ALONE.seed(5) == 5
    with joined({}) as workers:
        assert workers is ALONE
    assert not torch.distributed.is_initialized()


def test_a_gradient_that_only_some_have_is_summed_in_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graftwork.core.parallel.workers.BUCKET", 5)

    def work(workers: Joined) -> list[list[float] | None]:
        weights = [nn.Parameter(torch.zeros(4)) for _ in range(4)]
        for at, weight in enumerate(weights[:3]):
            if at % 2 == workers.index:
                weight.grad = torch.full((4,), float(at + 1))
        workers.sum_gradients(weights)
        return [None if weight.grad is None else weight.grad.tolist() for weight in weights]

    assert together(2, work) == [[[1.0] * 4, [2.0] * 4, [3.0] * 4, None]] * 2

"""10. Two workers end as one process does on the same global batches, or are refused with a reason."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import Any

import pytest
import torch

from conformance.examine import WAY_OUT
from conformance.table import BY_NAME, COMBINATIONS, ELSEWHERE, ROWS, techniques
from graftwork.core.fit import Fitted, fit
from graftwork.core.parallel.workers import ALONE, Workers
from graftwork.core.run import Run, attach
from graftwork.errors import RefusedError
from tinyrun import Fixture, Worlds, same, weights
from together import together

ONE_AT_A_TIME = threading.Lock()
"""Of threads that draw the weights of what a technique brings: they share torch's stream."""
SETTINGS: dict[str, Any] = {"steps": 4, "evaluations": 2, "keep": "last"}


def quiet(run: Run) -> Run:
    """Without dropout: each worker draws its own. Made in the main thread, since threads share the stream by which
    weights begin at random."""
    for module in run.network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if isinstance(getattr(module, "dropout", None), float):
            module.dropout = 0.0
    return run


def made(fixture: Fixture, names: tuple[str, ...]) -> Run:
    return quiet(fixture.run(techniques(names), **SETTINGS))


def fitted(run: Run, workers: Workers = ALONE) -> tuple[Run, Fitted]:
    with ONE_AT_A_TIME:
        run = attach(replace(run, workers=workers))
    return run, fit(run)


def losses(found: Fitted) -> list[float]:
    return [point.loss for point in found.history if point.loss is not None]


def check(names: tuple[str, ...], fixture: Fixture) -> None:
    refused = [name for name in names if BY_NAME[name].acts.one_worker]
    try:
        fixture.run(techniques(names), started=False, **SETTINGS)
    except RefusedError:
        pytest.skip("refused by itself")
    if refused:
        with pytest.raises(RefusedError, match=f"{refused[0]}|{refused[-1]}") as told:
            fixture.run(techniques(names), workers=Workers(0, 2), started=False, **SETTINGS)
        assert WAY_OUT.search(str(told.value))
        assert "2 workers" in str(told.value)
        return
    run, alone = fitted(made(fixture, names))
    runs = [made(fixture, names) for _ in range(2)]
    (first, one), (second, other) = together(2, lambda workers: fitted(runs[workers.index], workers))
    assert same(weights(one.network), weights(other.network))
    assert same(weights(first.stages.state), weights(second.stages.state))
    assert one.history == other.history
    assert all(math.isfinite(loss) for loss in losses(one))
    if set(run.stages.generators) <= {"pcgrad.order"}:
        assert losses(one) == pytest.approx(losses(alone), abs=1e-4)
        expected = [point.score for point in alone.history]
        assert [point.score for point in one.history] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("name", "base"), [(row.name, base) for row in ROWS for base in row.bases])
def test_alone(name: str, base: str, fixtures: Worlds) -> None:
    check((name,), fixtures(base, "classes", True))


@pytest.mark.parametrize("names", COMBINATIONS, ids="+".join)
def test_together(names: tuple[str, ...], fixtures: Worlds) -> None:
    check(names, fixtures("transformer", "classes", True))


@pytest.mark.parametrize(("base", "names"), ELSEWHERE)
def test_elsewhere(base: str, names: tuple[str, ...], fixtures: Worlds) -> None:
    check(names, fixtures(base, "classes", True))

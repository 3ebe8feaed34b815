"""8. The forwards and backwards that a plan announces are those that a counter sees."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from conformance.table import COMBINATIONS, ROWS, techniques
from graftwork.core.fit import fit
from graftwork.core.run import Run
from graftwork.core.technique import Cost
from graftwork.errors import RefusedError
from tinyrun import BASES, Worlds

NAMES = tuple(row.name for row in ROWS)
TRIPLES = (("consistency", "mixup", "sam"), ("accumulate", "consistency", "sam"), ("mixup", "sam", "warm-start"))


def counted(run: Run) -> Cost:
    """Rows that went forward through the encoder and backward from the head in training, for each row of a step."""
    rows = {"forward": 0, "backward": 0}

    def forward(_module: Any, _args: Any, features: torch.Tensor) -> None:
        if torch.is_grad_enabled() and not torch.is_inference_mode_enabled():
            rows["forward"] += len(features)

    def backward(_module: Any, _args: Any, predictions: torch.Tensor) -> None:
        if predictions.requires_grad:
            predictions.register_hook(lambda gradient: rows.update(backward=rows["backward"] + len(gradient)))

    run.network.encoders[0].register_forward_hook(forward)
    run.network.heads[0].register_forward_hook(backward)
    fit(run)
    drawn = sum(len(indices) for indices in run.rows_from(0))
    return Cost(rows["forward"] / drawn, rows["backward"] / drawn)


def check(names: tuple[str, ...], base: str, worlds: Worlds) -> None:
    try:
        run = worlds(base, "classes", True).run(techniques(names), steps=3, evaluations=1)
    except RefusedError:
        return
    assert counted(run) == run.plan.cost, names
    words = f"each step: {run.plan.cost.forwards:g} forwards, {run.plan.cost.backwards:g} backwards a row"
    assert words in run.plan.explain()


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("name", NAMES)
def test_alone(name: str, base: str, worlds: Worlds):
    check((name,), base, worlds)


def test_pairs(worlds: Worlds):
    for pair in itertools.combinations(NAMES, 2):
        check(pair, "cnn", worlds)


@pytest.mark.parametrize("names", [*TRIPLES, *COMBINATIONS], ids="+".join)
def test_more(names: tuple[str, ...], worlds: Worlds):
    check(names, "transformer", worlds)

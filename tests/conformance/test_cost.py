"""8. The forwards and backwards that a plan announces are those that a counter sees."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import Any

import pytest
import torch

from conformance.sampling import chunks, fitting, refusal, sets_of
from conformance.table import COMBINATIONS, ELSEWHERE, ROWS, techniques
from graftwork.core.fit import fit
from graftwork.core.run import Run
from graftwork.core.technique import Cost
from graftwork.data.batch import Batch
from graftwork.errors import RefusedError
from tinyrun import Worlds

TRIPLES = (("consistency", "mixup", "sam"), ("accumulate", "consistency", "sam"), ("mixup", "sam", "warm-start"))


def counted(run: Run) -> Cost:
    """Rows that went forward through the encoder and backward to it in training, for each row of a step.

    Backward from the head where the encoder is frozen.
    """
    rows, stepping = {"forward": 0, "backward": 0}, list[bool]()
    frozen = not any(parameter.requires_grad for parameter in run.network.encoders[0].parameters())

    def forward(_module: Any, _args: Any, features: torch.Tensor) -> None:
        if stepping:
            rows["forward"] += len(features)
            if not frozen:
                backward(_module, _args, features)

    def backward(_module: Any, _args: Any, predictions: torch.Tensor) -> None:
        if predictions.requires_grad:
            predictions.register_hook(lambda gradient: rows.update(backward=rows["backward"] + len(gradient)))

    run.network.fusion.register_forward_hook(forward)  # one that reads tokens does not call its encoders
    if frozen:
        run.network.heads[0].register_forward_hook(backward)

    def inputs(batch: Batch) -> Batch:
        stepping.append(True)
        return run.stages.inputs(batch)

    def gradient(*step: Any) -> Any:
        measured = run.stages.gradient(*step)
        stepping.clear()  # what comes now, such as validation, is no part of a step
        return measured

    fit(replace(run, stages=replace(run.stages, inputs=inputs, gradient=gradient)))
    drawn = sum(len(indices) for indices in run.rows_from(0))
    return Cost(rows["forward"] / drawn, rows["backward"] / drawn)


def check(names: tuple[str, ...], base: str, fixtures: Worlds) -> None:
    try:
        run = fixtures(base, "classes", True).run(techniques(names), steps=3, evaluations=1)
    except RefusedError:
        return
    assert counted(run) == run.plan.cost, names
    words = f"each step: {run.plan.cost.forwards:g} forwards, {run.plan.cost.backwards:g} backwards a row"
    assert words in run.plan.explain()


@pytest.mark.parametrize(("name", "base"), [(row.name, base) for row in ROWS for base in row.bases])
def test_alone(name: str, base: str, fixtures: Worlds):
    check((name,), base, fixtures)


@pytest.mark.parametrize("chunk", chunks("cnn", 2))
def test_pairs(chunk: int, fixtures: Worlds):
    for pair in sets_of("cnn", 2, chunk, fixtures):
        check(pair, "cnn", fixtures)


@pytest.mark.slow
def test_losses_share_one_forward(fixtures: Worlds):
    """Any four techniques that only add to the loss cost one forward and one backward together, as one of them does."""
    fixture = fixtures("transformer", "classes", True)
    found = []
    for name in fitting("transformer", fixtures):
        run = fixture.run(techniques((name,)), started=False)
        if "losses" in run.plan.stages[name] and not {"objective", "gradient"} & set(run.plan.stages[name]):
            assert (run.plan.cost.forwards, run.plan.cost.backwards) == (1.0, 1.0), name
            found.append(name)
    sets = [names for names in itertools.combinations(found, 4) if refusal(names, fixture) is None]
    assert len(sets) >= 4
    for names in random.Random(0).sample(sets, 4):
        assert counted(fixture.run(techniques(names), steps=3, evaluations=1)) == Cost(1.0, 1.0), names


@pytest.mark.parametrize("names", [*TRIPLES, *COMBINATIONS], ids="+".join)
def test_more(names: tuple[str, ...], fixtures: Worlds):
    check(names, "transformer", fixtures)


@pytest.mark.parametrize(("base", "names"), ELSEWHERE)
def test_elsewhere(base: str, names: tuple[str, ...], fixtures: Worlds):
    check(names, base, fixtures)

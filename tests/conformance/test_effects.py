"""3. No silent loss: a technique changes what it says, changes nothing at its null setting, and all that is trained
gets a gradient."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from conformance.effects import OUTPUTS, equal
from conformance.table import COMBINATIONS, ELSEWHERE, ROWS, Row, techniques
from graftwork.core.fit import fit
from graftwork.core.rows.examples import make_batch
from graftwork.core.technique import Technique
from graftwork.core.training.optimizer import make_optimizer
from graftwork.errors import RefusedError
from graftwork.techniques import Partial
from tinyrun import BASES, Fixture, Worlds, same, weights

GRADIENTS = (
    *((base, (row.name,)) for row in ROWS for base in row.bases),
    *((base, names) for names in COMBINATIONS for base in BASES),
    *ELSEWHERE,
)


def str_or_name(value: Any) -> str:
    """How pytest names a case."""
    if isinstance(value, Row):
        return value.name
    return value if isinstance(value, str) else "+".join(value)


def last_weights(fixture: Fixture, *listed: Technique) -> dict[str, torch.Tensor]:
    """Those that training itself ends with, whatever is saved."""
    run = fixture.run(listed)
    seen: list[dict[str, torch.Tensor]] = []
    fit(run, observers=[lambda _: seen.append(weights(run.network))])
    return seen[-1]


@pytest.mark.parametrize("row", [row for row in ROWS if row.changes != "claims"], ids=lambda row: row.name)
def test_it_changes_what_it_says(row: Row, fixtures: Worlds):
    fixture, found = fixtures(row.base), OUTPUTS[row.changes]
    assert not equal(found(fixture, row.acts), found(fixture))


@pytest.mark.parametrize("row", [row for row in ROWS if row.changes == "kept"], ids=lambda row: row.name)
def test_what_changes_the_saved_weights_alone_leaves_training_as_it_was(row: Row, fixtures: Worlds):
    fixture = fixtures(row.base)
    assert same(last_weights(fixture, row.acts), last_weights(fixture))


@pytest.mark.parametrize("row", [row for row in ROWS if row.changes == "claims"], ids=lambda row: row.name)
def test_it_keeps_out_what_it_says(row: Row, fixtures: Worlds):
    with pytest.raises(RefusedError, match=f"{row.name} and partial both decide"):
        fixtures(row.base).run([row.acts, Partial(1)], started=False)


@pytest.mark.parametrize(
    ("row", "base"), [(row, base) for row in ROWS if row.null is not None for base in row.bases], ids=str_or_name
)
def test_null_setting_is_absence(row: Row, base: str, fixtures: Worlds):
    fixture = fixtures(base, "classes", True)
    (run, with_null), without = fixture.fit([row.null]), fixture.fit()[1]
    assert row.null is not None
    assert (run.plan.techniques == ()) == row.null.off
    assert same(weights(with_null.network), weights(without.network))
    assert with_null.history == without.history
    assert (with_null.best_step, with_null.best_score) == (without.best_step, without.best_score)


@pytest.mark.parametrize(("base", "names"), GRADIENTS, ids=str_or_name)
def test_all_that_is_trained_gets_a_gradient(names: tuple[str, ...], base: str, fixtures: Worlds):
    try:
        run = fixtures(base, "classes", True).run(techniques(names))
    except RefusedError:
        pytest.skip("refused on this base")
    state = {f"state.{name}": value for name, value in run.stages.state.named_parameters() if value.requires_grad}
    learning = {n: p for n, p in run.network.named_parameters() if p.requires_grad} | state
    assert learning
    largest = dict.fromkeys(learning, 0.0)
    optimizer = make_optimizer(run.network, run.stages, run.training)
    run.network.train()
    for indices in itertools.islice(run.rows_from(0), 3):
        batch = make_batch(run.train, run.network, indices, run.cached)
        optimizer.zero_grad(set_to_none=True)
        run.stages.gradient(run.stages.objective, run.network, run.stages.inputs(batch))
        for name, parameter in learning.items():
            assert parameter.grad is not None, name
            largest[name] = max(largest[name], float(parameter.grad.abs().max()))
        optimizer.step()
    assert [name for name, value in largest.items() if value == 0.0] == []
    assert {id(p) for group in optimizer.param_groups for p in group["params"]} == {id(p) for p in learning.values()}

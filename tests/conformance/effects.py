"""What a technique changes, by the word for it in the table: what a run in a fixture gives with these techniques."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from graftwork.core.rows.examples import make_batch
from graftwork.core.scoring import predict_examples
from graftwork.core.technique import Technique
from graftwork.core.training.optimizer import make_optimizer
from tinyrun import Fixture, same, weights

Found = Callable[..., Any]


def trained_weights(fixture: Fixture, *listed: Technique, **changes: Any) -> Any:
    return weights(fixture.fit(listed, keep="last", **changes)[1].network)


def kept(fixture: Fixture, *listed: Technique, **changes: Any) -> Any:
    """The saved weights."""
    return weights(fixture.fit(listed, **changes)[1].network)


def rows(fixture: Fixture, *listed: Technique) -> Any:
    run = fixture.run(listed, started=False)
    return [row for indices in run.rows_from(0) for row in indices.tolist()]


def rates(fixture: Fixture, *listed: Technique) -> Any:
    run = fixture.run(listed, started=False)
    groups = make_optimizer(run.network, run.stages, run.training).param_groups
    names = {id(parameter): name for name, parameter in run.network.named_parameters()}
    return {names[id(p)]: group["lr"] for group in groups for p in group["params"] if id(p) in names}


def parts(fixture: Fixture, *listed: Technique) -> Any:
    run = fixture.run(listed)
    sizes: list[int] = []
    run.network.heads[0].register_forward_hook(lambda *seen: sizes.append(len(seen[-1])))
    batch = make_batch(run.train, run.network, next(run.rows_from(0)), run.cached)
    run.stages.gradient(run.stages.objective, run.network.train(), run.stages.inputs(batch))
    return sizes


def start(fixture: Fixture, *listed: Technique) -> Any:
    return weights(fixture.run(listed).network)


def trained(fixture: Fixture, *listed: Technique) -> Any:
    network = fixture.run(listed, started=False).network
    return [name for name, parameter in network.named_parameters() if parameter.requires_grad]


def predictions(fixture: Fixture, *listed: Technique) -> Any:
    """Of the validation rows, by the weights that there are before training."""
    run = fixture.run(listed, started=False)
    found = predict_examples(run.network, fixture.valid, run.techniques)
    return {name: torch.from_numpy(values) for name, values in found.items()}


OUTPUTS: dict[str, Found] = {
    "weights": trained_weights,
    "kept": kept,
    "rows": rows,
    "rates": rates,
    "parts": parts,
    "start": start,
    "trained": trained,
    "predictions": predictions,
}


def equal(first: Any, second: Any) -> bool:
    if isinstance(first, dict) and all(isinstance(value, torch.Tensor) for value in first.values()):
        return same(first, second)
    return bool(first == second)

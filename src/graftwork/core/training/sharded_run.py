"""A run whose network is sharded over the workers while it trains, and the whole network that it ends with."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from graftwork.core.parallel.sharding import is_sharded, sharded_copy, sharded_layers, whole
from graftwork.core.parallel.workers import Joined
from graftwork.core.run import Run, attach
from graftwork.networks.network import Network


def sharded(run: Run) -> Run:
    """The run on a copy of its network whose layers are sharded; the run's own network gives their weights away until
    `ended`. The same run where that was not asked for, or there is nothing to be sharded. A meeting."""
    if not _shards(run):
        return run
    network = sharded_copy(run.network, run.workers)
    for name, parameter in network.named_parameters():
        if is_sharded(parameter):
            own = run.network.get_parameter(name)
            own.data = own.data.new_empty(0)
    made = attach(replace(run, network=network))
    made.stages.state.to(network.device).load_state_dict(run.stages.state.state_dict())
    return made


def ended(given: Run, run: Run, kept: Mapping[str, Tensor]) -> Network:
    """The network of the run as it was given, whole, in eval mode, with the weights that were kept. run: what `sharded`
    made of it. A meeting where anything is sharded."""
    for name, parameter in run.network.named_parameters():
        if is_sharded(parameter):
            parameter.grad = None
            given.network.get_parameter(name).data = whole(kept.get(name, parameter)).detach()
    plain = {name: tensor for name, tensor in kept.items() if not is_sharded(tensor)}
    given.network.load_state_dict(plain, strict=False)
    return given.network.eval()


def trial_network(run: Run) -> Network:
    """A copy of the run's network to try steps on, sharded where the run will be; its own one stays as it is."""
    return sharded_copy(run.network, run.workers, own=True) if _shards(run) else copy.deepcopy(run.network)


def _shards(run: Run) -> bool:
    """Whether it was asked to, has several workers that are here (no plan's), and makes steps that train a base."""
    asked = run.training.sharded and isinstance(run.workers, Joined) and run.plan.total_steps > 0
    return asked and any(sharded_layers(run.network, encoder) for encoder in run.network.each_encoder())

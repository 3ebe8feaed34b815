"""Where a batch can be attacked: pixels of images, samples of sounds, embeddings of texts.

Numbers and categories can't: a category has no "a little more", and a number's units say nothing of what is little.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn

from graftwork.data.batch import Batch, Hidden
from graftwork.data.columns.joined import picks
from graftwork.data.table import Modality, joined_name
from graftwork.errors import UsageError
from graftwork.networks.network import Forward, Network
from graftwork.tasks.task import Task
from graftwork.techniques.adversarial.attack import Ball, Norm, Points, length

SIGNALS: tuple[Modality, ...] = ("image", "audio")
IMAGES: tuple[Modality, ...] = ("image",)
CONTINUOUS: tuple[Modality, ...] = ("image", "audio", "text")
_KEYS = {"image": "pixels", "audio": "wave"}
_RANGES = {"image": (0.0, 1.0), "audio": (-1.0, 1.0)}


def attackable(network: Network, kinds: Collection[Modality], columns: Sequence[str] = (), who: str = "") -> list[str]:
    """The inputs of these kinds, in the network's order; `columns` picks some of them.

    A text counts where its base can start behind the embedding. Raises UsageError for a column that is none of them.
    """
    known = [name for name in network.columns if network.encoder(name).modality in kinds]
    known = [name for name in known if network.encoder(name).modality != "text" or network.encoder(name).deepest_start]
    for name in columns:
        if name not in known and joined_name(columns) not in known:
            raise UsageError(f"{who}: columns names '{name}'. Expected inputs of this run: {', '.join(known)}.")
    return [name for name in known if picks(columns, name)]


def centre(network: Network, name: str, batch: Batch) -> Tensor:
    """What is attacked of an input: pixels, samples, or the output of the embedding, without gradient."""
    encoder = network.encoder(name)
    if encoder.modality == "text":
        with torch.no_grad(), network.precision():
            return encoder.states(batch.inputs[name], 1).float()
    return batch.inputs[name][_KEYS[encoder.modality]]


def own(network: Network, name: str, batch: Batch) -> Tensor | None:
    """Which values are the row's own, and not what it was filled up with."""
    given, modality = batch.inputs[name], network.encoder(name).modality
    if modality == "audio":
        return torch.arange(given["wave"].shape[1], device=given["wave"].device) < given["samples"].unsqueeze(1)
    return given["attention_mask"].bool().unsqueeze(-1) if modality == "text" else None


def ball(network: Network, name: str, batch: Batch, epsilon: float, norm: Norm, *, relative: bool = False) -> Ball:
    """The ball around an input. relative: `epsilon` is a share of the Euclidean length of each row."""
    middle, mask = centre(network, name, batch), own(network, name, batch)
    low, high = _RANGES.get(network.encoder(name).modality, (None, None))
    radius: Tensor | float = epsilon
    if relative:
        radius = epsilon * length(middle if mask is None else middle * mask).flatten()
    return Ball(middle, radius, norm, low, high, mask)


def shifted(network: Network, batch: Batch, deltas: Points) -> Batch:
    """The batch with these changes added to its inputs; gradients pass to them, and to the embedding of texts."""
    inputs, hidden = dict(batch.inputs), dict(batch.hidden)
    for name, delta in deltas.items():
        encoder = network.encoder(name)
        if encoder.modality == "text":
            with network.precision():
                states = encoder.states(batch.inputs[name], 1)
            hidden[name] = Hidden(1, states + delta.to(states.dtype))
        else:
            key = _KEYS[encoder.modality]
            inputs[name] = inputs[name] | {key: inputs[name][key] + delta}
    return replace(batch, inputs=inputs, hidden=hidden)


def task_loss(tasks: Mapping[str, Task], forward: Forward, batch: Batch) -> Tensor:
    """The loss of each row (B,), its targets added up; rows without a label give 0."""
    predictions = forward(batch).predictions
    return torch.stack(
        [task.loss(predictions[name], batch.targets[name]) * batch.labelled[name] for name, task in tasks.items()]
    ).sum(0)


@contextmanager
def steady(network: Network) -> Iterator[None]:
    """The network as a prediction sees it, without dropout, and with what it learns of its inputs at rest.

    On a GPU, recurrent layers then need another way to go backward than cuDNN's, which does so in training mode only.
    """
    training = network.training
    network.eval()
    recurrent = any(isinstance(module, nn.RNNBase) for module in network.modules())
    try:
        with torch.backends.cudnn.flags(enabled=torch.backends.cudnn.enabled and not recurrent):
            yield
    finally:
        network.train(training)

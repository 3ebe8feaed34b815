"""Layers that are to be sharded over the workers: whether there are any, and what can't be right beside them."""

from __future__ import annotations

from collections.abc import Sequence

from graftwork.core.parallel.sharding import sharded_layers
from graftwork.core.settings import Training
from graftwork.core.technique import Graft, Technique
from graftwork.errors import RefusedError
from graftwork.networks.network import Network

STAGES = ("objective", "gradient", "after_step", "view", "reference")
"""Those of which a technique has to say whether they are right beside sharded layers."""


def check_sharded(techniques: Sequence[Technique]) -> None:
    """Raise RefusedError where a technique says that it needs whole weights."""
    if held := which_needs_whole(techniques):
        raise RefusedError(f"{held.name} can't run with sharded: it {held.whole_weights}. {REMEDY}")


def which_needs_whole(techniques: Sequence[Technique]) -> Technique | None:
    """The first technique that says so; None where there is none."""
    return next((technique for technique in techniques if technique.whole_weights), None)


def check_sharded_stages(techniques: Sequence[Technique], grafts: Sequence[Graft]) -> None:
    """Raise RefusedError where a technique does what may need whole weights, and does not say whether it does."""
    for technique, graft in zip(techniques, grafts, strict=True):
        if type(technique).whole_weights is not Technique.whole_weights:
            continue
        acts = [f"a stage {name}" for name in STAGES if getattr(graft, name) is not None]
        acts += ["a way to predict"] if technique.acts_at_prediction else []
        if acts:
            raise RefusedError(
                f"{technique.name} can't run with sharded: it has {acts[0]}, and does not say whether that is right "
                f"where no worker has whole weights (`Technique.whole_weights`). {REMEDY}"
            )


REMEDY = "Drop it, or leave out sharded."


def sharded_notes(network: Network, training: Training, count: int) -> list[str]:
    """What a plan says of it. count: of workers. Raises RefusedError where a base is trained that has no layers to be
    sharded."""
    if not training.sharded:
        return []
    if count == 1:
        return ["sharded says nothing here: one process holds all. Add --workers"]
    trained = [one for one in network.each_encoder() if any(value.requires_grad for value in one.parameters())]
    if not trained:
        return ["sharded says nothing here: nothing of the base is trained"]
    layers = [layer for encoder in trained for layer in sharded_layers(network, encoder)]
    if not layers:
        named = " and ".join(dict.fromkeys(encoder.architecture for encoder in trained))
        raise RefusedError(
            f"sharded splits the layers of a Transformer for texts over the workers, and this base ({named}) has none "
            "that can be split. Leave out sharded, or use such a base."
        )
    numbers = sum(parameter.numel() for layer in layers for parameter in layer.parameters())
    whole = sum(parameter.numel() for parameter in network.parameters()) - numbers
    return [
        f"sharded: {numbers:,} parameters of the base are split over {count} workers; each holds the other {whole:,}"
    ]

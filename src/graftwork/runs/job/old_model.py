"""The model that a run starts from: its task, its heads, and which of its encoders the run trains further."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace

from graftwork import saving
from graftwork.core.rows.corruption import corrupts
from graftwork.data.table import Schema
from graftwork.errors import UsageError
from graftwork.networks.bases.tuned import TunedSettings
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from graftwork.saving import Saved


@dataclass(frozen=True)
class OldModel:
    """A saved model whose encoders are the base of a run.

    name: its folder as it was given. starts: by input of the run, the number of the old encoder that it starts from.
    """

    name: str
    saved: Saved
    starts: Mapping[str, int]

    def on(self, network: Network) -> Saved:
        """The old model, its heads as they are, on what a run has made of its encoders."""
        changed = copy.deepcopy(self.saved.network)
        for name, index in self.starts.items():
            if name in network.columns:
                changed.encoders[index] = network.encoder(name)
        return replace(self.saved, network=changed.to(network.device).eval())


def old_model(recipe: Recipe, schema: Schema, wanted: str) -> OldModel:
    """The model that is the base of the inputs in `schema`. wanted: what asks for it, for messages.

    Raises UsageError where no input starts from a saved model, where several models are named, or where it was
    pretrained on its inputs alone, so that it has no score; ModelError for a damaged one.
    """
    bases = {name: base for name, base in recipe.bases(schema).items() if isinstance(base, TunedSettings)}
    if not bases:
        raise UsageError(
            f"{wanted} asks what becomes of an old model, but the base is {recipe.base_text}, which is none. Expected "
            "a folder that graft fit wrote as the base, as in --base runs/old."
        )
    folders = {base.folder.resolve(): base for base in bases.values()}
    if len(folders) > 1:
        named = " and ".join(base.path for base in folders.values())
        raise UsageError(f"{wanted}: the bases come from several models, {named}. Expected one.")
    (first,) = folders.values()
    saved = saving.load(first.folder)
    if corrupts(saved.tasks):
        raise UsageError(
            f"{wanted}: {first.path} was pretrained and predicts no column, so it has no score to be remembered. "
            "Expected a model that graft fit trained for a task."
        )
    read = {one.name: one.columns for one in recipe.read(schema)}
    return OldModel(first.path, saved, {name: base.encoder_for(read[name]) for name, base in bases.items()})

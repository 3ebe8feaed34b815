"""The bases of a recipe on the observations of an environment: built, adapted by its techniques, fused."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from graftwork.core.technique import Setup, Technique
from graftwork.data.columns.text import normalise
from graftwork.data.table import Input, Modality
from graftwork.errors import RefusedError, UsageError, nearest
from graftwork.networks.base_settings import TrainingRows, seeded
from graftwork.networks.bases.registry import bases_of, build, named_uses
from graftwork.networks.encoder import Encoder
from graftwork.networks.fusion.fusion import Concat, Fusion
from graftwork.networks.network import Network
from graftwork.rl.recipe import RLRecipe
from graftwork.rl.sight.base_inputs import TEXT, BaseInput
from graftwork.rl.sight.reading import Reading
from graftwork.rl.sight.seeing import Seeing
from graftwork.rl.world.environments import World
from graftwork.rl.world.looked_at import as_table, columns_of, look
from graftwork.rl.world.observations import Part

TABLE = "table"
"""What numbers and categories are called together, where a base reads them."""
Fold = Callable[[Network], Network]


@dataclass(frozen=True)
class Sight:
    """reading: of observations. sees: a network over what is stored of them, to be copied. folds: what techniques do to
    a network before it is saved."""

    reading: Reading
    sees: Seeing
    folds: tuple[Fold, ...] = ()

    def folded(self, sees: Seeing) -> Seeing:
        """A copy of a trained `sees` whose encoders are plain again."""
        encoders = {str(at): one for at, one in enumerate(sees.encoders) if isinstance(one, Encoder)}
        if not self.folds or not encoders:
            return copy.deepcopy(sees)
        network = Network(encoders, {})
        for fold in self.folds:
            network = fold(network)
        bare = copy.copy(sees)
        bare._modules = dict(sees._modules)
        plain = [network.encoder(str(at)) if str(at) in encoders else one for at, one in enumerate(sees.encoders)]
        bare.encoders = torch.nn.ModuleList(plain)
        return copy.deepcopy(bare)


def sight(recipe: RLRecipe, world: World, seed: int) -> Sight:
    """What the recipe's policy sees with, before anything is learned.

    Raises UsageError for a base that is named for nothing, RefusedError for techniques that don't fit, ModelError for a
    base that can't be loaded.
    """
    inputs = _inputs(recipe, world)
    if not inputs:
        reading = Reading(world.parts)
        with seeded(seed):
            return Sight(reading, Seeing(reading.small))
    seen = look(world, seed)
    encoders = _encoders(recipe, world, inputs, seen, seed)
    network, folds = _adapted(recipe, encoders, seed)
    by_name = {one.name: one for one in world.parts}
    read = [
        BaseInput(
            one.name,
            tuple(by_name[column] for column in one.columns),
            network.encoder(one.name),
            any(parameter.requires_grad for parameter in network.encoder(one.name).parameters()),
        )
        for one in inputs
    ]
    reading = Reading(world.parts, read)
    for one in read:
        one.encoder.eval()
    with seeded(seed):
        sees = Seeing(reading.small, read, _fusion(network, read, seen))
    _standardise(sees, reading, seen)
    return Sight(reading, sees, folds)


def _fusion(network: Network, read: Sequence[BaseInput], seen: Sequence[Any]) -> Fusion:
    """The network's fusion; where it puts features side by side, frozen pictures say where things are beside them."""
    if not isinstance(network.fusion, Concat):
        return network.fusion
    for one in read:
        if one.kind == "image" and not one.trained:
            one.place(seen[::2])
    return Concat([one.width for one in read])


def _inputs(recipe: RLRecipe, world: World) -> list[Input]:
    """The inputs that a base is named for; columns are names of parts."""
    if recipe.base is None:
        return []
    modalities: dict[str, Modality] = {"text": "text", "image": "image"}
    every = [Input(one.name, modalities[one.kind], (one.name,)) for one in world.parts if one.kind in modalities]
    rows = tuple(part.name for part in world.parts if part.kind in ("numbers", "category"))
    if rows:
        every.append(Input(TABLE if TABLE not in {one.name for one in world.parts} else f"{TABLE}_", "table", rows))
    if not every:
        kinds = ", ".join(f"'{part.name}' is a {part.kind}" for part in world.parts)
        raise RefusedError(f"No base reads what {world.name} shows: {kinds}. Leave --base out.")
    uses = named_uses(recipe.base, every)
    names = {one.name for one in every} | {one.modality for one in every}
    for use in uses - names:
        raise UsageError(f"base: {world.name} shows no '{use}'. {nearest(use, names)}")
    return [one for one in every if one.name in uses or one.modality in uses]


def _encoders(
    recipe: RLRecipe, world: World, inputs: Sequence[Input], seen: Sequence[Any], seed: int
) -> dict[str, tuple[Encoder, bool]]:
    """By input, its encoder, and whether it was trained before; inputs of one pretrained base share it."""
    assert recipe.base is not None
    parts = {part.name: part for part in world.parts}
    found: dict[str, tuple[Encoder, bool]] = {}
    shared: dict[tuple[str, str], Encoder] = {}
    for name, base in bases_of(_named(recipe.base, inputs), inputs).items():
        one = next(each for each in inputs if each.name == name)
        read = [parts[column] for column in one.columns]
        key = (one.modality, base.spec)
        if key not in shared or not base.pretrained:
            shared[key] = build(base, _rows(read, seen, world.name), seed)
        found[name] = (shared[key], base.pretrained and any(True for _ in shared[key].parameters()))
    return found


def _named(base: str | Mapping[str, str], inputs: Sequence[Input]) -> str | Mapping[str, str]:
    """The bases, of these inputs only."""
    if isinstance(base, str):
        return base
    kept = {one.name for one in inputs} | {one.modality for one in inputs}
    return {use: spec for use, spec in base.items() if use in kept}


def _rows(parts: Sequence[Part], seen: Sequence[Any], name: str) -> TrainingRows:
    table = as_table(parts, seen, name)
    texts = [part for part in parts if part.kind == "text"]
    wanted = {column for part in parts for column in columns_of(part)}
    return TrainingRows(
        texts=lambda: [normalise(part.read(one), TEXT) for part in texts for one in seen],
        columns=tuple(column for column in table.schema.columns if column.name in wanted),
        table=table,
    )


def _adapted(
    recipe: RLRecipe, encoders: Mapping[str, tuple[Encoder, bool]], seed: int
) -> tuple[Network, tuple[Fold, ...]]:
    """A network over all inputs; what was trained before is frozen, unless a technique says what of it is trained."""
    network = Network({name: encoder for name, (encoder, _) in encoders.items()}, {})
    known = {name: encoder for name, (encoder, pretrained) in encoders.items() if pretrained}
    folds = list[Fold]()
    setup = _setup(seed)
    for technique in _fusions(recipe):
        if len(encoders) < 2:
            raise RefusedError(f"{technique.name} fuses several inputs, and a base reads one only. Leave it out.")
        technique.adapt(network, setup)
        if network.fusion.reads_tokens:
            raise RefusedError(f"{technique.name} reads tokens, and here a row of features is kept of each input.")
    tuning = [one for one in recipe.techniques if one not in _fusions(recipe)]
    if not known:
        if tuning:
            raise RefusedError(f"{tuning[0].name} adapts what was trained before, and no base named here was.")
        return network, ()
    if len(tuning) > 1:
        raise RefusedError(f"{tuning[0].name} and {tuning[1].name} both say what is trained. Drop one of them.")
    alone = Network(known, {})
    if not tuning:
        for encoder, _ in encoders.values():
            if any(encoder is one for one in known.values()):
                encoder.requires_grad_(False)
    for technique in tuning:
        technique.adapt(alone, setup)
        fold = technique.attach(alone, setup).fold
        folds += [fold] if fold is not None else []
    return network, tuple(folds)


def _fusions(recipe: RLRecipe) -> list[Technique]:
    return [one for one in recipe.techniques if "fusion" in one.claims]


def _setup(seed: int) -> Setup:
    """What a technique that only adapts may know: there are no rows and no targets."""

    def none(*_: Any) -> Any:
        raise RefusedError("A technique asked for rows, and an environment has none.")

    cpu = torch.device("cpu")
    return Setup({}, {}, {}, features=none, batches=none, total_steps=1, seed=seed, device=cpu)


def _standardise(sees: Seeing, reading: Reading, seen: Sequence[Any]) -> None:
    """Scale what the bases give by the observations that were looked at, as a head's features are in a fit."""
    if sees.projection is None or sees.fusion is None:
        return
    rows = [reading.row(one) for one in seen]
    stored = reading.seen({one.name: np.stack([row[one.name] for row in rows]) for one in reading.inputs})
    with torch.no_grad():
        parts = sees.parts_of({name: torch.from_numpy(values) for name, values in stored.items()})
    moments = [(part.mean(0), part.std(0)) for part in parts]
    fusion: Fusion = sees.fusion
    fusion.set_statistics(moments)
    if fusion.side_by_side:
        means, deviations = zip(*moments, strict=True)
        sees.projection.set_statistics((torch.cat(means), torch.cat(deviations)))


def moved(reading: Reading, device: torch.device) -> None:
    """Bring the frozen encoders to a device."""
    for one in reading.inputs:
        one.encoder.to(device)

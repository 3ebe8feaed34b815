"""The models that are to become one, and whether they can: they must read the same and share a base."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from graftwork.errors import GraftworkError, ModelError, RefusedError, UsageError
from graftwork.model import Model, load
from graftwork.networks.base_settings import BaseSettings

SHOWN = 6
"""Tensors that a message lists at most."""

Given = Model | str | os.PathLike[str]


@dataclass(frozen=True)
class Parent:
    """A model under the name that messages and reports call it by."""

    name: str
    model: Model

    @property
    def body(self) -> dict[str, Tensor]:
        """All weights but those of the heads."""
        state = self.model.network.state_dict()
        return {name: value for name, value in state.items() if not name.startswith("heads.")}

    @property
    def bases(self) -> dict[int, BaseSettings]:
        """The base of each encoder, by the encoder's number in the network."""
        network, unique = self.model.network, list(self.model.network.each_encoder())
        named = self.model.recipe.bases(self.model.schema)
        return {unique.index(network.encoder(name)): base for name, base in named.items()}


def parents_of(models: Sequence[Given]) -> tuple[Parent, ...]:
    """Load what is given as folders. Raises UsageError for fewer than two, ModelError for what is no model."""
    if isinstance(models, str | os.PathLike | Model) or len(models) < 2:
        raise UsageError(f"Expected two models or more, but {_how_many(models)} given.")
    _check_distinct(models)
    loaded = [one if isinstance(one, Model) else load(one) for one in models]
    return tuple(Parent(name, model) for name, model in zip(_names(models), loaded, strict=True))


def _check_distinct(models: Sequence[Given]) -> None:
    """The same one twice would count twice, which nobody means who mixes models."""
    seen: dict[object, str] = {}
    for at, one in enumerate(models, start=1):
        key, name = (id(one), f"model {at}") if isinstance(one, Model) else (Path(one).resolve(), str(one))
        if key in seen:
            again = f" (as {name})" if seen[key] != name else ""
            raise UsageError(f"{seen[key]} is given twice{again}. Expected different models: name each once.")
        seen[key] = name


def _how_many(models: object) -> str:
    return "one is" if isinstance(models, str | os.PathLike | Model) or len(models) == 1 else "none is"  # type: ignore[arg-type]


def _names(models: Sequence[Given]) -> list[str]:
    """Names of the folders; where two have one name, their whole paths; numbers for models in memory."""
    folders = [one.folder if isinstance(one, Model) else Path(one) for one in models]
    short = [f"model {at}" if folder is None else folder.resolve().name for at, folder in enumerate(folders, start=1)]
    long = [name if folder is None else str(folder) for name, folder in zip(short, folders, strict=True)]
    names = [name if short.count(name) == 1 else other for name, other in zip(short, long, strict=True)]
    return [name if names.count(name) == 1 else f"{name} ({at})" for at, name in enumerate(names, start=1)]


def check_shared_base(parents: Sequence[Parent]) -> None:
    """Raise RefusedError where a model reads other inputs than the first, or did not start from the same weights."""
    first = parents[0]
    for other in parents[1:]:
        _check_inputs(first, other)
        _check_tensors(first, other)
        for at, encoder in enumerate(other.model.network.each_encoder()):
            _check_start(first, other, at)
            if encoder.fingerprint != list(first.model.network.each_encoder())[at].fingerprint:
                raise RefusedError(
                    f"{first.name} and {other.name} turn what they read into other numbers (another tokenizer, other "
                    "scales or categories), so that their weights don't mean the same. Expected models of one base."
                )


def _check_inputs(first: Parent, other: Parent) -> None:
    """One input each may have two names; several must have the same."""
    reads = [{one.name: one.modality for one in each.model.schema.modalities} for each in (first, other)]
    counts = [[len(one.columns) for one in each.model.schema.modalities] for each in (first, other)]
    alike = len(reads[0]) == len(reads[1]) == 1 and "table" not in reads[0].values() and counts[0] == counts[1]
    if list(reads[0].values()) != list(reads[1].values()) or not (alike or reads[0] == reads[1]):
        read = [", ".join(f"{name} ({kind})" for name, kind in each.items()) for each in reads]
        raise RefusedError(
            f"{first.name} reads {read[0]}, but {other.name} reads {read[1]}. Expected the same inputs in one order."
        )
    scales = [[column.scale for column in each.model.schema.inputs] for each in (first, other)]
    if scales[0] != scales[1]:
        said = [", ".join(f"{s[0]:g} to {s[1]:g}" if s else "8 bits" for s in found) for found in scales]
        raise RefusedError(
            f"{first.name} and {other.name} take other values for black and white in images of more than 8 bits a "
            f"colour ({said[0]}; {said[1]}). Expected models of the same kind of images."
        )


def _check_tensors(first: Parent, other: Parent) -> None:
    differing = different_tensors(first.body, other.body, first.name, other.name)
    if differing:
        raise _no_shared_base(first, other, differing)


def different_tensors(first: Mapping[str, Tensor], other: Mapping[str, Tensor], one: str, two: str) -> list[str]:
    """Which names or shapes differ, in words. one, two: what the models are called."""
    found = []
    for name in dict.fromkeys((*first, *other)):
        shapes = [tuple(state[name].shape) if name in state else None for state in (first, other)]
        if shapes[0] != shapes[1]:
            said = (f"{called} {_shape(shape)}" for called, shape in zip((one, two), shapes, strict=True))
            found.append(f"{name} ({', '.join(said)})")
    return found


def _shape(shape: tuple[int, ...] | None) -> str:
    return "has none" if shape is None else "x".join(map(str, shape)) or "a number"


def _check_start(first: Parent, other: Parent, at: int) -> None:
    """Whether one encoder of the two began with the same weights, as far as the bases say."""
    named = [name for name in first.body if name.startswith(f"encoders.{at}.")]
    if first.model.recipe.base == other.model.recipe.base:
        _check_seeds(first, other, at, named)
        return
    needed = f"to see whether {first.name} and {other.name} share one", "Put it back."
    starts = [_own_start(each, at, *needed) for each in (first, other)]
    specs = [each.bases[at].spec for each in (first, other)]
    if starts[0] is None or starts[1] is None:
        if specs[0] == specs[1]:  # only the bases of other inputs differ
            _check_seeds(first, other, at, named)
            return
        drawn = (" (random weights)" if start is None else "" for start in starts)
        why = " and ".join(f"{spec}{mark}" for spec, mark in zip(specs, drawn, strict=True))
        raise _no_shared_base(first, other, [], why)
    differing = [name for name in named if not torch.equal(starts[0][name], starts[1][name])]
    if differing:
        why = f"one is {specs[0]}, the other {specs[1]}"
        raise _no_shared_base(first, other, [_with_shape(first, name) for name in differing], why)


def _check_seeds(first: Parent, other: Parent, at: int, named: Sequence[str]) -> None:
    """Whether encoders of one base began alike: random weights do with the same seed. named: their tensors."""
    seeds = first.model.recipe.seed, other.model.recipe.seed
    if seeds[0] != seeds[1] and _is_drawn(first, at):
        why = (
            f"{first.bases[at].spec} begins with random weights, of seed {seeds[0]} in one and {seeds[1]} in the other"
        )
        raise _no_shared_base(first, other, [_with_shape(first, name) for name in named], why)


def _is_drawn(parent: Parent, at: int) -> bool:
    """Whether an encoder began with random weights; a base that is not there any more was a folder of learned ones."""
    try:
        return not parent.bases[at].pretrained
    except ModelError:
        return False


def _with_shape(parent: Parent, name: str) -> str:
    return f"{name} ({_shape(tuple(parent.body[name].shape))})"


def _no_shared_base(first: Parent, other: Parent, tensors: Sequence[str], why: str = "") -> RefusedError:
    more = f" and {len(tensors) - SHOWN:,} more" if len(tensors) > SHOWN else ""
    count = f"{len(tensors):,} tensors differ" if len(tensors) != 1 else "1 tensor differs"
    differ = f" {count}: {', '.join(tensors[:SHOWN])}{more}." if tensors else ""
    return RefusedError(
        f"{first.name} and {other.name} don't share a base{f': {why}' if why else ''}.{differ} Expected models that "
        "were trained from the same weights; train them from one base, or use them side by side."
    )


def start_of(parent: Parent, at: int) -> dict[str, Tensor]:
    """The weights with which an encoder began, by their names in the network. Raises RefusedError where its base has
    none of its own, or is not there any more."""
    found = _own_start(parent, at, "to see what training added to it", "Put it back, or use the method average.")
    if found is None:
        raise RefusedError(
            f"The base {parent.bases[at].spec} of {parent.name} begins with random weights, so what training added to "
            "it is not known. Use the method average."
        )
    return found


def _own_start(parent: Parent, at: int, needed: str, mend: str) -> dict[str, Tensor] | None:
    """The same, and None where its base has no weights of its own. needed, mend: for the message where it is gone."""
    try:
        base = parent.bases[at]
        trained = list(parent.model.network.each_encoder())[at]
        encoder = base.start_of(trained, parent.model.recipe.seed) if base.pretrained else None
    except GraftworkError as error:
        raise RefusedError(f"The base of {parent.name} is needed {needed}, but can't be read: {error} {mend}") from None
    if encoder is None:
        return None
    return {f"encoders.{at}.{name}": value.detach() for name, value in encoder.state_dict().items()}


def starts_of(parent: Parent) -> dict[str, Tensor]:
    """The same of all encoders: of their parameters only, since buffers hold what was counted and not learned."""
    learned = {name for name, _ in parent.model.network.named_parameters()}
    found = [start_of(parent, at) for at, _ in enumerate(parent.model.network.each_encoder())]
    return {name: value for each in found for name, value in each.items() if name in learned}

"""Finished runs, kept below `GRAFTWORK_HOME`: what a run scored and predicted, under a key of all that decides it.

A run that is asked for again, by another ablation or by the same one after a stop, is not trained twice. An entry is a
folder that appears whole or not at all, and is sealed with checksums; one that is damaged counts as not there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file

from graftwork.core.training.checkpoint import write_tensors
from graftwork.data.store.cache import storing
from graftwork.data.store.entries import is_whole, seal
from graftwork.data.store.ragged import Ragged
from graftwork.data.store.typed import misfit
from graftwork.data.store.writing import move, remove, temporary_name, write_text
from graftwork.data.values import Values
from graftwork.runs.finished_store import folder

FORMAT = 1
"""Of an entry; part of its key, so that another one is not read."""
_TOLD, _PREDICTIONS = "run.json", "predictions.safetensors"
_VALUES, _OFFSETS = "values", "offsets"


@dataclass(frozen=True)
class Finished:
    """What a run came to.

    score: on the rows that were held out of it, more is better. rows, trained_rows: how many those were, and how many
    it was trained on, with those that it validated on. seconds, predict_seconds: CPU seconds of the fit, and of
    predicting the held-out rows. memory: bytes at the peak above the start, 0 where not measured. parameters: trained.
    """

    score: float
    rows: int
    trained_rows: int
    seconds: float
    predict_seconds: float
    memory: int
    parameters: int


def recall(key: str) -> Finished | None:
    """The run of this key; None where it was never finished, or what is there is damaged."""
    place = folder() / key
    if not is_whole(place):
        return None
    try:
        told: Any = json.loads((place / _TOLD).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if misfit(told, Finished):
        return None
    with suppress(OSError):  # a home that can only be read still serves
        os.utime(place)
    return Finished(**{name: told[name] for name in Finished.__dataclass_fields__})


def predictions(key: str) -> dict[str, Values] | None:
    """By target, what the run predicted of its held-out rows, in their order, as its task keeps it."""
    place = folder() / key
    if not is_whole(place):
        return None
    try:
        found = load_file(place / _PREDICTIONS)
    except (OSError, SafetensorError):
        return None
    return predictions_of(found)


def keep(key: str, finished: Finished, predicted: Mapping[str, Values], about: Mapping[str, Any]) -> None:
    """Keep a run. about: plain data for people, such as its recipe.

    Raises DataError where the home can't be written, or its disk is full.
    """
    place = folder() / key
    temporary = temporary_name(place)
    with storing(place):
        temporary.mkdir(parents=True)
        try:
            write_text(
                temporary / _TOLD, json.dumps({**asdict(finished), "about": about}, ensure_ascii=False, indent=1)
            )
            write_tensors(tensors_of(predicted), temporary / _PREDICTIONS)
            seal(temporary)
            if os.path.lexists(place):
                remove(place)  # damaged, or another process was quicker with the same
            move(temporary, place)
        finally:
            remove(temporary)


def tensors_of(predicted: Mapping[str, Values]) -> dict[str, torch.Tensor]:
    """Predictions by target as tensors by name, for a file."""
    found: dict[str, torch.Tensor] = {}
    for target, values in predicted.items():
        parts = {_VALUES: values.values, _OFFSETS: values.offsets} if isinstance(values, Ragged) else {_VALUES: values}
        found |= {f"{part}/{target}": torch.from_numpy(np.array(array)) for part, array in parts.items()}
    return found


def predictions_of(found: Mapping[str, np.ndarray]) -> dict[str, Values]:
    """The inverse of `tensors_of`. Raises KeyError for names that it does not give."""
    targets = dict.fromkeys(name.partition("/")[2] for name in found)
    return {target: _values(target, found) for target in targets}


def _values(target: str, found: Mapping[str, np.ndarray]) -> Values:
    values, offsets = found[f"{_VALUES}/{target}"], found.get(f"{_OFFSETS}/{target}")
    return values if offsets is None else Ragged(values, offsets)

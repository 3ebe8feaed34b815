"""What a tune keeps of a trial in its folder: what it came to, and what it predicts of the judged rows.

Each rung has its own file of predictions, and `trial.json` is written behind it, so that the two always agree. A folder
that is damaged counts as one of a trial that was never run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load_file

from graftwork.core.training.checkpoint import write_tensors
from graftwork.data.store.cache import storing
from graftwork.data.store.entries import checksum
from graftwork.data.store.typed import misfit
from graftwork.data.store.writing import clean, remove, replacing, write_text
from graftwork.data.values import Values
from graftwork.evidence.tune.trials import Trial
from graftwork.runs.stored import predictions_of, tensors_of

TRIAL = "trial.json"
_CHECKSUM = "judged"
"""In that file: the checksum of the predictions."""


def trial_folder(folder: Path, number: int) -> Path:
    """Where a trial is kept, below the folder of all."""
    return folder / f"{number:04d}"


def write_trial(folder: Path, trial: Trial, predictions: Mapping[str, Values] | None) -> None:
    """Keep a trial. predictions: of the judged rows at its last rung; None where it has none.

    Raises DataError where the disk is full, or the folder can't be written.
    """
    place = trial_folder(folder, trial.number)
    with storing(place):
        place.mkdir(parents=True, exist_ok=True)
        clean(place)
        told: dict[str, Any] = asdict(trial)
        if predictions is not None:
            with replacing(place / _name(trial), lasting=True) as temporary:
                write_tensors(tensors_of(predictions), temporary)
            told[_CHECKSUM] = checksum(place / _name(trial))
        write_text(place / TRIAL, json.dumps(told, ensure_ascii=False, indent=1), lasting=True)
        for path in place.glob("judged-*.safetensors"):
            if predictions is not None and path.name != _name(trial):
                remove(path)


def read_trial(folder: Path, number: int) -> Trial | None:
    """The trial of this number; None where it was not run, or what is there is damaged."""
    told = _told(folder, number)
    if told is None:
        return None
    named: dict[str, Any] = {one.name: told[one.name] for one in fields(Trial) if one.name in told}
    named["rungs"] = tuple((int(step), float(score)) for step, score in told.get("rungs", ()))
    named["techniques"] = tuple(told.get("techniques", ()))
    named["members"] = {int(member): float(weight) for member, weight in told.get("members", {}).items()}
    trial = Trial(**named)
    path = trial_folder(folder, number) / _name(trial)
    try:
        whole = not trial.rungs or checksum(path) == told.get(_CHECKSUM)
    except OSError:
        return None
    return trial if whole else None


def known_trials(folder: Path | None) -> list[Trial]:
    """All that are in the folder and whole, by number; none where there is no folder."""
    if folder is None or not folder.is_dir():
        return []
    numbers = sorted(int(one.name) for one in folder.iterdir() if one.name.isdecimal())
    return [one for one in (read_trial(folder, number) for number in numbers) if one is not None]


def read_predictions(folder: Path, trial: Trial) -> dict[str, Values] | None:
    """What a trial predicts of the judged rows, by target; None where that is not there, or damaged."""
    try:
        return predictions_of(load_file(trial_folder(folder, trial.number) / _name(trial)))
    except (OSError, SafetensorError, KeyError, ValueError):
        return None


def _told(folder: Path, number: int) -> dict[str, Any] | None:
    """What stands in the file of a trial, if all of it is as `write_trial` writes it."""
    try:
        told: Any = json.loads((trial_folder(folder, number) / TRIAL).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if misfit(told, Trial) or told["number"] != number:
        return None
    if not all(member.lstrip("-").isdecimal() for member in told.get("members", {})):
        return None
    return dict(told)


def _name(trial: Trial) -> str:
    """Of the file with the predictions at the last rung."""
    return f"judged-{trial.rungs[-1][0] if trial.rungs else 0}.safetensors"

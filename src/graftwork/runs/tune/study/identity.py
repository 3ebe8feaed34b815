"""What a study is known by, so that one of other rows or another version is not gone on with by mistake."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypedDict

from graftwork.bases.origin import origin_of
from graftwork.data.contents import contents
from graftwork.data.store.cache import storing
from graftwork.data.store.typed import misfit
from graftwork.data.store.writing import write_text
from graftwork.errors import CheckpointError, UsageError
from graftwork.networks.base_settings import BaseSettings
from graftwork.networks.bases.registry import FROM_MODEL, FROM_PATH
from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job
from graftwork.runs.tune.asked import Asking
from graftwork.shown import shortened_text

STUDY = "study.json"
FORMAT = 1


class Identity(TypedDict):
    """versions: of graftwork, and of what proposes. rows: a digest by table. weights: as `weights_of` says them.
    tried: what the search space holds.

    Limits are not part of it: they say what may be kept of the trials, and can be others when it goes on."""

    format: int
    versions: dict[str, str]
    rows: dict[str, str]
    weights: dict[str, str]
    recipe: dict[str, Any]
    seed: int
    batch: int
    folds: int
    objectives: list[str]
    tried: list[str]


_WORDS = {
    "format": "it was written by another version of graftwork",
    "versions": "it was made with other versions: {was}, and here is {now}",
    "rows": "the rows are others ({names})",
    "weights": "the weights of {names} are others",
    "recipe": "the recipe is another: {names} differ",
    "seed": "its seed is {was}, and here {now}",
    "batch": "its --batch is {was}, and here {now}",
    "folds": "its trials were scored in {was} folds, and here {now}",
    "objectives": "its objectives are {was}, and here {now}",
    "tried": "it tries {was}, and here {now}",
}


def identity_of(
    job: Job,
    recipe: Recipe,
    asking: Asking,
    folds: int,
    dimensions: Sequence[Any],
    weights: Mapping[str, str] = MappingProxyType({}),
) -> Identity:
    """Of a tune of a job, whose rows are those that are trained on and judged. dimensions: of the search space."""
    tables = {"train": job.train, "valid": job.valid, "calibration": job.calibration}
    return {
        "format": FORMAT,
        "versions": {name: _version(name) for name in ("graftwork", "optuna")},
        "rows": {name: contents(table) for name, table in tables.items() if table is not None},
        "weights": dict(weights),
        "recipe": json.loads(json.dumps(recipe.to_dict(), default=str)),
        "seed": recipe.seed,
        "batch": asking.batch,
        "folds": folds,
        "objectives": ["quality", "latency", "size"] if asking.pareto else ["quality"],
        "tried": [f"{one.name}: {one.space!r}" + (f" where {one.when!r}" if one.when else "") for one in dimensions],
    }


def weights_of(bases: Iterable[BaseSettings]) -> dict[str, str]:
    """By base, a checksum of its weights: of those that are a folder, which may hold others under the same name."""
    named = {*FROM_PATH.values(), *FROM_MODEL.values()}
    places = {base.spec: base.weights() for base in bases if base.name in named}
    return {spec: origin_of(None, place).sha256 or "" for spec, place in places.items() if place is not None}


def check_identity(folder: Path, now: Identity) -> None:
    """Write down what the study in `folder` is known by; one that is there must be the same.

    Raises UsageError with what differs, CheckpointError where the file is damaged.
    """
    path = folder / STUDY
    if not path.is_file():
        with storing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_text(path, json.dumps(now, ensure_ascii=False, indent=1), lasting=True)
        return
    was = read_identity(path)
    told = list(filter(None, (_told(name, text, was, now) for name, text in _WORDS.items())))
    if told:
        raise UsageError(
            f"{folder.parent} holds a study that this one can't go on with: {'; '.join(told)}. Repeat the command that "
            "began it, give --new to begin afresh in its place, or choose another --out."
        )


def read_identity(path: Path) -> Mapping[str, Any]:
    """What stands in the file. Raises CheckpointError where that is damaged."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        found = {"weights": {}} | found if isinstance(found, dict) else found
        wrong = misfit(found, Identity)
    except (OSError, ValueError, RecursionError) as error:
        wrong = str(error)
    if wrong:
        raise CheckpointError(
            f"{path} is damaged ({wrong}): the study can't be gone on with. Begin it again with --new, or choose "
            "another --out."
        )
    return found


def _told(name: str, text: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What differs, in words; nothing where it is the same, or where an earlier version kept nothing of it."""
    before, here = was[name], now[name]
    if before == here or (name == "weights" and not before):
        return ""
    if isinstance(before, dict):
        names = [one for one in {**before, **here} if before.get(one) != here.get(one)]
        shown = [", ".join(f"{one} {side.get(one, 'none')}" for one in names) for side in (before, here)]
        return text.format(was=shortened_text(shown[0]), now=shortened_text(shown[1]), names=", ".join(names))
    if isinstance(before, list):
        sides = [[one for one in first if one not in second] for first, second in ((before, here), (here, before))]
        shown = [shortened_text(", ".join(side)) or "none of these" for side in sides]
        return text.format(was=shown[0], now=shown[1])
    return text.format(was=before, now=here)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"

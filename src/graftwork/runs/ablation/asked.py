"""What an ablation is of: the recipe and the tables of a run that was saved, or of a table with a recipe."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from graftwork.data.load import Source
from graftwork.discovery.code import check_allowed
from graftwork.errors import UsageError
from graftwork.networks.manifest import is_model, one_network, read_manifest_of
from graftwork.recipe import Recipe, from_dict
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.data_file import read_data

NOT_WANTED = ("test", "remember")
"""Tables that an ablation never reads: what is chosen by their rows could not be measured by them."""


def is_run(what: Any) -> bool:
    """Whether it is the folder of a model, be it damaged; anything else is a table."""
    return isinstance(what, str | os.PathLike) and is_model(Path(what).expanduser())


def recipe_of_run(folder: str | os.PathLike[str]) -> Recipe:
    """The resolved recipe of a saved model. Raises ModelError where it is none, or damaged, RefusedError for an
    ensemble, whose members have one each."""
    path = Path(folder).expanduser()
    recipe = from_dict(one_network(path, read_manifest_of(path))["recipe"], str(path))
    if recipe.training.steps == 0:  # of a head that was solved; a run without what solves it needs steps
        return replace(recipe, training=replace(recipe.training, steps=None, epochs=None, cuts=()))
    return recipe


def recipe_to_train(folder: str | os.PathLike[str], allow_code: Sequence[str] = ()) -> Recipe:
    """The same, to be trained once more. Raises UsageError too, where it imports code to train that is not in
    `allow_code`."""
    recipe = recipe_of_run(folder)
    check_allowed(recipe.code, allow_code, os.fspath(folder))
    return recipe


def data_of(
    what: Source,
    options: Mapping[str, Any],
    replaced: Source | Mapping[str, Source] | None = None,
    *,
    with_test: bool = False,
) -> DataArguments:
    """The tables to draw rows from. replaced: of a run, a table in place of its own. with_test: of a run its test table
    too, for a fit to come.

    Raises UsageError for options that belong to a table, where a run is named; what `read_data` raises.
    """
    if not is_run(what):
        if replaced is not None:
            raise UsageError("data= (--data) stands in for the table of a run, but a table is named. Name one of them.")
        return DataArguments(train=what, **options)
    _refuse(what, [name for name, value in options.items() if value])
    folder = Path(os.fspath(what)).expanduser()  # type: ignore[arg-type]
    return read_data(folder, replaced, NOT_WANTED[1:] if with_test else NOT_WANTED)


def _refuse(what: Any, options: Collection[str]) -> None:
    if options:
        raise UsageError(
            f"{what} is a run, which says itself how its tables were read. Drop {', '.join(options)}, or name a table "
            "in its place."
        )

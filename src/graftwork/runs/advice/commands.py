"""The commands that an advice ends in: the run's own tables and columns, with one thing changed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graftwork.data.read.union import is_several
from graftwork.recipe import Recipe
from graftwork.runs.job.data_arguments import DataArguments

IN_MEMORY = "TABLE"
"""Stands for a table that was handed over in Python."""


@dataclass(frozen=True)
class Commands:
    """run: the folder. data: how its tables are read. recipe: as it was resolved."""

    run: Path
    data: DataArguments
    recipe: Recipe

    def fit(self, *more: str, ignore: Sequence[str] = (), again: bool = False, table: str = "") -> str:
        """A fit of the same rows. more: options. again: by the recipe of the run; else what fits is chosen anew.
        table: in place of the training table."""
        tables = [table] if table else self.tables
        known = again and (self.run / "recipe.yaml").is_file()
        recipe = ["--recipe", str(self.run / "recipe.yaml")] if known else self._asked()
        out = ["--out", f"{self.run}-next"]
        return shlex.join(["graft", "fit", *tables, *self._columns(ignore), *self._others(), *recipe, *more, *out])

    def ablate(self, techniques: Sequence[str] = (), repeats: int | None = None, keep: bool = False) -> str:
        """An ablation of the run. techniques: all that are compared, where others than its own."""
        more = [word for one in techniques for word in ("--with", one)]
        more += ["--repeats", str(repeats)] if repeats is not None else []
        more += ["--keep", f"{self.run}-next"] if keep else []
        return shlex.join(["graft", "ablate", str(self.run), *more, "--out", str(self.run / "ablation")])

    def profile(self) -> str:
        """A profile of the training table, which shows the rows in doubt."""
        return shlex.join(["graft", "profile", *self.tables[:1], *self._columns(()), "--out", "profile.html"])

    def label(self, pool: str | None, rows: int) -> str:
        """The call that picks the rows of a pool which bring most."""
        words = ["graft", "advise", str(self.run), "--unlabelled", pool or "POOL.csv", "--label", str(rows)]
        return shlex.join([*words, "--out", "to-label.csv"])

    @property
    def tables(self) -> list[str]:
        """The training tables."""
        train: Any = self.data.train
        return [_path(one) for one in (train if is_several(train) else [train])]

    def _columns(self, ignore: Sequence[str]) -> list[str]:
        data = self.data
        given = {
            "--target": [data.target] if isinstance(data.target, str) else data.target or (),
            "--inputs": [data.inputs] if isinstance(data.inputs, str) else data.inputs or (),
            "--join": ["+".join(columns) for columns in data.joins if not set(columns) & set(ignore)],
            "--ignore": [*([data.ignore] if isinstance(data.ignore, str) else data.ignore), *ignore],
            "--role": [f"{role}={column}" for role, column in (data.roles or {}).items()],
            "--kind": [f"{column}={kind}" for column, kind in (data.kinds or {}).items()],
        }
        return [word for option, values in given.items() for one in values for word in (option, one)]

    def _others(self) -> list[str]:
        tables = {"--valid": self.data.valid, "--test": self.data.test, "--unlabelled": self.data.unlabelled}
        found = [word for option, table in tables.items() if table is not None for word in (option, _path(table))]
        said = {"--other": self.data.other, "--encoding": self.data.encoding}
        said |= {"--on-bad-rows": self.data.on_bad_rows} if self.data.on_bad_rows != "fail" else {}
        return [*found, *(word for option, value in said.items() if value for word in (option, value))]

    def _asked(self) -> list[str]:
        """What is asked of the rows, which no choice of a recipe may change."""
        words = list[str]()
        for option, value in (("--task", self.recipe.task), ("--metric", self.recipe.metric)):
            named = {f"{name}=": one for name, one in value.items()} if isinstance(value, Mapping) else {"": value}
            for name, one in named.items():
                if isinstance(one, str) and one != "auto" and not one.startswith("python:"):  # none of a command line
                    words += [option, f"{name}{one}"]
        return words


def _path(table: object) -> str:
    path = getattr(table, "path", table)
    return os.fspath(path) if isinstance(path, str | os.PathLike) else IN_MEMORY

"""Under which key a finished run is kept: it changes with all that decides what the run predicts and scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from graftwork.bases.hashes import sha256_of_files
from graftwork.bases.home import fetched_from_hub
from graftwork.bases.provenance import TableUsed
from graftwork.bases.tables_read import TableRead
from graftwork.core.plan import order
from graftwork.core.settings import resolve_precision
from graftwork.data.read.excel import split_sheet
from graftwork.data.store.cache import digest
from graftwork.devices import chosen
from graftwork.runs.ablation.arms import Arm
from graftwork.runs.ablation.own_code import PROCESS, code_digests
from graftwork.runs.ablation.repeats import Repeat
from graftwork.runs.finished.costs import versions
from graftwork.runs.stored import FORMAT
from graftwork.tasks.metrics.functions import known


@dataclass(frozen=True)
class Keys:
    """Gives keys, and reads the weights of each base and teacher once for all of them."""

    digests: dict[str, str] = field(default_factory=dict)

    def of(self, arm: Arm, repeat: Repeat) -> str:
        """Of one arm on one repeat: its recipe with the techniques in order, seed, rows and their split, what the rows
        hold, the weights that it begins with, the tables that techniques read, device and precision, the versions that
        compute, and code that is none of graftwork's. A Python function as a metric is that of this process."""
        recipe = repeat.recipe(arm)
        plain = replace(recipe, techniques=order(recipe.listed)).to_dict()
        job = repeat.pool.job
        return digest(
            f"run {FORMAT}",
            repr(plain),
            repr(arm.without),
            repeat.pool.contents,
            repr([(name, task.name, task.state()) for name, task in job.tasks.items()]),
            repr(job.metrics),
            repeat.train,
            repeat.valid,
            repeat.held,
            *self._weights(arm, repeat),
            *self._old_tables(arm),
            *code_digests((*recipe.listed, *job.tasks.values(), *recipe.bases(repeat.pool.table.schema).values())),
            *([PROCESS] if any(map(known, job.metrics.values())) else []),
            chosen().type,
            resolve_precision(recipe.training.precision),
            repr({name: version for name, version in versions().items() if name in ("graftwork", "torch")}),
        )

    def _weights(self, arm: Arm, repeat: Repeat) -> Iterator[str]:
        """Of the bases with pretrained weights, and of the teachers that techniques ask."""
        for base in arm.recipe.bases(repeat.pool.table.schema).values():
            place = base.weights()
            if place is not None:
                yield self._folder(place)
        for technique in arm.recipe.listed:
            yield from (self._folder(teacher) for teacher in technique.teachers)

    def _old_tables(self, arm: Arm) -> Iterator[str]:
        """Of the files of the old tasks' rows; of what can't be read its name."""
        for table in (table for technique in arm.recipe.listed for table in technique.old_tables):
            if table not in self.digests:
                path, _ = split_sheet(Path(table).expanduser())
                read = TableRead(TableUsed(name=path.name, use="replayed", rows=0), path).hashed()
                self.digests[table] = read.sha256 or table
            yield self.digests[table]

    def _folder(self, place: str) -> str:
        """Of the files in a folder; of what lies elsewhere its name."""
        if place not in self.digests:
            folder = fetched_from_hub(place) or Path(place).expanduser()
            files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
            self.digests[place] = sha256_of_files(files, folder) if files else place
        return self.digests[place]

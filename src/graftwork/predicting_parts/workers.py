"""What a model says of the rows of a table, chunk by chunk and in order, computed by several processes.

The parts are the chunks that one process reads (`predicting.chunks_of`), so that the numbers are the same: bit for bit
where each process computes with as many threads.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftwork.errors import DataError, UsageError, WorkerError
from graftwork.predicting_parts.pool import PartLost, Pool
from graftwork.predicting_parts.work_folder import WorkFolder, check_free
from graftwork.progress import SILENT, Screen
from graftwork.shown import counted
from graftwork.threads import allowed

if TYPE_CHECKING:
    from graftwork.core.judging.predicted import Predicted
    from graftwork.data.load import Source
    from graftwork.data.quality.checks import BadRow
    from graftwork.data.table import Table
    from graftwork.predicting import Kept
    from graftwork.predicting_parts.on_cluster import ClusterPool
    from graftwork.predicting_parts.parts import Part
    from graftwork.saved import Saved

MODULE = "graftwork.predicting_parts.worker"
MOST = 1024
"""Processes on one machine, at most: more are a slip of the pen."""


@dataclass
class Spent:
    """What a process did: parts, rows, and the seconds that they took."""

    parts: int = 0
    rows: int = 0
    seconds: float = 0.0


@dataclass
class Crew:
    """Processes that load a model while the table is still read. work: where parts are kept. on: what is told.

    counted: the user said how many they are. done, of: parts. spent: by process, or by machine of a cluster.
    """

    pool: Pool | ClusterPool
    work: WorkFolder
    on: Screen = SILENT
    counted: bool = True
    done: int = 0
    of: int = 0
    spent: dict[str, Spent] = field(default_factory=dict)

    def load(self, model: Path, device: str = "auto") -> None:
        """Tell them the folder of the model, and the device that computes; of several GPUs each takes another one."""
        self.pool.tell({"load": os.path.abspath(model), "device": device})

    def kept(
        self,
        model: Saved,
        folder: Path,
        table: Table,
        bad: Sequence[BadRow],
        features: bool,
        added: Sequence[str] = (),
        device: str = "auto",
    ) -> Iterator[Kept | None]:
        """What the networks say of each chunk; None for one without a row that can be read. Parts that are in the work
        folder already, of the same model, rows and version, are taken from there.

        model: as it lies in `folder`, unless techniques are `added` at prediction; then the processes load it from the
        work folder. table: its rows are numbered from 1. features: also those of the rows.
        Raises WorkerError, with the numbers of its rows, for a part that ended two processes.
        """
        from graftwork import saving
        from graftwork.predicting_parts.parts import parts_of
        from graftwork.predicting_parts.table_files import write_rows
        from graftwork.predicting_parts.work_folder import MODEL, ROWS, key_of

        there = self.work.begin(key_of(folder, table, features, added))
        if added:
            self.load(saving.save(model, self.work.folder / MODEL), device)
        parts = parts_of(model, table, bad)
        missing = [p for p in parts if p.readable and not (there and self.work.read(p.number, p.readable))]
        self.of = len(parts)
        self.done = self.of - len(missing)
        if there:
            self.on.note(f"going on in {self.work.folder}: {self.done:,} of {counted(self.of, 'part')} done before")
        if len(missing) < len(self.pool):
            self._send_home(parts, len(missing))
        if missing:
            rows = write_rows(self.work.folder / ROWS, table)
            self.pool.tell({"rows": rows, "features": features})
        return self._in_order(parts, missing, table)

    def _send_home(self, parts: Sequence[Part], needed: int) -> None:
        if needed and self.counted:
            most = max(part.stop - part.start for part in parts)
            self.on.note(
                f"{len(self.pool)} workers are more than there is to do: {counted(self.of, 'part')} of up to {most:,} "
                f"rows, so {needed} at work"
            )
        self.pool.keep(needed)

    def _in_order(self, parts: Sequence[Part], missing: Sequence[Part], table: Table) -> Iterator[Kept | None]:
        results = self._results(parts, missing, table)
        waited, said = {part.number for part in missing}, set[str]()
        for part in parts:
            while part.number in waited:
                waited.discard(next(results))
            found = self.work.read(part.number, part.readable) if part.readable else (None, [])
            if found is None:
                path = self.work.path(part.number)
                raise DataError(f"{path} was written and can't be read. Leave this folder alone meanwhile.")
            for text in found[1]:
                if text not in said:
                    said.add(text)
                    warnings.warn(text, stacklevel=4)
            yield found[0]

    def _results(self, parts: Sequence[Part], missing: Sequence[Part], table: Table) -> Iterator[int]:
        """Numbers of parts, each once it is done."""
        asked = {part.number: {**_told(part), "path": str(self.work.path(part.number).absolute())} for part in missing}
        ready = len(table) - sum(part.stop - part.start for part in missing)
        begun = dict[int, int]()
        self.on.show("predicting", ready, len(table), "rows")
        try:
            for number, process, reply in self.pool.results(asked):
                if "done" in reply:
                    begun.pop(number, None)
                    ready, self.done = ready + reply["rows"], self.done + 1
                    spent = self.spent.setdefault(process, Spent())
                    spent.parts, spent.rows = spent.parts + 1, spent.rows + reply["rows"]
                    spent.seconds += reply["seconds"]
                else:
                    begun[number] = reply["rows"]
                at_work = ", ".join(self.pool.at_work())
                self.on.show("predicting", min(ready + sum(begun.values()), len(table)), len(table), "rows", at_work)
                if "done" in reply:
                    yield number
        except PartLost as lost:
            where = f"{table.source}, {parts[lost.part].shown}"
            raise WorkerError(
                f"{where}: {lost.tries} workers ended while they predicted these ({lost.how}). "
                "Look at these rows; where memory ran out, use fewer workers."
            ) from lost


def _told(part: Part) -> dict[str, Any]:
    return {"start": part.start, "stop": part.stop, "without": part.without}


@contextmanager
def crew(count: int, folder: Path, on: Screen = SILENT) -> Iterator[Crew]:
    """`count` processes for one prediction, which end with the block. folder: where parts are kept; what stays there
    where the block fails is said.

    Raises UsageError for a number of processes that can't be, and for a folder that something else has filled.
    """
    check_count(count)
    check_free(folder)
    with Pool(MODULE, count, on) as pool, keeping(Crew(pool, WorkFolder(folder), on)) as made:
        yield made


@contextmanager
def cluster_crew(address: str, insecure: bool, count: int | None, folder: Path, on: Screen = SILENT) -> Iterator[Crew]:
    """The same on a cluster. count: workers; None for as many as it has cores, or GPUs.

    Raises what `graftwork.cluster.connection.connected` and `check_nodes` raise, too.
    """
    from graftwork.predicting_parts.on_cluster import cluster_pool

    if count is not None and not 1 <= count <= MOST:
        check_count(count)
    check_free(folder)
    with (
        cluster_pool(address, count or 0, insecure=insecure, on=on) as pool,
        keeping(Crew(pool, WorkFolder(folder), on, counted=count is not None)) as made,
    ):
        yield made


@contextmanager
def keeping(made: Crew) -> Iterator[Crew]:
    """Say what is kept where the block fails; where that is nothing, remove the folder."""
    try:
        yield made
    except BaseException:
        if made.spent:
            kept = f"{made.done:,} of {counted(made.of, 'part')} are kept in {made.work.folder}"
            made.on.note(f"{kept}: the same command goes on there")
        elif made.of and not made.done:
            made.pool.keep(0)
            made.work.remove()
        raise


def check_count(count: int) -> None:
    """Raise UsageError for a number of processes that can't be; say where they are more than there are cores."""
    if not 1 <= count <= MOST:
        raise UsageError(f"workers is {count:,}. Expected 1 to {MOST:,}, such as the cores of this machine.")
    if count > allowed():
        warnings.warn(f"{count} workers share {counted(allowed(), 'core')}, which makes it no faster.", stacklevel=4)


def predict_by_workers(
    model: Saved, data: Source, encoding: str | None, workers: int, *, unusual: bool = False
) -> Predicted:
    """`predicting.predict_source` by several processes, which load a copy of the model from a folder that is removed
    afterwards."""
    from graftwork import saving
    from graftwork.data.load import load_like
    from graftwork.data.read.decoding import with_encoding
    from graftwork.predicting import predict_table, reads_features

    with tempfile.TemporaryDirectory(prefix="graftwork-predict-") as place, crew(workers, Path(place, "parts")) as made:
        folder = saving.save(model, Path(place, "model"))
        made.load(folder, model.network.device.type)
        loaded = load_like(with_encoding(data, encoding), model.schema, with_target=False, on_bad_rows="keep")
        loaded.warn()
        kept = made.kept(model, folder, loaded.table, loaded.bad, reads_features(model, unusual, None))
        return predict_table(model, loaded.table, loaded.bad, unusual=unusual, kept=kept)

"""A job as plain files, for the processes that train it: tables as Arrow files, which they map, all else as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from graftwork.data.store.cache import storing
from graftwork.data.table import Table
from graftwork.network_files import named_entry, read_tasks
from graftwork.networks.manifest import schema_of
from graftwork.runs.job.job import Job
from graftwork.tasks.metrics.functions import PYTHON
from graftwork.tasks.registry import TASKS
from graftwork.tasks.task import Task

JOB = "job.json"
_EMPTY = np.zeros(0, dtype=np.int64)


def why_not_written(job: Job) -> str:
    """Why a job can't be handed to other processes; empty where it can."""
    named = [name for name in job.metrics.values() if name.startswith(PYTHON)]
    if named:
        return f"the metric {named[0].removeprefix(PYTHON)} is a function of this process, which others don't have"
    if job.watched is not None:
        return "a run that is watched by a table is trained by one process"
    for name, task in job.tasks.items():
        if not _is_whole(name, task):
            return f"the task {task.name} can't be handed to other processes as it is"
    return ""


def write_job(job: Job, folder: Path) -> None:
    """Write what training reads of the job into a new folder. Raises DataError where the disk is full."""
    with storing(folder):
        folder.mkdir(parents=True)
        tables = {"train": job.train}
        tables |= {} if job.valid is None else {"valid": job.valid}
        tables |= {} if job.test is None else {"test": job.test.take(_EMPTY)}  # only that there is one counts
        tables |= {"drawn_from": job.drawn_from} if job.in_drawn_order and job.drawn_from is not None else {}
        told = {
            "tables": {name: _write_table(table, folder, name) for name, table in tables.items()},
            "tasks": {name: _entry(task) for name, task in job.tasks.items()},
            "metrics": job.metrics,
            "drawn_from_train": job.drawn_from is job.train,
        }
        (folder / JOB).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def read_job(folder: Path) -> Job:
    """The job that `write_job` wrote, as far as training reads it."""
    told = json.loads((folder / JOB).read_text(encoding="utf-8"))
    tables = {name: _read_table(entry, folder, name) for name, entry in told["tables"].items()}
    train = tables["train"]
    return Job(
        train=train,
        valid=tables.get("valid"),
        test=tables.get("test"),
        tasks=read_tasks(told),
        metrics=told["metrics"],
        notes=(),
        drawn_from=train if told["drawn_from_train"] else tables.get("drawn_from"),
    )


def _entry(task: Task) -> dict[str, Any]:
    return named_entry(TASKS, task.name) | {"state": task.state()}


def _is_whole(name: str, task: Task) -> bool:
    """Whether what is written of a task is all that it is."""
    try:
        return bool(read_tasks({"tasks": {name: json.loads(json.dumps(_entry(task)))}})[name] == task)
    except (KeyError, TypeError, ValueError):
        return False


def _write_table(table: Table, folder: Path, name: str) -> dict[str, Any]:
    with pa.OSFile(str(folder / f"{name}.arrow"), "wb") as file, pa.ipc.new_file(file, table.data.schema) as writer:
        writer.write_table(table.data)
    np.save(folder / f"{name}.npy", table.rows, allow_pickle=False)
    return {
        "source": table.source,
        "folder": None if table.folder is None else str(table.folder.absolute()),
        "parts": table.parts,
        "schema": [asdict(column) for column in table.schema.columns],
    }


def _read_table(entry: Mapping[str, Any], folder: Path, name: str) -> Table:
    with pa.memory_map(str(folder / f"{name}.arrow")) as mapped:
        data = pa.ipc.open_file(mapped).read_all()
    return Table(
        data,
        schema_of(entry),
        entry["source"],
        np.load(folder / f"{name}.npy", allow_pickle=False),
        None if entry["folder"] is None else Path(entry["folder"]),
        tuple((str(part), int(size)) for part, size in entry["parts"]),
    )

"""Teachers: what a finished model says of the rows that another one is trained on, asked once and kept on disk.

A teacher is a folder that `fit` wrote, or a transformers classifier. It may have another base and another tokenizer
than the student, since it reads the rows by itself; it must predict the same labels, whose order does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from graftwork.core.technique import TeacherOutputs
from graftwork.data.store.cache import digest, entry, storing
from graftwork.data.store.entries import kept
from graftwork.data.table import Table
from graftwork.errors import ModelError, RefusedError
from graftwork.networks.hub.paths import is_hub_id
from graftwork.networks.manifest import is_model
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.teachers.saved_model import EXPECTED, Answers, open_model
from graftwork.tasks.labels import shortened
from graftwork.tasks.task import Task

FEATURES = "features.npy"


@dataclass(frozen=True)
class Teacher:
    """A model that is ready to be asked.

    tasks: by target, what it predicts; under "" where it does not name its target. width: of its features.
    key: of its weights, and of the rows as it reads them. ask: what it says of them.
    """

    source: str
    tasks: Mapping[str, Task]
    width: int
    key: Callable[[], str]
    ask: Callable[[], Answers]


def answers(job: Job, source: str, listener: Listener | None) -> TeacherOutputs:
    """What the teacher in `source` (a folder or a hub id) says of the training rows.

    listener: hears that the teacher is asked; None: for a plan, zeros in the right shapes, and nothing is computed.
    Raises ModelError for a teacher that is missing or no classifier, RefusedError where its labels are not the data's,
    DataError where the table lacks a column that it reads.
    """
    teacher = _opened(source, job.train)
    pairs = matched(teacher, job.tasks)
    rows = len(job.train)
    if listener is None:
        blank = np.float32(0)
        predictions = {name: np.broadcast_to(blank, (rows, job.tasks[name].outputs)) for name in pairs}
        return TeacherOutputs(predictions, np.broadcast_to(blank, (rows, teacher.width)))
    key = teacher.key()
    said = _kept(teacher, key, rows, listener)
    converted = {
        name: converter(said.predictions[own], teacher.tasks[own], job.tasks[name]) for name, own in pairs.items()
    }
    return TeacherOutputs(converted, said.features, key)


def matched(teacher: Teacher, tasks: Mapping[str, Task]) -> dict[str, str]:
    """By target of the data, the teacher's target that it is: of the same name, or each side's only one.

    Raises RefusedError where none is the same, or where one has other labels or is of another kind.
    """
    columns = {name: task for name, task in tasks.items() if task.target == "column"}
    pairs = {name: name for name in columns if name in teacher.tasks}
    if not pairs and len(columns) == 1 and len(teacher.tasks) == 1:
        pairs = {next(iter(columns)): next(iter(teacher.tasks))}
    if not pairs and columns:
        raise RefusedError(
            f"The teacher {teacher.source} predicts {', '.join(teacher.tasks)}, and the targets here are "
            f"{', '.join(columns)}. Expected a teacher of one of them: rename the column, or choose another teacher."
        )
    for name, own in pairs.items():
        _check_labels(teacher.source, name, teacher.tasks[own], columns[name])
    return pairs


def converter(predictions: np.ndarray, teacher: Task, student: Task) -> np.ndarray:
    """The teacher's predictions in the order of the student's classes, or in its standardised units."""
    if student.answer == "own":
        return predictions  # they mean the same, which has been checked
    if student.classes:
        if teacher.classes == student.classes:
            return predictions
        places = {label: at for at, label in enumerate(teacher.classes)}
        return predictions[:, [places[label] for label in student.classes]]
    own, wanted = teacher.state(), student.state()
    scaled: np.ndarray = (predictions * own["std"] + own["mean"] - wanted["mean"]) / wanted["std"]
    return scaled.astype(np.float32)


def _check_labels(source: str, name: str, teacher: Task, data: Task) -> None:
    kinds = [(bool(task.classes), task.single_label) for task in (teacher, data)]
    own = data.answer == "own" and not teacher.means_the_same(data)
    if kinds[0] != kinds[1] or own:
        raise RefusedError(
            f"The teacher {source} does {teacher.name}, but '{name}' is a target for {data.name}. "
            "Expected a teacher of the same task: choose another one, or another --task."
        )
    lacks = [label for label in data.classes if label not in teacher.classes]
    more = [label for label in teacher.classes if label not in data.classes]
    if lacks or more:
        said = [f"it has no {shortened(tuple(lacks))}"] if lacks else []
        said += [f"the data has no {shortened(tuple(more))}"] if more else []
        raise RefusedError(
            f"The teacher {source} has other labels than '{name}': {'; '.join(said)}. Expected the same ones: train a "
            "teacher on these labels, or rename those in the table."
        )


def _opened(source: str, table: Table) -> Teacher:
    """The teacher of a folder or hub id. Raises ModelError where there is none."""
    folder = Path(source).expanduser()
    if is_model(folder):
        return Teacher(source, *open_model(source, folder, table))
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise ModelError(
            f"The teacher {source} is no model: it has neither model.json (written by graft fit) nor config.json "
            "(of a transformers classifier). Is a fit into this folder still unfinished?"
        )
    if not folder.exists() and not is_hub_id(source):
        raise ModelError(f"There is no folder {source} for the teacher. {EXPECTED}")
    if folder.is_file():
        raise ModelError(f"The teacher {source} is a file. {EXPECTED}")
    from graftwork.runs.teachers.transformers import open_classifier

    return Teacher(source, *open_classifier(source, table))


def _kept(teacher: Teacher, key: str, rows: int, listener: Listener) -> Answers:
    """The answers from disk, asked for first if they are not there, or damaged."""

    def ask(folder: Path) -> None:
        listener.note(f"teacher {teacher.source}: asked about {rows:,} rows")
        said = teacher.ask()
        with storing(folder):
            np.save(folder / FEATURES, said.features)
            for index, values in enumerate(said.predictions.values()):
                np.save(folder / f"{index}.npy", values)

    return kept(entry("taught", digest("taught 1", key)), ask, lambda folder: _read(teacher, folder))


def _read(teacher: Teacher, folder: Path) -> Answers:
    predictions = {name: np.load(folder / f"{index}.npy", mmap_mode="r") for index, name in enumerate(teacher.tasks)}
    return Answers(predictions, np.load(folder / FEATURES, mmap_mode="r"))

"""TensorBoard event files: a folder a run, a file in it for each call that had something to say of it.

They are written here, record by record, and not by a thread of a summary writer's: with a full disk such a thread ends
with a traceback of its own, and who waits for it waits for ever. The records and what is in them are tensorboard's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

from graftwork.errors import UsageError
from graftwork.runs.tracking.folders import folder_of
from graftwork.runs.tracking.writer import End, Setting

_NAME = re.compile(r"events\.out\.tfevents\.([0-9]{6})\.graftwork")
FLUSHED = 2.0
"""Seconds between two writes to the disk."""


def check_tensorboard() -> None:
    """Raise UsageError where the package is missing."""
    if find_spec("tensorboard") is None:
        raise UsageError(
            "Tracking with tensorboard needs the package tensorboard, which is not installed: pip install "
            '"graftwork[track]"'
        )


@dataclass
class TensorBoard:
    """Writes below `folder`, which is made with the first run."""

    folder: Path
    _files: dict[str, _EventFile] = field(default_factory=dict)

    def begin(self, run: str, step: int, settings: Mapping[str, Setting]) -> None:
        from tensorboard.compat.proto.event_pb2 import SessionLog
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb

        if run in self._files:
            self._files.pop(run).close()
        file = self._files[run] = _new_file(folder_of(self.folder, run))
        file.put(step, session_log=SessionLog(status=SessionLog.START))  # readers drop what came after this step
        if settings:
            file.put(step, summary=hparams_pb(dict(settings), trial_id=run))

    def say(self, run: str, step: int, text: str) -> None:
        self._files[run].put(step, summary=_text("about", text))

    def scalars(self, run: str, step: int, values: Mapping[str, float]) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        each = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        self._files[run].put(step, summary=Summary(value=each))

    def end(self, run: str, how: End) -> None:
        file = self._files.pop(run, None)
        if file is not None:
            with closing(file):
                file.put(0, summary=_ended(how))

    def close(self, how: End, notes: str, files: Sequence[Path]) -> None:  # noqa: ARG002  the files lie beside it
        for run in list(self._files):
            self.end(run, how)
        if notes and self.folder.is_dir():
            with closing(_new_file(self.folder)) as file:
                file.put(0, summary=_text("notes", notes))

    def drop(self) -> None:
        for file in self._files.values():
            with suppress(OSError):
                file.close()
        self._files.clear()


@dataclass
class _EventFile:
    """An open file of events; a crash leaves at most its last record cut, which readers pass over."""

    file: BinaryIO
    records: Any
    flushed: float = 0.0

    def put(self, step: int, **what: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        now = time.time()
        self.records.write(Event(wall_time=now, step=step, **what).SerializeToString())
        if not 0 <= now - self.flushed < FLUSHED:
            self.file.flush()
            self.flushed = now

    def close(self) -> None:
        self.records.close()


def _new_file(folder: Path) -> _EventFile:
    """The next file in `folder`; readers take them in the order of their names."""
    from tensorboard.summary.writer.record_writer import RecordWriter

    folder.mkdir(parents=True, exist_ok=True)
    before = [int(found[1]) for path in folder.iterdir() if (found := _NAME.fullmatch(path.name))]
    name = f"events.out.tfevents.{max(before, default=-1) + 1:06d}.graftwork"
    file = open(folder / name, "xb")  # noqa: SIM115  closed with the run
    made = _EventFile(file, RecordWriter(file))
    made.put(0, file_version="brain.Event:2")
    return made


def _text(tag: str, text: str) -> Any:
    """A summary of text that is shown as it is written."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.types_pb2 import DT_STRING
    from tensorboard.plugins.text.metadata import create_summary_metadata

    shown = "\n".join(f"    {line}" for line in text.splitlines())  # as code of markdown
    tensor = TensorProto(dtype=DT_STRING, string_val=[shown.encode()])
    return Summary(value=[Summary.Value(tag=tag, tensor=tensor, metadata=create_summary_metadata(tag, ""))])


def _ended(how: End) -> Any:
    """What tells the table of settings that a run is over; tensorboard's own function for it needs tensorflow."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams.api_pb2 import Status
    from tensorboard.plugins.hparams.metadata import NULL_TENSOR, SESSION_END_INFO_TAG, create_summary_metadata
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo

    status = Status.STATUS_SUCCESS if how == "finished" else Status.STATUS_FAILURE
    about = HParamsPluginData(session_end_info=SessionEndInfo(status=status, end_time_secs=time.time()))
    value = Summary.Value(tag=SESSION_END_INFO_TAG, metadata=create_summary_metadata(about), tensor=NULL_TENSOR)
    return Summary(value=[value])

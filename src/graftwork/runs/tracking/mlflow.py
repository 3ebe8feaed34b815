"""MLflow runs: one for the call, and below it one for each of its runs. They go where `MLFLOW_TRACKING_URI` says, which
is the only way that anything leaves this machine; without it into a folder."""

from __future__ import annotations

import os
import re
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from graftwork.errors import UsageError
from graftwork.runs.tracking.known_runs import KnownRuns
from graftwork.runs.tracking.writer import End, Setting

EXPERIMENT = "graftwork"
SENT = 5.0
"""Seconds between two messages to the store."""
MOST = 500
"""Values in one message; MLflow takes 1,000. Also the characters of a setting that every version takes."""
MOST_SETTINGS = 100
_STATUS: dict[End, str] = {"finished": "FINISHED", "failed": "FAILED", "stopped": "KILLED"}
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # its 7 keep a run waiting for minutes where a server is gone
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
"""What is set before MLflow is loaded, unless the user has set it."""


def check_mlflow() -> None:
    """Raise UsageError where the package is missing."""
    if find_spec("mlflow") is None:
        raise UsageError(
            "Tracking with mlflow needs the package mlflow, which is not installed: pip install mlflow-skinny "
            "(or mlflow, which brings the page to look at runs, too)."
        )


def named_uri() -> str:
    """`MLFLOW_TRACKING_URI`, or nothing."""
    return os.environ.get("MLFLOW_TRACKING_URI", "").strip()


def shown_uri(uri: str) -> str:
    """An address without the name and password that may stand in it.

    >>> shown_uri("https://me:secret@mlflow.example:5000/x")
    'https://mlflow.example:5000/x'
    """
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


@dataclass
class _Open:
    """A run that is being told of: its id, and what has not been sent yet."""

    id: str
    metrics: list[Any] = field(default_factory=list)
    sent: float = 0.0


class MlflowRuns:
    """Writes to the store at `uri`, an address or a folder. known: the runs that an earlier call began there, which
    this one goes on with; kept as they are made."""

    def __init__(self, uri: str, name: str, known: KnownRuns) -> None:
        self._client = _client(uri)
        self._known, self._open = known, dict[str, _Open]()
        wanted = os.environ.get("MLFLOW_EXPERIMENT_NAME", "").strip() or EXPERIMENT
        found = self._client.get_experiment_by_name(wanted)
        self._experiment = self._client.create_experiment(wanted) if found is None else found.experiment_id
        self._call = self._run("", {"mlflow.runName": name})

    def begin(self, run: str, step: int, settings: Mapping[str, Setting]) -> None:  # noqa: ARG002
        from mlflow.entities import Param

        one = self._open[run] = _Open(self._run(run, {"mlflow.runName": run, "mlflow.parentRunId": self._call}))
        told = set(self._client.get_run(one.id).data.params)  # one that is there can't be changed
        params = [Param(_key(name), str(value)[:MOST]) for name, value in settings.items() if _key(name) not in told]
        for at in range(0, len(params), MOST_SETTINGS):
            self._client.log_batch(one.id, params=params[at : at + MOST_SETTINGS])

    def say(self, run: str, step: int, text: str) -> None:  # noqa: ARG002
        self._client.set_tag(self._open[run].id, "mlflow.note.content", text[:MOST])

    def scalars(self, run: str, step: int, values: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        one, now = self._open[run], time.time()
        one.metrics += [Metric(_key(name), value, int(now * 1000), step) for name, value in values.items()]
        if len(one.metrics) >= MOST or not 0 <= now - one.sent < SENT:
            self._send(one)

    def end(self, run: str, how: End) -> None:
        one = self._open.pop(run, None)
        if one is not None:
            self._send(one)
            self._client.set_terminated(one.id, _STATUS[how])

    def close(self, how: End, notes: str, files: Sequence[Path]) -> None:
        for run in list(self._open):
            self.end(run, how)
        if notes:
            self._client.log_text(self._call, notes, "notes.txt")
        for file in files:
            self._client.log_artifact(self._call, str(file))
        self._client.set_terminated(self._call, _STATUS[how])

    def drop(self) -> None:
        self._open.clear()

    def _send(self, one: _Open) -> None:
        metrics, one.metrics, one.sent = one.metrics, [], time.time()
        for at in range(0, len(metrics), MOST):
            self._client.log_batch(one.id, metrics=metrics[at : at + MOST])

    def _run(self, name: str, tags: Mapping[str, str]) -> str:
        """The id of a run: of the one that an earlier call began, if it is still there, else of a new one."""
        known = self._known.get(name)
        if known is not None:
            try:
                self._client.update_run(known, status="RUNNING")
            except Exception:  # it was deleted, or the store is another one
                known = None
        if known is None:
            made = self._client.create_run(self._experiment, tags=dict(tags))
            known = str(made.info.run_id)
            self._known.put(name, known)
        return known


def _client(uri: str) -> Any:
    """MLflow's own client, which prints nothing and phones nowhere else."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    if uri.startswith("file:"):
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # it asks for that since 3.17
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.tracking import MlflowClient

        return MlflowClient(tracking_uri=uri)


def _key(name: str) -> str:
    """A name that MLflow takes."""
    return re.sub(r"[^\w./: -]", "_", name, flags=re.ASCII)[:250]

"""MLflow runs of whole calls: what is told to its client, by a small stand-in, and what the real one makes of it."""

from __future__ import annotations

import json
import os
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import graftwork as gw
from graftwork.core.fit import Progress
from graftwork.errors import UsageError
from graftwork.evidence.tune.trials import Trial
from graftwork.runs.listener import Listener
from graftwork.runs.tracking import mlflow as written
from graftwork.runs.tracking.tracked import tracking
from heard import Ear
from tiny import tiny_rows
from tinyrun import Killed

REAL = "mlflow" in sys.modules or written.find_spec("mlflow") is not None


def frame() -> pd.DataFrame:
    return pd.DataFrame(tiny_rows(80), columns=["text", "label"])


@pytest.fixture(scope="module")
def recipe(base: Path) -> gw.Recipe:
    training = gw.Training(steps=6, batch=8, evaluations=3, precision="fp32", lr=1e-3)
    return gw.Recipe(base=str(base), techniques=[gw.LabelSmoothing(0.2)], training=training)


@dataclass
class Run:
    """As MLflow has one, but flat."""

    id: str
    tags: dict[str, str]
    params: dict[str, str] = field(default_factory=dict)
    metrics: list[tuple[str, float, int]] = field(default_factory=list)
    artifacts: list[str] = field(default_factory=list)
    status: str = "RUNNING"


class Store:
    """What the stand-in for MLflow's client writes to. It refuses what MLflow refuses."""

    def __init__(self) -> None:
        self.uris: list[str] = []
        self.runs: dict[str, Run] = {}
        self.experiments: dict[str, str] = {}
        self.fails = False
        self.calls = 0

    def named(self, name: str) -> Run:
        (found,) = [run for run in self.runs.values() if run.tags["mlflow.runName"] == name]
        return found

    def client(self, tracking_uri: str) -> Any:
        self.uris.append(tracking_uri)
        return types.SimpleNamespace(
            get_experiment_by_name=self._experiment,
            create_experiment=self._create_experiment,
            create_run=self._create_run,
            update_run=self._update_run,
            get_run=lambda id_: types.SimpleNamespace(data=types.SimpleNamespace(params=self.runs[id_].params)),
            log_batch=self._log_batch,
            set_tag=lambda id_, name, value: self.runs[id_].tags.update({name: value}),
            set_terminated=lambda id_, status: setattr(self.runs[id_], "status", status),
            log_text=lambda id_, _, file: self.runs[id_].artifacts.append(file),
            log_artifact=lambda id_, path: self.runs[id_].artifacts.append(Path(path).name),
        )

    def _experiment(self, name: str) -> Any:
        found = self.experiments.get(name)
        return None if found is None else types.SimpleNamespace(experiment_id=found)

    def _create_experiment(self, name: str) -> str:
        self.experiments[name] = str(len(self.experiments))
        return self.experiments[name]

    def _create_run(self, experiment: str, tags: dict[str, str]) -> Any:
        assert experiment in self.experiments.values()
        run = Run(f"{len(self.runs):032x}", dict(tags))
        self.runs[run.id] = run
        return types.SimpleNamespace(info=types.SimpleNamespace(run_id=run.id))

    def _update_run(self, id_: str, status: str) -> None:
        self.runs[id_].status = status

    def _log_batch(self, id_: str, metrics: Any = (), params: Any = ()) -> None:
        self.calls += 1
        if self.fails:
            raise ConnectionError("HTTPConnectionPool(host='gone', port=80): Max retries exceeded")
        run = self.runs[id_]
        for key, value in params:
            assert run.params.setdefault(key, value) == value, "MLflow lets nobody change a setting"
            assert len(value) <= 500
        run.metrics += [(key, value, step) for key, value, _, step in metrics]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store()
    entities = types.ModuleType("mlflow.entities")
    entities.Param = lambda key, value: (key, value)  # type: ignore[attr-defined]
    entities.Metric = lambda key, value, timestamp, step: (key, value, timestamp, step)  # type: ignore[attr-defined]
    client = types.ModuleType("mlflow.tracking")
    client.MlflowClient = made.client  # type: ignore[attr-defined]
    for name, module in (
        ("mlflow", types.ModuleType("mlflow")),
        ("mlflow.entities", entities),
        ("mlflow.tracking", client),
    ):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(written, "find_spec", lambda _: True)
    _quiet(monkeypatch)
    return made


def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the writer sets in the environment is gone with the test."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_ALLOW_FILE_STORE", *written._QUIET):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_a_run_below_the_call_has_settings_and_scores_by_step(store: Store, recipe: gw.Recipe, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    gw.fit(frame(), target="label", recipe=recipe, out=out, track="mlflow", verbose=False)
    call, run = store.named(str(out)), store.named("run")
    assert run.tags["mlflow.parentRunId"] == call.id
    assert (run.params["label-smoothing.amount"], run.params["lr"]) == ("0.2", "0.001")
    assert [step for name, _, step in run.metrics if name == "train/loss"] == [1, 2, 3, 4, 5, 6]
    assert [step for name, _, step in run.metrics if name == "validation/accuracy"] == [2, 4, 6]
    assert (run.status, call.status) == ("FINISHED", "FINISHED")
    assert call.artifacts == ["notes.txt", "recipe.yaml", "report.html"]


@pytest.mark.slow
def test_it_goes_to_a_folder_unless_the_user_has_named_a_place(
    store: Store, recipe: gw.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear = Ear()
    gw.fit(frame(), target="label", recipe=recipe, out=tmp_path / "a", track="mlflow", listener=ear)
    assert store.uris == [(tmp_path / "a" / "track" / "mlruns").as_uri()]
    assert any(str(tmp_path / "a" / "track" / "mlruns") in note for note in ear.notes)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@mlflow.example")
    ear = Ear()
    gw.fit(frame(), target="label", recipe=recipe, track="mlflow", listener=ear)
    assert store.uris[1:] == ["https://me:secret@mlflow.example"]
    (said,) = [note for note in ear.notes if "mlflow.example" in note]
    assert "secret" not in said
    assert "report.html" in said


@pytest.mark.slow
def test_a_password_in_the_address_is_neither_kept_nor_said(
    store: Store, recipe: gw.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionError("API request to https://me:s3cr3t@mlflow.example/api/2.0 failed: refused")

    out, ear = tmp_path / "run", Ear()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:s3cr3t@mlflow.example")
    monkeypatch.setattr(store, "_log_batch", refuse)
    gw.fit(frame(), target="label", recipe=recipe, out=out, track="mlflow", listener=ear)
    kept = json.loads((out / "track" / "mlflow.json").read_text())
    assert kept["store"] == "https://mlflow.example"
    (said,) = [note for note in ear.notes if "refused" in note]
    assert "mlflow.example" in said
    for path in (path for path in out.rglob("*") if path.is_file()):
        assert b"s3cr3t" not in path.read_bytes(), path
    assert not any("s3cr3t" in note for note in ear.notes)


def test_mlflow_itself_phones_nowhere_and_waits_for_no_minutes(store: Store, recipe: gw.Recipe, tmp_path: Path) -> None:
    gw.fit(frame(), target="label", recipe=recipe, out=tmp_path / "run", track="mlflow", verbose=False)
    assert store.uris
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert int(os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"]) <= 1


def test_a_server_that_fails_is_said_once_asked_no_more_and_ends_no_run(
    store: Store, recipe: gw.Recipe, tmp_path: Path
) -> None:
    store.fails = True
    ear = Ear()
    model = gw.fit(frame(), target="label", recipe=recipe, out=tmp_path / "run", track="mlflow", listener=ear)
    assert model.report is not None
    (said,) = [note for note in ear.notes if "Max retries" in note]
    assert "go on without it" in said
    assert store.calls == 1


def test_a_resumed_call_goes_on_in_the_same_runs(store: Store, recipe: gw.Recipe, tmp_path: Path) -> None:
    given: dict[str, Any] = {"target": "label", "recipe": recipe, "out": tmp_path / "run", "track": "mlflow"}
    with pytest.raises(Killed):
        gw.fit(frame(), listener=Ear(stop="run", step=3, error=Killed), **given)
    assert {run.status for run in store.runs.values()} == {"FAILED"}
    gw.fit(frame(), resume=True, verbose=False, **given)
    assert len(store.runs) == 2
    assert {run.status for run in store.runs.values()} == {"FINISHED"}
    assert {step for name, _, step in store.named("run").metrics if name == "train/loss"} == {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize("content", ["", "[]", '{"store": 1, "runs": []}', '{"runs": {"": "../../etc"}}', "\0"])
def test_damaged_notes_of_earlier_runs_begin_new_ones(
    store: Store, content: str, recipe: gw.Recipe, tmp_path: Path
) -> None:
    given: dict[str, Any] = {"target": "label", "recipe": recipe, "out": tmp_path / "run", "track": "mlflow"}
    with pytest.raises(Killed):
        gw.fit(frame(), listener=Ear(stop="run", step=3, error=Killed), **given)
    (tmp_path / "run" / "track" / "mlflow.json").write_text(content)
    gw.fit(frame(), resume=True, verbose=False, **given)
    assert len(store.runs) == 4


def test_ctrl_c_is_no_failure(store: Store, recipe: gw.Recipe, tmp_path: Path) -> None:
    model = gw.fit(
        frame(), target="label", recipe=recipe, out=tmp_path / "run", track="mlflow", listener=Ear(stop="run", step=3)
    )
    assert model.interrupted
    assert store.named(str(tmp_path / "run")).status == "KILLED"


def test_a_run_that_was_left_out_has_failed_also_where_the_call_went_well(store: Store, tmp_path: Path) -> None:
    hearing = tracking("mlflow", Listener(), tmp_path / "out", resume=False)
    for name in ("broken", "sound"):
        hearing.stepped(name, Progress(1, 2, 0.5, None, None))
    hearing.finished("sound", 0.9, 1.0)
    hearing.tried(Trial(0, "linear probe", "default", "finished", {}, rungs=((0, 0.9),)), "")
    hearing.close("finished")
    told = {run.tags["mlflow.runName"]: run.status for run in store.runs.values()}
    assert {told[name] for name in ("sound", "trials/0000", "tune", str(tmp_path / "out"))} == {"FINISHED"}
    assert told["broken"] == "FAILED"


def test_trials_are_runs_with_their_settings(store: Store, tmp_path: Path) -> None:
    hearing = tracking("mlflow", Listener(), tmp_path, resume=False)
    settings = {"base": "gru", "techniques": [{"lora": {"rank": 4}}], "text": "x" * 900, "bad*name": 1}
    hearing.tried(Trial(0, "lora of gru", "searched", "paused", settings, rungs=((10, 0.5),), steps=90), "")
    hearing.tried(Trial(0, "lora of gru", "searched", "finished", settings, rungs=((10, 0.5), (90, 0.6)), steps=90), "")
    hearing.close("finished")
    run = store.named("trials/0000")
    assert (run.params["base"], run.params["lora.rank"], run.params["bad_name"]) == ("gru", "4", "1")
    assert ("rung/score", 0.6, 90) in run.metrics
    assert run.tags["mlflow.note.content"] == "lora of gru (searched): finished."


def test_a_missing_package_is_said_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install mlflow-skinny"):
        gw.fit(tmp_path / "none.csv", out=tmp_path / "run", track="mlflow", verbose=False)


@pytest.mark.skipif(not REAL, reason="mlflow is not installed")
def test_the_real_one_reads_what_was_written(
    recipe: gw.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _quiet(monkeypatch)
    out = tmp_path / "run"
    given: dict[str, Any] = {"target": "label", "recipe": recipe, "out": out, "track": "mlflow"}
    with pytest.raises(Killed):
        gw.fit(frame(), listener=Ear(stop="run", step=3, error=Killed), **given)
    ear = Ear()
    gw.fit(frame(), resume=True, listener=ear, **given)
    assert not [note for note in ear.notes if "without it" in note]
    client = written._client((out / "track" / "mlruns").as_uri())
    ids = json.loads((out / "track" / "mlflow.json").read_text())["runs"]
    run, call = client.get_run(ids["run"]), client.get_run(ids[""])
    assert run.data.params["label-smoothing.amount"] == "0.2"
    assert {point.step for point in client.get_metric_history(ids["run"], "train/loss")} == {1, 2, 3, 4, 5, 6}
    assert (run.info.status, call.info.status) == ("FINISHED", "FINISHED")
    assert {one.path for one in client.list_artifacts(ids[""])} == {"notes.txt", "recipe.yaml", "report.html"}
    experiment = client.get_experiment_by_name("graftwork").experiment_id
    assert len(client.search_runs([experiment])) == 2

"""Event files of whole calls, read back by TensorBoard's own reader."""

from __future__ import annotations

import builtins
import errno
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import graftwork as gw
from graftwork.core.fit import Progress
from graftwork.errors import UsageError
from graftwork.evidence.tune.trials import Trial
from graftwork.runs.listener import Listener
from graftwork.runs.tracking import tensorboard as written
from graftwork.runs.tracking.folders import folder_of
from graftwork.runs.tracking.tracked import tracking
from heard import Ear
from tiny import tiny_rows
from tinyrun import Killed

pytest.importorskip("tensorboard")


def frame() -> pd.DataFrame:
    return pd.DataFrame(tiny_rows(80), columns=["text", "label"])


@pytest.fixture(scope="module")
def recipe(base: Path) -> gw.Recipe:
    training = gw.Training(steps=6, batch=8, evaluations=3, precision="fp32", lr=1e-3)
    return gw.Recipe(base=str(base), techniques=[gw.LabelSmoothing(0.2)], training=training)


def read(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    found.Reload()
    return found


def runs(track: Path) -> list[str]:
    return sorted({path.parent.relative_to(track).as_posix() for path in track.rglob("*tfevents*")})


def points(folder: Path, tag: str) -> list[tuple[int, float]]:
    return [(one.step, one.value) for one in read(folder).Scalars(tag)]


class Heard(Listener):
    """Keeps the losses and scores that a run told, and its notes."""

    def __init__(self) -> None:
        self.losses: list[tuple[int, float]] = []
        self.scores: list[tuple[int, float]] = []
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def stepped(self, name: str, progress: Any) -> None:  # noqa: ARG002
        self.losses.append((progress.step, progress.loss))
        if progress.validated:
            self.scores.append((progress.step, progress.score))


def alike(found: list[tuple[int, float]], expected: list[tuple[int, float]]) -> bool:
    """Event files keep numbers in single precision."""
    return [step for step, _ in found] == [step for step, _ in expected] and all(
        math.isclose(one, other, rel_tol=1e-6) for (_, one), (_, other) in zip(found, expected, strict=True)
    )


def test_each_step_and_each_validation_is_a_point_and_what_was_planned_stands_there(
    recipe: gw.Recipe, tmp_path: Path
) -> None:
    heard = Heard()
    model = gw.fit(frame(), target="label", recipe=recipe, out=tmp_path / "run", track="tensorboard", listener=heard)
    track = tmp_path / "run" / "track"
    (run,) = [one for one in runs(track) if one != "."]
    assert alike(points(track / run, "train/loss"), heard.losses)
    assert len(heard.losses) == 6
    assert alike(points(track / run, "validation/accuracy"), heard.scores)
    assert [step for step, _ in heard.scores] == [2, 4, 6]
    best = max(score for _, score in heard.scores)
    assert alike(points(track / run, "kept/accuracy"), [(6, best)])
    (plan,) = read(track / run).Tensors("about")
    assert b"label-smoothing" in plan.tensor_proto.string_val[0]
    (notes,) = read(track).Tensors("notes")
    assert b"validat" in notes.tensor_proto.string_val[0]
    assert any("tensorboard --logdir" in note for note in heard.notes)
    assert model.recipe.training.steps == 6


def test_the_settings_of_a_run_are_read_by_the_hparams_plugin(recipe: gw.Recipe, tmp_path: Path) -> None:
    from tensorboard.plugins.hparams import metadata

    gw.fit(frame(), target="label", recipe=recipe, out=tmp_path / "run", track="tensorboard", verbose=False)
    track = tmp_path / "run" / "track"
    (run,) = [one for one in runs(track) if one != "."]
    content = read(track / run).summary_metadata[metadata.SESSION_START_INFO_TAG].plugin_data.content
    settings = metadata.parse_session_start_info_plugin_data(content).hparams
    assert settings["label-smoothing"].bool_value
    assert settings["label-smoothing.amount"].number_value == pytest.approx(0.2)
    assert settings["lr"].number_value == pytest.approx(1e-3)


def test_tracking_changes_no_bit_of_the_model(recipe: gw.Recipe, tmp_path: Path) -> None:
    plain = gw.fit(frame(), target="label", recipe=recipe, verbose=False)
    watched = gw.fit(frame(), target="label", recipe=recipe, out=tmp_path, track="tensorboard", verbose=False)
    expected = plain.network.state_dict()
    assert all((value == expected[name]).all() for name, value in watched.network.state_dict().items())
    assert "tensorboard" not in (tmp_path / "report.html").read_text()


def test_a_resumed_run_goes_on_in_the_same_curves_without_what_was_lost(recipe: gw.Recipe, tmp_path: Path) -> None:
    """It is killed behind a checkpoint at step 2, and does step 3 again."""
    out, track = tmp_path / "run", tmp_path / "run" / "track"
    given: dict[str, Any] = {"target": "label", "recipe": recipe, "out": out, "track": "tensorboard"}
    with pytest.raises(Killed):
        gw.fit(frame(), listener=Ear(stop="run", step=3, error=Killed), **given)
    (run,) = [one for one in runs(track) if one != "."]
    assert [step for step, _ in points(track / run, "train/loss")] == [1, 2, 3]
    gw.fit(frame(), resume=True, verbose=False, **given)
    assert [one for one in runs(track) if one != "."] == [run]
    assert len(list((track / run).iterdir())) == 2
    whole = Heard()
    gw.fit(frame(), target="label", recipe=recipe, listener=whole)
    assert alike(points(track / run, "train/loss"), whole.losses)
    assert alike(points(track / run, "validation/accuracy"), whole.scores)


def test_a_file_cut_in_the_middle_of_a_record_is_read_up_to_there(tmp_path: Path) -> None:
    writer = written.TensorBoard(tmp_path)
    writer.begin("run", 1, {})
    for step in (1, 2, 3):
        writer.scalars("run", step, {"x": float(step)})
    writer.end("run", "finished")
    (file,) = (tmp_path / "run").iterdir()
    content = file.read_bytes()
    file.write_bytes(content[:-70])
    assert points(tmp_path / "run", "x")[:2] == [(1, 1.0), (2, 2.0)]
    writer.begin("run", 3, {})
    writer.scalars("run", 3, {"x": 3.0})
    writer.close("finished", "", ())
    assert points(tmp_path / "run", "x") == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_trials_are_runs_with_a_curve_of_the_search_beside_them(tmp_path: Path) -> None:
    trial = Trial(0, "probe of gru", "default", "finished", {"base": "gru"}, rungs=((0, 0.5),), seconds=2.0, at=1.0)
    paused = Trial(1, "full", "searched", "paused", {"base": "gru"}, rungs=((10, 0.4),), steps=90, at=3.0)
    failed = Trial(2, "full", "searched", "failed", {"base": "gru"}, failed="The memory is too small for it.")
    hearing = tracking("tensorboard", Listener(), tmp_path, resume=False)
    for one in (trial, paused, failed, replace(paused, state="finished", rungs=((10, 0.4), (90, 0.7)), at=9.0)):
        hearing.tried(one, "")
    hearing.close("finished")
    track = tmp_path / "track"
    assert runs(track) == ["trials/0000", "trials/0001", "trials/0002", "tune"]
    assert alike(points(track / "trials/0001", "rung/score"), [(10, 0.4), (90, 0.7)])
    assert alike(points(track / "tune", "best/score"), [(1, 0.5), (3, 0.5), (9, 0.7)])
    assert b"memory" in read(track / "trials/0002").Tensors("about")[0].tensor_proto.string_val[0]


def test_steps_of_trials_of_one_name_are_curves_of_their_own(tmp_path: Path) -> None:
    """The first one pauses, goes on with the same curve, and has folds."""
    hearing = tracking("tensorboard", Listener(), tmp_path, resume=False)
    one, other = (Trial(number, "lora", "searched", "paused", {}, rungs=((2, 0.5),), steps=4) for number in (0, 1))
    for trial, part, steps in ((one, "fold-0", (1, 2)), (one, "fold-1", (1, 2)), (other, "run", (1, 2))):
        hearing.trying(trial, part)
        for step in steps:
            hearing.stepped("lora", Progress(step, 4, float(step), None, None))
        if part != "fold-0":
            hearing.tried(trial, "")
    hearing.trying(other, "run")
    for step in (3, 4):
        hearing.stepped("lora", Progress(step, 4, float(step), None, None))
    hearing.tried(replace(other, state="finished", rungs=((2, 0.5), (4, 0.6))), "")
    hearing.close("finished")
    track, expected = tmp_path / "track" / "trials", [(step, float(step)) for step in (1, 2, 3, 4)]
    assert points(track / "0000" / "fold-1", "train/loss") == expected[:2]
    assert points(track / "0001", "train/loss") == expected
    assert alike(points(track / "0001", "rung/score"), [(2, 0.5), (4, 0.6)])


def test_a_disk_that_fills_is_said_once_and_ends_no_run(
    recipe: gw.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tensorboard.summary.writer import record_writer

    class Full(record_writer.RecordWriter):  # type: ignore[misc,name-defined]
        def write(self, data: bytes) -> None:
            if b"train/loss" in data:
                raise OSError(errno.ENOSPC, "No space left on device")
            super().write(data)

    monkeypatch.setattr(record_writer, "RecordWriter", Full)
    heard = Heard()
    model = gw.fit(frame(), target="label", recipe=recipe, out=tmp_path / "run", track="tensorboard", listener=heard)
    assert model.report is not None
    (said,) = [note for note in heard.notes if "No space left" in note]
    assert str(tmp_path / "run" / "track") in said
    assert "go on without it" in said


def test_a_folder_that_can_not_be_made_is_said_once(recipe: gw.Recipe, tmp_path: Path) -> None:
    (tmp_path / "track").write_text("in the way")
    heard = Heard()
    gw.fit(frame(), target="label", recipe=recipe, out=tmp_path, track="tensorboard", listener=heard)
    assert len([note for note in heard.notes if "tracking to" in note]) == 1
    assert (tmp_path / "track").read_text() == "in the way"


def test_a_missing_package_is_said_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r'pip install "graftwork\[track\]"'):
        gw.fit(tmp_path / "none.csv", out=tmp_path / "run", track="tensorboard", verbose=False)
    assert not (tmp_path / "run").exists()


def test_what_can_not_be_tracked_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'tensorbord'.*tensorboard"):
        gw.fit(frame(), out=tmp_path / "run", track="tensorbord", verbose=False)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"--out"):
        gw.fit(frame(), track="tensorboard", verbose=False)


def test_a_refused_call_leaves_nothing_in_the_way(recipe: gw.Recipe, tmp_path: Path) -> None:
    given: dict[str, Any] = {"recipe": recipe, "out": tmp_path / "run", "track": "tensorboard", "verbose": False}
    with pytest.raises(UsageError):
        gw.fit(frame(), target="nothing", **given)
    assert not (tmp_path / "run" / "track").exists()
    gw.fit(frame(), target="label", **given)


def test_curves_alone_do_not_stand_in_the_way_of_a_new_run(recipe: gw.Recipe, tmp_path: Path) -> None:
    """Those of the old one end where the new ones begin."""
    track = tmp_path / "track"
    writer = written.TensorBoard(track)
    writer.begin("run", 1, {})
    writer.scalars("run", 1, {"train/loss": 100.0})
    writer.close("stopped", "", ())
    gw.fit(frame(), target="label", recipe=recipe, out=tmp_path, track="tensorboard", verbose=False)
    found = points(track / "run", "train/loss")
    assert [step for step, _ in found] == [1, 2, 3, 4, 5, 6]
    assert max(loss for _, loss in found) < 100


def test_files_that_were_removed_do_not_stand_in_the_way(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        writer = written.TensorBoard(tmp_path)
        writer.begin("run", step, {})
        writer.scalars("run", step, {"train/loss": float(step)})
        writer.close("finished", "", ())
        if step == 2:
            (tmp_path / "run" / "events.out.tfevents.000000.graftwork").unlink()
    assert points(tmp_path / "run", "train/loss")[-1] == (3, 3.0)


@pytest.mark.parametrize("name", ["..", "../../up", "/etc", "a\0b", "x" * 300, "", ".", "con:\\1", "日本"])
def test_whatever_a_run_is_called_its_folder_is_below_track(name: str, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "track", name)
    assert folder.resolve().is_relative_to((tmp_path / "track").resolve())
    assert folder != tmp_path / "track"
    folder.mkdir(parents=True)


def test_names_that_differ_have_folders_that_differ(tmp_path: Path) -> None:
    names = ["a:b", "a?b", "a-b", "a b", "a/b", "", "run"]
    assert len({folder_of(tmp_path, name) for name in names}) == len(names)


def test_no_heavy_package_is_loaded_for_it() -> None:
    assert "tensorflow" not in sys.modules


@pytest.mark.slow
def test_an_ablation_tracks_what_each_technique_brings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path / "home"))
    table = pd.DataFrame({"a": range(60), "b": [one % 7 for one in range(60)]})
    table["kind"] = ["yes" if one % 2 else "no" for one in range(60)]
    recipe = gw.Recipe(base="columns", techniques=[gw.Probe(l2=0.1), gw.ClassWeights()])
    found = gw.ablate(
        table, recipe=recipe, target="kind", method="add-one-in", repeats=2, out=tmp_path / "run", track="tensorboard"
    )
    brings = points(tmp_path / "run" / "track" / "ablation", "brings/class-weights")
    assert [step for step, _ in brings] == sorted({step for step, _ in brings})
    assert brings[-1][0] == len(found.cells)
    (finding,) = [one for one in found.findings if one.name == "class-weights"]
    assert finding.value == pytest.approx(brings[-1][1], abs=1e-6)


@pytest.mark.slow
def test_a_tune_tracks_the_trials_that_it_ran_and_goes_on_with_them(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    table = pd.DataFrame({"a": range(80), "b": [one % 7 for one in range(80)]})
    table["kind"] = ["yes" if one % 2 else "no" for one in range(80)]
    given: dict[str, Any] = {"target": "kind", "recipe": gw.Recipe(base="columns"), "folds": 1, "batch": 2}
    given |= {"out": tmp_path, "track": "tensorboard", "verbose": False}
    gw.tune(table, trials=1, **given)
    found = gw.tune(table, trials=3, resume=True, **given)
    track = tmp_path / "track"
    asked = [one for one in found.trials if one.origin != "combined"]
    assert [one for one in runs(track) if one.startswith("trials/")] == [f"trials/{one.number:04d}" for one in asked]
    for one in asked:
        assert alike(points(track / f"trials/{one.number:04d}", "rung/accuracy")[-1:], list(one.rungs)[-1:])
    assert len(points(track / "tune", "trial/accuracy")) >= len(asked)
    best = [score for _, score in points(track / "tune", "best/accuracy")]
    assert best == sorted(best)


def test_nothing_is_loaded_or_written_where_nobody_asked(
    recipe: gw.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        assert not name.startswith(("tensorboard", "mlflow")), name
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    gw.fit(frame(), target="label", recipe=recipe, out=tmp_path, verbose=False)
    assert not (tmp_path / "track").exists()

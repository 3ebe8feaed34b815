"""5. A run that is stopped anywhere and resumed ends with the bits of one that was never stopped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from conformance.table import COMBINATIONS, ELSEWHERE, ROWS, techniques
from graftwork.core.fit import Fitted
from graftwork.core.run import Run
from graftwork.core.technique import Technique
from graftwork.core.training.checkpoint import NAME, Checkpointing
from graftwork.errors import CheckpointError, RefusedError
from tinyrun import TRAINING, Fixture, Killed, Worlds, kill_at, same, weights

STEPS = TRAINING.steps or 0


def stopped(fixture: Fixture, listed: Sequence[Technique], folder: Path, step: int, *, resume: bool = False) -> None:
    """Checkpoints after every step; dies in the middle of `step`, before its checkpoint."""
    with pytest.raises(Killed):
        fixture.fit(listed, observers=[kill_at(step)], checkpoints=Checkpointing(folder, "run", resume, seconds=0.0))


def resumed(fixture: Fixture, listed: Sequence[Technique], folder: Path) -> tuple[Run, Fitted]:
    return fixture.fit(listed, checkpoints=Checkpointing(folder, "run", resume=True, seconds=0.0))


def assert_equal(first: tuple[Run, Fitted], second: tuple[Run, Fitted]) -> None:
    assert same(weights(first[1].network), weights(second[1].network))
    assert same(weights(first[0].stages.state), weights(second[0].stages.state))
    for field in ("history", "best_step", "best_score", "steps", "interrupted"):
        assert getattr(first[1], field) == getattr(second[1], field), field


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("base", ["transformer", "rnn"])
def test_alone(row: object, base: str, fixtures: Worlds, tmp_path: Path):
    if base not in row.bases:  # type: ignore[attr-defined]
        pytest.skip("below, together with others")
    fixture, listed = fixtures(base, "classes", True), [row.acts]  # type: ignore[attr-defined]
    try:
        fixture.run(listed, started=False)
    except RefusedError:
        pytest.skip("refused on this base")
    uninterrupted = fixture.fit(listed)
    stopped(fixture, listed, tmp_path, 5)
    assert (tmp_path / NAME).is_file()
    assert_equal(resumed(fixture, listed, tmp_path), uninterrupted)


@pytest.mark.parametrize("step", range(1, STEPS + 1))
@pytest.mark.parametrize("names", [(), *COMBINATIONS], ids=lambda names: "+".join(names) or "none")
def test_at_any_step(names: tuple[str, ...], step: int, fixtures: Worlds, tmp_path: Path):
    fixture, listed = fixtures("transformer", "classes", True), techniques(names)
    stopped(fixture, listed, tmp_path, step)
    assert (tmp_path / NAME).is_file() == (step > 1)  # before the first checkpoint it starts afresh
    assert_equal(resumed(fixture, listed, tmp_path), fixture.fit(listed))


@pytest.mark.parametrize("step", [2, STEPS])
@pytest.mark.parametrize(("base", "names"), ELSEWHERE)
def test_elsewhere(base: str, names: tuple[str, ...], step: int, fixtures: Worlds, tmp_path: Path):
    fixture, listed = fixtures(base, "classes", True), techniques(names)
    stopped(fixture, listed, tmp_path, step)
    assert_equal(resumed(fixture, listed, tmp_path), fixture.fit(listed))


def test_again_and_again(fixtures: Worlds, tmp_path: Path):
    fixture, listed = fixtures("cnn"), techniques(("warm-start", "mixup", "consistency", "ema"))
    for step in range(2, STEPS + 1):
        stopped(fixture, listed, tmp_path, step, resume=True)
    assert_equal(resumed(fixture, listed, tmp_path), fixture.fit(listed))


def test_a_finished_run_is_not_trained_on(fixtures: Worlds, tmp_path: Path):
    fixture = fixtures("cnn")
    first = fixture.fit([], checkpoints=Checkpointing(tmp_path, "run"))
    assert_equal(resumed(fixture, [], tmp_path), first)


def test_a_run_that_stopped_early_is_not_trained_on(fixtures: Worlds, tmp_path: Path):
    settings = {"lr": 0.0, "head_lr": 0.0, "evaluations": 6, "patience": 2}
    first = fixtures("cnn").fit([], checkpoints=Checkpointing(tmp_path, "run"), **settings)
    again = fixtures("cnn").fit([], checkpoints=Checkpointing(tmp_path, "run", resume=True), **settings)
    assert first[1].steps == 3  # the first score, and two that are no better
    assert_equal(again, first)


def test_without_resume_it_starts_afresh(fixtures: Worlds, tmp_path: Path):
    fixture = fixtures("cnn")
    stopped(fixture, [], tmp_path, 5)
    _, fitted = fixture.fit([], checkpoints=Checkpointing(tmp_path, "run"))
    assert [point.step for point in fitted.history] == [3, 6]
    assert same(weights(fitted.network), weights(fixture.fit([])[1].network))


def test_a_foreign_checkpoint_is_refused(fixtures: Worlds, tmp_path: Path):
    fixture = fixtures("cnn")
    stopped(fixture, [], tmp_path, 3)
    with pytest.raises(CheckpointError, match=r"other data, base, techniques or settings.*another --out"):
        fixture.fit([], checkpoints=Checkpointing(tmp_path, "another", resume=True))
    with pytest.raises(CheckpointError, match="of a run of 6 steps, but 7 are planned"):
        fixture.fit([], checkpoints=Checkpointing(tmp_path, "run", resume=True), steps=7)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x10\0\0\0\0\0\0\0" + b'{"a": 1}        '])
def test_a_broken_checkpoint_is_named(content: bytes, fixtures: Worlds, tmp_path: Path):
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"checkpoint\.safetensors is not a checkpoint of graftwork"):
        resumed(fixtures("cnn"), [], tmp_path)

"""Workers that fit together end as one process does on the same global batches.

Losses and scores are compared, not weights: where a gradient is zero but for rounding (the bias of keys), AdamW steps
by the sign of the rounding.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.fakes import Ends
from graftwork.core.fit import Fitted, fit
from graftwork.core.parallel.workers import Joined
from graftwork.core.run import Run
from graftwork.core.training.checkpoint import NAME, Checkpointing, read
from graftwork.errors import CheckpointError, NonFiniteLossError
from graftwork.techniques import EMA, LabelSmoothing, Partial, Probe, TokenDropout, WarmStart
from tinyrun import Fixture, Killed, Worlds, kill_at, same, weights
from together import still, together

STEADY: dict[str, Any] = {"steps": 6, "evaluations": 3}


def losses(fitted: Fitted) -> list[float]:
    return [point.loss for point in fitted.history if point.loss is not None]


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("base", ["transformer", "rnn", "cnn"])
@pytest.mark.parametrize("task", ["classes", "many", "number"])
def test_workers_end_as_one(base: str, task: str, count: int, fixtures: Worlds) -> None:
    fixture = still(fixtures(base, task, True))
    _, alone = fixture.fit([Partial(2), EMA(0.5)], **STEADY)
    each = together(count, lambda workers: fixture.fit([Partial(2), EMA(0.5)], workers=workers, **STEADY)[1])
    for found in each:
        assert losses(found) == pytest.approx(losses(alone), abs=1e-5)
        assert [point.score for point in found.history] == pytest.approx([p.score for p in alone.history], abs=1e-5)
        assert same(weights(found.network), weights(each[0].network))


def test_a_batch_smaller_than_the_workers_is_computed_by_all(fixtures: Worlds) -> None:
    fixture = still(fixtures("transformer", "classes", False))
    changes = {"batch": 2, "steps": 5, "evaluations": 1}
    _, alone = fixture.fit(**changes)
    found = together(3, lambda workers: fixture.fit(workers=workers, **changes)[1])[0]
    assert losses(found) == pytest.approx(losses(alone), abs=1e-5)
    assert found.best_score == pytest.approx(alone.best_score, abs=1e-5)


def test_features_are_solved_and_cached_in_parts(
    fixtures: Worlds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry of the cache has the bits of one that a single process writes, and is written by the first worker."""
    fixture = still(fixtures("transformer", "classes", False))
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path / "one"))
    run, alone = fixture.fit([Probe()], steps=None, epochs=None)
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path / "several"))
    made = together(3, lambda workers: fixture.fit([Probe()], workers=workers, steps=None, epochs=None))
    files = [
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("rows.bin")}
        for folder in (tmp_path / "one", tmp_path / "several")
    ]
    assert len(files[0]) == 2
    assert files[0] == files[1]
    for other, found in made:
        assert np.array_equal(other.cached["text"].states, run.cached["text"].states)
        assert same(weights(found.network), weights(alone.network))
        assert found.best_score == alone.best_score


def test_hidden_states_are_cached_in_parts(fixtures: Worlds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fixture = still(fixtures("transformer", "classes", False))
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path / "one"))
    monkeypatch.setattr("graftwork.networks.network.Network.pass_tokens", 24)
    run = fixture.run([Partial(1)])
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path / "several"))
    made = together(3, lambda workers: fixture.run([Partial(1)], workers=workers))
    assert run.plan.cache == {"text": 2}
    for other in made:
        kept, expected = other.cached["text"].states, run.cached["text"].states
        assert np.array_equal(kept.values, expected.values)
        assert np.array_equal(kept.offsets, expected.offsets)


def test_all_stop_at_the_step_where_one_was_asked_to(fixtures: Worlds) -> None:
    fixture = still(fixtures("transformer", "classes", False))

    def work(workers: Joined) -> Fitted:
        def asked(progress: Any) -> None:
            if workers.index == 1 and progress.step == 3:
                workers.signals.append(2)

        return fixture.fit(workers=workers, observers=[asked], **STEADY)[1]

    for found in together(2, work):
        assert (found.steps, found.interrupted) == (4, True)
        assert found.best_step == 2


def test_a_loss_that_is_not_finite_at_one_ends_all(fixtures: Worlds) -> None:
    fixture = still(fixtures("transformer", "classes", False))

    def work(workers: Joined) -> str:
        with pytest.raises(NonFiniteLossError) as told:
            fixture.fit([Ends(3 if workers.index == 1 else 99)], workers=workers, **STEADY)
        return str(told.value)

    assert all("step 3" in text for text in together(2, work))


def stopped_and_resumed(fixture: Fixture, folder: Path, count: int, names: list[Any]) -> list[tuple[Run, Fitted]]:
    """As one that was killed after step 4, before its checkpoint, and then gone on with."""

    def stopped(workers: Joined) -> None:
        kept = Checkpointing(folder, "run", seconds=0.0)
        with pytest.raises(Killed):
            fixture.fit(names, workers=workers, observers=[kill_at(4)], checkpoints=kept, **STEADY)

    def resumed(workers: Joined) -> tuple[Run, Fitted]:
        own = folder if workers.leads else folder / "not there"
        kept = Checkpointing(own, "run", resume=True, seconds=0.0)
        return fixture.fit(names, workers=workers, checkpoints=kept, **STEADY)

    together(count, stopped)
    return together(count, resumed)


def test_resumed_workers_end_as_undisturbed_ones(fixtures: Worlds, tmp_path: Path) -> None:
    fixture, names = still(fixtures("transformer", "classes", False)), [WarmStart(), TokenDropout(0.3), EMA(0.5)]
    whole = together(2, lambda workers: fixture.fit(names, workers=workers, **STEADY))
    again = stopped_and_resumed(fixture, tmp_path, 2, names)
    for (run, found), (other, expected) in zip(again, whole, strict=True):
        assert same(weights(found.network), weights(expected.network))
        assert found.history == expected.history
        states = [one.stages.generators["token-dropout.augment"].get_state() for one in (run, other)]
        assert torch.equal(*states)
    draws = [one[0].stages.generators["token-dropout.augment"].get_state() for one in whole]
    assert not torch.equal(*draws), "each worker draws its own"


def test_a_checkpoint_is_taken_up_by_another_number_of_workers(fixtures: Worlds, tmp_path: Path) -> None:
    fixture = still(fixtures("transformer", "classes", False))
    _, whole = fixture.fit([LabelSmoothing(0.1)], **STEADY)
    together(2, lambda workers: interrupted_fit(fixture, workers, tmp_path))
    kept = Checkpointing(tmp_path, "run", resume=True)
    found = read(kept)
    assert found is not None
    assert found.group("streams").keys() == found.group("streams-1").keys()
    _, alone = fixture.fit([LabelSmoothing(0.1)], checkpoints=kept, **STEADY)
    assert losses(alone) == pytest.approx(losses(whole), abs=1e-5)


def interrupted_fit(fixture: Fixture, workers: Joined, folder: Path) -> None:
    with pytest.raises(Killed):
        fixture.fit(
            [LabelSmoothing(0.1)],
            workers=workers,
            observers=[kill_at(4)],
            checkpoints=Checkpointing(folder, "run", seconds=0.0),
            **STEADY,
        )


def test_a_checkpoint_that_is_damaged_is_told_to_all(fixtures: Worlds, tmp_path: Path) -> None:
    fixture = fixtures("cnn")
    (tmp_path / NAME).write_bytes(b"nothing of the kind")

    def work(workers: Joined) -> str:
        with pytest.raises(CheckpointError) as told:
            fixture.fit(workers=workers, checkpoints=Checkpointing(tmp_path, "run", resume=True))
        return str(told.value)

    first, second = together(2, work)
    assert first == second
    assert "damaged" in first


def test_what_is_told_is_the_mean_of_all(fixtures: Worlds) -> None:
    """The terms that the history keeps, also where a term is scored on the rows of one worker only."""
    fixture = still(fixtures("transformer", "classes", True))
    run, alone = fixture.fit([], **STEADY)
    name = next(iter(fixture.tasks))

    def work(workers: Joined) -> Fitted:
        one = fixture.run([], workers=workers, **STEADY)
        return fit(dataclasses.replace(one, stages=dataclasses.replace(one.stages, told=(name, "no term of it"))))

    expected = fit(dataclasses.replace(run, network=fixture.run([], **STEADY).network)).history
    assert [point.loss for point in expected] == pytest.approx(losses(alone))
    for found in together(2, work):
        points = found.told[name]
        assert math.isclose(np.mean([value for _, value in points[:2]]), losses(alone)[0], abs_tol=1e-5)
        assert "no term of it" not in found.told

"""A run that pauses and goes on from its checkpoint has the bits of one that never paused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from graftwork import techniques as t
from graftwork.core.clock.course import Course
from graftwork.core.clock.pace import Pace
from graftwork.core.fit import Fitted, fit
from graftwork.core.run import Run
from graftwork.core.technique import Technique
from graftwork.core.training import checkpoint
from graftwork.core.training.checkpoint import NAME, Checkpointing
from tinyrun import Fixture, Worlds, same, weights

SCORED = (2, 5)
"""Neither of them is a step at which a run of 6 steps and 2 evaluations is scored by itself."""
LISTS: tuple[tuple[str, tuple[Technique, ...]], ...] = (
    ("transformer", ()),
    ("transformer", (t.LoRA(rank=2, dropout=0.1), t.WarmStart(l2=0.1), t.Mixup(0.5), t.EMA(0.9))),
    ("transformer", (t.SWA(0.3), t.Consistency(1.0), t.DANN(hidden=8))),
    ("transformer", (t.Partial(1), t.SAM(0.05), t.Accumulate(3), t.Refit(l2=0.3))),
    ("rnn", (t.FGM(0.2), t.VAT(0.2), t.SmallLoss(0.2, 0.0))),
    ("image", (t.Adversarial(0.1, 2), t.AugMix(), t.EMA(0.9))),
    ("image", (t.FreeAdversarial(0.1, 2), t.Crop())),
    ("several", (t.PCGrad(), t.Uncertainty(), t.EMA(0.9))),
    ("episodes", (t.Reptile(2, 3, 3, 2, lr=0.01, steps=2), t.SWA(0.5))),
)


def ran(
    fixture: Fixture, listed: Sequence[Technique], folder: Path, until: int | None = None, **changes: object
) -> tuple[Run, Fitted]:
    run = fixture.run(listed, **changes)
    kept = Checkpointing(folder, "run", resume=True)
    return run, fit(run, checkpoints=kept, until=until, scored_at=SCORED)


def assert_equal(first: tuple[Run, Fitted], second: tuple[Run, Fitted]) -> None:
    assert same(weights(first[1].network), weights(second[1].network))
    assert same(weights(first[0].stages.state), weights(second[0].stages.state))
    for name in ("history", "best_step", "best_score", "steps", "interrupted", "paused", "cuts"):
        assert getattr(first[1], name) == getattr(second[1], name), name


@pytest.mark.parametrize(("base", "listed"), LISTS, ids=lambda one: one if isinstance(one, str) else None)
def test_paused_and_gone_on_with(base: str, listed: Sequence[Technique], fixtures: Worlds, tmp_path: Path) -> None:
    fixture = fixtures(base, "classes", base not in ("image", "several", "episodes"))
    whole = fit(run := fixture.run(listed), scored_at=SCORED)
    for until in SCORED:
        _, paused = ran(fixture, listed, tmp_path, until)
        assert (paused.paused, paused.steps, paused.history[-1].step) == (True, until, until)
    assert_equal(ran(fixture, listed, tmp_path), (run, whole))
    assert not whole.paused
    assert set(SCORED) < {point.step for point in whole.history}


def test_paused_again_at_the_same_step(fixtures: Worlds, tmp_path: Path) -> None:
    """What a resumed call is given where it was killed after the pause: the same weights, nothing trained on."""
    fixture = fixtures("cnn")
    first = ran(fixture, (t.EMA(0.9),), tmp_path, SCORED[0])
    assert_equal(ran(fixture, (t.EMA(0.9),), tmp_path, SCORED[0]), first)


def test_the_network_of_a_paused_run_is_the_best_so_far(fixtures: Worlds, tmp_path: Path) -> None:
    fixture = fixtures("cnn")
    run, paused = ran(fixture, (), tmp_path, 5, lr=0.5, head_lr=0.5)
    best = max(paused.history, key=lambda point: point.score or 0.0)
    assert (paused.best_step, paused.best_score) == (best.step, best.score)
    shorter = fit(fixture.run((), lr=0.5, head_lr=0.5), until=best.step, scored_at=SCORED)
    assert same(weights(run.network), weights(shorter.network))


def test_a_run_pauses_without_being_scored(fixtures: Worlds, tmp_path: Path) -> None:
    """The step alone changes nothing of the run, whatever it is."""
    fixture, kept = fixtures("cnn"), Checkpointing(tmp_path, "run", resume=True)
    whole = fixture.fit([])
    paused = fit(fixture.run(), checkpoints=kept, until=4)
    assert (paused.steps, [point.step for point in paused.history]) == (4, [3])
    assert (tmp_path / NAME).is_file()
    run = fixture.run()
    assert_equal((run, fit(run, checkpoints=kept)), whole)


@pytest.mark.parametrize("until", [None, 6, 7])
def test_a_run_that_comes_to_its_end_is_not_paused(until: int | None, fixtures: Worlds, tmp_path: Path) -> None:
    plain = fixtures("cnn").fit([])
    run = fixtures("cnn").run()
    done = fit(run, checkpoints=Checkpointing(tmp_path, "run"), until=until, scored_at=(0, 6, 7, -1))
    assert_equal((run, done), plain)


def test_a_run_that_stopped_early_is_not_paused(fixtures: Worlds, tmp_path: Path) -> None:
    settings = {"lr": 0.0, "head_lr": 0.0, "evaluations": 6, "patience": 2}
    _, done = ran(fixtures("cnn"), (), tmp_path, 5, **settings)
    assert (done.steps, done.paused) == (3, False)


def test_a_run_without_steps_is_not_paused(fixtures: Worlds, tmp_path: Path) -> None:
    _, done = ran(fixtures("cnn"), (t.Probe(),), tmp_path, 2, steps=None)
    assert (done.steps, done.paused) == (0, False)


def test_a_shortened_run_pauses_where_it_stands_as_far(fixtures: Worlds, tmp_path: Path) -> None:
    """Places are among the planned steps: of a run that a budget cut down they come sooner, and in their order."""
    fixture, heard = fixtures("cnn"), list[Course]()
    left = iter(range(40, -1000, -1))
    pace = Pace(lambda: float(next(left)), least=1, evaluation=0.0, decided=heard.append)
    kept, places = Checkpointing(tmp_path, "run", resume=True), (20, 40)
    paused = fit(fixture.run(steps=60, evaluations=3), checkpoints=kept, pace=pace, until=40, scored_at=places)
    course = heard[-1]
    assert (paused.paused, paused.steps) == (True, course.step_at(40))
    assert paused.steps < course.end < 40
    assert paused.cuts == course.cuts
    run = fixture.run(steps=60, evaluations=3, cuts=course.cuts)
    whole = fit(fixture.run(steps=60, evaluations=3, cuts=course.cuts), scored_at=places)
    assert same(weights(fit(run, checkpoints=kept, scored_at=places).network), weights(whole.network))


@pytest.mark.parametrize("sparing", [True, False])
def test_sparing_checkpoints_are_written_where_a_run_pauses_or_ends(
    sparing: bool, fixtures: Worlds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixture, kept = fixtures("cnn"), Checkpointing(tmp_path, "run", resume=True, sparing=sparing)
    written = list[int]()
    write = checkpoint.write
    monkeypatch.setattr(checkpoint, "write", lambda folder, one: (written.append(one.meta["step"]), write(folder, one)))
    fit(fixture.run(evaluations=6), checkpoints=kept, until=4)
    assert written == ([4] if sparing else [1, 2, 3, 4])
    run = fixture.run(evaluations=6)
    done = fit(run, checkpoints=kept)
    assert written[-1] == 6
    assert_equal((run, done), fixture.fit([], evaluations=6))

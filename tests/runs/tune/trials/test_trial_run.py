"""graftwork.runs.tune.trials.run: trials by rungs, in folds, measured, kept, failed, and gone on with to the bit."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file

import graftwork as gw
from graftwork.core.rows.examples import prepare
from graftwork.core.scoring import predict_examples
from graftwork.core.training.checkpoint import NAME
from graftwork.errors import CheckpointError, DataError, NonFiniteLossError
from graftwork.evidence.tune.trials import Trial
from graftwork.runs.job.job import Job
from graftwork.runs.single.model_from_run import make_model
from graftwork.runs.single.run import build_network, run_single
from graftwork.runs.tune.judged import judged_rows
from graftwork.runs.tune.trials import run as trial_run
from graftwork.runs.tune.trials.run import TrialRunner
from graftwork.runs.workspace import Workspace
from graftwork.saving import save
from heard import Ear
from jobs import job_of
from tiny import tiny_rows
from tinyrun import same, weights

STEPS = 9
QUICK = gw.Training(steps=STEPS, batch=16, precision="fp32", evaluations=1, lr=1e-3)
Make = Callable[..., TrialRunner]


def levels(steps: int) -> dict[int, int]:
    """As the ladder gives them, closer together."""
    return {0: steps // 3, 1: steps * 2 // 3, 2: steps} if steps else {}


def frame(rows: int) -> pd.DataFrame:
    table = pd.DataFrame(tiny_rows(rows), columns=["text", "label"])
    return table.assign(text=[f"{text} {at}" for at, text in enumerate(table["text"])])


@pytest.fixture(scope="module")
def recipe(base: Path) -> gw.Recipe:
    return gw.Recipe(base=str(base), techniques=[gw.LoRA(rank=2)], training=QUICK)


@pytest.fixture(scope="module")
def job(recipe: gw.Recipe) -> Job:
    return job_of(frame(90), recipe, valid=frame(100), target="label")


@pytest.fixture(scope="module")
def few(recipe: gw.Recipe) -> Job:
    return job_of(frame(40), recipe, target="label")


@pytest.fixture
def make(tmp_path: Path, recipe: gw.Recipe) -> Make:
    def made(job: Job, folder: str = "trials", **more: Any) -> TrialRunner:
        return TrialRunner(judged_rows(job, recipe), levels, tmp_path / folder, **more)

    return made


def proposed(recipe: gw.Recipe, number: int = 0) -> Trial:
    techniques = tuple(technique.name for technique in recipe.listed)
    return Trial(number, f"trial {number}", "searched", "paused", recipe.to_dict(), techniques=techniques)


# --- rungs ----------------------------------------------------------------------------------------------------------
LISTS: tuple[tuple[Any, ...], ...] = (
    (gw.LoRA(rank=2, dropout=0.1), gw.EMA(0.9), gw.Mixup(0.5)),
    (gw.Partial(1), gw.SWA(0.3), gw.SAM(0.05), gw.Accumulate(2)),
    (gw.WarmStart(), gw.FGM(0.2), gw.Consistency(1.0), gw.Refit()),
)


@pytest.mark.parametrize("listed", LISTS, ids=lambda listed: "+".join(one.name for one in listed))
def test_rung_by_rung_is_the_run_that_never_paused(listed: Sequence[Any], job: Job, recipe: gw.Recipe, make: Make):
    recipe = replace(recipe, techniques=listed)
    whole = run_single(job, recipe, name="whole", workspace=Workspace(), listener=Ear(), scored_at=levels)
    trial, runner = proposed(recipe), make(job)
    for level, step in enumerate((3, 6)):
        trial = runner.run(trial, recipe, level)
        assert (trial.state, trial.steps, trial.rungs[-1][0], len(trial.rungs)) == ("paused", STEPS, step, level + 1)
    done = make(job).run(trial, recipe, 2)  # as another process would
    assert (done.state, done.score) == ("finished", whole.score)
    assert [step for step, _ in done.rungs] == [3, 6, 9]
    assert np.array_equal(runner.predictions(0)["label"], whole.predictions["label"])  # type: ignore[index]
    again = make(job).candidate(done, recipe)
    assert same(weights(again.network), weights(whole.network))
    at_once = make(job, "other").run(proposed(recipe), recipe, 2)
    assert at_once.rungs == done.rungs


def test_a_trial_is_measured_and_named(job: Job, recipe: gw.Recipe, make: Make, tmp_path: Path) -> None:
    ear, ticks = Ear(), iter(range(100, 10**6))
    runner = make(job, listener=ear, clock=lambda: float(next(ticks)), began=90.0)
    trial = runner.run(proposed(recipe, 5), recipe, 0)
    candidate = runner.candidate(trial, recipe)
    assert candidate.name == "trial 5"
    assert trial.score == pytest.approx(runner.judged.score(runner.predictions(5)))
    assert 0 < trial.latency < 5
    assert trial.seconds > 0
    assert trial.at >= 10
    model = make_model(replace(runner.judged.job, valid=runner.judged.table), candidate)
    save(model, tmp_path / "model")
    saved = load_file(tmp_path / "model" / "weights.safetensors")
    assert trial.size == sum(tensor.nbytes for tensor in saved.values())
    assert trial.parameters == sum(parameter.numel() for parameter in candidate.network.parameters())
    assert ear.steps[:3] == [("trial 5", 1), ("trial 5", 2), ("trial 5", 3)]
    assert runner.known(5) == trial


def test_a_probe_is_finished_at_once_and_solved_again(job: Job, recipe: gw.Recipe, make: Make, tmp_path: Path) -> None:
    recipe = replace(recipe, techniques=[gw.Probe()], training=gw.Training(precision="fp32"))
    runner = make(job)
    trial = runner.run(proposed(recipe), recipe, 0)
    assert (trial.state, trial.steps, [step for step, _ in trial.rungs]) == ("finished", 0, [0])
    assert not list(tmp_path.rglob(NAME))
    again = make(job).candidate(trial, recipe)
    assert again.score == trial.score
    assert runner.run(trial, recipe, 2) is trial
    other = make(job, "other")
    assert same(
        weights(other.candidate(other.run(proposed(recipe), recipe, 2), recipe).network), weights(again.network)
    )


def test_a_short_run_has_the_levels_that_it_has(job: Job, recipe: gw.Recipe, make: Make) -> None:
    runner = replace(make(job), rungs=lambda steps: {1: 4, 2: steps})
    trial = runner.run(proposed(recipe), recipe, 0)
    assert (trial.state, [step for step, _ in trial.rungs]) == ("paused", [4])
    assert runner.run(trial, recipe, 1) is trial  # it is there
    trial = runner.run(trial, recipe, 2)
    assert [step for step, _ in trial.rungs] == [4, 9]


# --- folds ----------------------------------------------------------------------------------------------------------
def by_hand(judged: Any, recipe: gw.Recipe, until: int) -> np.ndarray:
    """What five plain runs predict, in the order of the rows."""
    found = np.zeros((len(judged.table), judged.job.task.outputs), np.float32)
    for job, places in zip(judged.jobs, judged.places, strict=True):
        done = run_single(
            replace(job, test=None), recipe, name="x", workspace=Workspace(), listener=Ear(), until=until,
            scored_at=levels,
        )  # fmt: skip
        held = prepare(job.test, done.network, job.tasks, recipe.text)
        found[places] = predict_examples(done.network, held, recipe.listed)["label"]
    return found


@pytest.mark.slow
def test_folds_are_a_loop_of_plain_runs(few: Job, recipe: gw.Recipe, make: Make) -> None:
    runner, trial = make(few), proposed(recipe)
    assert runner.judged.folds == 5
    for level in range(3):
        trial = runner.run(trial, recipe, level)
        expected = by_hand(runner.judged, recipe, level)
        assert np.array_equal(runner.predictions(0)["label"], expected)
        truth = runner.judged.truth["label"].values
        assert trial.score == pytest.approx(np.mean(expected.argmax(1) == truth))
    assert trial.state == "finished"


@pytest.mark.slow
def test_a_candidate_of_folds_is_trained_on_all_rows(few: Job, recipe: gw.Recipe, make: Make) -> None:
    """As many passes as the folds made; its score and predictions are those of the folds."""
    recipe = replace(recipe, training=replace(QUICK, steps=None, epochs=4.0))
    runner = make(few)
    trial = runner.run(proposed(recipe), recipe, 2)
    assert trial.steps == 8  # 32 rows, 16 a step, 4 times
    assert runner.trains_anew(trial)
    done = runner.candidate(trial, recipe)
    assert not runner.trains_anew(trial)
    assert done.plan.rows == 40
    assert done.fitted.steps == 10
    assert done.score == trial.score
    assert np.array_equal(done.predictions["label"], runner.predictions(0)["label"])  # type: ignore[index]
    model = make_model(replace(runner.judged.job, valid=runner.judged.table), done)
    assert model.temperature["label"] > 0


@pytest.mark.slow
def test_probes_in_folds_read_features_of_all_rows(
    few: Job, recipe: gw.Recipe, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frozen base is run once over all rows, whatever the folds and the trials."""
    recipe = replace(recipe, techniques=[gw.Probe()], seed=3)
    read = list[int]()
    monkeypatch.setattr("graftwork.core.frozen.cache.each_batch", counting(read))
    runner = make(few)
    first = runner.run(proposed(recipe), recipe, 2)
    other = replace(recipe, head="mlp:width=8")
    runner.run(proposed(other, 1), other, 2)
    runner.candidate(first, recipe)
    assert sum(read) <= 40
    expected = by_hand(runner.judged, recipe, 2)
    assert np.allclose(runner.predictions(0)["label"], expected, atol=1e-5)


def counting(read: list[int]) -> Callable[..., None]:
    from graftwork.core.frozen.cache import each_batch

    def counted(network: Any, examples: Any, name: str, rows: np.ndarray, *more: Any) -> None:
        read.append(len(rows))
        each_batch(network, examples, name, rows, *more)

    return counted


# --- budgets --------------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_the_steps_that_a_budget_left_are_remembered(
    job: Job, recipe: gw.Recipe, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(recipe, training=replace(QUICK, steps=60))
    monkeypatch.setattr("graftwork.core.training.timing._seconds_per_step", lambda *_: 1.0)
    monkeypatch.setattr("graftwork.core.training.timing._seconds_per_evaluation", lambda *_: 0.0)
    trial = make(job).run(proposed(recipe), recipe, 0, seconds=30.0)
    assert 12 < trial.steps < 30
    assert trial.rungs[0][0] == trial.steps // 3
    done = make(job).run(trial, recipe, 2, seconds=1000.0)
    assert (done.steps, done.state) == (trial.steps, "finished")
    fresh = replace(recipe, training=replace(QUICK, steps=trial.steps))
    whole = run_single(job, fresh, name="x", workspace=Workspace(), listener=Ear(), scored_at=levels)
    assert done.score == whole.score


@pytest.mark.slow
def test_all_folds_take_the_steps_of_the_first(
    few: Job, recipe: gw.Recipe, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, each = replace(recipe, training=replace(QUICK, steps=60)), iter((1.0, 0.01, 0.01, 0.01, 0.01))
    monkeypatch.setattr("graftwork.core.training.timing._seconds_per_step", lambda *_: next(each))
    trial = make(few).run(proposed(recipe), recipe, 2, seconds=5 * 15.0)
    assert trial.steps < 15
    assert trial.state == "finished"


def test_no_time_for_the_first_step(job: Job, recipe: gw.Recipe, make: Make) -> None:
    runner = make(job)
    trial = runner.run(proposed(recipe), recipe, 2, seconds=1e-6)
    assert (trial.state, trial.score, trial.failed) == ("left out", None, "There was no time for its first step.")
    assert runner.known(0) == trial


# --- failures -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "The memory is too small for it."),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "The memory is too small for it."),
        (NonFiniteLossError("The loss is nan\nat step 2."), "The loss is nan at step 2."),
        (ZeroDivisionError("division by zero"), "division by zero"),
    ],
)
def test_a_trial_that_fails_is_said_and_ends_nothing(
    error: Exception, said: str, job: Job, recipe: gw.Recipe, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = make(job)
    trial = runner.run(proposed(recipe), recipe, 0)
    with monkeypatch.context() as patch:
        patch.setattr(trial_run, "run_single", raising(error))
        failed = runner.run(trial, recipe, 1)
        first = runner.run(proposed(recipe, 1), recipe, 0)
    assert (failed.state, failed.failed, failed.rungs) == ("failed", said, trial.rungs)
    assert (first.state, first.failed, first.score) == ("failed", said, None)
    assert (runner.known(0), runner.known(1)) == (failed, first)
    assert runner.run(proposed(recipe, 2), recipe, 2).state == "finished"


def raising(error: BaseException) -> Callable[..., Any]:
    def run(*_: Any, **__: Any) -> Any:
        raise error

    return run


def test_a_full_disk_ends_the_tune(job: Job, recipe: gw.Recipe, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    error = DataError("No space left to write here.")
    error.__cause__ = OSError(28, "No space left on device")
    monkeypatch.setattr(trial_run, "run_single", raising(error))
    with pytest.raises(DataError, match="No space left"):
        make(job).run(proposed(recipe), recipe, 0)


@pytest.mark.parametrize("step", [2, 5])
@pytest.mark.parametrize("until", [0, 2])
def test_ctrl_c_passes_and_the_trial_is_as_it_was(
    step: int, until: int, job: Job, recipe: gw.Recipe, make: Make
) -> None:
    runner = make(job, listener=Ear("trial 0", step))
    with pytest.raises(KeyboardInterrupt):
        runner.run(runner.run(proposed(recipe), recipe, until), recipe, 2)
    known = runner.known(0)
    assert (None if known is None else [at for at, _ in known.rungs]) == (None if step < 3 or until else [3])
    done = make(job).run(known or proposed(recipe), recipe, 2)
    assert done.rungs == make(job, "other").run(proposed(recipe), recipe, 2).rungs


# --- the folder -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("damage", ["trial", "predictions", "number", "score", "members"])
def test_a_damaged_folder_is_a_trial_that_was_not_run(
    damage: str, job: Job, recipe: gw.Recipe, make: Make, tmp_path: Path
) -> None:
    runner = make(job)
    trial = runner.run(proposed(recipe), recipe, 0)
    place = tmp_path / "trials" / "0000"
    told = json.loads((place / "trial.json").read_text())
    changes: dict[str, Any] = {
        "number": {"number": 1},
        "score": {"rungs": [[3, None]]},
        "members": {"members": {"x": 1.0}},
    }
    if damage == "predictions":
        file = place / "judged-3.safetensors"
        file.write_bytes(file.read_bytes()[:-4] + b"\0\0\0\1")
    else:
        text = json.dumps(told | changes[damage]) if damage in changes else "[[[{"
        (place / "trial.json").write_text(text)
    assert runner.known(0) is None
    with pytest.raises(CheckpointError, match=r"Trial 0 has no predictions in .*0000"):
        runner.predictions(0)
    assert make(job).run(proposed(recipe), recipe, 0).rungs == trial.rungs


@pytest.mark.parametrize("file", ["run/run.json", f"run/run/{NAME}"])
def test_a_damaged_checkpoint_is_made_again(file: str, job: Job, recipe: gw.Recipe, make: Make, tmp_path: Path) -> None:
    trial = make(job).run(proposed(recipe), recipe, 0)
    (tmp_path / "trials" / "0000" / file).write_bytes(b"{")
    done = make(job).run(trial, recipe, 2)
    assert done.rungs == make(job, "other").run(proposed(recipe), recipe, 2).rungs


@pytest.mark.slow
def test_only_the_best_keep_their_checkpoints(job: Job, recipe: gw.Recipe, make: Make, tmp_path: Path) -> None:
    """The others run again from their beginning, and give the same bits."""
    runner, recipes = make(job), [replace(recipe, seed=seed) for seed in range(3)]
    trials = [runner.run(proposed(one, number), one, 1) for number, one in enumerate(recipes)]
    trials = [
        replace(one, rungs=(*one.rungs[:-1], (6, score))) for one, score in zip(trials, (0.5, 0.9, 0.5), strict=True)
    ]
    runner.tidy(trials, trials, most=2)
    assert sorted(path.parts[-4] for path in tmp_path.rglob(NAME)) == ["0000", "0001"]
    left = make(job)
    assert [left.trains_anew(one) for one in trials] == [False, False, True]
    done = left.run(left.known(2) or proposed(recipe, 2), recipes[2], 2)
    assert done.rungs == make(job, "other").run(proposed(recipes[2], 2), recipes[2], 2).rungs


@pytest.mark.slow
def test_what_fit_would_try_keeps_its_checkpoint_and_what_is_not_worth_it_none(
    job: Job, recipe: gw.Recipe, make: Make, tmp_path: Path
) -> None:
    runner, recipes = make(job), [replace(recipe, seed=seed) for seed in range(3)]
    trials = [runner.run(proposed(one, number), one, 1) for number, one in enumerate(recipes)]
    scores = (0.1, 0.9, 0.8)
    trials = [replace(one, rungs=((6, score),)) for one, score in zip(trials, scores, strict=True)]
    trials[0] = replace(trials[0], origin="default")
    probe = replace(trials[0], number=3, rungs=((0, 0.95),), steps=0)  # it has none
    runner.tidy([*trials, probe], [trials[0], trials[2], probe], most=1)
    assert sorted(path.parts[-4] for path in tmp_path.rglob(NAME)) == ["0000", "0002"]


def test_a_fine_tune_that_the_memory_is_too_small_for_is_left_out_until_there_is_more(
    job: Job, recipe: gw.Recipe, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graftwork.runs.lacking_memory.free_memory", lambda: 1000)
    failed = make(job).run(proposed(recipe), recipe, 2)
    assert (failed.state, failed.rungs) == ("left out", ())
    assert failed.failed.startswith("The memory is too small for it: its steps take about 0.0 GB of memory")
    probe = replace(recipe, techniques=(gw.Probe(),), training=gw.Training())
    assert make(job).run(proposed(probe, 1), probe, 2).state == "finished"
    monkeypatch.setattr("graftwork.runs.lacking_memory.free_memory", lambda: 1 << 40)
    assert make(job).run(failed, recipe, 0).rungs


def test_trials_of_others_can_be_kept(job: Job, recipe: gw.Recipe, make: Make) -> None:
    """Such as ensembles, which are made of predictions."""
    runner = make(job)
    first = runner.run(proposed(recipe), recipe, 0)
    found = {"label": np.asarray(runner.predictions(0)["label"]) / 2}
    both = replace(first, number=7, origin="combined", members={0: 0.75, 3: 0.25}, params={"lr": 1e-3})
    runner.keep(both, found)
    assert make(job).known(7) == both
    assert np.array_equal(make(job).predictions(7)["label"], found["label"])


def test_predictions_of_other_rows_are_not_taken(job: Job, recipe: gw.Recipe, make: Make) -> None:
    runner = make(job)
    trial = runner.run(proposed(recipe), recipe, 0)
    for wrong in ({"label": np.zeros((3, 3), np.float32)}, {"other": np.zeros((100, 3), np.float32)},
                  {"label": np.zeros((100, 2), np.float32)}):  # fmt: skip
        runner.keep(trial, wrong)
        assert runner.known(0) is None


def test_without_a_folder_nothing_stays(job: Job, recipe: gw.Recipe) -> None:
    runner = TrialRunner(judged_rows(job, recipe), levels)
    trial = runner.run(proposed(recipe), recipe, 1)
    place = runner.place
    assert runner.run(trial, recipe, 2).state == "finished"
    assert place.is_dir()
    del runner
    assert not place.exists()


def test_a_network_is_not_kept_behind_the_next_trial(job: Job, recipe: gw.Recipe, make: Make) -> None:
    import gc
    import weakref

    runner = make(job)
    trial = runner.run(proposed(recipe), recipe, 0)
    network = weakref.ref(runner.candidate(trial, recipe).network)
    assert isinstance(network(), torch.nn.Module)
    runner.run(proposed(recipe, 1), recipe, 0)
    gc.collect()
    assert network() is None


def test_sizes_are_of_what_the_recipe_builds(job: Job, recipe: gw.Recipe, make: Make) -> None:
    """What a technique trains beside the network is folded into it: LoRA adds nothing to serve."""
    trial = make(job).run(proposed(recipe), recipe, 0)
    plain = build_network(job, replace(recipe, techniques=()))
    assert trial.parameters == sum(parameter.numel() for parameter in plain.parameters())

"""Ensembles and soups of finished candidates: what they predict, what they cost, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import graftwork as gw
from command import write_rows
from graftwork.errors import RefusedError, UsageError
from graftwork.evidence.tune.greedy import averaged, greedy_ensemble
from graftwork.runs.clock import Began
from graftwork.runs.finished.calibrating import with_calibration
from graftwork.runs.finished.provenance import provenance_of
from graftwork.runs.finished.reference import make_reference
from graftwork.runs.finished.reporting import make_report
from graftwork.runs.finished.results import held_out_parts
from graftwork.runs.job.held_out import encoded
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.model_from_run import make_model
from graftwork.runs.single.run import Candidate, run_single
from graftwork.runs.tune.choosing.combining import (
    calibrated_predictions,
    ensemble_of,
    soup_of,
    why_not_combined,
)
from graftwork.runs.workspace import Workspace
from graftwork.saving import save
from graftwork.tasks.metrics.registry import metric_for
from graftwork.tasks.metrics.registry import score as metric_score
from jobs import job_of
from tiny import tiny_model, tiny_rows

QUICK = gw.Training(precision="fp32", max_tokens=512, steps=8, batch=16, evaluations=1, lr=1e-3, head_lr=1e-2)
TEXTS = [text for text, _ in tiny_rows(12)]


def run(job: Job, name: str, recipe: gw.Recipe) -> Candidate:
    return run_single(job, recipe, name=name, workspace=Workspace(), listener=Listener())


@pytest.fixture(scope="module")
def recipes(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, gw.Recipe]:
    """Recipes of two bases with different tokenizers, and two of one that end nearly alike."""
    other = tiny_model(tmp_path_factory.mktemp("other") / "gpt2", "gpt2")
    tuned = gw.Recipe(base=str(base), techniques=[], training=QUICK)
    return {
        "probe": gw.Recipe(base=str(base), techniques=[gw.Probe()], training=QUICK),
        "tuned": tuned,
        "slower": replace(tuned, training=replace(QUICK, lr=9.9e-4)),
        "other": gw.Recipe(base=str(other), techniques=[gw.Probe()], training=QUICK),
    }


@pytest.fixture(scope="module")
def job(recipes: dict[str, gw.Recipe], tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("rows")
    train = write_rows(folder / "train.csv", tiny_rows(90), ("text", "label"))
    test = write_rows(folder / "test.csv", tiny_rows(30), ("text", "label"))
    return job_of(train, recipes["probe"], target="label", test=test)


@pytest.fixture(scope="module")
def candidates(job: Job, recipes: dict[str, gw.Recipe]) -> dict[str, Candidate]:
    return {name: run(job, name, recipe) for name, recipe in recipes.items()}


def test_an_ensemble_is_the_weighted_mean_of_calibrated_probabilities(
    job: Job, candidates: dict[str, Candidate]
) -> None:
    made = ensemble_of(job, [candidates["probe"], candidates["other"], candidates["tuned"]], [1.0, 2.0, 1.0])
    assert [member.weight for member in made.members] == [0.5, 0.25, 0.25]
    alone = [make_model(job, candidates[name]).predict_proba(TEXTS) for name in ("other", "probe", "tuned")]
    expected = 0.5 * alone[0] + 0.25 * alone[1] + 0.25 * alone[2]
    np.testing.assert_allclose(made.predict_proba(TEXTS), expected, atol=1e-6)
    assert list(made.predict(TEXTS)) == [made.columns[at] for at in expected.argmax(axis=1)]
    sizes = [sum(p.numel() for p in candidates[name].network.parameters()) for name in ("probe", "other", "tuned")]
    assert sum(parameter.numel() for parameter in made.network.parameters()) == sum(sizes)


def test_one_candidate_is_its_own_model_and_wrong_weights_are_refused(
    job: Job, candidates: dict[str, Candidate]
) -> None:
    alone = ensemble_of(job, [candidates["probe"]], [3.0])
    assert not alone.members
    np.testing.assert_array_equal(alone.predict_proba(TEXTS), make_model(job, candidates["probe"]).predict_proba(TEXTS))
    for weights in ([], [1.0], [1.0, 0.0], [1.0, -1.0]):
        with pytest.raises(UsageError, match="Expected one above 0 for each"):
            ensemble_of(job, [candidates["probe"], candidates["other"]], weights)


def score_averaged(job: Job, given: Mapping[str, np.ndarray], truth: Mapping[str, tuple[Any, np.ndarray]]) -> float:
    """The score of such predictions, as `Candidate.score` has it: each target's metric on its labelled rows, more is
    better, and the mean over the targets that have any."""
    values = []
    for name, task in job.tasks.items():
        targets, labelled = truth[name]
        if labelled.any():
            value = metric_score(task, job.metrics[name], targets[labelled], given[name][labelled])
            values.append(value if metric_for(job.metrics[name], task).higher_is_better else -value)
    return float(np.mean(values))


def test_what_is_averaged_of_validation_is_what_the_ensemble_predicts_there(
    job: Job, candidates: dict[str, Candidate]
) -> None:
    assert job.valid is not None
    several = list(candidates.values())
    truth = {name: encoded(job.valid, name, task) for name, task in job.tasks.items()}
    given = [calibrated_predictions(job, one.predictions or {}, truth) for one in several]
    weights = greedy_ensemble(given, lambda one: score_averaged(job, one, truth), most=3)
    made = ensemble_of(job, [several[at] for at in weights], list(weights.values()))
    expected = averaged(given, weights)["label"]
    np.testing.assert_allclose(made.predict_proba(job.valid.data.to_pandas()), expected, atol=1e-5)
    scores = [one.score for one in several if one.score is not None]
    assert score_averaged(job, averaged(given, weights), truth) >= max(scores) - 1e-9
    for one, own in zip(several, given, strict=True):
        assert score_averaged(job, own, truth) == pytest.approx(one.score)


def test_the_report_reads_the_ensemble_and_not_its_heaviest_member(job: Job, candidates: dict[str, Candidate]) -> None:
    assert job.test is not None
    made = ensemble_of(job, [candidates["probe"], candidates["other"]], [0.6, 0.4])
    given = held_out_parts(job, made, candidates["probe"])
    for table, part in ((job.test, given["test"]), (job.valid, given["validation"])):
        assert table is not None
        expected = made.predict_proba(table.data.to_pandas())
        np.testing.assert_allclose(part.values["label"], expected, atol=1e-5)
        assert len(part.examples) == len(table)


def test_an_ensemble_goes_the_way_of_any_fit(job: Job, candidates: dict[str, Candidate], tmp_path: Path) -> None:
    """Reference, calibration, report, folder: what ends a fit."""
    kept = candidates["other"]
    made = ensemble_of(job, [candidates["probe"], kept], [0.4, 0.6])
    made = replace(made, reference=make_reference(job, made, kept))
    bases = {base.origin.name for base in made.provenance.bases}
    assert len(bases) == 2
    assert provenance_of(job, *(one.recipe for one in (kept, candidates["probe"]))) == made.provenance
    given = held_out_parts(job, made, kept)
    made = with_calibration(job, made, given)
    several = [candidates["probe"], kept]
    report = make_report(job, made, several, kept, given=given, notes=[], command=None, began=Began(0.0, 0.0))
    folder = save(made, tmp_path / "model", also=report.write)
    loaded = gw.load(folder)
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), made.predict_proba(TEXTS))
    np.testing.assert_array_equal(loaded.unusual(TEXTS), made.unusual(TEXTS))
    assert list(loaded.calibration) == ["label"]
    assert job.test is not None
    assert "mean of 2 models, 0.6 × (base" in " ".join(report.notes)
    assert report.results[0].evaluations["test"].scores["accuracy"].value == made.score(job.test.data.to_pandas())
    page = (folder / "report.html").read_text()
    assert "Of the heaviest member of an ensemble" in page
    assert "mean of 2 models" in page


@pytest.mark.parametrize("task", ["multilabel", "regression", "quantile-regression"])
def test_other_tasks_are_averaged_in_their_own_units(task: str, base: Path, tmp_path: Path) -> None:
    values = {"multilabel": ["a;b", "b", "c;a", ""], "regression": ["1.5", "20", "3", "100"]}
    said = values.get(task, values["regression"])
    rows = [(text, said[at % 4] or "c") for at, (text, _) in enumerate(tiny_rows(80))]
    recipe = gw.Recipe(base=str(base), techniques=[], training=QUICK, task=task)
    job = job_of(write_rows(tmp_path / "t.csv", rows, ("text", "value")), recipe, target="value")
    runs = [run(job, str(seed), replace(recipe, seed=seed)) for seed in (0, 1)]
    made = ensemble_of(job, runs, [0.75, 0.25])
    alone = [make_model(job, one) for one in runs]
    found, each = made.predict_rows(TEXTS), [one.predict_rows(TEXTS) for one in alone]
    expected = 0.75 * each[0].probabilities + 0.25 * each[1].probabilities
    np.testing.assert_allclose(found.probabilities, expected, rtol=1e-5)
    if task == "quantile-regression":
        assert (np.diff(found.probabilities, axis=1) >= 0).all()
    scores: Any = made.evaluate(tmp_path / "t.csv").scores
    assert np.isfinite([score.value for score in scores.values()]).all()


def test_tasks_without_a_mean_are_refused_with_a_reason(base: Path, tmp_path: Path) -> None:
    rows = [(text, text) for text, _ in tiny_rows(60)]
    recipe = gw.Recipe(base=str(base), techniques=[], training=QUICK, task="retrieval")
    job = job_of(write_rows(tmp_path / "pairs.csv", rows, ("said", "meant")), recipe)
    assert why_not_combined(job).startswith("the task retrieval ")
    runs = [run(job, str(seed), replace(recipe, seed=seed)) for seed in (0, 1)]
    with pytest.raises(RefusedError, match=r"can't be one ensemble: the task retrieval .* Keep one of them"):
        ensemble_of(job, runs, [1, 1])


def test_a_greedy_soup_is_the_mean_of_weights_and_no_worse_on_validation(
    job: Job, candidates: dict[str, Candidate]
) -> None:
    several = [candidates[name] for name in ("probe", "tuned", "other", "slower")]
    found = soup_of(job, several)
    best = max(one.score or 0.0 for one in (several[1], several[3]))
    assert found is not None
    assert sorted(found.weights) == [1, 3]
    assert set(found.weights.values()) == {0.5}
    assert (found.candidate.score or 0.0) >= best
    states = [several[at].network.state_dict() for at in (1, 3)]
    name = next(name for name in states[0] if name.endswith("query.weight"))
    mean = torch.stack([state[name] for state in states]).mean(0)
    torch.testing.assert_close(found.candidate.network.state_dict()[name], mean)
    model = make_model(job, found.candidate)
    assert model.predict_proba(TEXTS).shape == (12, 3)
    assert found.candidate.name.startswith("soup of 2: ")


def test_nothing_is_souped_where_nothing_goes_together(job: Job, candidates: dict[str, Candidate]) -> None:
    assert soup_of(job, [candidates["probe"], candidates["other"]]) is None
    assert soup_of(job, [candidates["tuned"]]) is None
    assert soup_of(replace(job, valid=None), [candidates["tuned"], candidates["slower"]]) is None


def test_runs_from_other_weights_are_no_soup(job: Job, candidates: dict[str, Candidate]) -> None:
    gru = gw.Recipe(base="gru:width=16", techniques=[], training=QUICK)
    assert soup_of(job, [candidates["tuned"], run(job, "gru", gru)]) is None

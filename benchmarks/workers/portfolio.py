"""Candidates of the default on one set, each with its CPU seconds and its scores on validation and test rows.

Settings: set (its name), candidates (names; "" for what the set is), cache (a folder that the candidates of a set
share), quick (fewer rows and steps). A candidate's seconds are those of one thread, from building the network to
scoring validation, its features apart: what the frozen part of a base gives is shared by all that read the same.
Scores on test rows cost no seconds.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from harness.measure import settings_and_answer
from harness.portfolio_sets import BY_NAME, Set, tables

WOKEN = 32
"""Rows on which all that is imported late is imported."""


def main() -> None:
    settings, answer = settings_and_answer()
    os.environ["GRAFTWORK_CACHE"] = settings["cache"]
    one, names = BY_NAME[settings["set"]], settings["candidates"]
    job, recipe = job_of(one, quick=settings["quick"])
    wake(job.sample(WOKEN, 0, WOKEN), recipe, names)
    found = {name: cell(job, recipe, name) if name else facts(one, job, recipe) for name in names}
    answer.write_text(json.dumps(found))


def job_of(one: Set, *, quick: bool) -> tuple[Any, Any]:
    """The job of a set as the default reads it, with the bases that it takes today, and its recipe."""
    import graftwork as gw
    from graftwork.networks.bases.registry import parse_base
    from graftwork.runs.job.choice import Choice
    from graftwork.runs.job.job import make_job

    parts = tables(one, scale=0.25 if quick else 1.0)
    training = gw.Training(steps=4, batch=8) if quick else gw.Training()
    recipe = gw.Recipe(metric=one.metric, task="regression" if one.numbers else "auto", training=training)
    given = gw.DataArguments(train=parts["train"], valid=parts.get("validation"), test=parts["test"], target=one.target)
    job = make_job(given, recipe)
    inputs = {each.name: each.modality for each in job.train.schema.modalities}
    for name, choice in job.bases.each.items():
        wanted = one.base.get(inputs[name])
        if wanted is not None and choice.base.name != wanted:
            job = replace(job, bases=job.bases.settled(name, Choice(parse_base(wanted))))
        else:
            job = replace(job, bases=job.bases.settled(name, Choice(choice.base)))
    return job, replace(recipe, base=job.bases.named)


def facts(one: Set, job: Any, recipe: Any) -> dict[str, Any]:
    """What a set is: what an order may depend on, the usual order, and what the commonest answer scores."""
    from graftwork.runs.candidates.orders import Line
    from graftwork.runs.candidates.planned import situation_of
    from graftwork.runs.candidates.usual import usual_recipes

    asking = [Line(kind="text", order=(), language="other")]
    found = situation_of(job, recipe, None, asking)
    return {
        "kind": found.kind,
        "rows": found.rows,
        "classes": found.classes,
        "language": found.language,
        "validation": len(job.valid or ()),
        "usual": [name for name, _ in usual_recipes(job, recipe)],
        "baseline": baseline(one, job),
    }


def baseline(one: Set, job: Any) -> float:
    """What always saying the commonest class scores on the test rows; of numbers 0, the R2 of their mean."""
    if one.numbers:
        return 0.0
    from sklearn.metrics import accuracy_score, f1_score

    truth = np.array(job.test.column(one.target).to_pylist())
    labels, counts = np.unique(np.array(job.train.column(one.target).to_pylist()), return_counts=True)
    given = np.full(len(truth), labels[counts.argmax()])
    if one.metric == "accuracy":
        return float(accuracy_score(truth, given))
    return float(f1_score(truth, given, average="macro", zero_division=0))


def wake(job: Any, recipe: Any, names: list[str]) -> None:
    """Make the candidates ready once on a few rows, so that no import counts."""
    from graftwork.errors import GraftworkError
    from graftwork.runs.single.run import make_ready

    for name in names:
        one = made(job, recipe, name)
        if one is not None:
            with suppress(GraftworkError, RuntimeError):
                make_ready(job, one, started=True)


def made(job: Any, recipe: Any, name: str) -> Any:
    """The recipe of a candidate; None where it can't be made of this set."""
    from graftwork.runs.candidates.other import candidate
    from graftwork.runs.candidates.usual import usual_recipes

    return candidate(job, recipe, name, dict(usual_recipes(job, recipe)))


def cell(job: Any, recipe: Any, name: str) -> dict[str, Any]:
    """One candidate on the set, or why it is refused."""
    from graftwork.errors import GraftworkError
    from graftwork.runs.single.run import make_ready

    one = made(job, recipe, name)
    if one is None or job.valid is None:
        return {"refused": "it can't be made of this set, or nothing validates"}
    try:
        begun = time.process_time()
        make_ready(job, one, started=True)
        cold = time.process_time() - begun
        return measured(job, one, cold)
    except (GraftworkError, RuntimeError) as error:
        return {"refused": " ".join(str(error).split())[:300]}


def measured(job: Any, recipe: Any, cold: float) -> dict[str, Any]:
    """cold: seconds in which the same run was made ready before, when no features of it were kept."""
    from graftwork.core.fit import fit
    from graftwork.core.frozen.cache import build_cache, weights_digest
    from graftwork.core.rows.examples import prepare
    from graftwork.core.scoring import predict_examples, score
    from graftwork.core.training.state import scoring_steps
    from graftwork.runs.single.run import make_ready

    begun, apart = time.process_time(), 0.0
    run = make_ready(job, recipe, started=True)
    ready = time.process_time() - begun
    features = sorted(
        f"{name}, {depth}, {weights_digest(run.network.encoder(name), depth)[:12]}"
        for name, depth in run.cache_depths.items()
    )
    test = prepare(job.test, run.network, job.tasks, recipe.text)
    cached = build_cache(run.network, test, run.cache_depths)
    steps, points = scoring_steps(run), list[tuple[float, float]]()

    def scored(network: Any) -> float:
        given = predict_examples(network, test, run.plan.techniques, cached, tasks=run.tasks)
        return float(score(given, test, run.tasks, job.metrics))

    def watched(progress: Any) -> None:
        nonlocal apart
        if progress.step in steps:
            now = time.process_time()
            points.append((now - begun - apart, scored(run.stages.view(run.network))))
            apart += time.process_time() - now

    if run.plan.starts_well and run.plan.total_steps:
        points.append((ready, scored(run.stages.view(run.network))))
    apart = time.process_time() - begun - ready
    fitted = fit(run, observers=[watched])
    seconds = time.process_time() - begun - apart
    kept = run.stages.fold(fitted.network)
    scores = [one.score for one in fitted.history] if points else []  # a probe's only one is that of its end
    curve = [[at, valid, on_test] for (at, on_test), valid in zip(points, scores, strict=True)]
    return {
        "features": features,
        "pass": max(0.0, cold - ready),
        "own": seconds,
        "steps": run.plan.total_steps,
        "valid": fitted.best_score,
        "test": scored(kept),
        "curve": curve,
    }


if __name__ == "__main__":
    main()

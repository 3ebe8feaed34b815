"""What came of a run, as plain files that its first worker writes and the driver reads: never a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

from graftwork import saving
from graftwork.core.contract.cost import Cost
from graftwork.core.fit import Fitted
from graftwork.core.plan import Plan
from graftwork.core.settings import Training
from graftwork.core.training.checkpoint import write_tensors
from graftwork.core.training.state import Evaluated
from graftwork.data.values import Values
from graftwork.devices import chosen
from graftwork.networks.network import Network
from graftwork.recipe import Recipe, from_dict
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import Candidate
from graftwork.runs.stored import predictions_of, tensors_of
from graftwork.saved import Saved

_TOLD, _PREDICTIONS, _MODEL = "candidate.json", "predictions.safetensors", "model"


def write_outcome(candidate: Candidate, job: Job, folder: Path) -> None:
    """Write a finished run into a new folder."""
    folder.mkdir(parents=True)
    saving.put(Saved(candidate.recipe, job.train.schema, candidate.network, job.tasks), folder / _MODEL)
    if candidate.predictions is not None:
        write_tensors(tensors_of(candidate.predictions), folder / _PREDICTIONS)
    fitted = candidate.fitted
    told = {
        "name": candidate.name,
        "recipe": candidate.recipe.to_dict(),
        "plan": _plan_told(candidate.plan),
        "fitted": {
            "history": [asdict(point) for point in fitted.history],
            "best_step": fitted.best_step,
            "best_score": fitted.best_score,
            "steps": fitted.steps,
            "interrupted": fitted.interrupted,
            "cuts": fitted.cuts,
            "told": {name: list(points) for name, points in fitted.told.items()},
        },
        "score": candidate.score,
        "wall": candidate.wall,
        "cpu": candidate.cpu,
    }
    (folder / _TOLD).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def read_outcome(folder: Path, asked: Recipe) -> Candidate:
    """The run that `write_outcome` wrote. asked: the recipe that was asked for, whose techniques it has."""
    told = json.loads((folder / _TOLD).read_text(encoding="utf-8"))
    network = saving.load(folder / _MODEL).network.to(chosen())
    predictions: Mapping[str, Values] | None = None
    if (folder / _PREDICTIONS).is_file():
        predictions = predictions_of(load_file(folder / _PREDICTIONS))
    return Candidate(
        name=told["name"],
        recipe=from_dict(told["recipe"], "the recipe of the workers"),
        plan=_plan(told["plan"], asked),
        network=network,
        fitted=_fitted(told["fitted"], network),
        score=told["score"],
        predictions=predictions,
        wall=told["wall"],
        cpu=told["cpu"],
    )


def _fitted(told: Mapping[str, Any], network: Network) -> Fitted:
    points = {name: tuple((int(step), float(mean)) for step, mean in each) for name, each in told["told"].items()}
    history = tuple(Evaluated(**point) for point in told["history"])
    return Fitted(**{**told, "network": network, "history": history, "cuts": tuple(told["cuts"]), "told": points})


def _plan_told(plan: Plan) -> dict[str, Any]:
    kept = {name: getattr(plan, name) for name in plan.__dataclass_fields__ if name != "techniques"}
    own = {"training": asdict(plan.training), "cost": asdict(plan.cost), "stages": dict(plan.stages)}
    return kept | own | {"techniques": [technique.name for technique in plan.techniques]}


def _plan(told: Mapping[str, Any], recipe: Recipe) -> Plan:
    """The plan, with the technique objects of the recipe that was planned."""
    known = {technique.name: technique for technique in recipe.named}
    training = told["training"] | {"cuts": tuple(told["training"]["cuts"])}
    own = {
        "techniques": tuple(known[name] for name in told["techniques"]),
        "stages": {name: tuple(stages) for name, stages in told["stages"].items()},
        "training": Training(**training),
        "cost": Cost(**told["cost"]),
        "notes": tuple(told["notes"]),
    }
    return Plan(**{**told, **own})

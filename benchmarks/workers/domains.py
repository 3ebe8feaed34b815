"""Fits with each method on some domains, and their accuracy on a domain that is left out."""

from __future__ import annotations

import json
from typing import Any

import graftwork as gw
from harness.clock import Clock
from harness.measure import settings_and_answer


def main() -> None:
    given, answer = settings_and_answer()
    plain, plain_cpu = fitted(given, given["methods"]["plain"])
    found = {}
    for name, method in given["methods"].items():
        if method["at_prediction"]:
            model, seconds = plain.predicting_with(*method["with"]), plain_cpu
            validation = model.evaluate(given["validation"])
        else:
            model, seconds = (plain, plain_cpu) if name == "plain" else fitted(given, method)
            assert model.report is not None
            validation = model.report.evaluations["validation"]
        scores = {"accuracy": model.evaluate(given["test"]), "validation": validation}
        found[name] = {key: score.scores["accuracy"].value for key, score in scores.items()} | {"cpu": seconds}
    answer.write_text(json.dumps({"methods": found}))


def fitted(given: dict[str, Any], method: dict[str, Any]) -> tuple[gw.Model, float]:
    """The model, and the CPU seconds of the fit."""
    clock = Clock(whole_process=False)
    recipe = gw.Recipe(
        base=given["base"],
        task="classification",
        techniques=[*given["beside"], *method["with"]],
        training=gw.Training(**given["training"]),
        seed=given["seed"],
    )
    model = gw.fit(
        given["train"],
        target="label",
        inputs=given["inputs"],
        roles={"domain": "domain"},
        valid=given["validation"],
        unlabelled=given["test"] if method["unlabelled"] else None,
        recipe=recipe,
    )
    return model, clock.read()["cpu"]


if __name__ == "__main__":
    main()

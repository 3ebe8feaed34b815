"""Fits with each method on some domains, and their accuracy on a domain that is left out."""

from __future__ import annotations

import json
from typing import Any

import graftwork as gw
from graftwork.recipe import Recipe
from harness.clock import Clock
from harness.measure import settings_and_answer


def main() -> None:
    given, answer = settings_and_answer()
    answer.write_text(json.dumps({"methods": {name: fitted(given, name) for name in given["methods"]}}))


def fitted(given: dict[str, Any], name: str) -> dict[str, float]:
    """Accuracy on validation rows of the training domains and on the rows of the one left out, and CPU seconds."""
    method, clock = given["methods"][name], Clock(whole_process=False)
    recipe = Recipe(
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
    measured = clock.read()
    assert model.report is not None
    found = model.evaluate(given["test"]).scores["accuracy"].value
    valid = model.report.evaluations["validation"].scores["accuracy"].value
    return {"accuracy": found, "validation": valid, "cpu": measured["cpu"]}


if __name__ == "__main__":
    main()

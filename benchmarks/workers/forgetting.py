"""A model of an old task, tuned for a new one: the new task's accuracy, and the old one's before and after.

Settings: old_train, old_validation, old_test, new_train, new_validation, new_test (tables), column, base, old_model
(its folder; it is made where there is none), techniques (specs), training, seed. The clock counts the second fit alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import graftwork as gw
from harness.clock import Clock
from harness.measure import settings_and_answer


def main() -> None:
    settings, answer = settings_and_answer()
    old = Path(settings["old_model"])
    if not (old / "model.json").is_file():
        fitted(settings, "old", settings["base"], ["warm-start", "full"], out=old)
    clock = Clock()
    model = fitted(settings, "new", str(old), settings["techniques"], remember=settings["old_test"])
    (remembered,) = model.report.remembered
    found = {
        "new": model.report.evaluations["test"].scores["accuracy"].value,
        "before": remembered.before["accuracy"].value,
        "after": remembered.after["accuracy"].value,
        "change": remembered.change.to_json(),
    }
    answer.write_text(json.dumps({**clock.read(), **found}))


def fitted(settings: dict[str, Any], which: str, base: str, techniques: list[str], **more: Any) -> gw.Model:
    recipe = gw.Recipe(
        base=base, techniques=techniques, training=gw.Training(**settings["training"]), seed=settings["seed"]
    )
    parts = {"valid": settings[f"{which}_validation"], "test": settings[f"{which}_test"]}
    columns = {"target": "label", "inputs": [settings["column"]]}
    return gw.fit(settings[f"{which}_train"], recipe=recipe, verbose=False, **parts, **columns, **more)


if __name__ == "__main__":
    main()

"""MiniLM with its upper blocks trained on texts, with one technique, and its test accuracy.

Settings: train, validation, test (files), method, seed.
"""

from __future__ import annotations

import json

import graftwork as gw
from harness.clock import Clock
from harness.measure import settings_and_answer


def main() -> None:
    given, answer = settings_and_answer()
    clock = Clock(whole_process=True)
    techniques = ["partial", *([] if given["method"] == "plain" else [given["method"]])]
    recipe = gw.Recipe(techniques=techniques, seed=given["seed"])
    model = gw.fit(given["train"], target="label", inputs=["text"], valid=given["validation"], recipe=recipe)
    measured = clock.read()
    measured["accuracy"] = model.evaluate(given["test"]).to_json()["accuracy"]["value"]
    answer.write_text(json.dumps(measured), encoding="utf-8")


if __name__ == "__main__":
    main()

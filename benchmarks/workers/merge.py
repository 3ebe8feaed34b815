"""Fine-tunes of one base on three domains, and what is left of them in merged models.

Settings: tables (by domain: train, validation, test), groups (lists of domains to merge), methods, epochs, seed.
The answer holds accuracies on the test rows: of a probe on the frozen base, of the fine-tune, of every fine-tune on the
other domains, and of each merged model; and the score on validation by which settings were chosen.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import graftwork as gw
from harness.clock import Clock
from harness.measure import settings_and_answer


def main() -> None:
    settings, answer = settings_and_answer()
    tables, clock = settings["tables"], Clock()
    with tempfile.TemporaryDirectory() as folder:
        tuned = {domain: fitted(parts, settings, gw.WarmStart()) for domain, parts in tables.items()}
        paths = {domain: model.save(Path(folder, domain)) for domain, model in tuned.items()}
        probes = {domain: accuracy(fitted(parts, settings, gw.Probe()), parts) for domain, parts in tables.items()}
        own = {domain: {on: accuracy(model, tables[on]) for on in tables} for domain, model in tuned.items()}
        merged = {}
        for group in settings["groups"]:
            for method in settings["methods"]:
                on = [tables[domain]["validation"] for domain in group]
                mixed = gw.merge([paths[domain] for domain in group], method=method, on=on)
                kept = next(one for one in mixed.report.tried if one.kept)
                scores = {domain: accuracy(mixed.model, tables[domain]) for domain in group}
                merged[f"{'+'.join(group)} {method}"] = {"valid": kept.score, "way": kept.name, "test": scores}
    found = {"probe": probes, "tuned": own, "merged": merged}
    answer.write_text(json.dumps({**clock.read(), **found}))


def fitted(parts: dict[str, str], settings: dict[str, object], technique: object) -> gw.Model:
    training = gw.Training(epochs=settings["epochs"], evaluations=3) if isinstance(technique, gw.WarmStart) else None
    recipe = gw.Recipe(base="minilm", techniques=[technique], seed=settings["seed"], training=training or gw.Training())
    return gw.fit(parts["train"], target="label", valid=parts["validation"], recipe=recipe)


def accuracy(model: gw.Model, parts: dict[str, str]) -> float:
    return model.evaluate(parts["test"]).scores["accuracy"].value


if __name__ == "__main__":
    main()

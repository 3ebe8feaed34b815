"""A small CNN trained with one technique, and its accuracy under attack (ours and the toolbox's) or under corruptions.

Settings: train, validation, test (files), base, method, epochs, seed, models (folder that keeps them),
kind (trained, attacked, toolbox or corruptions).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch

import graftwork as gw
from graftwork.data.batch import Batch
from graftwork.data.tensors import one_tensor
from graftwork.evidence.robustness.settings import RobustnessSettings
from graftwork.networks.features import Features
from harness.clock import Clock
from harness.measure import settings_and_answer

EPSILONS, STEPS, CLIMBS = {"4/255": 4 / 255, "8/255": 8 / 255}, 20, 2


def main() -> None:
    given, answer = settings_and_answer()
    folder = Path(given["models"]) / re.sub(r"\W+", "-", f"{given['method']}-{given['epochs']}-{given['seed']}")
    if given["kind"] == "trained" or not folder.is_dir():
        clock = Clock(whole_process=True)
        model = trained(given)
        measured: dict[str, Any] = clock.read()
        model.save(folder)
    else:
        model, measured = gw.load(folder), {}
    scores = {"trained": clean, "attacked": attacked, "toolbox": toolbox, "corruptions": corrupted}
    measured |= scores[given["kind"]](model, given["test"])
    answer.write_text(json.dumps(measured), encoding="utf-8")


def trained(given: dict[str, Any]) -> gw.Model:
    techniques = [] if given["method"] == "plain" else [given["method"]]
    training = gw.Training(epochs=given["epochs"], batch=64, evaluations=2, keep="last")
    recipe = gw.Recipe(
        base=given["base"], task="classification", techniques=techniques, training=training, seed=given["seed"]
    )
    return gw.fit(given["train"], target="label", inputs=["image"], valid=given["validation"], recipe=recipe)


def clean(model: gw.Model, test: str) -> dict[str, Any]:
    return {"accuracy": model.evaluate(test).to_json()["accuracy"]["value"]}


def attacked(model: gw.Model, test: str) -> dict[str, Any]:
    settings = RobustnessSettings(
        rows=0, epsilons=tuple(EPSILONS.values()), steps=STEPS, restarts=CLIMBS, queries=0, corruptions=False
    )
    found = gw.robustness(model, test, settings).attacked[0]
    ours = {name: share.value for name, share in zip(EPSILONS, found.gradient, strict=True)}
    return ours | {"huge": found.far.value, "notes": list(found.notes)}


def corrupted(model: gw.Model, test: str) -> dict[str, Any]:
    found = gw.robustness(model, test, RobustnessSettings(rows=500, attacks=False))
    return {"corrupted": found.corrupted[0].mean}


def toolbox(model: gw.Model, test: str) -> dict[str, Any]:
    return {f"art {name}": under_toolbox(model, test, size) for name, size in EPSILONS.items()}


class Plain(torch.nn.Module):
    """The network as the toolbox calls it: pixels in, predictions before softmax out."""

    def __init__(self, model: gw.Model) -> None:
        super().__init__()
        self.network, self.target = model.network, model.target

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        encoder = self.network.encoder("image")
        with self.network.precision():
            features = encoder({"pixels": pixels})
        batch = Batch({}, torch.arange(len(features), device=features.device))
        return one_tensor(self.network.predictions(Features(features.float()), batch)[self.target])


def under_toolbox(model: gw.Model, test: str, epsilon: float) -> float:
    """Accuracy under the toolbox's PGD with the same steps, step size and number of climbs."""
    from art.attacks.evasion import ProjectedGradientDescentPyTorch
    from art.estimators.classification import PyTorchClassifier

    rows = pq.read_table(test).to_pylist()
    encoder, task = model.network.encoder("image"), model.task
    images = [row["image"]["bytes"] if isinstance(row["image"], dict) else row["image"] for row in rows]
    pixels = encoder.collate(encoder.prepare(images))["pixels"].numpy()
    labels = np.array([task.classes.index(str(row["label"])) for row in rows])
    classifier = PyTorchClassifier(
        Plain(model).eval(),
        torch.nn.CrossEntropyLoss(),
        input_shape=pixels.shape[1:],
        nb_classes=len(task.classes),
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    attack = ProjectedGradientDescentPyTorch(
        classifier,
        eps=epsilon,
        eps_step=2.5 * epsilon / STEPS,
        max_iter=STEPS,
        num_random_init=CLIMBS,
        batch_size=128,
        verbose=False,
    )
    np.random.seed(0)
    torch.manual_seed(0)
    changed = attack.generate(pixels, labels)
    return float((classifier.predict(changed).argmax(1) == labels).mean())


if __name__ == "__main__":
    main()

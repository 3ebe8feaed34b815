"""The peer for texts: AutoGluon multimodal with a base from a folder. It runs in an environment of its own, which knows
nothing of this project.

Settings: train, validation, test (parquet files), target, base (folder), seconds (its time limit, of the wall clock),
seed. Answer: `cpu`, `wall`, `accuracy`.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import json
import sys
import tempfile
import types
from pathlib import Path
from typing import ClassVar

from harness.clock import Clock
from harness.measure import settings_and_answer

LEAST = 0.8
"""Share of a core without which its time, which is counted by the wall, was not its own."""


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)
    if importlib.util.find_spec("torchvision") is None:
        sys.meta_path.insert(0, Stand())
    import pandas as pd
    from autogluon.multimodal import MultiModalPredictor

    train, valid, test = (pd.read_parquet(settings[part]) for part in ("train", "validation", "test"))
    target = settings["target"]
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "model")
        predictor = MultiModalPredictor(label=target, path=out, eval_metric="accuracy", verbosity=1)
        predictor.fit(
            train,
            tuning_data=valid,
            time_limit=settings["seconds"],
            seed=settings["seed"],
            hyperparameters={
                "model.names": ["hf_text"],
                "model.hf_text.checkpoint_name": settings["base"],
                "model.hf_text.pooling_mode": "mean",
                "model.hf_text.text_trivial_aug_maxscale": 0.0,  # asks the net for word lists, again and again
                "env.num_workers": 0,
                "env.num_workers_inference": 0,
            },
        )
        spent = clock.read()
        if spent["cpu"] < LEAST * spent["wall"]:
            raise RuntimeError(f"only {spent['cpu']:.0f} of {spent['wall']:.0f} seconds were its own: measure it again")
        given = predictor.predict(test.drop(columns=[target])).astype(str).to_numpy()
    right = given == test[target].astype(str).to_numpy()
    answer.write_text(json.dumps({**spent, "accuracy": float(right.mean())}))


class Empty(types.ModuleType):
    """A module in which every class is an empty one, and everything else a module like it."""

    __path__: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        if name[0].isupper():
            names = ("BICUBIC", "BILINEAR", "NEAREST", "NEAREST_EXACT", "LANCZOS", "BOX", "HAMMING")
            made: object = type(name, (), dict(zip(names, names, strict=True)))
        else:
            made = importlib.import_module(f"{self.__name__}.{name}")
        setattr(self, name, made)
        return made

    def __call__(self, *_: object, **__: object) -> None:
        return None


class Stand:
    """In the place of torchvision, of which no build fits a torch for CPUs alone; for texts nothing of it is called."""

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] != "torchvision":
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return Empty(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        module.__version__ = "0.28.0"  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()

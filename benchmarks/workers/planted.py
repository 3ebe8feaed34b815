"""A tune with a planted base, a copy of another one with noise in its weights, and a planted technique that does
nothing of use: a head begins from other random weights.

Settings: train, validation, test (csv files), noise (standard deviations of each tensor), trials, seed. Answer: `cpu`,
`base` and `techniques` of the kept model, `trials`, `accuracy`, and the mean score of trials with each base.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

import graftwork as gw
from graftwork.bases.home import need
from graftwork.recipe import Recipe
from graftwork.runs.tune.asked import Asking
from graftwork.runs.tune.tune import tune_data
from harness import data
from harness.clock import Clock
from harness.measure import settings_and_answer
from workers.placebo import Placebo

PLAIN, NOISY = "minilm", "noisy"


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        noisy = str(planted(need(PLAIN), Path(folder) / NOISY, settings["noise"]))
        asking = Asking(trials=settings["trials"], try_base=[PLAIN, noisy], try_with=[Placebo.name, "label-smoothing"])
        found = tune_data(
            gw.DataArguments(
                train=settings["train"],
                valid=settings["validation"],
                target="label",
                inputs=["text"],
                on_bad_rows="skip",
            ),
            Recipe(base=PLAIN, seed=settings["seed"]),
            asking,
            out=Path(folder) / "model",
        )
        spent = clock.read()
        rows = data.read(Path(settings["test"]))
        right = np.asarray(found.model.predict(rows)) == np.asarray([row["label"] for row in rows])
    kept = found.trials[found.chosen.number]
    scored = [(NOISY in one.base, one.score) for one in found.trials if one.score is not None]
    means = {
        name: float(np.mean([score for noise, score in scored if noise == is_noisy] or [np.nan]))
        for name, is_noisy in ((PLAIN, False), (NOISY, True))
    }
    told = {"base": NOISY if NOISY in kept.base else PLAIN, "techniques": list(kept.techniques)}
    answer.write_text(
        json.dumps({**spent, **told, "trials": len(found.trials), "accuracy": float(right.mean()), "means": means})
    )


def planted(base: Path, folder: Path, noise: float) -> Path:
    """A copy of a base whose weights have so much noise."""
    shutil.copytree(base, folder)
    draw = torch.Generator().manual_seed(0)
    for file in folder.glob("*.safetensors"):
        tensors = load_file(file)
        for name, tensor in tensors.items():
            if tensor.is_floating_point() and tensor.numel() > 1:
                spread = noise * tensor.float().std()
                tensors[name] = (tensor.float() + spread * torch.randn(tensor.shape, generator=draw)).to(tensor.dtype)
        save_file(tensors, file, {"format": "pt"})
    return folder


if __name__ == "__main__":
    main()

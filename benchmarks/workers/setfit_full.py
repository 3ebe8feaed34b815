"""The peer: SetFit on a whole training table, from csv files to a saved model, stopped after so many steps.

Settings: train, test (files), base (folder), steps, seed.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
from datasets import Dataset
from setfit import SetFitModel, Trainer, TrainingArguments

from harness import data
from harness.clock import Clock
from harness.measure import settings_and_answer


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)
    rows = data.read(Path(settings["train"]))
    model = SetFitModel.from_pretrained(settings["base"], device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            max_steps=settings["steps"],
            seed=settings["seed"],
            save_strategy="no",
            show_progress_bar=False,
            report_to="none",
        )
        Trainer(model, arguments, train_dataset=Dataset.from_list(rows)).train()
        model.save_pretrained(folder)
        spent = clock.read()
    test = data.read(Path(settings["test"]))
    given = np.asarray(model.predict([row["text"] for row in test], show_progress_bar=False))
    answer.write_text(json.dumps({**spent, "accuracy": float(np.mean(given == [row["label"] for row in test]))}))


if __name__ == "__main__":
    main()

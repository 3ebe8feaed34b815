"""The peer: transformers' Trainer on a sequence classifier, 3 epochs, with its scores at the end of each epoch.

It is given bf16 and batches by length, which its usual recipe leaves out. Settings: train, validation, test (files),
base (folder), lr, seed. Scoring is not on the clock; saving the model is.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from harness import data
from harness.clock import Clock
from harness.measure import settings_and_answer

clock = Clock(whole_process=True)

SCORED = {"validation": "validation", "accuracy": "test"}
"""By name of the score, the table it is of."""


class Scores(TrainerCallback):
    """Scores on validation and test rows at each epoch's end, beside what it has cost so far."""

    def __init__(self, parts: dict[str, tuple[Any, list[int]]]) -> None:
        self.parts, self.points = parts, list[dict[str, float]]()

    def on_epoch_end(self, args: Any, state: Any, control: Any, **parts: Any) -> None:  # noqa: ARG002
        spent = clock.read()
        with clock.stopped():
            scores = {part: accuracy(parts["model"], encoded, truth) for part, (encoded, truth) in self.parts.items()}
        self.points.append({"epoch": round(state.epoch), **spent, **scores})


def main() -> None:
    settings, answer = settings_and_answer()
    rows = data.read(Path(settings["train"]))
    classes = sorted({row["label"] for row in rows})
    tokenizer = AutoTokenizer.from_pretrained(settings["base"])
    model = AutoModelForSequenceClassification.from_pretrained(settings["base"], num_labels=len(classes))
    with clock.stopped():
        held = {name: data.read(Path(settings[part])) for name, part in SCORED.items()}
        scores = Scores({name: (encode(tokenizer, part), codes(part, classes)) for name, part in held.items()})
    encoded = encode(tokenizer, rows)
    train = [
        {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": label}
        for ids, label in zip(encoded, codes(rows, classes), strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            learning_rate=settings["lr"],
            num_train_epochs=3,
            per_device_train_batch_size=32,
            train_sampling_strategy="group_by_length",
            bf16=True,
            use_cpu=True,
            seed=settings["seed"],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            dataloader_pin_memory=False,
        )
        collate = DataCollatorWithPadding(tokenizer)
        trainer = Trainer(model, arguments, train_dataset=train, data_collator=collate, callbacks=[scores])
        trainer.train()
        trainer.save_model(folder)
        scores.points[-1] |= clock.read()
    answer.write_text(json.dumps({**scores.points[-1], "points": scores.points}))


def encode(tokenizer: Any, rows: list[data.Row]) -> list[list[int]]:
    ids: list[list[int]] = tokenizer([row["text"] for row in rows], truncation=True)["input_ids"]
    return ids


def codes(rows: list[data.Row], classes: list[str]) -> list[int]:
    return [classes.index(row["label"]) for row in rows]


def accuracy(model: Any, encoded: list[list[int]], truth: list[int]) -> float:
    model.eval()
    order, right = np.argsort([len(ids) for ids in encoded]), 0
    with torch.inference_mode():
        for start in range(0, len(order), 64):
            at = order[start : start + 64]
            ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(encoded[i]) for i in at], batch_first=True)
            mask = torch.nn.utils.rnn.pad_sequence([torch.ones(len(encoded[i])) for i in at], batch_first=True)
            given = model(input_ids=ids, attention_mask=mask).logits.argmax(-1)
            right += int((given == torch.tensor([truth[i] for i in at])).sum())
    model.train()
    return right / len(order)


if __name__ == "__main__":
    main()

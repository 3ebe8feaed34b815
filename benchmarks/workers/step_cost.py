"""Steps of the project's own training loop and of a hand-written one, in turns, on the same batches.

The project's step is taken from inside `core.fit`: from one call of its observer to the next. The hand-written step
runs within the observer, on the same rows and token ids, in the same precision. Settings: train (file), base, steps,
precision (bf16 or fp32), seed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import AutoModel

from graftwork import Recipe, Training
from graftwork.core.fit import Progress, fit
from graftwork.core.rows.examples import prepare
from graftwork.core.run import Run, make_run
from graftwork.core.settings import resolve
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.job import make_job
from graftwork.runs.single.run import build_network
from harness.measure import settings_and_answer

WARM = 3
LR = 1e-4


def main() -> None:
    settings, answer = settings_and_answer()
    run = make(settings)
    hand = Hand(run, settings)
    begun, spent = time.process_time(), list[float]()

    def observe(progress: Progress) -> None:
        nonlocal begun
        spent.append(time.process_time() - begun)
        hand.step(progress.step - 1)
        begun = time.process_time()

    fit(run, observers=[observe])
    # The last step of the project also ends in its last evaluation; the first ones allocate.
    pairs = list(zip(spent, hand.spent, strict=True))[WARM:-1]
    answer.write_text(json.dumps({"ours": [ours for ours, _ in pairs], "hand": [hand for _, hand in pairs]}))


def make(settings: dict[str, Any]) -> Run:
    """Plain full fine-tuning (`techniques: []`) as `graft fit --with none` runs it, without validation rows."""
    training = Training(lr=LR, steps=settings["steps"], precision=settings["precision"])
    recipe = Recipe(techniques=(), training=training, seed=settings["seed"])
    job = make_job(DataArguments(train=Path(settings["train"]), target="label"), recipe)
    network = build_network(job, recipe)
    train = prepare(job.train, network, job.tasks, recipe.text)
    ready = resolve(training, lr=LR)
    return make_run(network, job.tasks, (), ready, train, None, metrics=job.metrics, seed=recipe.seed)


class Hand:
    """The loop one would write by hand: pad, forward, mean pooling, linear head, backward, clip, AdamW, schedule."""

    def __init__(self, run: Run, settings: dict[str, Any]) -> None:
        self.rows = [run.train.inputs["text"].rows(indices) for indices in run.rows_from(0)]
        self.labels = [torch.from_numpy(run.train.targets["label"][indices]) for indices in run.rows_from(0)]
        self.bf16, self.spent = settings["precision"] == "bf16", list[float]()
        self.body = AutoModel.from_pretrained(settings["base"], add_pooling_layer=False).train()
        self.head = nn.Linear(self.body.config.hidden_size, run.tasks["label"].outputs)
        parameters = [*self.body.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.AdamW(parameters, lr=LR, weight_decay=0.01, fused=True)
        self.schedule = torch.optim.lr_scheduler.LinearLR(self.optimizer, 1.0, 0.0, total_iters=len(self.rows))

    def step(self, index: int) -> None:
        begun = time.process_time()
        ids = nn.utils.rnn.pad_sequence([torch.from_numpy(np.array(r, np.int64)) for r in self.rows[index]], True)
        lengths = torch.tensor([len(row) for row in self.rows[index]])
        mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            states = self.body(input_ids=ids, attention_mask=mask).last_hidden_state.float()
            pooled = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
            loss = nn.functional.cross_entropy(self.head(nn.functional.normalize(pooled)).float(), self.labels[index])
        loss.backward()
        nn.utils.clip_grad_norm_(list(self._parameters()), 1.0)
        self.optimizer.step()
        self.schedule.step()
        loss.item()
        self.spent.append(time.process_time() - begun)

    def _parameters(self) -> Iterator[nn.Parameter]:
        yield from self.body.parameters()
        yield from self.head.parameters()


if __name__ == "__main__":
    main()

"""Facts and claims: the vocabulary in which techniques say what they need, take away and occupy.

A fact comes from the task, the base, the table or a technique. A refusal is built from these words, so each entry
reads well behind "needs" and says how to get it.
"""

from __future__ import annotations

FACTS: dict[str, str] = {
    "hard_labels": "one class per row: use a classification target, and nothing that mixes rows",
    "classes": "classes to predict: use --task classification or multilabel",
    "real_targets": "numbers to predict: use --task regression",
    "trainable_features": "a base of which at least one block is trained",
    "dropout": "a base or head with dropout in the trained blocks, so that two passes differ",
    "linear_layers": "a base whose blocks hold linear or convolution layers",
    "row_sampling": "batches whose rows are drawn one by one",
    "domain": "a domain column: --role domain=COLUMN",
    "group": "a group column: --role group=COLUMN",
}

CLAIMS: dict[str, str] = {
    "trainable parameters": "which parameters of the base are trained",
    "head start": "what the head starts from",
    "final head": "what the head is in the end",
    "sampler": "how rows make a batch",
    "task loss": "the loss of the task",
    "final weights": "which weights are kept at the end",
}

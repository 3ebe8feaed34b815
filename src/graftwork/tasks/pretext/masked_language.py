"""Masked language modelling: tokens of texts are hidden and named from the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from graftwork import specs
from graftwork.data.batch import Batch
from graftwork.data.table import Modality
from graftwork.errors import UsageError
from graftwork.networks.heads.head import Head, HeadSettings
from graftwork.networks.heads.hidden_tokens import NOTHING, HiddenTokens
from graftwork.networks.heads.registry import HEADS
from graftwork.networks.hub.tokenizer import TextTokenizer
from graftwork.networks.network import Network
from graftwork.networks.text.encoder import TextEncoder
from graftwork.networks.text.marks import Marks, read_marks, text_of
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.pretext.pretext import Pretext, loss_metric, right_metric

MASKED, RANDOM = 0.8, 0.1
"""Of the hidden tokens, the share that becomes the mask, and that becomes any other token; the rest stays as it is
(Devlin et al. 2019)."""
WARMUP = 0.1
"""Share of the training in which a fresh head learns alone on a base that was trained elsewhere."""


@dataclass(frozen=True, kw_only=True)
class MaskedLanguage(Pretext):
    """Tokens that were hidden in a text, from the others; learned from texts alone, without a target column.

    Devlin et al. 2019 (BERT), drawn anew in each step (Liu et al. 2019); on the user's own texts, Gururangan et al.
    2020. Of each row every token is hidden with the probability `rate`, and at least one; of those 80 % become the
    base's mask (else its unknown token), 10 % another token, and 10 % stay. Batches' targets are `places` and `tokens`
    (B, M); predictions are `logits` (B, M, V) and the right `tokens`.

    rate: from above 0 to below 1.
    """

    name: ClassVar[str] = "masked-language"
    metric_names: ClassVar[tuple[str, ...]] = ("masked_loss", "masked_accuracy")
    own_facts: ClassVar[frozenset[str]] = frozenset({"hidden_tokens"})
    usual_head: ClassVar[str] = "hidden-tokens"
    reads: ClassVar[Modality] = "text"
    shows_twice: ClassVar[bool] = False

    rate: float = 0.15

    def __post_init__(self) -> None:
        if not 0 < self.rate < 1:
            raise UsageError(f"masked-language: rate is {self.rate}. Expected more than 0, and less than 1.")

    def make_head(self, network: Network, spec: str) -> Head:
        """On a base that was trained elsewhere the head learns alone at first, unless its settings say otherwise."""
        settings: HeadSettings = specs.parse(spec, HEADS, "head")
        if isinstance(settings, HiddenTokens) and spec == settings.name:
            fresh = any(encoder.pretrained for encoder in network.each_encoder())
            settings = replace(settings, warmup=WARMUP if fresh else 0.0)
        head = super().make_head(network, specs.write(settings, settings.name))
        for encoder in network.each_encoder():
            if isinstance(encoder, TextEncoder) and read_marks(encoder.tokenizer).blank is None:
                raise UsageError(
                    "The task masked-language hides tokens behind a mask or an unknown token, and the tokenizer of "
                    "this base has neither. Use a base such as minilm, bert-small or another one like BERT."
                )
        return head

    def corrupt(self, batch: Batch, name: str, network: Network, generator: torch.Generator) -> Batch:
        encoder, inputs = network.encoder(self.column), batch.inputs[self.column]
        assert isinstance(encoder, TextEncoder)
        marks, others = _tokens(encoder.tokenizer)
        ids = inputs["input_ids"]
        text = text_of(inputs, marks) & (ids != marks.blank)
        hidden = self.chosen(text.cpu(), generator).to(ids.device)
        changed = torch.where(hidden, _seen(ids, marks, others, generator), ids)
        return replace(
            batch,
            inputs=batch.inputs | {self.column: inputs | {"input_ids": changed}},
            targets=batch.targets | {name: asked(ids, hidden)},
            labelled=batch.labelled | {name: hidden.any(1)},
        )

    def chosen(self, text: Tensor, generator: torch.Generator) -> Tensor:
        """Which of the places that hold text (B, L) are hidden; of each row that has any, one at least."""
        drawn = torch.rand(text.shape, generator=generator).masked_fill(~text, 2.0)
        least = torch.zeros_like(text).scatter(1, drawn.argmin(1, keepdim=True), True)
        return text & ((drawn < self.rate) | least)

    def units(self, target: Any) -> Tensor:
        """Hidden tokens of each row (B,); 1 before any are hidden."""
        if isinstance(target, Tensor):
            return super().units(target)
        counted: Tensor = (target["tokens"] != NOTHING).sum(1)
        return counted.float()

    def loss(self, predictions: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> Tensor:
        """Cross-entropy of each row, summed over its hidden tokens (B,)."""
        summed: Tensor = _each(predictions["logits"], target["tokens"]).sum(1)
        return summed

    def keep(self, predictions: Mapping[str, Tensor]) -> np.ndarray:
        logits, tokens = predictions["logits"].float(), predictions["tokens"]
        there = tokens != NOTHING
        found = [_each(logits, tokens).sum(1), ((logits.argmax(2) == tokens) & there).sum(1), there.sum(1)]
        kept: np.ndarray = torch.stack([one.float() for one in found], dim=1).cpu().numpy()
        return kept

    def metrics(self) -> Mapping[str, Metric]:
        each = (
            loss_metric("masked_loss", "Loss of hidden tokens", "mean cross-entropy of the tokens that were hidden"),
            right_metric("masked_accuracy", "Hidden tokens found", "share of the hidden tokens that are named right"),
        )
        return {metric.name: metric for metric in each}

    def format(self, value: Any) -> str:
        return f"a loss of {float(np.asarray(value).reshape(-1)[0]):.2f}"

    def settings(self) -> Mapping[str, Any]:
        return {"rate": self.rate}


@lru_cache(maxsize=4)
def _tokens(tokenizer: TextTokenizer) -> tuple[Marks, Tensor]:
    """The marks of a tokenizer, and the ids of its tokens that are text."""
    marks = read_marks(tokenizer)
    return marks, torch.tensor([at for at in range(tokenizer.size) if at not in marks.special and at != marks.blank])


def _seen(ids: Tensor, marks: Marks, others: Tensor, generator: torch.Generator) -> Tensor:
    """What stands in the place of each token (B, L), were it hidden."""
    assert marks.blank is not None
    draw = torch.rand(ids.shape, generator=generator).to(ids.device)
    other = others[torch.randint(len(others), ids.shape, generator=generator)].to(ids.device)
    changed = torch.where(draw < MASKED + RANDOM, other, ids)
    return torch.where(draw < MASKED, marks.blank, changed)


def asked(ids: Tensor, hidden: Tensor) -> dict[str, Tensor]:
    """`places` and `tokens` (B, M) of what is hidden (B, L); `NOTHING` for tokens of rows with fewer."""
    most = int(hidden.sum(1).max()) if len(hidden) else 0
    order = (~hidden).to(torch.int8).argsort(dim=1, stable=True)[:, :most]
    there = hidden.gather(1, order)
    return {"places": order, "tokens": ids.gather(1, order).masked_fill(~there, NOTHING)}


def _each(logits: Tensor, tokens: Tensor) -> Tensor:
    """Cross-entropy of each hidden token (B, M), 0 where none is asked for."""
    flat = F.cross_entropy(logits.flatten(0, 1), tokens.flatten(), ignore_index=NOTHING, reduction="none")
    each: Tensor = flat.view(tokens.shape)
    return each

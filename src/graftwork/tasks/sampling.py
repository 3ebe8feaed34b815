"""Answers that are drawn from predictions (`capabilities.Sampled`): classes, label sets, numbers, codes of tokens."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from graftwork.networks.heads.hidden_tokens import NOTHING
from graftwork.tasks.learned import with_learned
from graftwork.tasks.task import Task


def draw_codes(logits: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """So many codes (S, ...) from the softmax of logits (..., C)."""
    chances = torch.softmax(logits.detach().float(), dim=-1).cumsum(dim=-1)
    points = torch.rand((*logits.shape[:-1], count), generator=generator).to(logits.device) * chances[..., -1:]
    codes = torch.searchsorted(chances.contiguous(), points, right=True).clamp_max(logits.shape[-1] - 1)
    return codes.movedim(-1, 0)


def code_log_probs(logits: Tensor, codes: Tensor) -> Tensor:
    """Log-probabilities (S, ...) of codes (S, ...) by the softmax of logits (..., C)."""
    each = F.log_softmax(logits.float(), dim=-1).expand(*codes.shape, logits.shape[-1])
    return each.gather(-1, codes.unsqueeze(-1)).squeeze(-1)


def code_entropy(logits: Tensor) -> Tensor:
    """Entropies (...) of the softmax of logits (..., C)."""
    log_p = F.log_softmax(logits.float(), dim=-1)
    return -(log_p.exp() * log_p).sum(dim=-1)


def code_relative_entropy(logits: Tensor, reference: Tensor) -> Tensor:
    """KL(softmax of logits || softmax of the reference) (...), of (..., C)."""
    log_p, log_q = F.log_softmax(logits.float(), dim=-1), F.log_softmax(reference.float(), dim=-1)
    return (log_p.exp() * (log_p - log_q)).sum(dim=-1)


class DrawsClasses(Task):
    """One class a row: predictions (B, C), answers are class indices, int64."""

    def draw(self, predictions: Tensor, count: int, generator: torch.Generator) -> Tensor:
        return draw_codes(predictions, count, generator)

    def log_prob(self, predictions: Tensor, answers: Tensor) -> Tensor:
        return code_log_probs(predictions, answers)

    def entropy(self, predictions: Tensor) -> Tensor:
        return code_entropy(predictions)

    def relative_entropy(self, predictions: Tensor, reference: Tensor) -> Tensor:
        return code_relative_entropy(predictions, reference)

    def mode(self, predictions: Tensor) -> Tensor:
        return predictions.detach().argmax(dim=1)

    @property
    def choice_count(self) -> int:
        return self.outputs

    def choices(self, predictions: Tensor) -> Tensor:
        rows, classes = predictions.shape
        return torch.arange(classes, device=predictions.device).unsqueeze(1).expand(classes, rows)

    def choice_log_probs(self, predictions: Tensor) -> Tensor:
        return F.log_softmax(predictions.float(), dim=1).T

    def as_kept(self, answers: Tensor) -> np.ndarray:
        kept: np.ndarray = np.eye(self.outputs, dtype=np.float32)[answers.cpu().numpy()]
        return kept


class DrawsSets(Task):
    """Any number of the classes a row, each by its own sigmoid: predictions (B, C), answers 0 or 1 (..., C)."""

    threshold: float

    def draw(self, predictions: Tensor, count: int, generator: torch.Generator) -> Tensor:
        points = torch.rand((count, *predictions.shape), generator=generator).to(predictions.device)
        return (points < torch.sigmoid(predictions.detach().float())).to(torch.uint8)

    def log_prob(self, predictions: Tensor, answers: Tensor) -> Tensor:
        return F.logsigmoid(torch.where(answers > 0, predictions, -predictions).float()).sum(dim=-1)

    def entropy(self, predictions: Tensor) -> Tensor:
        even = torch.zeros_like(predictions)
        return predictions.shape[1] * math.log(2) - self.relative_entropy(predictions, even)

    def relative_entropy(self, predictions: Tensor, reference: Tensor) -> Tensor:
        p, own, other = torch.sigmoid(predictions.float()), predictions.float(), reference.float()
        yes = p * (F.logsigmoid(own) - F.logsigmoid(other))
        no = (1 - p) * (F.logsigmoid(-own) - F.logsigmoid(-other))
        return (yes + no).sum(dim=1)

    def mode(self, predictions: Tensor) -> Tensor:
        return (torch.sigmoid(predictions.detach().float()) >= self.threshold).to(torch.uint8)

    @property
    def choice_count(self) -> int:
        return int(2**self.outputs)

    def choices(self, predictions: Tensor) -> Tensor:
        sets = list(itertools.product((0, 1), repeat=predictions.shape[1]))
        every = torch.tensor(sets, dtype=torch.uint8, device=predictions.device)
        return every.unsqueeze(1).expand(len(sets), *predictions.shape)

    def choice_log_probs(self, predictions: Tensor) -> Tensor:
        return self.log_prob(predictions, self.choices(predictions))

    def as_kept(self, answers: Tensor) -> np.ndarray:
        return answers.cpu().numpy().astype(np.float32)


class DrawsNumbers(Task):
    """Numbers with a spread: predictions (B, outputs), answers around them, (..., B) where there is one output."""

    spread: float

    def spread_by(self, spread: float) -> Self:
        return with_learned(self, spread=spread)

    def draw(self, predictions: Tensor, count: int, generator: torch.Generator) -> Tensor:
        noise = torch.randn((count, *predictions.shape), generator=generator).to(predictions.device)
        return _narrow(predictions.detach().float() + self.spread * noise)

    def log_prob(self, predictions: Tensor, answers: Tensor) -> Tensor:
        off = (answers.unsqueeze(-1) if predictions.shape[1] == 1 else answers) - predictions.float()
        each = -0.5 * (off / self.spread).square() - math.log(self.spread) - 0.5 * math.log(2 * math.pi)
        return each.sum(dim=-1)

    def entropy(self, predictions: Tensor) -> Tensor:
        each = math.log(self.spread) + 0.5 * math.log(2 * math.pi * math.e)
        return torch.full((len(predictions),), each * predictions.shape[1], device=predictions.device)

    def relative_entropy(self, predictions: Tensor, reference: Tensor) -> Tensor:
        return ((predictions - reference).float() / self.spread).square().sum(dim=1) / 2

    def mode(self, predictions: Tensor) -> Tensor:
        return _narrow(predictions.detach().float())

    def as_kept(self, answers: Tensor) -> np.ndarray:
        kept: np.ndarray = self.in_units(answers.reshape(len(answers), -1).cpu().numpy())
        return kept


def _narrow(numbers: Tensor) -> Tensor:
    return numbers.squeeze(-1) if numbers.shape[-1] == 1 else numbers


class DrawsTokens(Task):
    """A code for each token that is there: predictions `logits` (B, L, C) and `counts` (B, L), answers (..., L)."""

    def draw(self, predictions: Mapping[str, Tensor], count: int, generator: torch.Generator) -> Tensor:
        codes = draw_codes(predictions["logits"], count, generator)
        return codes.masked_fill(~predictions["counts"].bool(), NOTHING)

    def log_prob(self, predictions: Mapping[str, Tensor], answers: Tensor) -> Tensor:
        each = code_log_probs(predictions["logits"], answers.clamp_min(0))
        return (each * (answers != NOTHING)).sum(dim=-1)

    def entropy(self, predictions: Mapping[str, Tensor]) -> Tensor:
        return (code_entropy(predictions["logits"]) * predictions["counts"].bool()).sum(dim=1)

    def relative_entropy(self, predictions: Mapping[str, Tensor], reference: Mapping[str, Tensor]) -> Tensor:
        each = code_relative_entropy(predictions["logits"], reference["logits"])
        return (each * predictions["counts"].bool()).sum(dim=1)

    def mode(self, predictions: Mapping[str, Tensor]) -> Tensor:
        codes = predictions["logits"].detach().argmax(dim=2)
        return codes.masked_fill(~predictions["counts"].bool(), NOTHING)

    def as_kept(self, answers: Tensor) -> Sequence[np.ndarray]:
        return [row[row != NOTHING] for row in answers.cpu().numpy()]

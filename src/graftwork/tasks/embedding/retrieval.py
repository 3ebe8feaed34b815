"""Retrieval: two inputs of a row belong together, and either is to be found by the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from torch import Tensor

from graftwork import specs
from graftwork.data.columns.contents import NOTHING, content_ids
from graftwork.data.table import Kind, Table
from graftwork.data.values import Targets
from graftwork.errors import DataError, UsageError
from graftwork.networks.heads.head import Head, HeadSettings
from graftwork.networks.heads.registry import HEADS
from graftwork.networks.heads.towers import Towers
from graftwork.networks.likeness import partner_ranks
from graftwork.networks.network import Network
from graftwork.shown import counted
from graftwork.tasks.embedding.contrast import clip_loss, siglip_loss
from graftwork.tasks.learned import with_learned
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.task import NONE, Answer, Encoders, Task

SIDES = 2
"""Inputs that are aligned."""
NAMES = ("first", "second", "scale", "bias")
"""What the head gives: embeddings of both sides, and what it learned besides."""
WAYS = ("forward", "backward")


@dataclass(frozen=True, kw_only=True)
class Retrieval(Task):
    """Two inputs that belong together, side by side in each row, of which either finds the other; no target column.

    Predictions are the embeddings of both sides by the names `first` and `second`, (B, width), of length 1; and the
    same in every row, (B, 1), the log of the learned `scale` and with siglip the learned `bias`. Targets are (N, 2),
    int64: a number for the content of each side, so that rows that share a side count as partners too; a row that lacks
    a side is not labelled.

    width: of the common space, at least 1. contrast: "clip" finds the partner among the rows of a batch (Radford et al.
    2021), and wants large batches; "siglip" judges each pair by itself (Zhai et al. 2023).
    """

    name: ClassVar[str] = "retrieval"
    target_kinds: ClassVar[tuple[Kind, ...]] = ()
    metric_names: ClassVar[tuple[str, ...]] = (
        *(f"recall_at_{most}" for most in (10, 5, 1)),
        *(f"{way}_recall_at_{most}" for way in WAYS for most in (10, 5, 1)),
        "reciprocal_rank",
        "median_rank",
    )
    answer: ClassVar[Answer] = "likeness"
    target: ClassVar[Literal["column", "inputs"]] = "inputs"
    couples_rows: ClassVar[bool] = True
    own_facts: ClassVar[frozenset[str]] = frozenset({"two_sides"})
    usual_head: ClassVar[str] = "towers"

    width: int = 128
    contrast: Literal["clip", "siglip"] = "clip"
    sides: tuple[tuple[str, ...], ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        if self.width < 1:
            raise UsageError(f"retrieval: width is {self.width}. Expected 1 or more.")

    def learn_rows(self, table: Table, name: str) -> Self:
        """Raises UsageError unless there are two inputs, DataError where too few different rows have both."""
        inputs = table.schema.modalities
        if len(inputs) != SIDES:
            found = ", ".join(one.name for one in inputs)
            raise UsageError(
                f"The task retrieval aligns two inputs, but {table.source} has {len(inputs)} ({found}). "
                "Name two columns: --inputs COLUMN --inputs COLUMN (in Python inputs=[...])."
            )
        learned = with_learned(self, sides=tuple(one.columns for one in inputs))
        ids, both = learned._ids(table)
        for one, known in zip(inputs, ids[both].T, strict=True):
            distinct = len(np.unique(known))
            if distinct < 2:
                raise DataError(
                    f"{table.source}: the {counted(int(both.sum()), 'row')} with both inputs hold "
                    f"{counted(distinct, 'different value')} in '{one.name}'. Expected two or more to tell apart."
                )
        return learned

    @property
    def outputs(self) -> int:
        """Numbers of both embeddings."""
        return SIDES * self.width

    def make_head(self, network: Network, spec: str) -> Head:
        """Whether it learns a bias is said by the contrast."""
        settings: HeadSettings = specs.parse(spec, HEADS, "head")
        if isinstance(settings, Towers):
            settings = replace(settings, bias=self.contrast == "siglip")
        return super().make_head(network, specs.write(settings, settings.name))

    def encode_rows(self, table: Table, name: str, encoders: Encoders = NONE) -> Targets | None:
        return self._ids(table)

    def _ids(self, table: Table) -> Targets:
        ids = np.stack([content_ids(table, columns) for columns in self.sides], axis=1)
        return Targets(ids, (ids != NOTHING).all(axis=1))

    def loss(self, predictions: Mapping[str, Tensor], target: Tensor) -> Tensor:
        """Loss of each row against the others of the batch (B,); rows that lack a side take no part, and give 0."""
        known = (target != NOTHING).all(dim=1)
        # Side by side, so that sums and their gradients are taken in the same order whatever the device.
        together = torch.cat([predictions[name] for name in NAMES if name in predictions], dim=1)
        rows, ids = together[known], target[known]
        left, right = rows[:, : self.width], rows[:, self.width : SIDES * self.width]
        same = (ids[:, :1] == ids[:, 0]) | (ids[:, 1:] == ids[:, 1])
        learned = together[:, SIDES * self.width :].mean(dim=0)
        scale = learned[0].exp()
        if self.contrast == "siglip":
            value = siglip_loss(left, right, same, scale, learned[1])
        else:
            value = clip_loss(left, right, same, scale)
        # Zeros that hang on the predictions, so that a batch without any pair can be descended too.
        return (together * 0.0).sum(dim=1).index_add(0, torch.nonzero(known).squeeze(1), value)

    def keep(self, predictions: Mapping[str, Tensor]) -> np.ndarray:
        """The embeddings of both sides, side by side (B, 2 * width)."""
        kept: np.ndarray = _sides(predictions).float().cpu().numpy()
        return kept

    def divergence(self, predictions: Mapping[str, Tensor], reference: Mapping[str, Tensor]) -> Tensor:
        """Squared distance of the embeddings, mean over the sides (B,)."""
        return (_sides(predictions) - _sides(reference)).square().sum(dim=1) / SIDES

    def metric_inputs(self, targets: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ranks of the partners (N, 2) beside ranks that are all 1, over all rows that are given together."""
        first, second = self.embeddings(probabilities)
        ranks = partner_ranks(first, second, targets)
        return np.ones_like(ranks), ranks

    def embeddings(self, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Embeddings of the first and of the second side, each (N, width)."""
        return probabilities[:, : self.width], probabilities[:, self.width :]

    def wrongness(self, truth: np.ndarray, kept: np.ndarray) -> np.ndarray | None:
        """By how many places the worse of the two ranks is off."""
        off = np.abs(kept - truth).reshape(len(truth), -1).max(axis=1)
        return np.where(off > 0, off, -1.0)

    def constant(self, train: np.ndarray, metric: Metric, kept: np.ndarray) -> tuple[str, np.ndarray] | None:
        """Ranks of partners that are found by chance: each rank once."""
        even = np.arange(1, len(kept) + 1, dtype=kept.dtype)
        draw = np.random.default_rng(0)
        return "chance", np.stack([draw.permutation(even) for _ in range(kept.shape[1])], axis=1)

    def format(self, value: np.ndarray) -> str:
        """A row's ranks for people."""
        return f"rank {value[0]:g} forward, {value[1]:g} backward"

    def decode(self, probabilities: np.ndarray) -> list[Any]:
        """How much alike the two sides of each row are: their cosine, from -1 to 1."""
        first, second = self.embeddings(probabilities)
        return [float(value) for value in (first * second).sum(axis=1)]

    def numbers(self, name: str) -> tuple[str, ...]:
        """None: embeddings are not for people."""
        return ()

    def state(self) -> dict[str, Any]:
        return {"width": self.width, "contrast": self.contrast, "sides": [list(columns) for columns in self.sides]}

    def with_state(self, state: dict[str, Any]) -> Self:
        sides = tuple(tuple(columns) for columns in state["sides"])
        return with_learned(self, width=int(state["width"]), contrast=str(state["contrast"]), sides=sides)


def _sides(predictions: Mapping[str, Tensor]) -> Tensor:
    """The embeddings side by side (B, 2 * width)."""
    return torch.cat([predictions["first"], predictions["second"]], dim=1)

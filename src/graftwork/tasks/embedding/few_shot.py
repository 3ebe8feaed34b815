"""Few-shot: learned on some classes, used to learn others, which training never had, from a few rows of each."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa

from graftwork.data.episodes import Episodes
from graftwork.errors import UsageError
from graftwork.tasks.classification import Classification
from graftwork.tasks.labels import MISSING
from graftwork.tasks.learned import with_learned
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.task import Answer

_VALIDATION = 150
"""Episodes of a score during training, at most."""


@dataclass(frozen=True, kw_only=True)
class FewShot(Classification):
    """New classes from a few rows of each; scored by episodes drawn from classes that are held out whole.

    way: classes of an episode. shot: rows of a class to learn from. query: rows of a class that are asked, at most.
    episodes: how many are scored. Rows may have classes that training never had: they get indices behind those of the
    training classes, in the order of each table by itself.
    """

    way: int = 5
    shot: int = 1
    query: int = 15
    episodes: int = 600

    name: ClassVar[str] = "few-shot"
    metric_names: ClassVar[tuple[str, ...]] = ("episode_accuracy",)
    own_facts: ClassVar[frozenset[str]] = frozenset({"hard_labels", "classes", "episodes", "row_outputs"})
    holds_out: ClassVar[Literal["rows", "classes"]] = "classes"
    answer: ClassVar[Answer] = "likeness"
    unit: ClassVar[tuple[str, str]] = ("class", "classes")

    def __post_init__(self) -> None:
        try:
            self.shape  # noqa: B018
        except UsageError as error:
            raise UsageError(f"task few-shot: {error}") from None

    @property
    def shape(self) -> Episodes:
        return Episodes(self.way, self.shot, self.query, self.episodes)

    @property
    def validation_episodes(self) -> Episodes:
        return replace(self.shape, count=min(self.episodes, _VALIDATION))

    @property
    def held_classes(self) -> int:
        return self.way

    @property
    def named_loss(self) -> None:
        """Rows are compared by their embeddings; a head that has none is no help."""

    def encode(self, column: pa.ChunkedArray, source: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        codes = self.labels.with_new(column).codes(column, source, rows)
        return codes, codes != MISSING

    def wrongness(self, truth: np.ndarray, kept: np.ndarray) -> None:
        """Episodes are scored, not rows."""

    def constant(self, train: np.ndarray, metric: Metric, kept: np.ndarray) -> None:
        """See `chance`."""

    def chance(self, metric: Metric, targets: np.ndarray) -> float | None:
        """One of the classes of an episode, blindly."""
        return 1 / self.way

    def state(self) -> dict[str, Any]:
        return {**super().state(), "episodes": asdict(self.shape)}

    def with_state(self, state: dict[str, Any]) -> Self:
        shape = Episodes(**state["episodes"])
        named = {"way": shape.way, "shot": shape.shot, "query": shape.query, "episodes": shape.count}
        return with_learned(super().with_state(state), **named)

    def scored(self, kept: np.ndarray, temperature: float = 1.0) -> np.ndarray:
        """Embeddings as they are (N, E)."""
        return kept

"""What `graftwork.tune` hands back: the model, every trial, and what is known of the choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftwork import notebook
from graftwork.data.store.cache import storing
from graftwork.evidence.tune.choice import Chosen
from graftwork.evidence.tune.outcome import Outcome
from graftwork.evidence.tune.page.files import write
from graftwork.evidence.tune.trials import Trial
from graftwork.evidence.tune.won import won
from graftwork.model import Model

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Tuned:
    """model: the chosen one, of the same kind as a fit's. outcome: all trials, and what is known of them."""

    model: Model
    outcome: Outcome

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All of them, in the order in which they were proposed."""
        return self.outcome.trials

    @property
    def chosen(self) -> Chosen:
        """Which one is kept, and what it is compared with."""
        return self.outcome.chosen

    @property
    def importance(self) -> Mapping[str, float]:
        """The share of each searched dimension in what scores differ by; empty where too few trials say anything."""
        return self.outcome.about.importance

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the search."""
        return self.outcome.about.interrupted

    @property
    def sentences(self) -> list[str]:
        """What won and by how much, in words."""
        return won(self.outcome)

    def table(self) -> pa.Table:
        """A row a trial, as `trials.parquet` has it."""
        from graftwork.evidence.tune.table import trials_table

        return trials_table(self.trials, kept=self.chosen.number, front=self.outcome.front)

    def to_json(self) -> dict[str, Any]:
        """What `tune.json` holds."""
        return self.outcome.to_json()

    def write(self, folder: Path) -> None:
        """Write `tune.html`, `tune.json` and `trials.parquet`. Raises DataError where the disk is full."""
        with storing(folder):
            write(folder, self.outcome)

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def _repr_html_(self) -> str:
        return notebook.card(self.outcome.about.title, self.sentences, "")

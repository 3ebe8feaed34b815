"""Examples of a table of which only some rows are prepared, for plans: decoding ten thousand pictures to count steps
would take minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from graftwork.core.rows.examples import Examples, prepare
from graftwork.data.columns.text import TextSettings
from graftwork.data.store.ragged import Ragged
from graftwork.data.table import Table
from graftwork.networks.network import Network
from graftwork.tasks.task import Task

PREPARED = 64
"""Rows of pictures and sounds that are decoded."""
PREPARED_TEXTS = 20_000
"""Rows of texts and numbers that are prepared: as many as a second allows. Up to there a plan counts exactly."""


@dataclass(frozen=True)
class Repeated(Ragged):
    """Some rows, over and over, as often as there are rows in the whole table."""

    total: int = 0

    def __len__(self) -> int:
        return self.total

    def rows(self, indices: Sequence[int] | np.ndarray) -> list[np.ndarray]:
        return [self[int(row) % (len(self.offsets) - 1)] for row in indices]

    @property
    def lengths(self) -> np.ndarray:
        return np.resize(np.diff(self.offsets), self.total)


def sketch(table: Table, network: Network, tasks: Mapping[str, Task], text: TextSettings) -> Examples:
    """All rows of the table, with targets and roles of their own, and the inputs of the first ones in their place."""
    media = any(encoder.modality in ("image", "audio") for encoder in network.each_encoder())
    most = PREPARED if media else PREPARED_TEXTS
    if len(table) <= most:
        return prepare(table, network, tasks, text)
    some = prepare(table.take(np.arange(most)), network, {}, text, keep_on_disk=False)
    inputs: dict[str, Ragged] = {
        name: Repeated(rows.values, rows.offsets, len(table)) for name, rows in some.inputs.items()
    }
    whole = prepare(table, network, tasks, text, inputs=inputs)
    return replace(whole, present={name: np.resize(mask, len(table)) for name, mask in some.present.items()})

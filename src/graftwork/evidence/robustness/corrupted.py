"""Accuracy where nobody attacks, but pictures are noisy, sounds come from a telephone and people mistype."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from graftwork.core.rows.examples import Examples, prepare
from graftwork.core.scoring import predict_examples
from graftwork.data.batch import Batch
from graftwork.data.columns.text import TextSettings
from graftwork.data.table import Modality, Table
from graftwork.evidence.robustness.attacks import Aim
from graftwork.evidence.robustness.shares import Share
from graftwork.evidence.robustness.sound_corruptions import SOUND_CORRUPTIONS
from graftwork.evidence.robustness.text_corruptions import TEXT_CORRUPTIONS
from graftwork.evidence.robustness.weather_and_files import IMAGE_CORRUPTIONS
from graftwork.networks.audio.encoder import AudioEncoder
from graftwork.tasks.task import Task

SEVERITIES = (1, 2, 3, 4, 5)
NAMES: dict[Modality, tuple[str, ...]] = {
    "image": tuple(IMAGE_CORRUPTIONS),
    "audio": tuple(SOUND_CORRUPTIONS),
    "text": tuple(TEXT_CORRUPTIONS),
}


@dataclass(frozen=True)
class Corrupted:
    """Accuracy on the same rows, clean and corrupted: for each corruption one share a severity, from 1 to 5."""

    target: str
    input: str
    modality: Modality
    clean: Share
    each: dict[str, tuple[Share, ...]]

    @property
    def mean(self) -> float:
        """Over corruptions and severities."""
        return float(np.mean([share.value for shares in self.each.values() for share in shares]))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        each = {name: [share.to_json() for share in shares] for name, shares in self.each.items()}
        return {
            "target": self.target,
            "input": self.input,
            "clean": self.clean.to_json(),
            "mean": self.mean,
            "corruptions": each,
        }


def corrupt(
    aims: list[Aim],
    tasks: Mapping[str, Task],
    table: Table,
    examples: Examples,
    text: TextSettings,
    seed: int = 0,
    watch: Callable[[str], None] | None = None,
) -> list[Corrupted]:
    """Accuracy of targets that are all predicted from one input, for every corruption of that input.

    aims: the targets, with the same network and input. tasks: of all that the network predicts. table: the rows, of
    which texts are changed before they are tokenised; images and sounds are changed as the network reads them.
    examples: the same rows, prepared.
    """
    first = aims[0]
    found: dict[str, dict[str, list[Share]]] = {aim.target: {} for aim in aims}
    for name in NAMES[first.modality]:
        if watch:
            watch(f"{first.input}: {name}")
        for severity in SEVERITIES:
            for aim, share in _shares(aims, tasks, *_changed(first, table, examples, text, name, severity, seed)):
                found[aim.target].setdefault(name, []).append(share)
    clean = {aim.target: share for aim, share in _shares(aims, tasks, examples, None)}
    return [
        Corrupted(
            aim.target,
            aim.input,
            aim.modality,
            clean[aim.target],
            {name: tuple(shares) for name, shares in found[aim.target].items()},
        )
        for aim in aims
    ]


Change = Callable[[Batch], Batch] | None


def _shares(
    aims: list[Aim], tasks: Mapping[str, Task], examples: Examples, change: Change
) -> Iterator[tuple[Aim, Share]]:
    first = aims[0]
    predictions = predict_examples(first.network, examples, first.techniques, changed=change, tasks=tasks)
    for aim in aims:
        keep = examples.labelled[aim.target]
        right = predictions[aim.target].argmax(1) == examples.targets[aim.target]
        yield aim, Share.of(right[keep])


def _changed(
    aim: Aim, table: Table, examples: Examples, text: TextSettings, name: str, severity: int, seed: int
) -> tuple[Examples, Change]:
    """The rows, and what is done to each batch of them."""
    key = [seed, NAMES[aim.modality].index(name), severity]
    if aim.modality == "text":
        return _mistyped(aim, table, examples, text, name, severity, key), None
    base = int(np.random.default_rng(key).integers(2**40))

    def change(batch: Batch) -> Batch:
        draws = torch.Generator().manual_seed(base + int(batch.rows[0]))
        given = batch.inputs[aim.input]
        if aim.modality == "image":
            made = given | {"pixels": IMAGE_CORRUPTIONS[name](given["pixels"], severity, draws)}
        else:
            encoder = aim.network.encoder(aim.input)
            assert isinstance(encoder, AudioEncoder)
            wave = SOUND_CORRUPTIONS[name](given["wave"], given["samples"], encoder.rate, severity, draws)
            made = given | {"wave": wave}
        return replace(batch, inputs=batch.inputs | {aim.input: made})

    return examples, change


def _mistyped(
    aim: Aim, table: Table, examples: Examples, text: TextSettings, name: str, severity: int, key: list[int]
) -> Examples:
    """The rows with the texts of the input changed, and targets and all else as they were."""
    data, corruption = table.data, TEXT_CORRUPTIONS[name]
    for number, column in enumerate(aim.network.sources[aim.input]):
        own = [number] if number else []
        values = [
            None if value is None else corruption(str(value), severity, np.random.default_rng([*key, at, *own]))
            for at, value in enumerate(table.values(column))
        ]
        place = data.column_names.index(column)
        data = data.set_column(place, column, pa.chunked_array([pa.array(values, pa.string())]))
    changed = prepare(replace(table, data=data), aim.network, {}, text, keep_on_disk=False)
    return replace(changed, targets=examples.targets, labelled=examples.labelled, tasks=examples.tasks)

"""How a model stands up to attacks and to worse data than it was trained on: all that a report says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from graftwork.core.rows.examples import prepare
from graftwork.core.technique import Technique
from graftwork.data.columns.text import TextSettings
from graftwork.data.table import Table
from graftwork.errors import UsageError
from graftwork.evidence.robustness.attacks import Aim, Attacked, attack
from graftwork.evidence.robustness.corrupted import Corrupted, corrupt
from graftwork.evidence.robustness.settings import RobustnessSettings
from graftwork.networks.network import Network
from graftwork.tasks.task import Task
from graftwork.techniques.adversarial.perturbed_inputs import CONTINUOUS, attackable


@dataclass(frozen=True)
class Robustness:
    """rows: how many were tried. attacked, corrupted: by target and input; `corrupted` is empty where left out."""

    rows: int
    settings: RobustnessSettings
    attacked: tuple[Attacked, ...]
    corrupted: tuple[Corrupted, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be doubted; empty where nothing is."""
        return tuple(note for found in self.attacked for note in found.notes)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "rows": self.rows,
            "settings": asdict(self.settings) | {"epsilons": list(self.settings.epsilons)},
            "attacks": [found.to_json() for found in self.attacked],
            "corruptions": [found.to_json() for found in self.corrupted],
            "notes": list(self.notes),
        }


def measure(
    network: Network,
    tasks: Mapping[str, Task],
    table: Table,
    settings: RobustnessSettings,
    techniques: Sequence[Technique] = (),
    text: TextSettings | None = None,
    watch: Callable[[str], None] | None = None,
) -> Robustness:
    """Accuracy under attack and corruption on labelled rows of the table, each input by itself, the others untouched.

    table: read and checked. techniques: those of the model, for what they do at prediction. watch: told what is tried.
    Raises UsageError where there is nothing to attack, or no target with one class a row.
    """
    text = text or TextSettings()
    names, targets = known_inputs(network), class_targets(tasks)
    table = drawn(table, tasks, targets, settings)
    examples = prepare(table, network, {name: tasks[name] for name in targets}, text, keep_on_disk=False)
    attacked, corrupted = list[Attacked](), list[Corrupted]()
    for name in names:
        aims = [Aim(network, tasks[target], target, name, tuple(techniques)) for target in targets]
        if settings.attacks:
            attacked += [attack(aim, examples, settings, watch) for aim in aims]
        if settings.corruptions:
            corrupted += corrupt(aims, tasks, table, examples, text, settings.seed, watch)
    return Robustness(len(examples), settings, tuple(attacked), tuple(corrupted))


def known_inputs(network: Network) -> list[str]:
    """The inputs that can be attacked. Raises UsageError where there are none."""
    names = attackable(network, CONTINUOUS)
    if names:
        return names
    kinds = sorted({network.encoder(name).modality for name in network.columns})
    if kinds == ["table"]:
        raise UsageError(
            "There is nothing to attack: the model reads numbers and categories only, which have no small changes that "
            "nobody would see. Robustness is measured of images, sounds and texts."
        )
    raise UsageError(
        "There is nothing to attack: the model's text base can't start behind its embedding. Choose another base."
    )


def class_targets(tasks: Mapping[str, Task]) -> list[str]:
    """The targets whose accuracy is measured. Raises UsageError where there are none."""
    found = [name for name, task in tasks.items() if task.answer == "class"]
    if not found:
        kinds = ", ".join(f"'{name}' ({task.name})" for name, task in tasks.items())
        raise UsageError(
            f"Robustness is measured as accuracy, of targets with one class a row; this model predicts {kinds}."
        )
    return found


def drawn(table: Table, tasks: Mapping[str, Task], targets: list[str], settings: RobustnessSettings) -> Table:
    """At most so many labelled rows, by the seed, in their order. Raises UsageError where no row has a label."""
    encoded = [found for name in targets if (found := tasks[name].encode_rows(table, name)) is not None]
    labelled = np.flatnonzero(np.any([mask for _, mask in encoded], axis=0)) if encoded else np.zeros(0, np.int64)
    if not len(labelled):
        raise UsageError(f"{table.source}: no row has a label in {' or '.join(map(repr, targets))} to compare with.")
    if settings.rows and settings.rows < len(labelled):
        labelled = np.sort(np.random.default_rng(settings.seed).permutation(labelled)[: settings.rows])
    return table.take(labelled)

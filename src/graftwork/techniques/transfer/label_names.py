"""Label names: the head learns what the classes are called, and what is said of them, beside the labelled rows.

A class often tells what it is by its name: `card_arrival` lies near "where is my new card". Each class's name and its
description are embedded by the very encoder that reads the rows, and count as a labelled row of it when the head is
solved. So a class with few rows is known from the start, and one with none can be predicted. It helps most with one to
eight rows a class, less the more there are, and with a base that was trained to embed sentences (minilm, mpnet). It
does not help where names are codes (`A17`) and nothing is said of them, or where the base knows nothing yet.

Source: Chang et al. 2008 (dataless classification); Schick and Schütze 2021, Meng et al. 2020 (label names as signal).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from graftwork.core.rows.examples import prepare
from graftwork.core.run import features_of
from graftwork.core.technique import Phase, Setup, Technique
from graftwork.data.columns.text import TextSettings
from graftwork.data.table import Column, Schema, Table
from graftwork.errors import RefusedError, UsageError
from graftwork.networks.heads.solving.problem import Problem
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class LabelNames(Technique):
    """Solve the head on the labelled rows and on the names of the classes.

    names: of the classes, as the target column writes them. texts: what is embedded of each, in the same order.
    weight: how many labelled rows a name counts for; at least 0. freeze: the base stays as it is and the head is only
        solved; else what another technique trains goes on from there.
    """

    names: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    weight: float = 2.0
    freeze: bool = True

    name: ClassVar[str] = "label-names"
    phase: ClassVar[Phase] = Phase.START
    summary: ClassVar[str] = "the head begins from the embedded names of the classes"
    searched: ClassVar[Spaces] = {"weight": Range(0.5, 8.0, log=True)}
    needs: ClassVar[frozenset[str]] = frozenset(
        {"text_inputs", "hard_labels", "known_classes", "solvable_heads", "row_features"}
    )

    def __post_init__(self) -> None:
        if len(self.names) != len(self.texts):
            raise UsageError(f"label-names: {len(self.names)} names and {len(self.texts)} texts. Expected one of each.")
        doubled = [name for name in self.names if self.names.count(name) > 1]
        if doubled:
            raise UsageError(f"label-names: the class '{doubled[0]}' is named {self.names.count(doubled[0])} times.")
        if not 0 <= self.weight < float("inf"):
            raise UsageError(f"label-names: weight is {self.weight:g}. Expected a number of 0 or more.")

    @property
    def off(self) -> bool:
        return not self.freeze and not self.names

    @property
    def drops(self) -> frozenset[str]:
        return frozenset({"trainable_features", "dropout"}) if self.freeze else frozenset()

    @property
    def claims(self) -> frozenset[str]:
        return frozenset({"head initialisation", *(["trainable parameters"] if self.freeze else [])})

    @property
    def class_texts(self) -> Mapping[str, str]:
        return dict(zip(self.names, self.texts, strict=True))

    def adapt(self, network: Network, setup: Setup) -> Network:
        if len(network.columns) > 1 or len(network.sources[network.columns[0]]) > 1:
            raise RefusedError(
                f"label-names compares rows with texts, so it reads one text column alone; here are "
                f"{', '.join(network.columns)}. Name one (--inputs), or drop label-names."
            )
        self._texts(setup.tasks)
        if self.freeze:
            for encoder in network.each_encoder():
                encoder.requires_grad_(False)
        return network

    def start(self, network: Network, setup: Setup) -> None:
        told = self._texts(setup.tasks)
        features = np.asarray(setup.features(network))
        for target, head in network.each_head():
            if not head.can_be_solved:
                continue
            labelled, targets = setup.labelled[target], setup.targets[target]
            weight = labelled.astype(np.float32)
            codes, texts = told.get(target, ({}, ()))
            own = embedded(network, texts) if texts else np.zeros((0, features.shape[1]), np.float32)
            rows = np.concatenate([features, own])
            known = np.concatenate([targets, np.array(list(codes), targets.dtype)])
            weight = np.concatenate([weight, np.full(len(own), self.weight, np.float32)])
            head.solve(Problem(rows, known, setup.tasks[target], weight=weight, seed=setup.seed, check=setup.check))

    def _texts(self, tasks: Mapping[str, Task]) -> dict[str, tuple[dict[int, str], tuple[str, ...]]]:
        """By target, the codes of its classes and their texts. Raises RefusedError for a class that has none."""
        known, found = dict(zip(self.names, self.texts, strict=True)), {}
        for target, task in tasks.items():
            if not set(task.classes) & known.keys():
                continue
            lacking = [name for name in task.classes if name not in known]
            if lacking:
                raise RefusedError(
                    f"label-names says nothing of {len(lacking):,} of the {len(task.classes):,} classes of '{target}': "
                    f"{', '.join(map(repr, lacking[:8]))}. Drop label-names, or add them to the table of --classes."
                )
            codes = dict(enumerate(task.classes))
            found[target] = (codes, tuple(known[name] for name in codes.values()))
        if not found:
            raise RefusedError(
                f"label-names names {', '.join(map(repr, self.names[:8])) or 'no class'}, and none of these is a class "
                f"of {' or '.join(map(repr, tasks))}. Drop label-names, or write them as the target column does."
            )
        return found


def embedded(network: Network, texts: tuple[str, ...]) -> np.ndarray:
    """What the heads read of these texts (K, width), by the one text encoder of a network."""
    (column,) = network.sources[network.columns[0]]
    schema = Schema((Column(column, "text"),))
    table = Table(pa.table({column: list(texts)}), schema, "the names of the classes", np.arange(1, len(texts) + 1))
    examples = prepare(table, network, {}, TextSettings(), keep_on_disk=False)
    return features_of(network, examples, {})

"""A tiny run for techniques: an encoder of three blocks over mean token embeddings, and tasks of three kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import Tensor, nn

from graftwork.core.compose import compose
from graftwork.core.technique import Setup, Technique
from graftwork.data.batch import Batch, Hidden, Inputs, whole
from graftwork.networks.encoder import Encoder
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.network import Network
from graftwork.tasks.classification import Classification
from graftwork.tasks.multilabel import Multilabel
from graftwork.tasks.regression import Regression
from graftwork.tasks.task import Task

VOCABULARY, WIDTH, LENGTH = 20, 8, 5


class TinyEncoder(Encoder):
    """Mean of token embeddings, then two linear blocks with dropout."""

    modality = "text"
    architecture = "tiny"

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.width = self.hidden_width = WIDTH
        self.depth = 3
        self.facts = frozenset({"linear_layers"} | ({"dropout"} if dropout else set()))
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Dropout(dropout)) for _ in range(2)
        )

    def prepare(self, values: Sequence[Any]) -> list[np.ndarray]:
        return [np.asarray(value, np.int32) for value in values]

    @property
    def fingerprint(self) -> str:
        return "tiny"

    def collate(self, rows: Sequence[np.ndarray]) -> Inputs:
        return {"ids": torch.from_numpy(np.stack(rows))}

    def forward(self, inputs: Inputs, hidden: Hidden | None = None) -> Tensor:  # noqa: ARG002
        state = self.embedding(inputs["ids"]).mean(dim=1)
        for layer in self.layers:
            state = layer(state)
        return state

    def states(self, inputs: Inputs, depth: int) -> Tensor:
        raise NotImplementedError

    def blocks(self) -> list[list[nn.Module]]:
        return [[self.embedding], *[[layer] for layer in self.layers]]

    def config(self) -> dict[str, Any]:
        return {}

    def save_files(self, folder: Path) -> None:
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> Encoder:
        raise NotImplementedError


@dataclass(frozen=True)
class Fixture:
    """A network, its tasks and 24 training rows; everything that a technique may see."""

    network: Network
    setup: Setup
    batch: Batch

    def stages(self, *techniques: Technique) -> Any:
        """The composed stages of these techniques, in the given order."""
        grafts = [technique.attach(self.network, self.setup) for technique in techniques]
        return compose([technique.name for technique in techniques], grafts, self.setup.tasks)

    def gradients(self, *techniques: Technique) -> dict[str, Tensor]:
        """Gradients of one step with these techniques, by parameter name."""
        stages = self.stages(*techniques)
        self.network.zero_grad(set_to_none=True)
        stages.gradient(stages.objective, self.network, stages.inputs(self.batch))
        return {name: p.grad.clone() for name, p in self.network.named_parameters() if p.grad is not None}


TASKS: dict[str, Callable[[], Task]] = {
    "classes": lambda: Classification().learn(pa.chunked_array([["a", "b", "c"] * 2]), "table"),
    "many": lambda: Multilabel().learn(pa.chunked_array([["a;b", "c", "a"]]), "table"),
    "number": lambda: Regression().learn(pa.chunked_array([[1.0, 2.0, 3.0]]), "table"),
}


def make_targets(task: Task, rows: int, generator: np.random.Generator) -> np.ndarray:
    if isinstance(task, Classification):
        return np.concatenate([np.arange(task.outputs), generator.integers(0, task.outputs, rows)])[:rows]
    if isinstance(task, Multilabel):
        return generator.integers(0, 2, (rows, task.outputs)).astype(np.uint8)
    return generator.normal(size=rows).astype(np.float32)


@pytest.fixture
def fixture() -> Callable[..., Fixture]:
    """Builds a Fixture: `fixture("classes", "number", rows=24, dropout=0.5, unlabelled=(3, 4))`."""

    def build(
        *targets: str,
        rows: int = 24,
        dropout: float = 0.0,
        head: str = "linear",
        unlabelled: Sequence[int] = (),
        weight: Tensor | None = None,
        domain: Sequence[int] | None = None,
    ) -> Fixture:
        names = targets or ("classes",)
        torch.manual_seed(0)
        generator = np.random.default_rng(0)
        tasks = {name: TASKS[name]() for name in names}
        network = Network(
            {"text": TinyEncoder(dropout)}, {n: RowHead(WIDTH, t.outputs, head) for n, t in tasks.items()}
        )
        values = {name: make_targets(task, rows, generator) for name, task in tasks.items()}
        mask = np.ones(rows, bool)
        mask[list(unlabelled)] = False
        if "classes" in values:
            values["classes"][~mask] = -1
        batch = whole(
            Batch(
                inputs={"text": {"ids": torch.from_numpy(generator.integers(0, VOCABULARY, (rows, LENGTH)))}},
                rows=torch.arange(rows),
                targets={name: torch.from_numpy(target) for name, target in values.items()},
                labelled={name: torch.from_numpy(mask.copy()) for name in names},
                weight=weight,
                domain=None if domain is None else torch.tensor(domain),
            )
        )

        def features(net: Network) -> np.ndarray:
            with torch.inference_mode():
                return net.eval().features(batch).rows.numpy()

        def batches() -> Iterator[Batch]:
            yield batch

        setup = Setup(
            tasks=tasks,
            targets=values,
            labelled=dict.fromkeys(names, mask),
            features=features,
            batches=batches,
            total_steps=10,
            seed=7,
            device=torch.device("cpu"),
            domain=None if domain is None else np.asarray(domain),
            domains=tuple(f"domain {code}" for code in range(max(domain, default=-1) + 1)) if domain else (),
        )
        return Fixture(network.train(), setup, batch)

    return build


def part(batch: Batch, rows: Sequence[int]) -> Batch:
    """These rows as a whole batch of their own."""
    return whole(replace(batch.part(torch.tensor(rows)), size=0))

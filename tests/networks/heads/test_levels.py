"""A head that labels every pixel, on the maps of small-cnn, with a task of its own: neither is part of the library.

They are written as any package could: the ordinary core trains, scores and saves them.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graftwork.core.contract.facts import FACTS
from graftwork.core.fit import fit
from graftwork.core.frozen.cache import cache_depths
from graftwork.core.plan import base_facts
from graftwork.core.rows.examples import Examples, make_batch, prepare
from graftwork.core.run import make_run
from graftwork.core.scoring import predict_examples
from graftwork.core.settings import Training
from graftwork.core.technique import Technique
from graftwork.data.columns.text import TextSettings
from graftwork.data.table import Column, Kind, Schema, Table
from graftwork.data.values import Targets
from graftwork.errors import RefusedError
from graftwork.extend import Batch, Features, Head, HeadSettings, Metric, Network, Task, from_sums
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.heads.head import Reads
from graftwork.networks.heads.registry import HEADS
from graftwork.tasks.task import NONE, Encoders
from graftwork.techniques import EMA, TTA, Accumulate, Mixup, Partial, Probe, WarmStart

SIZE, CLASSES = 24, 3
"""Pixels a side; background, squares and discs."""


@dataclass(frozen=True, kw_only=True)
class Upward(HeadSettings):
    """Each map through a convolution of its own, brought to the size of the finest, added up."""

    name: ClassVar[str] = "upward"
    fits: ClassVar[frozenset[str]] = frozenset({"pixel_classes"})

    def build(self, network: Network, outputs: int, spec: str) -> Head:
        (name,) = network.columns
        encoder = network.encoder(name)
        with torch.no_grad():
            levels = encoder.tokens_of(encoder.collate(encoder.prepare([None]))).levels
        return PixelHead(name, [level.shape[1] for level in levels], outputs, spec)


class PixelHead(Head):
    """Maps from fine to coarse (B, C, H, W) -> {"logits": (B, outputs, H, W) at the finest}."""

    reads: ClassVar[Reads] = "levels"

    def __init__(self, read: str, channels: list[int], outputs: int, spec: str) -> None:
        super().__init__()
        self.spec, self.outputs, self.read = spec, outputs, read
        self.convolutions = nn.ModuleList(nn.Conv2d(each, outputs, 1) for each in channels)

    @property
    def inputs(self) -> frozenset[str]:
        return frozenset({self.read})

    def forward(self, seen: Features, batch: Batch) -> dict[str, Tensor]:  # noqa: ARG002
        levels = seen.tokens[self.read].levels
        size = levels[0].shape[2:]
        maps = [F.interpolate(conv(each), size) for conv, each in zip(self.convolutions, levels, strict=True)]
        return {"logits": torch.stack(maps).sum(0)}


def mean_iou(truth: np.ndarray, given: np.ndarray) -> Any:
    """Of each class the pixels in both, of those in either; mean over the classes."""
    both = np.stack([((truth == one) & (given == one)).sum(axis=(1, 2)) for one in range(CLASSES)], axis=1)
    either = np.stack([((truth == one) | (given == one)).sum(axis=(1, 2)) for one in range(CLASSES)], axis=1)
    sums = np.concatenate([both, either], axis=1)
    return from_sums(sums, lambda found: (found[:, :CLASSES] / found[:, CLASSES:]).mean(axis=1))


@dataclass(frozen=True, kw_only=True)
class Segmentation(Task):
    """A class of every pixel. Targets are (N, SIZE, SIZE), uint8."""

    name: ClassVar[str] = "segmentation"
    target_kinds: ClassVar[tuple[Kind, ...]] = ()
    metric_names: ClassVar[tuple[str, ...]] = ("mean_iou",)
    own_facts: ClassVar[frozenset[str]] = frozenset({"pixel_classes", "structured_targets"})
    usual_head: ClassVar[str] = "upward"

    def learn_rows(self, table: Table, name: str) -> Self:  # noqa: ARG002
        return self

    @property
    def outputs(self) -> int:
        return CLASSES

    def metrics(self) -> Mapping[str, Metric]:
        return {"mean_iou": Metric("mean_iou", mean_iou, "kept", True, "Mean IoU")}

    def encode_rows(self, table: Table, name: str, encoders: Encoders = NONE) -> Targets | None:  # noqa: ARG002
        masks = np.stack([np.frombuffer(value, np.uint8).reshape(SIZE, SIZE) for value in table.values(name)])
        return Targets(masks, np.ones(len(masks), bool))

    def loss(self, predictions: dict[str, Tensor], target: Tensor) -> Tensor:
        return F.cross_entropy(predictions["logits"], target.long(), reduction="none").sum(dim=(1, 2))

    def units(self, target: Tensor) -> Tensor:
        return torch.full((len(target),), float(target[0].numel()) if len(target) else 1.0)

    def keep(self, predictions: dict[str, Tensor]) -> np.ndarray:
        found: np.ndarray = predictions["logits"].argmax(1).to(torch.uint8).cpu().numpy()
        return found

    def decode(self, kept: np.ndarray) -> list[Any]:
        return [row.tobytes() for row in kept]

    def state(self) -> dict[str, Any]:
        return {}

    def with_state(self, state: dict[str, Any]) -> Self:  # noqa: ARG002
        return self


def shapes(seed: int) -> tuple[bytes, bytes]:
    """A picture with a reddish square and a greenish disc on noise, and the class of each pixel."""
    from PIL import Image

    draw = np.random.default_rng(seed)
    pixels = draw.integers(60, 140, (SIZE, SIZE, 3))
    mask = np.zeros((SIZE, SIZE), np.uint8)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    top, left, side = *draw.integers(1, SIZE // 2, 2).tolist(), int(draw.integers(5, 10))
    mask[top : top + side, left : left + side] = 1
    middle, radius = draw.integers(6, SIZE - 6, 2), int(draw.integers(3, 6))
    mask[(rows - middle[0]) ** 2 + (columns - middle[1]) ** 2 <= radius**2] = 2
    for kind, colour in ((1, 0), (2, 1)):
        pixels[mask == kind, colour] += 70
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "png")
    return buffer.getvalue(), mask.tobytes()


@pytest.fixture
def head() -> Iterator[None]:
    HEADS["upward"] = Upward
    yield
    del HEADS["upward"]


@dataclass(frozen=True)
class Drawn:
    network: Network
    tasks: dict[str, Task]
    train: Examples
    valid: Examples

    def fitted(self, *techniques: Technique, steps: int = 60) -> tuple[Any, Any]:
        training = Training(lr=5e-3, head_lr=1e-2, steps=steps, batch=16, evaluations=1, warmup=0.1, weight_decay=0.0)
        training = dataclasses.replace(training, precision="fp32")
        metrics = {"mask": "mean_iou"}
        run = make_run(self.network, self.tasks, techniques, training, self.train, self.valid, metrics=metrics, seed=1)
        return run, fit(run)


@pytest.fixture
def drawn(head: None) -> Drawn:  # noqa: ARG001
    pictures, masks = zip(*(shapes(seed) for seed in range(96)), strict=True)
    data = pa.table({"picture": pa.array(pictures, pa.binary()), "mask": pa.array(masks, pa.binary())})
    schema = Schema((Column("picture", "image"), Column("mask", "category", "target")))
    table = Table(data, schema, "drawn", np.arange(1, 97))
    train, valid = table.take(np.arange(72)), table.take(np.arange(72, 96))
    encoder = parse_base(f"small-cnn:width=16,blocks=1,size={SIZE}").build(TrainingRows(), 0)
    network = Network({"picture": encoder}, {})
    task = Segmentation()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network.set_heads({"mask": task.make_head(network, task.usual_head)})
    tasks: dict[str, Task] = {"mask": task}
    return Drawn(network, tasks, *(prepare(part, network, tasks, TextSettings()) for part in (train, valid)))


def test_maps_come_from_fine_to_coarse_and_the_last_holds_the_tokens(drawn: Drawn) -> None:
    batch = make_batch(drawn.train, drawn.network, np.arange(3))
    tokens = drawn.network.eval().features(batch).tokens["picture"]
    assert [tuple(level.shape) for level in tokens.levels] == [(3, 16, 24, 24), (3, 32, 12, 12), (3, 64, 6, 6)]
    assert tokens.grid == (6, 6)
    torch.testing.assert_close(tokens.levels[-1].flatten(2).transpose(1, 2), tokens.states)


def test_it_learns(drawn: Drawn) -> None:
    """Mean IoU on pictures it has not seen, against calling everything background."""
    _, fitted = drawn.fitted()
    truth = drawn.valid.targets["mask"]
    trivial = float(mean_iou(truth, np.zeros_like(truth))(np.ones((1, len(truth))))[0])
    kept = predict_examples(fitted.network, drawn.valid, tasks=drawn.tasks)["mask"]
    assert kept.dtype == np.uint8
    found = float(mean_iou(truth, kept)(np.ones((1, len(truth))))[0])
    assert found > trivial + 0.25, (found, trivial)
    assert fitted.best_score == pytest.approx(found)


def test_it_goes_with_what_does_not_touch_pooled_features(drawn: Drawn) -> None:
    for techniques in ((Accumulate(3),), (EMA(0.5), Partial(1)), (Probe(),)):
        copied = dataclasses.replace(drawn, network=Network(*_parts(drawn)))
        run, fitted = copied.fitted(*techniques, steps=4)
        assert run.cached == {}, "maps of lower blocks are not cached"
        assert np.isfinite(fitted.best_score)
        assert run.plan.total_steps == 4


def test_what_reads_pooled_features_is_refused(drawn: Drawn) -> None:
    for technique, fact in ((Mixup(), "mixable_targets"), (WarmStart(), "solvable_heads"), (TTA(), "row_")):
        with pytest.raises(RefusedError, match=rf"{technique.name} needs {fact}"):
            drawn.fitted(technique)
    assert not {"row_features", "solvable_heads", "row_targets"} & base_facts(drawn.network, drawn.tasks)
    assert "row_features" in FACTS


def test_an_input_whose_maps_are_read_is_not_cached(drawn: Drawn) -> None:
    drawn.network.encoder("picture").requires_grad_(False)
    assert cache_depths(drawn.network, []) == ({}, [])


def _parts(drawn: Drawn) -> tuple[dict[str, Any], dict[str, Head]]:
    """A new network of the same base and head."""
    encoder = parse_base(f"small-cnn:width=16,blocks=1,size={SIZE}").build(TrainingRows(), 0)
    network = Network({"picture": encoder}, {})
    return {"picture": encoder}, {"mask": drawn.tasks["mask"].make_head(network, "upward")}

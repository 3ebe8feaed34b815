"""Batches of made-up images, sounds and texts, and the streams that augmentations draw from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from graftwork.core.technique import Setup
from graftwork.data.batch import Batch, whole
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.image.small_cnn import SmallImageEncoder
from graftwork.networks.network import Network
from tinyrun import Worlds, make_worlds

SIZE = 8


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(rows: int = 6, size: int = SIZE, seed: int = 1) -> Tensor:
    return torch.rand(rows, 3, size, size, generator=stream(seed))


@pytest.fixture(scope="session")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    return make_worlds(tmp_path_factory.mktemp("fixtures"))


@pytest.fixture
def pictures(fixture: Callable[..., Any]) -> Callable[..., tuple[Network, Setup, Batch]]:
    """`pictures("photo", "back", rows=24)`: a network with these image columns, its setup and a batch of its rows."""

    def build(*columns: str, rows: int = 24, **settings: Any) -> tuple[Network, Setup, Batch]:
        names = columns or ("photo",)
        this = fixture(rows=rows, **settings)
        torch.manual_seed(0)
        encoders = {name: SmallImageEncoder(8, 1, 0.0, SIZE) for name in names}
        heads = {n: RowHead(32 * len(names), task.outputs) for n, task in this.setup.tasks.items()}
        inputs = {name: {"pixels": images(rows, seed=at)} for at, name in enumerate(names)}
        return Network(encoders, heads).train(), this.setup, whole(replace(this.batch, inputs=inputs))

    return build

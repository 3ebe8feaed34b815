from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image

from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.image.symbol_cnn import told_apart


def png(grid: np.ndarray) -> bytes:
    written = io.BytesIO()
    Image.fromarray(grid).save(written, "PNG")
    return written.getvalue()


def test_codes_are_told_apart_exactly() -> None:
    grid = torch.tensor(np.random.default_rng(0).integers(0, 11, (2, 3, 7, 7)))
    found = told_apart(grid.float() / 255, 11)
    expected = torch.nn.functional.one_hot(grid, 11).permute(0, 1, 4, 2, 3).reshape(2, 33, 7, 7).float()
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_a_code_above_the_last_is_the_last() -> None:
    found = told_apart(torch.full((1, 1, 1, 1), 200 / 255), 4).flatten()
    assert found.tolist() == [0.0, 0.0, 0.0, 1.0]


def test_what_is_between_two_codes_has_a_gradient() -> None:
    value = torch.tensor([[[[2.25 / 255]]]], requires_grad=True)
    found = told_apart(value, 4).flatten()
    torch.testing.assert_close(found, torch.tensor([0.0, 0.0, 0.75, 0.25]), atol=1e-4, rtol=0)
    found[3].backward()
    assert float(value.grad) > 0


def test_a_grid_is_read_cell_by_cell_whatever_it_holds() -> None:
    encoder = parse_base("symbol-cnn:width=8,size=7").build(TrainingRows(), 0)
    grid = np.random.default_rng(1).integers(0, 11, (7, 7, 3), np.uint8)
    batch = encoder.collate(encoder.prepare([png(grid)]))
    assert (batch["pixels"][0] * 255).round().permute(1, 2, 0).numpy().astype(np.uint8).tolist() == grid.tolist()

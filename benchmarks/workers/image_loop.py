"""The peer: the beginner's script. A ResNet18 from scratch, Adam at 1e-3, batches of 32, for so many CPU seconds.

Settings: train, test (parquet files), seconds (CPU seconds of the whole process), seed.
"""

from __future__ import annotations

import io
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import ResNetConfig, ResNetForImageClassification

from harness.clock import Clock
from harness.measure import settings_and_answer

BATCH, RATE = 32, 1e-3


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)
    torch.manual_seed(settings["seed"])
    images, labels, classes = read(settings["train"], None)
    config = ResNetConfig(
        hidden_sizes=[64, 128, 256, 512], depths=[2, 2, 2, 2], layer_type="basic", num_labels=len(classes)
    )
    model = ResNetForImageClassification(config).train()
    steps = train(model, images, labels, settings["seconds"])
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        torch.save(classes, Path(folder) / "classes.pt")
        spent = clock.read()
    accuracy = score(model.eval(), *read(settings["test"], classes)[:2])
    answer.write_text(json.dumps({**spent, "accuracy": accuracy, "epochs": steps * BATCH / len(labels)}))


def read(path: str, classes: list[str] | None) -> tuple[Tensor, Tensor, list[str]]:
    """Pixels from -1 to 1 (N, 3, H, W), class indices (N,), and the classes."""
    rows = pq.read_table(path)
    cells = rows.column("image").to_pylist()
    encoded = [cell["bytes"] if isinstance(cell, dict) else cell for cell in cells]
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(one)).convert("RGB")) for one in encoded])
    names = rows.column("label").to_pylist()
    known = classes or sorted(set(names))
    indices = torch.tensor([known.index(name) for name in names])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1, indices, known


def train(model: nn.Module, images: Tensor, labels: Tensor, seconds: float) -> int:
    """Steps until the process has used so many CPU seconds."""
    optimizer, steps = torch.optim.Adam(model.parameters(), lr=RATE), 0
    while True:
        for rows in torch.randperm(len(labels)).split(BATCH):
            if time.process_time() >= seconds:
                return steps
            optimizer.zero_grad()
            cross_entropy(model(images[rows]).logits, labels[rows]).backward()
            optimizer.step()
            steps += 1


def score(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    with torch.inference_mode():
        right = [
            (model(x).logits.argmax(1) == y).sum() for x, y in zip(images.split(200), labels.split(200), strict=True)
        ]
    return float(torch.stack(right).sum()) / len(labels)


if __name__ == "__main__":
    main()

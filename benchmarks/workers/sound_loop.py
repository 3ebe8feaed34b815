"""The peer: a plain PyTorch loop, a small CNN with batch norm over log-mel padded to the longest clip of the batch.

Settings: train, test (parquet files), target, epochs, seed.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from harness.clock import Clock
from harness.measure import settings_and_answer
from workers.sounds import log_mel, read

BATCH, RATE = 32, 1e-3


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)
    torch.manual_seed(settings["seed"])
    mels, labels = spectrograms(settings["train"], settings["target"])
    classes = sorted(set(labels))
    targets = torch.tensor([classes.index(label) for label in labels])
    model = network(len(classes))
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    for _ in range(settings["epochs"]):
        for rows in torch.randperm(len(mels)).split(BATCH):
            optimizer.zero_grad()
            cross_entropy(model(padded([mels[row] for row in rows])), targets[rows]).backward()
            optimizer.step()
    with tempfile.TemporaryDirectory() as folder:
        torch.save(model.state_dict(), Path(folder) / "model.pt")
        spent = clock.read()
    accuracy = score(model.eval(), *spectrograms(settings["test"], settings["target"]), classes)
    answer.write_text(json.dumps({**spent, "accuracy": accuracy}))


def spectrograms(path: str, target: str) -> tuple[list[np.ndarray], list[str]]:
    waves, labels = read(path, target)
    return [log_mel(np.pad(wave, (0, max(0, 2000 - len(wave))))) for wave in waves], labels


def network(classes: int) -> nn.Module:
    layers: list[nn.Module] = []
    for below, above in ((1, 32), (32, 64), (64, 128), (128, 256)):
        layers += [nn.Conv2d(below, above, 3, padding=1), nn.BatchNorm2d(above), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(256, classes))


def padded(mels: list[np.ndarray]) -> Tensor:
    """(B, 1, frames, bins), scaled to about -1 to 1."""
    longest = max(16, *map(len, mels))  # four poolings leave one frame of 16
    rows = [np.pad(mel, ((0, longest - len(mel)), (0, 0)), constant_values=np.log(1e-3)) for mel in mels]
    return torch.from_numpy(np.stack(rows))[:, None] / 4 + 0.7


def score(model: nn.Module, mels: list[np.ndarray], labels: list[str], classes: list[str]) -> float:
    with torch.inference_mode():
        given = [classes[int(model(padded([mel])).argmax())] for mel in mels]
    return float(np.mean([one == other for one, other in zip(given, labels, strict=True)]))


if __name__ == "__main__":
    main()

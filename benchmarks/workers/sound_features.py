"""What a base gives for each sound, frozen, in batches of clips of like length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BATCH = 16


def features(base: str, clips: Sequence[bytes]) -> np.ndarray:
    """(N, width), of the base that `graft fit --base` would take."""
    import torch

    from graftwork.networks.base_settings import TrainingRows
    from graftwork.networks.bases.registry import parse_base

    encoder = parse_base(base, "audio").build(TrainingRows(), 0).eval()
    rows = encoder.prepare(clips)
    order = np.argsort([len(row) for row in rows], kind="stable")
    found = np.zeros((len(rows), encoder.width), np.float32)
    for start in range(0, len(rows), BATCH):
        at = order[start : start + BATCH]
        with torch.inference_mode():
            found[at] = encoder(encoder.collate([rows[row] for row in at])).numpy()
    return found

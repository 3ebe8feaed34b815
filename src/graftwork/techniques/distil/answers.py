"""What a teacher said of the rows of a batch: shared by the techniques that learn from a teacher."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from graftwork.data.batch import Batch
from graftwork.errors import UsageError


def of_rows(values: np.ndarray, batch: Batch) -> Tensor:
    """The rows of the batch (B, W), float32 and on its device, of what was said of all training rows (N, W)."""
    picked = np.asarray(values[batch.rows.cpu().numpy()], np.float32)
    return torch.from_numpy(picked).to(batch.rows.device)


def check_teacher(technique: str, teacher: str) -> None:
    """Raise UsageError where no teacher is named."""
    if not teacher.strip():
        raise UsageError(
            f"{technique}: there is no teacher. Name a saved model or a transformers classifier, "
            f"as in {technique}:teacher=out/model."
        )

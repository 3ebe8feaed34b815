"""The equal error rate on voices never trained on: of a saved model, of the frozen base, and of the base with
scikit-learn's discriminant analysis. The pairs and draws are those of the faces' benchmark.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from harness.measure import settings_and_answer
from workers.faces import verified
from workers.sound_features import features


def main() -> None:
    settings, answer = settings_and_answer()
    answer.write_text(json.dumps(measured(**settings)), encoding="utf-8")


def measured(method: str, train: str, test: str, base: str, model: str = "") -> dict[str, Any]:
    """method: ours (a saved model in the folder `model`), frozen or lda. train, test: parquet files of one fold."""
    return verified(method, train, test, model, partial(features, base), ("audio", "speaker"))


if __name__ == "__main__":
    main()

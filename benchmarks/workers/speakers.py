"""The equal error rate on voices never trained on: of a saved model, of the frozen base, and of the base with
scikit-learn's discriminant analysis. The pairs and draws are those of the faces' benchmark.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from harness.measure import settings_and_answer
from workers.faces import scored
from workers.sound_features import features


def main() -> None:
    settings, answer = settings_and_answer()
    answer.write_text(json.dumps(measured(**settings)), encoding="utf-8")


def measured(method: str, train: str, test: str, base: str, model: str = "") -> dict[str, Any]:
    """method: ours (a saved model in the folder `model`), frozen or lda. train, test: parquet files of one fold."""
    import pyarrow.parquet as pq

    began = time.process_time()
    known, new = (pq.read_table(path).to_pydict() for path in (train, test))
    if method == "ours":
        from graftwork.model import load

        embeddings = load(model).verifier().embed(new["audio"])
    else:
        embeddings = features(base, new["audio"])
        if method == "lda":
            from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

            solved = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto")
            embeddings = solved.fit(features(base, known["audio"]), known["speaker"]).transform(embeddings)
    spent = time.process_time() - began
    value, draws = scored(np.unique(new["speaker"], return_inverse=True)[1], embeddings)
    return {"eer": value, "cpu": spent, "draws": draws}


if __name__ == "__main__":
    main()

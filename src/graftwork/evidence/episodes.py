"""How well classes that training never had are learned from a few rows: scores of episodes, with their interval."""

from __future__ import annotations

import numpy as np

from graftwork.data.episodes import Episodes
from graftwork.evidence.details import EpisodeDetails
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.scores.intervals import RESAMPLES, bootstrap
from graftwork.tasks.metrics.registry import METRICS

METRIC = "episode_accuracy"


def evaluate_episodes(
    scores: np.ndarray, shape: Episodes, *, rows: int, unlabelled: int = 0, seed: int = 0, resamples: int = RESAMPLES
) -> Evaluation:
    """Of the scores of episodes (E,), drawn in this shape from so many labelled rows; the interval is over episodes."""
    return Evaluation(
        task="few-shot",
        rows=rows,
        unlabelled=unlabelled,
        scores=bootstrap(np.zeros(len(scores)), [(METRICS[METRIC], scores)], seed, resamples),
        details=EpisodeDetails(shape),
    )

"""How well bases' frozen features suit the labels of a job: LogME on features that probes have left in the cache."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

import numpy as np

from graftwork.evidence.transferability import log_me
from graftwork.recipe import Recipe
from graftwork.runs.advice.bases import with_bases
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.profile.features import frozen_base
from graftwork.runs.tune.space.tried_bases import kind_of

ROWS = 1000
"""Rows, evenly spread, on which it is computed: so many tell bases apart, and take less than a second."""


def transfer_score(job: Job, recipe: Recipe, listener: Listener | None = None) -> float | None:
    """LogME of the bases that a recipe names on training rows of a job, more is better: of several targets the mean
    over them. Features that a probe has read are taken from the cache.

    None where that says nothing: for a base that begins from nothing, and targets that are no classes or numbers of a
    row. Raises ModelError where a base can't be loaded.
    """
    if any(kind_of(base) == "scratch" for base in recipe.bases(job.train.schema).values()):
        return None
    base = frozen_base(with_bases(job, recipe), replace(recipe, techniques=()), listener)
    features = base.features(job.train, listener)
    found = []
    for target in base.heads:
        marks = features.labelled.get(target)
        values = np.asarray(features.targets.get(target, ()))
        if marks is None or not marks.any() or values.dtype == object or values.ndim > 2:
            continue
        rows = np.flatnonzero(marks)[:: max(1, round(int(marks.sum()) / ROWS))]
        found.append(log_me(features.values[rows], values[rows]))
    return fmean(found) if found else None

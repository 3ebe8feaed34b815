"""Bases and a job that tests of search spaces share."""

from __future__ import annotations

import pandas as pd
import pytest

import graftwork as gw
from graftwork.runs.job.job import Job
from jobs import job_of
from tiny import tiny_model, tiny_rows


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Tiny bases by name: one with three layers, and one with two of another kind."""
    folder = tmp_path_factory.mktemp("bases")
    first = tiny_model(folder / "first", "bert")
    second = tiny_model(folder / "second", "distilbert", n_layers=2)
    return {"first": str(first), "second": str(second)}


@pytest.fixture(scope="session")
def texts_job(bases: dict[str, str]) -> tuple[Job, gw.Recipe]:
    """150 texts of three topics, and a recipe whose base is the first."""
    recipe = gw.Recipe(base=bases["first"])
    return job_of(pd.DataFrame(tiny_rows(150), columns=["text", "label"]), recipe), recipe

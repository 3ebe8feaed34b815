"""What the report warns of before it looks at a prediction: the bases, the rows, and how the tables differ."""

from __future__ import annotations

from collections.abc import Mapping

from graftwork.data.table import Table
from graftwork.evidence.warnings import DataWarning, bases, differing, leaks, table_warnings
from graftwork.runs.job.job import Job


def data_warnings(job: Job, others: Mapping[str, Table]) -> list[DataWarning]:
    """others: the tables that the model is scored on, by their names; validation, test."""
    own = bases(job.bases.warnings) + leaks(job.leaks) + differing(job.shifts)
    return own + table_warnings(job.train, others, job.tasks)

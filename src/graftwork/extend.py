"""What a technique, a task, a base, a head or a metric of your own is made of: the names that outsiders may import.

    from graftwork.extend import Batch, Graft, Network, Phase, Setup, Technique, per_row

These stay from release to release; the modules that they come from may move. docs/extending.md leads through each.
"""

from __future__ import annotations

from graftwork.core.contract.setup import Check, Setup, TeacherOutputs
from graftwork.core.parallel.workers import Workers
from graftwork.core.rows.old_rows import OldRows
from graftwork.core.technique import (
    Aim,
    Cost,
    Gradient,
    Graft,
    LossOutput,
    Multiplier,
    Objective,
    Phase,
    Predictor,
    Rows,
    TaskLoss,
    Technique,
    Term,
    Terms,
    per_batch,
    per_row,
)
from graftwork.data.batch import Batch, Hidden, Inputs
from graftwork.data.rollouts import Rollouts
from graftwork.data.store.ragged import Ragged
from graftwork.data.table import Column, Kind, Modality, Table
from graftwork.data.tensors import Tensors, one_tensor
from graftwork.data.values import Targets, Values
from graftwork.errors import DataError, ModelError, RefusedError, UsageError
from graftwork.networks.base_settings import BaseSettings, TrainingRows, at_least, seeded
from graftwork.networks.bases.architectures import ARCHITECTURES
from graftwork.networks.bases.registry import BASES
from graftwork.networks.encoder import Encoder
from graftwork.networks.features import ColumnPlace, Features, Tokens
from graftwork.networks.heads.head import Head, HeadSettings, check_setting
from graftwork.networks.heads.registry import HEADS
from graftwork.networks.heads.rows import RowHead, RowHeadSettings
from graftwork.networks.heads.solving.problem import Problem
from graftwork.networks.network import Forward, Network, Output
from graftwork.networks.streams import own_stream
from graftwork.spaces import Choice, Range, Spaces
from graftwork.tasks.capabilities import Calibrated, Comparable, Mixable
from graftwork.tasks.learned import with_learned
from graftwork.tasks.metrics.metric import Metric, Scorer, from_sums, mean_of_rows
from graftwork.tasks.metrics.registry import METRICS
from graftwork.tasks.registry import TASKS
from graftwork.tasks.section import Grid, RowNote, Section, SeenRows
from graftwork.tasks.task import Answer, ColumnTask, Encoders, Task
from graftwork.techniques import TECHNIQUES
from graftwork.techniques.checks import check_range
from graftwork.techniques.streams import StepStream

__all__ = [
    "ARCHITECTURES",
    "BASES",
    "HEADS",
    "METRICS",
    "TASKS",
    "TECHNIQUES",
    "Aim",
    "Answer",
    "BaseSettings",
    "Batch",
    "Calibrated",
    "Check",
    "Choice",
    "Column",
    "ColumnPlace",
    "ColumnTask",
    "Comparable",
    "Cost",
    "DataError",
    "Encoder",
    "Encoders",
    "Features",
    "Forward",
    "Gradient",
    "Graft",
    "Grid",
    "Head",
    "HeadSettings",
    "Hidden",
    "Inputs",
    "Kind",
    "LossOutput",
    "Metric",
    "Mixable",
    "Modality",
    "ModelError",
    "Multiplier",
    "Network",
    "Objective",
    "OldRows",
    "Output",
    "Phase",
    "Predictor",
    "Problem",
    "Ragged",
    "Range",
    "RefusedError",
    "Rollouts",
    "RowHead",
    "RowHeadSettings",
    "RowNote",
    "Rows",
    "Scorer",
    "Section",
    "SeenRows",
    "Setup",
    "Spaces",
    "StepStream",
    "Table",
    "Targets",
    "Task",
    "TaskLoss",
    "TeacherOutputs",
    "Technique",
    "Tensors",
    "Term",
    "Terms",
    "Tokens",
    "TrainingRows",
    "UsageError",
    "Values",
    "Workers",
    "at_least",
    "check_range",
    "check_setting",
    "from_sums",
    "mean_of_rows",
    "one_tensor",
    "own_stream",
    "per_batch",
    "per_row",
    "seeded",
    "with_learned",
]

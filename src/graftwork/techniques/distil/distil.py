"""Distillation: a small network learns what a larger one, its teacher, predicts for the same rows.

A teacher's probabilities say more of a row than its label does: which other classes it resembles. They also exist
where there is no label, so unlabelled rows take part. It helps where the teacher is better than what the student
reaches on the labels alone; where it is not, or where the student is as large, it brings little. The teacher is asked
once a row, as it stands in the table: augmentation changes what the student sees, not what the teacher said.

Source: Hinton et al. 2015, "Distilling the Knowledge in a Neural Network" (the temperature, and its square as factor).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from graftwork.core.technique import Graft, Phase, Setup, Technique, Terms, per_row
from graftwork.data.batch import Batch
from graftwork.data.tensors import one_tensor
from graftwork.errors import UsageError
from graftwork.networks.network import Network, Output
from graftwork.spaces import Range, Spaces
from graftwork.tasks.capabilities import divergence
from graftwork.tasks.task import Task
from graftwork.techniques.checks import check_range
from graftwork.techniques.distil.answers import check_teacher, of_rows


def softened_divergence(task: Task, student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """`T^2 * KL(teacher / T || student / T)` of each row (B,); of numbers their squared difference, whatever T is."""
    return temperature**2 * divergence(task, student.float() / temperature, teacher.float() / temperature)


@dataclass(frozen=True)
class Distil(Technique):
    """Learn a teacher's predictions beside the labels, on all rows, labelled or not.

    teacher: a folder that fit wrote, or a folder or hub id of a transformers classifier; its labels must be the data's.
    temperature: above 0; what predictions are divided by, so that small probabilities count; without effect on numbers.
    weight: share of the loss that is the teacher's, from 0 (off) to 1 (the labels are not used); the labels keep the
        rest.
    """

    teacher: str
    temperature: float = 2.0
    weight: float = 0.9

    name: ClassVar[str] = "distil"
    phase: ClassVar[Phase] = Phase.DISTIL
    summary: ClassVar[str] = "learn what a larger model predicts, on all rows"
    searched: ClassVar[Spaces] = {"temperature": Range(1.0, 8.0, log=True), "weight": Range(0.3, 0.95)}
    needs: ClassVar[frozenset[str]] = frozenset({"row_identity", "target_column", "comparable_predictions"})
    uses_unlabelled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_teacher(self.name, self.teacher)
        check_range(self.name, "weight", self.weight, 0.0, 1.0)
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise UsageError(f"{self.name}: temperature is {self.temperature}. Expected a number above 0, such as 2.")

    @property
    def off(self) -> bool:
        return self.weight == 0.0

    @property
    def teachers(self) -> tuple[str, ...]:
        return (self.teacher,)

    def attach(self, network: Network, setup: Setup) -> Graft:
        said = setup.teacher_outputs[self.teacher].predictions

        def losses(batch: Batch, output: Output) -> Terms:
            terms = {}
            for name, answers in said.items():
                teacher, student = of_rows(answers, batch), one_tensor(output.predictions[name])
                value = softened_divergence(setup.tasks[name], student, teacher, self.temperature)
                terms[f"{self.name} {name}"] = per_row(value, batch, self.weight)
            return terms

        def combine(_batch: Batch, terms: Terms) -> Terms:
            kept = 1.0 - self.weight
            return {
                name: replace(term, weight=term.weight * kept) if name in said else term for name, term in terms.items()
            }

        return Graft(losses=losses, combine=combine)

"""What techniques may rely on of all targets of a run together, derived from what each task says of itself."""

from __future__ import annotations

from collections.abc import Collection

from graftwork.tasks.capabilities import Episodic
from graftwork.tasks.task import Task

OF_EVERY = frozenset({"mixable_targets", "comparable_predictions"})
"""Facts that hold of a run only where all of its tasks have them; of the others a technique takes the targets that fit.
"""


def run_facts(tasks: Collection[Task]) -> frozenset[str]:
    """The facts of a run with these tasks (`graftwork.core.contract.facts.FACTS`)."""
    each = [task.facts for task in tasks]
    found = frozenset[str]().union(*each) - OF_EVERY | OF_EVERY.intersection(*each)
    derived = {
        "several_targets": len(tasks) > 1,
        "row_targets": "structured_targets" not in found,
        "target_column": all(task.target == "column" for task in tasks),
        "known_classes": not any(isinstance(task, Episodic) for task in tasks),
        "only_class_targets": all(task.answer == "class" for task in tasks),
    }
    return found | {fact for fact, holds in derived.items() if holds}

"""Which heads fit a task: those whose needs its facts meet."""

from __future__ import annotations

import pytest

from graftwork.core.contract.facts import FACTS
from graftwork.errors import UsageError
from graftwork.networks.heads.registry import HEADS
from graftwork.tasks.registry import TASKS, fits, head_of


def test_each_head_needs_facts_that_there_are() -> None:
    for name, head in HEADS.own.items():
        assert head.fits, name
        assert head.fits <= set(FACTS), name


def test_the_usual_head_fits() -> None:
    for task in TASKS.own.values():
        assert head_of(task(), "auto") == task.usual_head
        assert fits(task(), HEADS[task.usual_head])


def test_a_head_fits_every_task_that_has_what_it_needs() -> None:
    assert head_of(TASKS["classification"](), "cosine:scale=8") == "cosine:scale=8"
    assert head_of(TASKS["identity"](), "linear") == "cosine"


@pytest.mark.parametrize(
    ("task", "head", "fit"),
    [
        ("regression", "cosine", "boosting, kernel, linear, mlp"),
        ("identity", "mlp", "cosine"),
        ("retrieval", "kernel", "towers"),
        ("classification", "towers", "boosting, cosine, kernel, linear, mlp"),
    ],
)
def test_a_head_that_does_not_fit_is_refused(task: str, head: str, fit: str) -> None:
    with pytest.raises(UsageError, match=rf"'{head}' does not fit the task {task}\. Expected one of: {fit}\."):
        head_of(TASKS[task](), head)

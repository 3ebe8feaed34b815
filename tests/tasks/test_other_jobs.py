"""graftwork.tasks.other_jobs: jobs under other names, and those that are not supported yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from command import graft, topics
from graftwork.errors import UsageError, nearest
from graftwork.tasks.metrics.registry import ALIASES, METRICS
from graftwork.tasks.other_jobs import CALLED, ELSEWHERE, UNSUPPORTED, about
from graftwork.tasks.registry import TASKS, parse_task


def test_every_name_stands_for_one_job() -> None:
    names = [name for group in (CALLED, ELSEWHERE, UNSUPPORTED) for each in group.values() for name in each]
    assert len(names) == len(set(names))
    assert not set(names) & set(TASKS)
    assert set(CALLED) <= set(TASKS)
    assert set(ALIASES.values()) <= set(METRICS)
    assert not set(ALIASES) & set(METRICS)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("detection", "finding objects in images is not supported yet"),
        ("Object Detection", "not supported yet"),
        ("translation", "translation is not supported yet"),
        ("token_classification", "It is called 'tagging' here"),
        ("text-classification", "It is called 'classification' here"),
        ("face-recognition", "It is called 'identity' here"),
        ("rl", "Acting in an environment is graft rl"),
        ("clasification", "Did you mean 'classification'"),
        ("cooking", "Known: bandit, classification"),
    ],
)
def test_an_unknown_task(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as error:
        parse_task(name)
    assert "graft list tasks" in str(error.value)
    assert "regression" in str(error.value)


def test_what_is_known_is_not_spoken_of() -> None:
    assert all(about(name) == "" for name in TASKS)
    assert parse_task("classification").name == "classification"


def test_on_the_command_line(tmp_path: Path) -> None:
    table = topics(tmp_path / "t.csv")
    graft("plan", table, "--target", "label", "--task", "detection").fails(2, "not supported yet", "graft list tasks")
    graft("plan", table, "--target", "label", "--metric", "f1").fails(2, "It is called 'macro_f1' here")
    graft("plan", table, "--target", "label", "--metric", "mse").fails(2, "'mse'", "Known: accuracy")
    ran = graft("plan", table, "--target", "label", "--with", "dropout").fails(
        2, "modality-dropout", "graft list techniq"
    )
    assert len(ran.err.splitlines()[-1]) < 200, "no list of all of them"


def test_the_nearest_name() -> None:
    assert nearest("LABEL", ["text", "label"]).startswith("Did you mean 'label'?")
    assert nearest("loss", ["log_loss", "accuracy"]).startswith("Did you mean 'log_loss'?")
    assert nearest("x", []) == "There are none."

"""graftwork.runs.bases.affordable: a large base is taken where time and memory allow it, and the reason is said."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import graftwork as gw
from graftwork.runs.bases import affordable
from graftwork.runs.bases.settling import known_bases, settled
from graftwork.runs.budget.look import Look
from graftwork.runs.clock import Deadline
from graftwork.runs.job.job import Job
from graftwork.runs.workspace import Workspace, open_workspace
from heard import Ear
from jobs import job_of
from tinybases import tiny_mpnet


@pytest.fixture(autouse=True)
def _mpnet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`mpnet` is at hand, and there is room for it."""
    tiny_mpnet(tmp_path / "home")
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(affordable, "free_memory", lambda: 8 * 10**9)


def english(rows: int) -> pd.DataFrame:
    pairs = [(f"the {'room' if row % 2 else 'food'} was fine {row}", "ab"[row % 2]) for row in range(rows)]
    return pd.DataFrame(pairs, columns=["text", "label"])


def slow(monkeypatch: pytest.MonkeyPatch, seconds: float, *, cached: bool = True) -> None:
    """A row takes so many seconds."""

    def looked(*_: object) -> Look:
        return Look(0.0, seconds, seconds, {"text": 1.0} if cached else {})

    monkeypatch.setattr(affordable, "first_look", looked)


def untimed(monkeypatch: pytest.MonkeyPatch) -> None:
    def looked(*_: object) -> Look:
        pytest.fail("it was timed")

    monkeypatch.setattr(affordable, "first_look", looked)


def chosen(budget: Deadline | None, recipe: gw.Recipe | None = None) -> tuple[Job, str]:
    """The job, its bases settled, and what was said."""
    recipe, ear = recipe or gw.Recipe(), Ear()
    job = job_of(english(100), recipe)
    assert job.bases.open == ("text",)
    assert job.bases.notes == (), "nothing is said before it is decided"
    job = settled(job, recipe, Workspace(), ear, budget)
    [said] = ear.notes
    assert job.bases.notes == (said,)
    assert job.bases.warnings == ()
    return job, said


def test_a_quick_pass_takes_the_large_base() -> None:
    job, said = chosen(None)
    assert job.bases.named == "mpnet"
    assert said.startswith("base: mpnet is chosen for 'text' (English): a pass over the 100 rows takes about ")


def test_without_a_budget_a_pass_may_take_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, 2.9)
    assert chosen(None)[0].bases.named == "mpnet"
    slow(monkeypatch, 3.1)
    job, said = chosen(None)
    assert job.bases.named == "minilm"
    assert said == (
        "base: minilm is chosen for 'text', not mpnet: a pass over the 100 rows takes about 5 minutes here, too long "
        "without a budget that allows it"
    )


def test_a_budget_has_to_leave_time_for_two_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, 0.4)  # 40 s a pass
    assert chosen(Deadline.after(100))[0].bases.named == "mpnet"
    job, said = chosen(Deadline.after(70))
    assert job.bases.named == "minilm"
    assert said == (
        "base: minilm is chosen for 'text', not mpnet: a pass over the 100 rows takes about 40 s here, and a fit about "
        "2 of them: more than the budget of 70s has left; probes of it are tried on the rows that there is time for"
    )
    assert job.bases.each["text"].slower == ("mpnet", 0.4)


def test_test_rows_count(monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, 0.4)
    job = job_of(english(100), gw.Recipe(), test=english(200))
    assert settled(job, gw.Recipe(), Workspace(), Ear(), Deadline.after(100)).bases.named == "minilm"


def test_a_small_budget_times_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    untimed(monkeypatch)
    job, said = chosen(Deadline.after(20))
    assert job.bases.named == "minilm"
    assert said == ("base: minilm is chosen for 'text', not mpnet: a budget of 20s is too small for it (less than 30s)")


def test_memory_is_looked_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(affordable, "free_memory", lambda: 3_200_000_000)
    job, said = chosen(None)
    assert job.bases.named == "minilm"
    assert said.endswith("not mpnet: a fit takes up to 5 GB of memory, and 3.2 GB are free")
    monkeypatch.setattr(affordable, "free_memory", lambda: None)  # where nobody knows
    assert chosen(None)[0].bases.named == "mpnet"


def test_a_trained_base_takes_more_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, 0.3, cached=False)
    assert chosen(Deadline.after(100), gw.Recipe())[0].bases.named == "mpnet"
    plain = gw.Recipe(techniques=(), training=gw.Training(epochs=5))
    job, said = chosen(Deadline.after(100), plain)
    assert job.bases.named == "minilm"
    assert "a fit about 16 of them" in said
    short = gw.Recipe(techniques=(), training=gw.Training(steps=1, batch=10))
    assert chosen(Deadline.after(100), short)[0].bases.named == "mpnet"


def test_a_damaged_base_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "home" / "bases" / "mpnet" / "model.safetensors").unlink()
    job, said = chosen(None)
    assert job.bases.named == "minilm"
    assert "it can't be used here: " in said
    assert "has no weights" in said


@pytest.mark.slow
def test_long_texts_are_read_by_the_chosen_base_too(monkeypatch: pytest.MonkeyPatch) -> None:
    table = english(60).assign(text=lambda frame: frame["text"] + " and so on" * 250)
    job = job_of(table, gw.Recipe())
    large = settled(job, gw.Recipe(), Workspace(), Ear(), None)
    assert large.bases.named == "mpnet:windows=2"
    monkeypatch.setattr(affordable, "free_memory", lambda: 0)
    small = settled(job, gw.Recipe(), Workspace(), ear := Ear(), None)
    assert small.bases.named == "minilm:windows=3"
    assert [note.partition(":")[0] for note in ear.notes] == ["base", "long texts"]
    assert list(small.bases.warnings) == ear.notes[1:]


@pytest.mark.slow
def test_each_input_has_a_choice_and_what_is_named_stays() -> None:
    table = english(60).assign(title=lambda frame: "the " + frame["text"])
    job = settled(job_of(table, gw.Recipe(), target="label"), gw.Recipe(), Workspace(), ear := Ear(), None)
    assert job.bases.named == "mpnet"
    assert len(ear.notes) == 2
    recipe = gw.Recipe(base={"title": "minilm"})
    job = settled(job_of(table, recipe, target="label"), recipe, Workspace(), ear := Ear(), None)
    assert job.bases.named == {"text": "mpnet", "title": "minilm"}
    assert len(ear.notes) == 1


def test_a_resumed_call_does_not_measure_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = gw.Recipe()
    job = settled(job_of(english(60), recipe), recipe, open_workspace(tmp_path / "m", False), Ear(), None)
    untimed(monkeypatch)
    known = known_bases(recipe, open_workspace(tmp_path / "m", True))
    assert known == job.bases


def test_the_resolved_recipe_repeats_the_run_without_a_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = gw.Recipe(techniques=(gw.Probe(),))
    first = gw.fit(english(60), target="label", recipe=recipe, out=tmp_path / "a", verbose=False)
    assert "mpnet" in first.recipe.base_text
    untimed(monkeypatch)
    again = gw.fit(english(60), target="label", recipe=first.recipe, out=tmp_path / "b", verbose=False)
    asked = ["the food was fine", "room"]
    assert (again.predict_proba(asked) == first.predict_proba(asked)).all()

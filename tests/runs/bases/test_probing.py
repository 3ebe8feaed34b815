"""graftwork.runs.bases.probing: of the bases for sounds the best by a cross-validated probe, the same every time."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

import graftwork as gw
from graftwork.runs.bases import probing
from graftwork.runs.bases.settling import settled
from graftwork.runs.clock import Deadline
from graftwork.runs.job.job import Job
from graftwork.runs.workspace import Workspace
from heard import Ear
from jobs import job_of
from tinybases import fetched
from tinysound import tiny_clips, tiny_sound_model


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path / "home"))
    for name, kind in {"whisper-base": "whisper", "ge2e-speaker": "ge2e-speaker"}.items():
        fetched(tiny_sound_model(tmp_path / "home" / "bases" / name, kind))


def sounds(rows: int = 72) -> pd.DataFrame:
    return pd.DataFrame(tiny_clips(rows), columns=["clip", "label"])


def scored(monkeypatch: pytest.MonkeyPatch, **scores: float) -> None:
    by_name = {name.replace("_", "-"): value for name, value in scores.items()}

    def found(_job: Job, _recipe: gw.Recipe, _name: str, options: Sequence[str]) -> dict[str, float]:
        return {one: by_name[one] for one in options}

    monkeypatch.setattr(probing, "_scores", found)


def chosen(job: Job, recipe: gw.Recipe | None = None, budget: Deadline | None = None) -> tuple[Job, list[str]]:
    settled_job = settled(job, recipe or gw.Recipe(), Workspace(), ear := Ear(), budget)
    assert settled_job.bases.open == ()
    return settled_job, ear.notes


def test_the_best_of_real_probes_is_taken_and_the_same_again(tmp_path: Path) -> None:
    job = job_of(sounds(), gw.Recipe())
    first, notes = chosen(job)
    [note] = notes
    assert first.bases.named in ("whisper-base", "ge2e-speaker", "mel-cnn")
    assert f"base: {first.bases.named} is chosen for 'clip'" in note
    assert "probes on 63 rows: " in note or "probes on 64 rows: " in note
    [kept] = (tmp_path / "cache" / "base-probes").glob("*/scores.json")
    before = kept.read_text()
    shutil.rmtree(kept.parent)
    assert chosen(job)[0].bases == first.bases
    assert kept.read_text() == before


def test_scores_decide_and_the_first_of_equal_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_of(sounds(), gw.Recipe())
    scored(monkeypatch, whisper_base=0.7, ge2e_speaker=0.9, mel_cnn=0.5)
    taken, [note] = chosen(job)
    assert taken.bases.named == "ge2e-speaker"
    assert note.endswith("(probes on 63 rows: whisper-base 0.7, ge2e-speaker 0.9)")
    scored(monkeypatch, whisper_base=0.9, ge2e_speaker=0.9, mel_cnn=0.9)
    assert chosen(job)[0].bases.named == "whisper-base"


def test_what_knows_less_than_an_untrained_network_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    scored(monkeypatch, whisper_base=0.7, ge2e_speaker=0.6, mel_cnn=0.8)
    taken, [note] = chosen(job_of(sounds(), gw.Recipe()))
    assert taken.bases.named == "mel-cnn"
    assert "nothing at hand knows more of such sounds than mel-cnn does untrained" in note


def test_with_few_rows_nothing_starts_from_scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    scored(monkeypatch, whisper_base=0.7, ge2e_speaker=0.6, mel_cnn=0.8)
    job = job_of(sounds(24), gw.Recipe())
    assert job.valid is None
    assert chosen(job)[0].bases.named == "whisper-base"


def test_a_small_budget_takes_the_smallest_untried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "_scores", lambda *_: pytest.fail("it was tried"))
    monkeypatch.setattr(probing, "_usual_seconds", lambda *_: 5.0)
    taken, [note] = chosen(job_of(sounds(), gw.Recipe()), budget=Deadline.after(20))
    assert taken.bases.named == "ge2e-speaker"
    assert note.startswith(
        "base: ge2e-speaker is chosen for 'clip' of whisper-base, ge2e-speaker; a budget of 20s is too"
    )


def test_numbers_are_probed_too() -> None:
    table = sounds().assign(label=[float(row % 7) for row in range(72)])
    _, [note] = chosen(job_of(table, gw.Recipe(task="regression")))
    assert "probes on" in note


def test_a_base_that_can_not_be_loaded_is_not_taken(tmp_path: Path) -> None:
    for name in ("whisper-base", "ge2e-speaker"):
        (tmp_path / "home" / "bases" / name / "model.safetensors").unlink()
    assert chosen(job_of(sounds(), gw.Recipe()))[0].bases.named == "mel-cnn"


def test_fit_begins_from_what_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    scored(monkeypatch, whisper_base=0.9, ge2e_speaker=0.6, mel_cnn=0.5)
    ear = Ear()
    recipe = gw.Recipe(techniques=(gw.Probe(),))
    model = gw.fit(sounds(), target="label", recipe=recipe, listener=ear)
    assert model.recipe.base == "whisper-base"
    assert sum("is chosen for 'clip'" in note for note in ear.notes) == 1
    assert model.report is not None
    assert any("is chosen for 'clip'" in note for note in model.report.notes)
    assert not [one for one in model.report.warnings if one.kind == "base"]

"""Ablations of learning by reward: which runs are made, what they say, and that none is made twice."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from quickworlds import Choice, Huge

import graftwork as gw
from graftwork.errors import NumericalError, RefusedError, UsageError
from graftwork.rl.ablation import cells as cells_module
from graftwork.rl.ablation.ablate import ablate_recipe
from graftwork.rl.ablation.arms import arms_of
from graftwork.rl.learning.run import run_one
from graftwork.rl.recipe import RLRecipe
from graftwork.rl.world.environments import EnvironmentCrashedError

SHORT: dict[str, Any] = {"algorithm": "ppo:steps=64,batch=64,epochs=4,lr=0.01", "steps": 512, "episodes": 5, "envs": 4}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path / "home"))


def test_arms_lack_a_part_each_and_without_the_base_its_techniques_too() -> None:
    recipe = RLRecipe(env="CartPole-v1", base="gru", techniques=[gw.LoRA()], normalise=True, demonstrations="d.csv")
    arms = arms_of(recipe)
    assert list(arms.each) == ["all", "without base", "without lora", "without demonstrations", "without normalisation"]
    bare = arms.each["without base"]
    assert (bare.base, tuple(bare.techniques), bare.normalise) == (None, (), True)
    assert arms.each["without lora"] == replace(recipe, techniques=())
    assert not arms.each["without normalisation"].normalise
    assert arms.each["without demonstrations"].demonstrations is None
    assert [(one.name, one.kind) for one in arms.design.comparisons] == [
        ("base", "part"),
        ("lora", "technique"),
        ("demonstrations", "part"),
        ("normalisation", "part"),
    ]


def test_a_recipe_without_parts_is_refused_with_what_there_could_be() -> None:
    with pytest.raises(UsageError, match=r"nothing to leave out.*--normalise or --base"):
        ablate_recipe(RLRecipe(env="CartPole-v1"))


@pytest.mark.slow
def test_what_scaling_brings_is_found_where_nothing_is_learned_without(tmp_path: Path) -> None:
    recipe = RLRecipe(env=Huge, normalise=True, **SHORT | {"steps": 1024})
    found = ablate_recipe(recipe, repeats=5, out=tmp_path / "page")
    (finding,) = found.findings
    assert (finding.name, finding.verdict, finding.repeats) == ("normalisation", "helps", 5)
    assert finding.value is not None
    assert finding.value > 2  # of ten; half are right by chance
    html = (tmp_path / "page" / "ablation.html").read_text(encoding="utf-8")
    assert "paired t test over the seeds" in html
    assert "Nadeau" not in html  # that is for rows that splits share
    plain = json.loads((tmp_path / "page" / "ablation.json").read_text(encoding="utf-8"))
    assert len(plain["cells"]) == 10


@pytest.mark.slow
def test_a_cell_is_the_run_made_by_hand_and_is_not_made_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = RLRecipe(env=Choice, normalise=True, seed=3, **SHORT)
    found = ablate_recipe(recipe, repeats=2)
    by_hand = run_one(replace(recipe, normalise=False), None, seed=4)
    assert by_hand.final is not None
    (cell,) = (one for one in found.cells if (one.arm, one.repeat) == ("without normalisation", 1))
    assert cell.score == by_hand.final.mean
    assert not cell.reused

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("made twice")

    monkeypatch.setattr(cells_module, "run_one", never)
    again = ablate_recipe(recipe, repeats=2)
    assert all(one.reused for one in again.cells)
    assert [one.score for one in again.cells] == [one.score for one in found.cells]
    with pytest.raises(AssertionError, match="made twice"):
        ablate_recipe(replace(recipe, steps=256), repeats=2)


def test_in_python_it_is_one_call(capsys: pytest.CaptureFixture[str]) -> None:
    recipe = gw.RLRecipe(env=Choice, normalise=True, **SHORT)
    found = gw.ablate_rl(recipe, repeats=1, verbose=False)
    assert isinstance(found, gw.RLAblation)
    assert capsys.readouterr().err == ""
    assert "normalisation" in repr(found)


def test_three_seeds_say_that_a_verdict_needs_more() -> None:
    found = ablate_recipe(RLRecipe(env=Choice, normalise=True, **SHORT), repeats=2)
    assert "has no verdict" in found.findings[0].sentence
    assert "needs 5" in found.findings[0].sentence


def test_a_run_that_fails_is_counted_and_two_seeds_without_any_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = RLRecipe(env=Choice, normalise=True, **SHORT)

    def crashing(one: RLRecipe, *_: Any, seed: int, **__: Any) -> Any:
        if seed == 1 and one.normalise:
            raise EnvironmentCrashedError("the world ended")
        return run_one(one, None, seed=seed)

    monkeypatch.setattr(cells_module, "run_one", crashing)
    found = ablate_recipe(recipe, repeats=2)
    assert [(one.arm, one.failed) for one in found.failed] == [("all", "the world ended")]
    assert "1 run failed" in found.findings[0].sentence

    def never(*_: Any, **__: Any) -> Any:
        raise EnvironmentCrashedError("the world ended")

    monkeypatch.setattr(cells_module, "run_one", never)
    with pytest.raises(NumericalError, match=r"first 2 seeds could be finished.*the world ended"):
        ablate_recipe(replace(recipe, seed=10), repeats=5)


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = RLRecipe(env=Choice, normalise=True, **SHORT)
    made: list[int] = []

    def interrupted(one: RLRecipe, *_: Any, seed: int, **__: Any) -> Any:
        made.append(seed)
        run = run_one(one, None, seed=seed)
        return replace(run, interrupted=True) if len(made) == 3 else run

    monkeypatch.setattr(cells_module, "run_one", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ablate_recipe(recipe, repeats=2)
    found = ablate_recipe(recipe, repeats=2)
    assert [one.reused for one in found.cells] == [True, True, False, False]


def test_an_arm_that_can_not_be_run_is_said_and_all_of_them_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = RLRecipe(env=Choice, normalise=True, **SHORT)

    def check(self: Any, name: str, _: RLRecipe) -> None:
        self.about[name] = name
        if name != "all":
            raise UsageError("no network reads it")

    monkeypatch.setattr(cells_module.Cells, "check", check)
    with pytest.raises(RefusedError, match=r"nothing left to compare.*no network reads it"):
        ablate_recipe(recipe, repeats=2)


def test_a_budget_begins_no_further_seed_than_it_has_time_for() -> None:
    found = ablate_recipe(RLRecipe(env=Choice, normalise=True, **SHORT), repeats=5, budget=0.01)
    assert found.repeats == 1
    assert "the budget is used up after 1 seed" in found.notes

"""From runs to what is shown: on an environment that takes no time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from quickworlds import Choice

import graftwork as gw
from graftwork.evidence.rl.page.page import page
from graftwork.evidence.rl.told import told
from graftwork.rl.learning.run import Run, run_one
from graftwork.rl.recipe import RLRecipe
from graftwork.rl.shown.commands import commands
from graftwork.rl.shown.reporting import outcome_of, parts_of


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    recipe = RLRecipe(env=Choice, algorithm="ppo:steps=32,batch=64,epochs=4,lr=0.01", steps=1024, episodes=5)  # type: ignore[arg-type]
    return [run_one(recipe, None, seed=seed) for seed in range(2)]


def test_what_was_learned_is_held_against_random_actions_and_filmed(runs: list[Run]) -> None:
    found = outcome_of(runs, kept=1)
    assert found.random is not None
    assert 3 < np.mean(found.random.returns) < 7
    assert found.mean.value == pytest.approx(10)
    assert [one.name for one in found.clips] == ["best", "typical"]
    assert found.clips[0].returned == 10
    assert [one.final for one in found.runs] == [one.final for one in runs]
    assert found.kept == 1
    assert "env: Choice" in found.about.recipe
    assert found.about.versions.keys() >= {"graftwork", "gymnasium", "stable_baselines3"}
    assert "Return 10 after 1,024 steps" in str(told(found))
    assert "Acting at random" in page(found)


def test_an_environment_that_fails_to_draw_loses_nothing(runs: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Choice, "fails", True)
    found = outcome_of(runs, kept=0)
    assert found.clips == ()
    assert "no pictures today" in page(found)
    monkeypatch.setattr(Choice, "metadata", {})
    assert "render mode" in outcome_of(runs, kept=0).clips_missing


def test_clips_that_are_not_asked_for_are_not_made(runs: list[Run]) -> None:
    assert outcome_of(runs, kept=0, filmed=False).clips == ()


def test_an_environment_that_fails_at_random_actions_is_said(runs: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    def step(*_: Any) -> Any:
        raise ValueError("broken by now")

    monkeypatch.setattr(Choice, "step", step)
    found = outcome_of(runs, kept=0)
    assert found.random is None
    assert found.lead is None
    assert "broken by now" in " ".join(found.about.notes)
    assert "not distinguishable" not in str(told(found))


def test_parts_are_what_an_ablation_can_leave_out() -> None:
    recipe = RLRecipe(env="CartPole-v1", base="gru", techniques=[gw.LoRA()], normalise=True, demonstrations="d.csv")
    assert parts_of(recipe) == ("base", "lora", "demonstrations", "normalisation")
    assert parts_of(RLRecipe(env="CartPole-v1")) == ()


def test_commands_go_on_with_what_is_there() -> None:
    recipe = RLRecipe(env="CartPole-v1", algorithm="ppo:lr=0.001", steps=500, normalise=True, episodes=7, seed=2)  # type: ignore[arg-type]
    found = commands(recipe, 3, "runs/my cart", 512)
    same = "graft rl --env CartPole-v1 --algorithm ppo:lr=0.001 --normalise --steps {} --episodes 7 --seed 2"
    assert found.longer == f"{same.format(1600)} --seeds 3 --out 'runs/my cart' --resume"
    assert found.seeds == f"{same.format(500)} --seeds 5 --out 'runs/my cart' --resume"
    assert found.resume == f"{same.format(500)} --seeds 3 --out 'runs/my cart' --resume"
    assert found.ablate == "graft ablate 'runs/my cart'"
    assert commands(replace(recipe, env="my:World"), 1, "x", 5).ablate == "graft ablate x --env my:World"
    assert commands(replace(recipe, env=Choice), 3, "x", 5).longer == ""


def test_commands_name_bases_techniques_and_the_budget() -> None:
    recipe = RLRecipe(env="A-v1", base={"image": "small-cnn", "mission": "gru"}, techniques=[gw.LoRA(rank=4)])
    found = commands(recipe, 1, "", 31_744, budget=600)
    assert found.normalise == (
        "graft rl --env A-v1 --base image=small-cnn --base mission=gru --algorithm ppo --with lora:rank=4 --normalise "
        "--budget 10m"
    )
    assert "--steps 96000" in found.longer
    assert "--budget" not in found.longer
    assert found.resume == found.ablate == found.use == ""

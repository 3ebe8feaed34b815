"""A model that was fitted on rows is a base of a policy: its encoder reads a text, frozen or trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import tinyworlds
from command import QUICK, graft
from graftwork.networks.bases.saved import load_encoder
from graftwork.rl.learning.run import run_one
from graftwork.rl.policies.policy import load_policy
from graftwork.rl.recipe import RLRecipe
from tiny import tiny_bert


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fitted")
    rows = [f"go to the {colour} ball,{colour}" for colour in tinyworlds.COLOURS for _ in range(12)]
    (folder / "missions.csv").write_text("\n".join(["mission,colour", *rows]) + "\n")
    base = tiny_bert(folder / "bert")
    data = (folder / "missions.csv", "--target", "colour", "--kind", "mission=text")
    graft("fit", *data, "--base", base, *QUICK, "--out", folder / "model").works()
    return folder / "model"


@pytest.mark.parametrize("techniques", [[], ["full"]])
def test_a_fitted_model_reads_the_text(fitted: Path, tmp_path: Path, techniques: list[str]) -> None:
    recipe = RLRecipe(
        env=tinyworlds.Spoken,
        base={"mission": str(fitted)},
        techniques=techniques,  # type: ignore[arg-type]
        algorithm="ppo:steps=8,batch=16,epochs=1,hidden=8",  # type: ignore[arg-type]
        steps=64,
        envs=2,
        episodes=2,
    )
    policy = run_one(recipe, seed=0).policy
    (own,) = policy.reading.inputs
    before = load_encoder(fitted, 0).state_dict()
    encoder = next(iter(policy.network.sees.encoders)) if techniques else own.encoder
    same = all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    assert same == (not techniques)
    seen = [tinyworlds.Spoken().reset(seed=seed)[0] for seed in range(6)]
    again = load_policy(policy.save(tmp_path / "policy"))
    for deterministic in (True, False):
        assert np.array_equal(policy.act_many(seen, deterministic, seed=1), again.act_many(seen, deterministic, seed=1))

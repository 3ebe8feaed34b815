"""A policy as a folder: what was saved acts the same without gymnasium too, and what is damaged is said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyworlds
from graftwork.errors import ModelError, UsageError
from graftwork.rl.learning.run import run_one
from graftwork.rl.policies.policy import Policy, load_policy
from graftwork.rl.recipe import RLRecipe
from graftwork.rl.world.environments import open_world
from graftwork.rl.world.scoring import Scorer
from pictures import tiny_image_model
from tiny import tiny_bert

SAC = "sac:starts=32,batch=16,hidden=8"


def observed(env: Any, count: int = 12) -> list[Any]:
    made = env()
    return [made.reset(seed=seed)[0] for seed in range(count)]


def learned(env: Any, **settings: Any) -> Policy:
    usual: dict[str, Any] = {
        "algorithm": "ppo:steps=8,batch=16,epochs=1,hidden=8",
        "steps": 64,
        "envs": 2,
        "episodes": 2,
    }
    return run_one(RLRecipe(env=env, **(usual | settings)), seed=0).policy


@pytest.mark.parametrize(
    ("env", "settings"),
    [
        (tinyworlds.Signal, {"normalise": True}),
        (tinyworlds.FromOne, {"algorithm": "dqn:starts=16,hidden=8", "envs": 1}),
        (tinyworlds.Numbers, {"algorithm": SAC, "envs": 1}),
        (tinyworlds.Several, {"algorithm": "a2c:hidden=8+8", "normalise": True}),
    ],
)
def test_what_is_read_back_acts_the_same(tmp_path: Path, env: Any, settings: dict[str, Any]) -> None:
    policy = learned(env, **settings)
    policy.save(tmp_path / "policy")
    again = load_policy(tmp_path / "policy")
    seen = observed(env)
    for deterministic in (True, False):
        one = policy.act_many(seen, deterministic, seed=5)
        assert np.array_equal(one, again.act_many(seen, deterministic, seed=5))
    assert again.about == policy.about
    assert {each.name for each in (tmp_path / "policy").iterdir()} == {"policy.json", "weights.safetensors"}


@pytest.mark.slow
def test_it_needs_neither_gymnasium_nor_stable_baselines(tmp_path: Path) -> None:
    learned(tinyworlds.Signal).save(tmp_path / "policy")
    code = (
        "import sys; sys.modules['gymnasium'] = None; sys.modules['stable_baselines3'] = None\n"
        "from graftwork.rl.policies.policy import load_policy\n"
        f"print(load_policy({str(tmp_path / 'policy')!r}).act([1.0, 0.5]))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() in ("0", "1")


def damaged(folder: Path, change: str) -> None:
    manifest = folder / "policy.json"
    if change == "missing":
        (folder / "weights.safetensors").unlink()
    elif change == "weights":
        content = bytearray((folder / "weights.safetensors").read_bytes())
        content[-1] ^= 1
        (folder / "weights.safetensors").write_bytes(content)
    elif change == "cut":
        manifest.write_text(manifest.read_text()[:-20])
    else:
        told = json.loads(manifest.read_text())
        told["network"]["hidden"] = [10**9]
        manifest.write_text(json.dumps(told))


@pytest.mark.parametrize("change", ["missing", "weights", "cut", "edited"])
def test_a_damaged_one_is_refused(tmp_path: Path, change: str) -> None:
    folder = learned(tinyworlds.Signal).save(tmp_path / "policy")
    damaged(folder, change)
    with pytest.raises(ModelError, match="damaged"):
        load_policy(folder)


def test_a_network_that_is_larger_than_its_weights_is_refused(tmp_path: Path) -> None:
    from graftwork.networks.manifest import sealed

    folder = learned(tinyworlds.Signal).save(tmp_path / "policy")
    told = json.loads((folder / "policy.json").read_text())
    told["network"]["hidden"] = [10**6, 10**6]
    (folder / "policy.json").write_text(json.dumps(sealed(told)))
    with pytest.raises(ModelError, match="a layer is 1000000 wide, and its weights are 8"):
        load_policy(folder)


def test_a_name_of_code_in_it_is_never_imported(tmp_path: Path) -> None:
    from graftwork.networks.manifest import sealed

    folder = learned(tinyworlds.Signal).save(tmp_path / "policy")
    told = json.loads((folder / "policy.json").read_text())
    told["about"]["env"] = told["about"]["recipe"]["env"] = "this:s"  # the module prints when it is imported
    (folder / "policy.json").write_text(json.dumps(sealed(told)))
    sys.modules.pop("this", None)
    assert load_policy(folder).act(np.array([1.0, 0.5])) in (0, 1)
    assert "this" not in sys.modules


def test_what_is_no_policy_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no policy folder"):
        load_policy(tmp_path / "nothing")
    with pytest.raises(ModelError, match="not a policy"):
        load_policy(tmp_path)
    (tmp_path / "policy.json").write_text('{"hello": 1}')
    with pytest.raises(UsageError, match="not written by graftwork"):
        learned(tinyworlds.Signal).save(tmp_path)


BASES = {
    "frozen": {},
    "tuned": {"techniques": ["lora:rank=2"]},
    "fused": {"techniques": ["gated:width=8"]},
    "partly": {"techniques": ["partial:blocks=1"]},
}


@pytest.mark.parametrize(
    "which", [pytest.param(name, marks=[] if name == "tuned" else [pytest.mark.slow]) for name in BASES]
)
def test_bases_that_read_texts_and_pictures(tmp_path: Path, which: str) -> None:
    text, image = tiny_bert(tmp_path / "bert"), tiny_image_model(tmp_path / "image")
    base = {"text": str(text), "image": str(image)}
    policy = learned(tinyworlds.Spoken, base=base, **BASES[which])
    seen = observed(tinyworlds.Spoken)
    outputs = policy.act_many(seen, deterministic=False, seed=1)
    policy.save(tmp_path / "policy")
    again = load_policy(tmp_path / "policy")
    assert np.array_equal(outputs, again.act_many(seen, deterministic=False, seed=1))
    world = open_world(tinyworlds.Spoken)
    assert (
        Scorer(world).score(policy.act_many, [1, 2, 3]).returns
        == Scorer(world).score(again.act_many, [1, 2, 3]).returns
    )

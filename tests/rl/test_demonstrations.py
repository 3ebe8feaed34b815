"""A policy that begins from demonstrations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import graftwork as gw
import tinyworlds
from graftwork.errors import DataError, RefusedError, UsageError
from graftwork.progress import Screen
from graftwork.rl.learning.cloning import ValueFirst, value_steps
from graftwork.rl.learning.demonstrations import read_demonstrations
from graftwork.rl.learning.model_actor import as_rows
from graftwork.rl.learning.run import Run, run_one
from graftwork.rl.learning.run_files import fingerprint_of
from graftwork.rl.recipe import RLRecipe
from graftwork.rl.samples import Reach
from graftwork.rl.sight.reading import Reading
from graftwork.rl.world.environments import open_world
from graftwork.rl.world.observations import Part

QUICK = "ppo:steps=16,batch=32,epochs=2,lr=1e-3,hidden=16"


class Heard(Screen):
    """What a run says."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def shown(count: int = 120) -> dict[str, Any]:
    at = np.arange(count) % 2
    return {"observation.0": 2.0 * at - 1.0, "observation.1": np.full(count, 0.5), "action": at}


def written(path: Path, columns: dict[str, Any]) -> str:
    pq.write_table(pa.table(columns), path)
    return str(path)


def learned(source: str, env: Any = tinyworlds.Signal, steps: int = 64, **more: Any) -> tuple[Run, list[str]]:
    heard = Heard()
    recipe = {"algorithm": QUICK, "envs": 4, "episodes": 6, "evaluate_every": 64} | more
    return run_one(RLRecipe(env=env, demonstrations=source, steps=steps, **recipe), seed=0, listener=heard), heard.notes


@pytest.mark.slow
def test_the_first_score_is_that_of_what_was_demonstrated(tmp_path: Path) -> None:
    source = written(tmp_path / "demos.parquet", shown())
    run, notes = learned(source)
    assert run.scored[0].step == 0
    assert run.scored[0].returns == (5.0,) * 6
    told = (
        f"demonstrations: the policy was cloned from 108 rows of {source}, and does the same in 100% of those held out"
    )
    assert notes == [told]


@pytest.mark.parametrize(
    ("env", "action"),
    [
        (tinyworlds.FromOne, lambda at: at + 1),
        (tinyworlds.Numbers, lambda at: 2.0 * at - 1.0),
    ],
)
def test_actions_of_other_kinds_are_cloned_too(env: Any, action: Any, tmp_path: Path) -> None:
    columns = shown(400)
    run, _ = learned(written(tmp_path / "demos.parquet", columns | {"action": action(columns["action"])}), env)
    assert run.scored[0].mean >= 4.5  # by chance it is 2.5


@pytest.mark.slow
def test_what_is_normalised_is_scaled_by_the_demonstrations(tmp_path: Path) -> None:
    run, _ = learned(written(tmp_path / "demos.parquet", shown()), normalise=True)
    assert run.scored[0].returns == (5.0,) * 6


@pytest.mark.slow
def test_a_model_that_was_fitted_acts_and_is_cloned(tmp_path: Path) -> None:
    training = gw.Training(steps=60, batch=32, evaluations=1, precision="fp32", lr=1e-2)
    recipe = gw.Recipe(base="table-mlp:width=8,layers=1", techniques=[], training=training)
    gw.fit(pa.table(shown()), target="action", recipe=recipe, verbose=False, out=tmp_path / "bc")
    run, notes = learned(str(tmp_path / "bc"))
    assert run.scored[0].returns == (5.0,) * 6
    assert "bc, acting for 4,096 steps" in notes[0]


def test_pictures_and_their_columns_are_those_of_the_environment() -> None:
    world = open_world(Reach)
    env = Reach()
    seen = [env.reset(seed=seed)[0] for seed in range(3)]
    rows = as_rows(world.parts, seen).append_column("action", pa.array([0, 3, 1]))
    reading = Reading(world.parts)
    found = read_demonstrations_of(rows, world, reading)
    assert (found.stored["observation"] == np.stack([one.reshape(-1) for one in seen])).all()
    assert found.actions.tolist() == [0, 3, 1]


def read_demonstrations_of(rows: pa.Table, world: Any, reading: Reading) -> Any:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(rows, Path(folder) / "demos.parquet")
        return read_demonstrations(str(Path(folder) / "demos.parquet"), world, reading, 0)


def test_missions_and_maps_of_a_grid_world_are_read() -> None:
    world = open_world("minigrid:BabyAI-GoToLocalS5N2-v0")
    env = world.made(None)
    seen = [env.reset(seed=seed)[0] for seed in range(3)]
    small = tuple(part for part in world.parts if part.kind != "text")
    rows = as_rows(world.parts, seen).append_column("action", pa.array(["left", "forward", "right"]))
    found = read_demonstrations_of(rows, world, Reading(small))
    assert (found.stored["image"] == np.stack([one["image"].reshape(-1) for one in seen])).all()
    assert found.actions.tolist() == [0, 2, 1]
    assert rows.column("mission").to_pylist() == [one["mission"] for one in seen]


@pytest.mark.parametrize("way", ["inf", "1.5", "left"])
def test_a_category_that_is_no_whole_number_is_refused_with_its_row(way: str) -> None:
    world = replace(open_world(tinyworlds.Signal), parts=(Part("way", "category", ("way",), sizes=(3,), starts=(0,)),))
    rows = pa.table({"way": ["1", way], "action": [0, 1]})
    with pytest.raises(DataError, match="row 2: 'way' is not as the environment shows it"):
        read_demonstrations_of(rows, world, Reading(world.parts))


def test_an_action_that_the_environment_does_not_know_is_refused_with_its_row(tmp_path: Path) -> None:
    columns = shown()
    done = columns["action"].copy()
    done[[3, 9]] = 7
    with pytest.raises(DataError, match=r"demos.parquet has actions that Signal does not know: row 4: 7 is not"):
        learned(written(tmp_path / "demos.parquet", columns | {"action": done}))


def test_a_column_that_is_lacking_is_named(tmp_path: Path) -> None:
    columns = shown()
    del columns["observation.1"]
    with pytest.raises((UsageError, DataError), match=r"observation\.1"):
        learned(written(tmp_path / "demos.parquet", columns))


def test_a_picture_of_another_size_is_refused_with_its_row() -> None:
    world, env = open_world(Reach), Reach(render_mode="rgb_array")
    seen = env.reset(seed=0)[0]
    rows = as_rows(world.parts, [seen, seen])
    large = env.render()
    assert large is not None
    from graftwork.rl.world.looked_at import encoded

    cells = [*rows.column("observation").to_pylist()[:1], encoded(Part("x", "image", shape=large.shape), large)]
    rows = pa.table({"observation": cells, "action": [0, 1]})
    with pytest.raises(DataError, match=r"row 2: 'observation' is not as the environment shows it: its height"):
        read_demonstrations_of(rows, world, Reading(world.parts))


def test_algorithms_that_begin_from_values_are_refused(tmp_path: Path) -> None:
    source = written(tmp_path / "demos.parquet", shown())
    with pytest.raises(RefusedError, match="dqn begins from what it is worth"):
        learned(source, algorithm="dqn", envs=1)


@pytest.mark.slow
def test_the_policy_stays_as_it_was_cloned_while_its_value_is_learned(tmp_path: Path) -> None:
    source = written(tmp_path / "demos.parquet", shown())
    run, _ = learned(source, steps=640, evaluate_every=64)
    assert value_steps(640) == 64
    assert value_steps(None) == value_steps(10**9) == 8192
    assert len({one.returns for one in run.scored[:2]}) == 1


def test_the_value_alone_is_learned_at_first() -> None:
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback

    class Watched(BaseCallback):
        kept: list[dict[str, torch.Tensor]]

        def _on_rollout_start(self) -> None:
            self.kept.append({name: one.clone() for name, one in self.model.policy.state_dict().items()})

        def _on_step(self) -> bool:
            return True

    made = PPO("MlpPolicy", tinyworlds.Signal(), n_steps=16, batch_size=16, n_epochs=1, seed=0, device="cpu")
    watched = Watched()
    watched.kept = []
    made.learn(48, callback=[ValueFirst(16), watched])
    first, second, third = watched.kept
    same = {name for name in first if torch.equal(first[name], second[name])}
    assert same == {name for name in first if "value_net" not in name}
    assert not any(torch.equal(second[name], third[name]) for name in first if "action_net" in name)
    assert all(parameter.requires_grad for parameter in made.policy.parameters())


def test_other_demonstrations_under_the_same_name_make_another_run(tmp_path: Path) -> None:
    source = written(tmp_path / "demos.parquet", shown())
    recipe = RLRecipe(env=tinyworlds.Signal, demonstrations=source)
    world = open_world(recipe.env)
    before = fingerprint_of(recipe, world, 0)
    assert fingerprint_of(recipe, world, 0) == before
    written(tmp_path / "demos.parquet", shown(60))
    assert fingerprint_of(recipe, world, 0) != before

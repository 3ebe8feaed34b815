"""A policy learned in a world that speaks or in one of pixels, and how it does there; by the project or plain PPO.

Settings: task (speaks, pixels), steps, episodes, seed. speaks: method (ours, sb3), env, base. pixels: base (empty for
a CNN from scratch), techniques, demonstrations (episodes of the best way that are learned from first, 0 for none).
Learning alone is timed. Both methods play the same final episodes, from the same beginnings.
"""

from __future__ import annotations

import json
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import minigrid  # noqa: F401  # its import registers the worlds
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import stable_baselines3
import torch
from gymnasium import spaces
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from graftwork.evidence.rl.scored import Scored
from graftwork.rl.learning.model_actor import as_rows
from graftwork.rl.learning.run import run_one
from graftwork.rl.recipe import RLRecipe
from graftwork.rl.samples import Reach
from graftwork.rl.world.environments import open_world
from graftwork.rl.world.scoring import Scorer, episode_seeds
from harness.measure import settings_and_answer

ENVS, STEPS, BATCH, EPOCHS, LR = 16, 64, 256, 4, 7e-4
PPO = f"ppo:steps={STEPS},batch={BATCH},epochs={EPOCHS},lr={LR}"
SYNONYMS = {
    "go": "walk",
    "red": "crimson",
    "green": "emerald",
    "blue": "azure",
    "purple": "violet",
    "yellow": "golden",
    "grey": "silver",
    "ball": "sphere",
    "box": "crate",
    "key": "passkey",
}
"""Words of the missions, and others that say the same."""
WORDS = (*SYNONYMS, "to", "the", "a")
"""What the hand-coded reading knows."""


class Said(gymnasium.Wrapper):  # type: ignore[misc]
    """The same world with other words in its missions, and whether the mission was done."""

    def __init__(self, env: gymnasium.Env, words: dict[str, str]) -> None:
        super().__init__(env)
        self.words = words

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        seen, info = self.env.reset(**given)
        return self._said(seen), info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        seen, reward, ended, cut, info = self.env.step(action)
        told = {**info, "is_success": bool(reward > 0)} if ended or cut else info
        return self._said(seen), float(reward), ended, cut, told

    def _said(self, seen: dict[str, Any]) -> dict[str, Any]:
        return {**seen, "mission": " ".join(self.words.get(word, word) for word in seen["mission"].split())}


class HandCoded(gymnasium.ObservationWrapper):  # type: ignore[misc]
    """The grid, the direction and which of the known words the mission has, in one row of numbers."""

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        self.observation_space = spaces.Box(0.0, 255.0, (7 * 7 * 3 + 4 + len(WORDS),), np.float32)

    def observation(self, seen: dict[str, Any]) -> np.ndarray:
        said = set(seen["mission"].split())
        direction = np.eye(4, dtype=np.float32)[seen["direction"]]
        words = np.array([word in said for word in WORDS], np.float32)
        return np.concatenate([seen["image"].astype(np.float32).reshape(-1), direction, words])


class GridAndWords(BaseFeaturesExtractor):
    """The CNN of minigrid's documentation on the grid, beside direction and words."""

    def __init__(self, observation_space: spaces.Box) -> None:
        rest = observation_space.shape[0] - 147
        super().__init__(observation_space, 128 + 32)
        self.maps = nn.Sequential(
            *(nn.Conv2d(3, 16, 2), nn.ReLU(), nn.Conv2d(16, 32, 2), nn.ReLU(), nn.Conv2d(32, 64, 2), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(64 * 4 * 4, 128), nn.ReLU()),
        )
        self.words = nn.Sequential(nn.Linear(rest, 32), nn.ReLU())

    def forward(self, seen: Tensor) -> Tensor:
        grid = seen[:, :147].reshape(-1, 7, 7, 3).permute(0, 3, 1, 2)
        return torch.cat([self.maps(grid), self.words(seen[:, 147:])], dim=1)


def main() -> None:
    settings, answer = settings_and_answer()
    torch.set_num_threads(1)
    task = {"speaks": speaks, "pixels": pixels}[settings.pop("task")]
    answer.write_text(json.dumps(task(**settings)), encoding="utf-8")


def speaks(method: str, env: str, steps: int, episodes: int, seed: int, base: str = "minilm") -> dict[str, Any]:
    """Learned with the missions as they are; played with those, and with words that it never had."""
    act, spent = (_ours(env, base, steps, seed) if method == "ours" else _plain(env, steps, seed))[:2]
    played = {name: _played(env, words, act, episodes, seed) for name, words in (("", {}), ("other ", SYNONYMS))}
    return {
        **{f"{name}returns": list(one.returns) for name, one in played.items()},
        **{f"{name}successes": list(map(int, one.successes or ())) for name, one in played.items()},
        **spent,
    }


Act = Callable[[Sequence[Any]], Sequence[Any]]


def _ours(env: str, base: str, steps: int, seed: int) -> tuple[Act, dict[str, Any]]:
    """The last policy, as of the peer: nothing is chosen."""
    recipe = RLRecipe(
        env=lambda: Said(gymnasium.make(env), {}),
        base={"text": base},
        algorithm=PPO,  # type: ignore[arg-type]  # parsed there
        envs=ENVS,
        steps=steps,
        episodes=32,
        evaluate_every=max(1, steps // 4),
    )
    run = run_one(recipe, None, seed=seed)
    assert run.last is not None
    assert not run.failed, run.failed
    last = run.scored[-1]
    return run.last.act_many, {"steps": last.step, "wall": last.seconds, "cpu": last.cpu, "curve": curve(run.scored)}


def curve(scored: Sequence[Scored]) -> list[list[float]]:
    return [[one.step, one.mean] for one in scored]


def _plain(env: str, steps: int, seed: int) -> tuple[Act, dict[str, Any]]:
    worlds = make_vec_env(lambda: HandCoded(Said(gymnasium.make(env), {})), n_envs=ENVS, seed=seed)
    model = stable_baselines3.PPO(
        "MlpPolicy",
        worlds,
        n_steps=STEPS,
        batch_size=BATCH,
        n_epochs=EPOCHS,
        learning_rate=LR,
        policy_kwargs={"features_extractor_class": GridAndWords},
        seed=seed,
        device="cpu",
    )
    wall, cpu = time.monotonic(), _cpu()
    model.learn(steps)
    spent = {"steps": model.num_timesteps, "wall": time.monotonic() - wall, "cpu": _cpu() - cpu}
    reads = HandCoded(gymnasium.make(env))

    def act(seen: Sequence[Any]) -> Sequence[Any]:
        return list(model.predict(np.stack([reads.observation(one) for one in seen]), deterministic=True)[0])

    return act, spent


def _played(env: str, words: dict[str, str], act: Act, episodes: int, seed: int) -> Scored:
    scorer = Scorer(open_world(lambda: Said(gymnasium.make(env), words)))
    try:
        return scorer.score(act, episode_seeds(seed, episodes, last=True))
    finally:
        scorer.close()


def pixels(
    base: str, techniques: Sequence[str], demonstrations: int, steps: int, episodes: int, seed: int
) -> dict[str, Any]:
    """The world that the project makes, 64 pixels a side."""
    with tempfile.TemporaryDirectory() as folder:
        source = _demonstrated(Path(folder) / "demos.parquet", demonstrations, seed) if demonstrations else None
        recipe = RLRecipe(
            env=Reach,
            base={"image": base} if base else None,
            algorithm="ppo:steps=64,batch=128,epochs=6,lr=7e-4",  # type: ignore[arg-type]  # parsed there
            techniques=techniques,  # type: ignore[arg-type]  # parsed there
            demonstrations=source,
            envs=8,
            steps=steps,
            episodes=episodes,
            evaluate_every=max(1, steps // 4),
        )
        run = run_one(recipe, None, seed=seed)
    assert run.final is not None, run.failed
    last = run.scored[-1]
    return {
        "returns": list(run.final.returns),
        "successes": list(map(int, run.final.successes or ())),
        "curve": curve(run.scored),
        "steps": last.step,
        "wall": last.seconds,
        "cpu": last.cpu,
    }


def _demonstrated(path: Path, episodes: int, seed: int) -> str:
    """The shortest way, as often."""
    world, env = open_world(Reach), Reach()
    seen, done = [], []
    for episode in range(episodes):
        picture, ended = env.reset(seed=10_000 * (seed + 1) + episode)[0], False
        while not ended:
            seen.append(picture)
            done.append(env.best_action())
            picture, _, ended, cut, _ = env.step(done[-1])
            ended = ended or cut
    pq.write_table(as_rows(world.parts, seen).append_column("action", pa.array(done)), path)
    return str(path)


def _cpu() -> float:
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


if __name__ == "__main__":
    main()

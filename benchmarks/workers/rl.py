"""A policy learned in an environment, by the project or by plain stable-baselines3 with the same settings and network.

Settings: method (ours, sb3), env, algorithm (as `graft rl` takes it), steps, episodes, seed. Learning alone is timed,
scoring apart. The answer has the returns of the final episodes, and the scores by step where they were made.
"""

from __future__ import annotations

import json
import resource
import time
from typing import Any

import stable_baselines3
import torch
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

from graftwork.rl.algorithms import parse_algorithm
from graftwork.rl.learning.run import run_one
from graftwork.rl.recipe import RLRecipe
from harness.measure import settings_and_answer

FAR = 10_000
"""Between the seeds of learning and of final episodes, of plain stable-baselines3."""


def main() -> None:
    settings, answer = settings_and_answer()
    torch.set_num_threads(1)
    method = {"ours": ours, "sb3": plain}[settings.pop("method")]
    answer.write_text(json.dumps(method(**settings)), encoding="utf-8")


def ours(env: str, algorithm: str, steps: int, episodes: int, seed: int) -> dict[str, Any]:
    """The kept policy on episodes that nothing was chosen by, and the last one on those that chose."""
    recipe = RLRecipe(env=env, algorithm=parse_algorithm(algorithm), steps=steps, episodes=episodes)
    run = run_one(recipe, None, seed=seed)
    assert run.final is not None, run.failed
    last = run.scored[-1]
    return {
        "returns": list(run.final.returns),
        "last": last.mean,
        "curve": [[one.step, one.mean] for one in run.scored],
        "steps": last.step,
        "wall": last.seconds,
        "cpu": last.cpu,
    }


def plain(env: str, algorithm: str, steps: int, episodes: int, seed: int) -> dict[str, Any]:
    """As its documentation has it: learn, then evaluate the last policy."""
    chosen = parse_algorithm(algorithm)
    arguments = chosen.arguments()
    if chosen.replays:
        arguments["buffer_size"] = min(arguments["buffer_size"], steps)
    networks = {"net_arch": list(chosen.hidden)}
    worlds = make_vec_env(env, n_envs=chosen.usual_envs, seed=seed)
    model = getattr(stable_baselines3, chosen.name.upper())(
        "MlpPolicy", worlds, policy_kwargs=networks, seed=seed, device="cpu", **arguments
    )
    wall, cpu = time.monotonic(), _cpu()
    model.learn(steps)
    wall, cpu = time.monotonic() - wall, _cpu() - cpu
    tried = make_vec_env(env, n_envs=1, seed=seed + FAR)
    returns, _ = evaluate_policy(model, tried, n_eval_episodes=episodes, return_episode_rewards=True)
    return {"returns": list(map(float, returns)), "steps": model.num_timesteps, "wall": wall, "cpu": cpu}


def _cpu() -> float:
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


if __name__ == "__main__":
    main()

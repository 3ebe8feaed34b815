"""A policy from a log of rollouts: what was done by good and by bad drivers, and what came of it.

Drivers, few of whom know how to, hold up a pole on a cart (CartPole-v1 of gymnasium; needs the extra rl). Cloned as it
was done, a policy drives as most of them do; weighted by what came of each action, better. No policy drove while it was
learned.
"""

import gymnasium
import numpy as np
import pandas as pd

import graftwork as gw

ENV = "CartPole-v1"


def drive(drivers: int, seed: int = 0) -> pd.DataFrame:
    """One episode of each driver, a minute at most; five of six go the wrong way most of the time."""
    env, draw, rows = gymnasium.make(ENV), np.random.default_rng(seed), []
    for driver in range(drivers):
        seen, ended, step, slips = env.reset(seed=driver)[0], False, 0, 0.1 if driver % 6 == 0 else 0.8
        while not ended and step < 60:
            good = int(seen @ [0.1, 0.2, 1.0, 0.5] > 0)
            action = 1 - good if draw.random() < slips else good
            following, reward, fell, cut, _ = env.step(action)
            shown = {f"observation.{at}": float(value) for at, value in enumerate(seen)}
            rows.append({**shown, "action": action, "driver": driver, "step": step, "reward": reward})
            seen, ended, step = following, fell or cut, step + 1
    return pd.DataFrame(rows)


def main() -> None:
    log = drive(120)
    print(f"logged: {len(log):,} rows, return {log.groupby('driver').size().mean():.0f} on average")
    roles = {"rollout": "driver", "step": "step", "reward": "reward"}
    training = gw.Training(steps=250, batch=64, lr=3e-3, precision="fp32", evaluations=1)
    kinds = {"as it was done": [], "weighted by what came of it": ["advantage-weighted:temperature=0.3"]}
    for name, techniques in kinds.items():
        recipe = gw.Recipe(base="table-mlp:width=32", task="decision", techniques=techniques, training=training)
        model = gw.fit(log, target="action", roles=roles, recipe=recipe, verbose=False)
        played = gw.play(model, ENV, episodes=5)
        print(f"cloned {name}: return {played.model.mean:.0f} (at random {played.random.mean:.0f})")


if __name__ == "__main__":
    main()

"""A policy from logged choices: which offer to show on a shop's page, learned from the clicks on what was shown before.

The log is made here, so that the truth is known: each visitor would click on some offers more often than on others, and
the shop showed offers at random, those of the season far more often. The chance of each choice was logged.
"""

import numpy as np
import pandas as pd

import graftwork as gw

OFFERS = ("boots", "coats", "garden", "toys")
WORDS = {
    "boots": ("hiking", "trail", "mud", "leather"),
    "coats": ("winter", "warm", "wool", "snow"),
    "garden": ("roses", "seeds", "spade", "lawn"),
    "toys": ("puzzle", "blocks", "doll", "train"),
}
SHOWN = np.array([0.55, 0.25, 0.12, 0.08])
"""How often the shop showed each offer."""


def visits(rows: int, draw: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """What visitors searched for, their age and device; and the chance that each clicks on each offer."""
    wanted = draw.integers(0, len(OFFERS), rows)
    others = draw.integers(0, len(OFFERS), rows)
    searches = [
        " ".join(draw.permutation([*draw.choice(WORDS[OFFERS[one]], 2), draw.choice(WORDS[OFFERS[other]])]))
        for one, other in zip(wanted, others, strict=True)
    ]
    chance = np.full((rows, len(OFFERS)), 0.05)
    chance[np.arange(rows), others] += 0.10
    chance[np.arange(rows), wanted] += 0.35
    seen = pd.DataFrame(
        {"search": searches, "age": draw.integers(18, 80, rows), "device": draw.choice(["phone", "pc"], rows)}
    )
    return seen, chance


def main() -> None:
    draw = np.random.default_rng(0)
    log, chance = visits(3000, draw)
    action = draw.choice(len(OFFERS), len(log), p=SHOWN)
    log["offer"] = np.array(OFFERS)[action]
    log["propensity"] = SHOWN[action]
    log["click"] = (draw.random(len(log)) < chance[np.arange(len(log)), action]).astype(int)
    log.to_csv("clicks.csv", index=False)

    roles = {"reward": "click", "propensity": "propensity"}
    recipe = gw.Recipe(base={"search": "gru:width=32", "table": "columns"}, task="bandit", techniques=["doubly-robust"])
    model = gw.fit("clicks.csv", target="offer", roles=roles, recipe=recipe, out="runs/bandit")

    new, truth = visits(2000, draw)
    chosen = model.predict(new).map({name: at for at, name in enumerate(OFFERS)}).to_numpy()
    print(model.predict_proba(new.head(3)).round(2).to_string(index=False))
    print(f"clicks a visit, in truth: {truth[np.arange(len(new)), chosen].mean():.3f}")
    print(f"as the shop chose:        {(truth @ SHOWN).mean():.3f}")
    print(f"the best single offer:    {truth.mean(axis=0).max():.3f}")
    print(f"the best there is:        {truth.max(axis=1).mean():.3f}")


if __name__ == "__main__":
    main()

"""A policy from a made-up log of a labelled set, and how often the interval of its value holds the truth."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from harness.measure import settings_and_answer

PLAIN, LIKED, GUESSED = 0.2, 0.5, 0.3
"""The logging policy: an action at random, one by its popularity, and a guess that is right in `RIGHT` of the rows."""
RIGHT = 0.6
ESTIMATES = ("policy_value", "snips_value", "ips_value")


def main() -> None:
    settings, answer = settings_and_answer()
    answer.write_text(json.dumps(measured(**settings)), encoding="utf-8")


def measured(
    train: str, test: str, base: str, column: str, seed: int, repeats: int, propensities: bool
) -> dict[str, Any]:
    """One log of the training rows, a policy by `doubly-robust` on the frozen base; then the test rows are logged anew
    `repeats` times, and each log judges that policy. column: the text; empty where all others are numbers."""
    import pandas as pd

    import graftwork as gw
    from graftwork.data.load import load_like
    from graftwork.predicting import scored_values

    began = time.process_time()
    known, new = (pd.read_csv(path) for path in (train, test))
    names = sorted(known["label"].astype(str).unique())
    logging = Logging(names, seed)
    log = logging.log(known, np.random.default_rng([seed, 0]))
    roles = {"reward": "reward", **({"propensity": "propensity"} if propensities else {})}
    log = log if propensities else log.drop(columns="propensity")
    inputs = [column] if column else [name for name in known.columns if name != "label"]
    model = fitted(gw, log, base, inputs, target="action", roles=roles, task="bandit", along=["doubly-robust"])
    truth, task = new["label"].astype(str).map(names.index).to_numpy(), model.task
    logged = [logging.log(new, np.random.default_rng([seed, 1, at])) for at in range(repeats)]
    kept = scored_values(model, load_like(logged[0], model.schema, with_target=False).table)["action"]
    chosen = np.array([names.index(str(one)) for one in task.decode(kept)])
    held = [judged(task, kept, one) for one in logged]
    good = (chosen == truth).mean()
    spent = time.process_time() - began
    return {
        "rows": len(known),
        "tested": len(new),
        "actions": len(names),
        "policy": float(good),
        "logged": float(np.mean([one["reward"].mean() for one in logged])),
        "constant": float((truth == task.log.constant).mean()),
        "clicked": peer(gw, log[log["reward"] == 1], base, inputs, new, "action"),
        "labelled": peer(gw, known, base, inputs, new, "label"),
        "repeats": repeats,
        "held": {name: int(sum(one[name]["low"] <= good <= one[name]["high"] for one in held)) for name in ESTIMATES},
        "width": {name: float(np.mean([one[name]["high"] - one[name]["low"] for one in held])) for name in ESTIMATES},
        "value": {name: float(np.mean([one[name]["value"] for one in held])) for name in ESTIMATES},
        "ahead_of_logged": int(sum(one["over_logged"] > 0 for one in held)),
        "ahead_of_constant": int(sum(one["over_constant"] > 0 for one in held)),
        "effective": float(np.mean([one["effective"] for one in held])),
        "seconds": spent,
    }


class Logging:
    """A skewed policy: some actions are far more popular, and a guess of the row's own is right more often than not."""

    def __init__(self, names: list[str], seed: int) -> None:
        self.names, self.seed = names, seed
        shares = 1.0 / np.random.default_rng([seed, 9]).permutation(np.arange(1, len(names) + 1))
        self.popular = shares / shares.sum()

    def log(self, rows: Any, draw: np.random.Generator) -> Any:
        """The rows with action, reward (1 for the right one) and propensity, in place of their label."""
        count, actions = len(rows), len(self.names)
        truth = rows["label"].astype(str).map(self.names.index).to_numpy()
        fixed = np.random.default_rng([self.seed, 7, count])  # what a row's guess is does not change between logs
        guess = np.where(fixed.random(count) < RIGHT, truth, fixed.integers(0, actions, count))
        chances = np.tile(PLAIN / actions + LIKED * self.popular, (count, 1))
        chances[np.arange(count), guess] += GUESSED
        action = (chances.cumsum(axis=1) > draw.random((count, 1))).argmax(axis=1)
        made = rows.drop(columns="label")
        made["action"] = np.array(self.names)[action]
        made["reward"] = (action == truth).astype(int)
        made["propensity"] = chances[np.arange(count), action]
        return made


def fitted(gw: Any, rows: Any, base: str, inputs: list[str], *, target: str, along: list[str], **more: Any) -> Any:
    task = more.pop("task", "classification")
    training = gw.Training(head_lr=1e-3, epochs=10 if along else None)
    recipe = gw.Recipe(base=base, task=task, techniques=["probe", *along], training=training)
    return gw.fit(rows, target=target, inputs=inputs, recipe=recipe, verbose=False, on_bad_rows="skip", **more)


def peer(gw: Any, rows: Any, base: str, inputs: list[str], new: Any, target: str) -> float:
    """The share of right actions of a classifier on the same frozen base: of rewarded rows alone, or of all labels."""
    model = fitted(gw, rows[[*inputs, target]], base, inputs, target=target, along=[])
    found = np.asarray(model.predict(new[inputs])).astype(str)
    return float((found == new["label"].astype(str).to_numpy()).mean())


def judged(task: Any, kept: np.ndarray, log: Any) -> dict[str, Any]:
    """What one log of the test rows says of the policy, with intervals."""
    from graftwork.evidence.scores.intervals import bootstrap, difference
    from graftwork.tasks.metrics.metric import Metric, mean_of_rows
    from graftwork.tasks.metrics.off_policy import doubly_robust_rows

    codes = {text: at for at, text in enumerate(task.labels.texts)}
    known = log["action"].isin(codes).to_numpy()
    rows, kept = log[known], kept[known]
    truth = np.stack([rows["action"].map(codes), rows["reward"], rows["propensity"]], axis=1).astype(float)
    metrics = task.metrics()
    scores = bootstrap(truth, [(metrics[name], kept) for name in (*ESTIMATES, "effective_sample_share")])
    value = metrics["policy_value"]
    constant = task.constant(truth, value, kept)[1]
    plain = Metric("logged", lambda _, given: mean_of_rows(given), "kept", True, "Logged", "own")
    policy = doubly_robust_rows(task.judged(truth, kept))
    return {
        "reward": rows["reward"].to_numpy(),
        **{name: scores[name].to_json() for name in ESTIMATES},
        "effective": scores["effective_sample_share"].value,
        "over_logged": difference(plain, truth, policy, truth[:, 1]).low,
        "over_constant": difference(value, truth, kept, constant).low,
    }


if __name__ == "__main__":
    main()

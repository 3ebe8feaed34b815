"""A tune on local nodes of Ray, each of one core, or without Ray: how long its trials took, and what was chosen.

Settings: train (file), base, rows (at most), epochs, trials, batch, seed, nodes (0: without Ray).
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import graftwork as gw
from graftwork.runs.listener import Listener
from harness import data
from harness.measure import settings_and_answer

STORE, CLASSES = 2 * 2**30, 4


class Clock(Listener):
    """When the first trial began, and when the last one was done."""

    def __init__(self) -> None:
        self.first, self.last, self.runs = 0.0, 0.0, 0

    def note(self, text: str) -> None:
        if text.startswith("trials are compared"):
            self.first = time.monotonic()

    def tried(self, trial: Any, state: str) -> None:  # noqa: ARG002
        if trial.origin != "combined":
            self.last, self.runs = time.monotonic(), self.runs + 1


def main() -> None:
    settings, answer = settings_and_answer()
    with tempfile.TemporaryDirectory(prefix="gw-") as place:
        rows = data.few(data.read(Path(settings["train"])), settings["rows"] // CLASSES, settings["seed"])
        table, clock = data.write(Path(place) / "rows.csv", rows), Clock()
        with _nodes(settings["nodes"], place) as cluster:
            tuned = gw.tune(
                table,
                target="label",
                inputs=("description",),
                recipe=gw.Recipe(
                    base=settings["base"], seed=settings["seed"], training=gw.Training(epochs=settings["epochs"])
                ),
                trials=settings["trials"],
                batch=settings["batch"],
                folds=1,
                cluster=cluster,
                verbose=False,
                listener=clock,
            )
    chosen = next(one for one in tuned.trials if one.number == tuned.chosen.number)
    measured = {
        "trials": sum(one.origin != "combined" for one in tuned.trials),
        "runs": clock.runs,
        "wall": clock.last - clock.first,
        "chosen": {"number": chosen.number, "name": chosen.name, "score": chosen.score, "recipe": chosen.recipe},
    }
    answer.write_text(json.dumps(measured, default=str))


@contextmanager
def _nodes(count: int, place: str) -> Iterator[str | None]:
    """The address of a cluster of its own, with a token of its own."""
    if count == 0:
        yield None
        return
    (Path(place) / "ray").mkdir()
    secret = Path(place) / "token"
    secret.write_text(os.urandom(16).hex())
    secret.chmod(0o600)
    os.environ.update(
        RAY_TMPDIR=place,
        RAY_USAGE_STATS_ENABLED="0",
        RAY_enable_metrics_collection="0",
        RAY_agent_register_timeout_ms="240000",
        RAY_raylet_start_wait_time_s="240",
        RAY_AUTH_MODE="token",
        RAY_AUTH_TOKEN_PATH=str(secret),
    )
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        for _ in range(count):
            cluster.add_node(num_cpus=1, object_store_memory=STORE, include_dashboard=False)
        yield str(cluster.address)
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()

"""Several processes on the machines of a cluster that train together, through Ray Train: one attempt at a time.

Ray Train gives each its place, tells them of each other, and ends all where one is lost. What they do is a function
that is found by its name on each machine; what they and the driver tell each other goes through a `Mailbox`.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graftwork.cluster.checks import Asks, room
from graftwork.cluster.connection import Cluster
from graftwork.cluster.mailbox import Letter, Mailbox, Message
from graftwork.cluster.work import WAIT
from graftwork.errors import ClusterError

STARTING = 300
"""Seconds in which room has to be found for all workers."""
SILENCE = 60.0
"""Seconds in which the mailbox answers, on a machine that is busy."""
FETCHING = 300.0
"""Seconds in which a piece of a file comes, over a slow network too."""
_SETTINGS = {
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": str(STARTING),
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.5",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
}
"""Of Ray Train, unless the user set them."""


@dataclass(frozen=True)
class Over:
    """The end of an attempt. lost: the workers whose processes are gone, as far as that is known; said: why, in a line;
    empty where all came to their end. crowded: it never began, since others use what it asks for."""

    lost: tuple[int, ...] = ()
    said: str = ""
    crowded: bool = False


@dataclass
class RayTraining:
    """count: of workers. asks: of each. function: what a worker does, of a mapping with its `mailbox`. place: a folder
    of the driver's own for what Ray Train notes of a run. patience: seconds that the network may be silent."""

    cluster: Cluster
    function: Callable[[Mapping[str, Any]], None]
    count: int
    asks: Asks
    place: Path
    patience: float
    _mailbox: Any = None
    _trainer: Any = None
    _running: Any = None
    _known: int = 0
    _gone: str = ""
    _names: dict[str, str] = field(default_factory=dict)

    def names(self) -> Mapping[str, str]:
        """Of the machines, by their ids; those that are gone keep theirs."""
        self._names = {node.id: node.name for node in self.cluster.nodes} | self._names
        return self._names

    def ready(self) -> None:
        """Return when the machines that are alive have room for all workers. Raises ClusterError where none comes."""
        until = time.monotonic() + WAIT
        while (free := room(self.cluster.nodes, self.asks)) < self.count:
            if time.monotonic() > until:
                raise ClusterError(
                    f"There is room for {free} of {self.count} workers on the {len(self.cluster.nodes)} machines that "
                    "are left. What was done up to the last checkpoint is kept: bring machines back, or take fewer "
                    "--workers, and give the same command with --resume."
                )
            time.sleep(1.0)

    def begin(self) -> None:
        """Start an attempt."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        options: dict[str, Any] = {"num_cpus": 0, "max_restarts": 0, "scheduling_strategy": here}
        self._known, self._gone = 0, ""
        self._mailbox = ray.remote(**options)(Mailbox).remote()
        self._trainer = ray.remote(**options)(Trainer).remote()
        told = {"mailbox": self._mailbox}
        self._running = self._trainer.train.remote(
            self.function, told, self.count, self.asks, str(self.place), self.patience
        )

    def take(self) -> Sequence[Letter]:
        """What the workers have said since this was asked last."""
        import ray

        try:
            found: list[Letter] = ray.get(self._mailbox.take.remote(self._known), timeout=SILENCE)
        except ray.exceptions.GetTimeoutError:
            return []
        except ray.exceptions.RayError as error:
            self._gone = _line(error)
            return []
        self._known = found[-1].number if found else self._known
        return found

    def tell(self, worker: int, message: Message) -> None:
        import ray

        box = self._mailbox
        if box is not None:
            with suppress(ray.exceptions.RayError):
                box.tell.remote(worker, message)

    def over(self) -> Over | None:
        """How the attempt ended; None while it goes on."""
        import ray

        if self._gone:
            return Over(said=self._gone)
        if not ray.wait([self._running], timeout=0)[0]:
            return None
        try:
            found: Over = ray.get(self._running)
            return found
        except ray.exceptions.RayError as error:
            return Over(said=_line(error))

    def end(self, seconds: float) -> None:
        """End the attempt: all of it is gone afterwards. seconds: that it has to come to its end by itself."""
        import ray

        if self._trainer is None:
            return
        with suppress(ray.exceptions.RayError):
            if seconds:
                ray.wait([self._running], timeout=seconds)
        for one in (self._trainer, self._mailbox):  # what the trainer has begun ends with it
            with suppress(ray.exceptions.RayError):
                ray.kill(one)
        self._trainer = self._mailbox = self._running = None

    def put(self, piece: Any) -> Any:
        import ray

        return ray.put(piece)

    def get(self, piece: Any) -> Any:
        return fetched(piece)


class Trainer:
    """Ray runs it as a process of its own, on the driver's machine, so that ending it ends what it began."""

    def train(
        self,
        function: Callable[[Mapping[str, Any]], None],
        given: Mapping[str, Any],
        count: int,
        asks: Asks,
        place: str,
        patience: float,
    ) -> Over:
        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
        from ray.train.torch import TorchConfig, TorchTrainer

        class Plain(TorchTrainer):  # type: ignore[misc]  # Ray has no types for it
            """Without the process that looks after what a trainer leaves, which outlives its cluster's driver: nothing
            here is left."""

            def _create_default_callbacks(self) -> list[Any]:
                every = super()._create_default_callbacks()
                return [one for one in every if type(one).__name__ != "PlacementGroupCleanerCallback"]

        resources = {"CPU": asks.cores} | ({"memory": asks.memory} if asks.memory else {})
        trainer = Plain(
            function,
            train_loop_config=dict(given),
            torch_config=TorchConfig("cpu:gloo,cuda:nccl" if asks.gpus else "gloo", timeout_s=int(patience)),
            scaling_config=ScalingConfig(
                num_workers=count,
                use_gpu=bool(asks.gpus),
                resources_per_worker=resources | ({"GPU": asks.gpus} if asks.gpus else {}),
                placement_strategy="SPREAD",
            ),
            run_config=RunConfig(
                name=f"graft-{secrets.token_hex(4)}",
                storage_path=place,
                # The driver begins the next attempt: it knows whether the last one came any further.
                failure_config=FailureConfig(max_failures=0, controller_failure_limit=0, max_preemption_failures=0),
            ),
        )
        try:
            trainer.fit()
        except TrainingFailedError as error:
            return over_of(error)
        return Over()


def fetched(piece: Any) -> Any:
    """A piece of a file that another process stored. Raises ConnectionError where it does not come."""
    import ray

    try:
        return ray.get(piece, timeout=FETCHING)
    except ray.exceptions.RayError as error:
        raise ConnectionError(_line(error)) from error


def over_of(error: Exception) -> Over:
    """What Ray Train says of the end of an attempt."""
    failures = getattr(error, "worker_failures", {})
    lost = {rank: failure for rank, failure in failures.items() if "UserException" not in type(failure).__name__}
    if any("OutOfMemory" in type(one).__name__ or "running low on memory" in str(one) for one in lost.values()):
        return Over(tuple(sorted(lost)), "a machine had no memory left")
    if lost:
        return Over(tuple(sorted(lost)), "a process or a machine is gone")
    if "StartupTimeout" in type(getattr(error, "controller_failure", None)).__name__:
        return Over(said=f"the cluster had no room that is free for all of them within {STARTING} s", crowded=True)
    return Over(said=_line(error))


def _line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__

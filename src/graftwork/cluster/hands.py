"""Ray does the work: one task a piece, in the processes that Ray keeps on each machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from graftwork.cluster.board import Board, Teller
from graftwork.cluster.connection import Cluster, Node
from graftwork.cluster.work import Ended, Piece, Told
from graftwork.errors import ClusterError, GraftworkError

STOPPED = 30.0
"""Seconds in which what is cancelled has to end."""
_HELD: dict[str, Any] = {}
"""In a worker: what all pieces share, as the last piece had it, so that what it worked out stays."""


class RayHands:
    """function: of what all share, what a piece is given, and a teller. It is found by its name on each machine.
    shared: goes once to each machine."""

    def __init__(self, cluster: Cluster, function: Callable[[Any, Any, Teller], Any], shared: Any) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._cluster, self._function, self._shared = cluster, function, ray.put(shared)
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        self._board = ray.remote(num_cpus=0, max_restarts=-1, scheduling_strategy=here)(Board).remote()
        self._work = ray.remote(max_retries=0)(work)

    def nodes(self) -> Sequence[Node]:
        return self._cluster.nodes

    def begin(self, piece: Piece, near: str) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        asks = piece.asks
        task = self._work.options(
            num_cpus=asks.cores,
            num_gpus=asks.gpus or None,
            memory=asks.memory or None,
            scheduling_strategy=NodeAffinitySchedulingStrategy(near, soft=True) if near else "SPREAD",
        )
        return task.remote(self._function, [self._shared], piece.given, piece.number, self._board)

    def wait(self, handles: Sequence[Any], seconds: float) -> Sequence[tuple[Any, Ended]]:
        import ray

        ready, _ = ray.wait(list(handles), num_returns=1, timeout=seconds, fetch_local=True)
        return [(one, self._ended(one)) for one in ready]

    def _ended(self, handle: Any) -> Ended:
        import ray
        from ray import exceptions

        try:
            told: Ended = ray.get(handle)
            return told
        except exceptions.RayTaskError as error:
            cause = error.cause if isinstance(error.cause, Exception) else error
            if isinstance(cause, GraftworkError):
                raise cause from None
            if isinstance(cause, ModuleNotFoundError):
                raise ClusterError(f"A machine can't import the module '{cause.name}'. Install it on all.") from None
            lines = str(error).strip().splitlines()
            raise ClusterError(f"A machine could not do its work: {lines[-1] if lines else error}") from error
        except exceptions.OutOfMemoryError:
            return Ended("worker", why="the machine had no memory left")
        except (exceptions.NodeDiedError, exceptions.ObjectLostError, exceptions.LocalRayletDiedError):
            return Ended("machine")
        except exceptions.RayError:
            return Ended("worker")

    def told(self) -> Sequence[Told]:
        """Nothing, where the process that holds it was ended too: a piece may then seem to be no further than it is."""
        import ray

        with suppress(ray.exceptions.RayError):
            found: Sequence[Told] = ray.get(self._board.take.remote(), timeout=5)
            return found
        return ()

    def stop(self, handles: Sequence[Any]) -> None:
        """End them, and wait until they have."""
        import ray

        for handle in handles:
            with suppress(ray.exceptions.RayError):
                ray.cancel(handle, force=True)
        with suppress(ray.exceptions.RayError):
            ray.wait(list(handles), num_returns=len(handles), timeout=STOPPED)


def work(
    function: Callable[[Any, Any, Teller], Any], shared: Sequence[Any], given: Any, number: int, board: Any
) -> Ended:
    """On a machine: one piece. shared: where it is found, in a list, so that it is fetched once a process."""
    import ray

    with suppress(ImportError):  # who looks at a machine sees which piece each process works on
        from ray._raylet import setproctitle

        setproctitle(f"ray::work {number}")
    with Teller(number, lambda events: board.put.remote(events)) as tell:
        node = str(ray.get_runtime_context().get_node_id())
        tell("at", node)
        tell.flush()
        key = shared[0].hex()
        if key not in _HELD:
            _HELD.clear()
            _HELD[key] = ray.get(shared[0])
        wall, cpu = time.monotonic(), time.process_time()
        result = function(_HELD[key], given, tell)
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
        return Ended("done", result, wall, cpu, _peak(), node=node)


def _peak() -> int:
    """Bytes of the largest resident set of this process so far; 0 where the platform does not say."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

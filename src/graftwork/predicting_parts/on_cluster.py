"""Parts computed on a Ray cluster: Ray Data hands them to actors that hold the model, and gives back what they found.

The driver's machine reads the table and writes what comes back; the model goes to each machine once, and the rows of a
part to the worker that begins it, through the object store. Nothing here is imported unless a cluster is asked for.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from graftwork.cluster.checks import Asks, Needs, check_nodes, check_room
from graftwork.cluster.connection import Cluster, connected
from graftwork.data.store.names import inside
from graftwork.errors import ClusterError
from graftwork.networks.manifest import MANIFEST, read_manifest_of
from graftwork.predicting_parts.pool import PartLost, error_of
from graftwork.predicting_parts.table_files import Rows, map_rows, names_files, table_of
from graftwork.progress import SILENT, Screen
from graftwork.shown import counted

if TYPE_CHECKING:
    from graftwork.data.table import Table

TRIES = 3
"""Times that a part is begun: a node may be lost with it through no fault of its own."""
BESIDE = 1 << 30
"""Bytes that a worker needs beside the weights, torch itself included."""


class ClusterPool:
    """As `Pool`, of a cluster. count: workers, at most; 0 for as many as the cluster has cores (or GPUs)."""

    def __init__(self, cluster: Cluster, count: int = 0, on: Screen = SILENT) -> None:
        self._cluster, self._on = cluster, on
        self._told: dict[str, Any] = {}
        self._gpus = 1.0 if any(node.gpus for node in cluster.nodes) else 0.0
        each = [node.gpus if self._gpus else node.cores for node in cluster.nodes]
        self._count = count or max(1, sum(int(one) for one in each))
        self._done = Counter[str]()
        self._names: dict[str, str] = {}
        self._source: Any = None
        self._found: Generator[dict[str, Any], None, None] | None = None

    def __len__(self) -> int:
        return self._count

    def tell(self, message: Mapping[str, Any]) -> None:
        """The model, and the rows, in the words of `PartWorker.handle`."""
        self._told.update(message)

    def keep(self, count: int) -> None:
        """Use no more than so many."""
        self._count = min(self._count, count)

    def at_work(self) -> list[str]:
        """What each node has done."""
        return [f"{name}: {count:,} done" for name, count in sorted(self._done.items())]

    def results(self, parts: Mapping[int, Mapping[str, Any]]) -> Iterator[tuple[int, str, dict[str, Any]]]:
        """Each part once it is done and written, with the node that computed it."""
        import ray

        if not parts:
            return
        self._check_files()
        content = _files(Path(self._told["load"]))
        asks = Asks(1.0, sum(map(len, content.values())) + BESIDE, self._gpus)
        check_room(self._cluster.nodes, asks, "A worker of the prediction")
        self._source = _source().remote(self._told["rows"], dict(parts), [ray.put(content)])
        self._found = self._rows(parts, asks)
        try:
            for row in self._found:
                number = row["part"]
                if row["failed"]:
                    raise error_of(json.loads(row["failed"]))
                if not row["content"]:
                    raise PartLost(number, TRIES, "a worker or its machine was lost each time")
                _write(Path(parts[number]["path"]), row["content"])
                name = self._name(row["node"])
                self._done[name] += 1
                yield number, name, {"done": number, "rows": row["rows"], "seconds": row["seconds"]}
        except ray.exceptions.RayError as error:
            raise ClusterError(f"The cluster failed: {_first_line(error)}") from error

    def close(self) -> None:
        """End what was begun, while the cluster is still reached."""
        if self._found is not None:
            self._found.close()
        if self._source is not None:
            import ray

            ray.kill(self._source)
        self._found = self._source = None

    def _name(self, node: str) -> str:
        """What the machine is called, one that has joined meanwhile too."""
        if node not in self._names:
            self._names |= {one.id: one.name for one in self._cluster.nodes}
        return self._names.get(node, node[:6])

    def _check_files(self) -> None:
        """Raise ClusterError where rows name files that a machine does not see."""
        folder = self._told["rows"]["folder"]
        if names_files(map_rows(self._told["rows"])):
            check_nodes(
                self._cluster, Needs(paths={folder or os.getcwd(): "the folder of the files that the rows name"})
            )

    def _rows(self, parts: Mapping[int, Any], asks: Asks) -> Generator[dict[str, Any], None, None]:
        import ray

        _quiet()
        told = {"features": self._told["features"], "device": self._told["device"]}
        data = ray.data.from_items([{"part": number} for number in sorted(parts)], override_num_blocks=len(parts))
        done = data.map_batches(
            ClusterWorker,
            batch_size=1,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=self._count),
            fn_constructor_args=(self._source, told),
            num_cpus=asks.cores,
            num_gpus=asks.gpus or None,
            memory=asks.memory,
        )
        yield from done.iter_rows()


class ClusterWorker:
    """An actor with the model loaded. source: gives the model and the rows of a part."""

    def __init__(self, source: Any, told: Mapping[str, Any]) -> None:
        import ray

        from graftwork.predicting_parts.worker import loaded

        (model,) = ray.get(source.model.remote())
        content = ray.get(model)  # comes to each machine once
        self._source, self._told = source, told
        self._node = ray.get_runtime_context().get_node_id()
        with tempfile.TemporaryDirectory(prefix="graftwork-model-") as place:
            for name, held in content.items():
                path = Path(place, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(held)
            self._model = loaded(Path(place), told["device"], 0)

    def __call__(self, batch: Any) -> Any:
        """A table with a row for the part of the batch."""
        import ray

        number = batch.column("part")[0].as_py()
        found: dict[str, Any] = {"part": number, "node": self._node, "rows": 0, "seconds": 0.0}
        content, failed, began = b"", "", time.monotonic()
        part, rows, data = ray.get(self._source.begin.remote(number))
        if part is not None:
            try:
                found["rows"], content = self._computed(part, table_of(rows, data, part["start"]))
            except Exception as error:
                failed = json.dumps({"kind": type(error).__name__, "text": str(error)})
        found |= {"seconds": time.monotonic() - began, "content": content, "failed": failed}
        return pa.table({name: [value] for name, value in found.items()})

    def _computed(self, part: Mapping[str, Any], table: Table) -> tuple[int, bytes]:
        from graftwork.predicting_parts.worker import predicted_part

        with tempfile.TemporaryDirectory(prefix="graftwork-part-") as place:
            path = Path(place, "part")
            told = {**part, "start": 0, "stop": len(table), "path": str(path)}
            made = predicted_part(self._model, table, self._told["features"], told, lambda _: None)
            return made["rows"], path.read_bytes()


class PartSource:
    """Gives the rows of parts out of the driver's file, and counts how often each was begun."""

    def __init__(self, rows: Rows, parts: Mapping[int, Mapping[str, Any]], model: list[Any]) -> None:
        self._model = model
        self._rows, self._parts, self._table = rows, parts, map_rows(rows)
        self._begun = Counter[int]()

    def model(self) -> list[Any]:
        """Where the files of the model are."""
        return self._model

    def begin(self, number: int) -> tuple[dict[str, Any] | None, Rows, pa.Table]:
        """The part, of which table, and its rows; None for one that was begun too often."""
        self._begun[number] += 1
        if self._begun[number] > TRIES:
            return None, self._rows, self._table.data.slice(0, 0)
        part = {"part": number, **self._parts[number]}
        data = self._table.data.slice(part["start"], part["stop"] - part["start"])
        return part, self._rows, data.combine_chunks()


def _source() -> Any:
    """`PartSource` on the machine of the driver, which has the file."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(num_cpus=0, scheduling_strategy=here)(PartSource)


@contextmanager
def cluster_pool(address: str, count: int, *, insecure: bool, on: Screen) -> Iterator[ClusterPool]:
    """Workers on a cluster, for as long as the block lasts. Raises what `connected` and `check_nodes` do."""
    with connected(address, insecure=insecure) as cluster:
        nodes = cluster.nodes
        on.note(f"on a cluster of {counted(len(nodes), 'machine')}: {', '.join(node.name for node in nodes)}")
        check_nodes(cluster)
        pool = ClusterPool(cluster, count, on)
        try:
            yield pool
        finally:
            pool.close()


def _files(folder: Path) -> dict[str, bytes]:
    """What a model needs of its folder, by path: reports and indexes stay at home."""
    told = read_manifest_of(folder).get("files")
    there = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    wanted = there if told is None else [MANIFEST, "recipe.yaml", *told]
    return {name: inside(folder, *name.split("/")).read_bytes() for name in wanted if name in there}


def _write(path: Path, content: bytes) -> None:
    from graftwork.data.store.cache import storing
    from graftwork.data.store.writing import write_bytes

    with storing(path.parent):
        write_bytes(path, content)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _quiet() -> None:
    """No bars and no lines of Ray Data's own: the screen is ours."""
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    for name in ("ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)

"""`graft fit --cluster`: how many workers, and what is refused before anything starts, as a user reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

import graftwork as gw
from command import graft, topics
from graftwork.cluster.connection import Node
from graftwork.errors import ClusterError, UsageError
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.job import make_job
from graftwork.runs.workers import on_cluster
from graftwork.runs.workers.on_cluster import OnCluster, shared_out
from graftwork.threads import THREADS

GB = 10**9
FIT = ("--target", "label", "--base", "cnn:width=8")


@dataclass(frozen=True)
class Cores:
    """A cluster of machines with so many cores; gpus, memory: of each."""

    cores: tuple[int, ...]
    gpus: float = 0.0
    memory: int = 8 * GB

    @property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(Node(f"id-{at}", f"node-{at}", c, self.memory, self.gpus) for at, c in enumerate(self.cores))


@pytest.mark.parametrize(
    ("cores", "gpus", "asked", "expected"),
    [
        ((8, 8), 0, None, (2, 8)),  # one for each machine, with all its cores
        ((8, 8), 0, 4, (4, 4)),
        ((8, 8), 0, 3, (3, 4)),
        ((8, 8), 0, 16, (16, 1)),
        ((0, 8), 0, None, (1, 8)),  # a head that gives no cores to work
        ((16, 4), 0, 2, (2, 8)),
        ((8, 8), 2, None, (4, 4)),  # one for each GPU
        ((8, 8), 2, 2, (2, 8)),
    ],
)
def test_how_many_with_how_many_cores(cores, gpus, asked, expected, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(THREADS, raising=False)
    assert shared_out(Cores(cores, gpus), asked) == expected  # type: ignore[arg-type]


def test_threads_that_were_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS, "3")
    assert shared_out(Cores((8, 8)), None) == (2, 3)  # type: ignore[arg-type]
    assert shared_out(Cores((2, 2)), None) == (2, 2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cluster", "asked", "said"),
    [
        (Cores((1, 2)), 4, r"4 workers, and the cluster has cores for 3: node-0 1, node-1 2\. .* at most --workers 3"),
        (Cores((8, 8), 1), 3, r"has GPUs for 2: node-0 1, node-1 1"),
        (Cores((0,)), None, r"has cores for 0"),
    ],
)
def test_more_than_the_cluster_has(cluster, asked, said) -> None:
    with pytest.raises(ClusterError, match=said):
        shared_out(cluster, asked)


def test_no_number() -> None:
    with pytest.raises(UsageError, match="workers is 0"):
        shared_out(Cores((2, 2)), 0)  # type: ignore[arg-type]


def test_more_memory_than_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_cluster, "check_bases", lambda *_: None)
    job = make_job(DataArguments(train=topics(tmp_path / "t.csv"), target="label"), gw.Recipe())
    recipe = gw.Recipe(base="cnn:width=8", techniques=[])
    one = OnCluster(Cores((4, 4), memory=GB), 8, 1)  # type: ignore[arg-type]
    with pytest.raises(ClusterError, match=r"8 workers of 0\.5 GB .* room for 4\. Expected at most --workers 4"):
        one.look(job, recipe)
    fine = OnCluster(Cores((4, 4)), 8, 1)  # type: ignore[arg-type]
    fine.look(job, recipe)
    assert fine.asks.cores == 1


def test_every_folder_whose_files_rows_name_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a table in memory, the folder of the call; the folder of the call alone for nothing else."""
    asked = []
    monkeypatch.setattr(on_cluster, "check_bases", lambda *_: None)
    monkeypatch.setattr(on_cluster, "check_nodes", lambda _, needs: asked.append(sorted(needs.paths)))
    monkeypatch.chdir(tmp_path)
    rows = [{"picture": f"{at}.png", "label": "ab"[at % 2]} for at in range(8)]
    for folder in ("a", "b", "."):
        Path(folder).mkdir(exist_ok=True)
        for row in rows:
            Image.new("RGB", (4, 4)).save(Path(folder) / row["picture"])
        lines = ["picture,label", *(",".join(row.values()) for row in rows)]
        (Path(folder) / "t.csv").write_text("\n".join(lines))
    recipe = gw.Recipe(base="conv4:width=8", techniques=[])
    for train, valid in (("a/t.csv", "b/t.csv"), (rows, "a/t.csv")):
        job = make_job(DataArguments(train=train, valid=valid, target="label"), recipe)
        one = OnCluster(Cores((4, 4)), 2, 1)  # type: ignore[arg-type]
        one.look(job, recipe)
        one.look(job, recipe)  # once is enough
    assert asked == [[str(tmp_path / "a"), str(tmp_path / "b")], [str(tmp_path), str(tmp_path / "a")]]


@pytest.mark.parametrize("command", ["fit", "plan"])
def test_what_is_no_cluster(command: str, tmp_path: Path) -> None:
    table, out = topics(tmp_path / "t.csv"), ("--out", tmp_path / "r") if command == "fit" else ()
    graft(command, table, *FIT, *out, "--insecure").fails(2, "--insecure says which clusters may be used")
    graft(command, table, *FIT, *out, "--cluster", "nowhere").fails(2, "Expected auto")
    graft(command, table, *FIT, *out, "--cluster", "127.0.0.1:1").fails(1, r"No cluster answers at 127\.0\.0\.1:1")
    graft(command, table, *FIT, *out, "--cluster", "auto", "--workers", "0").fails(2, "workers is 0")
    assert not (tmp_path / "r").exists()

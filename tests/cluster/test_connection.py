"""Reaching a cluster: what answers, who is let in, what is said where it can't be used."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from clusters import nodes
from graftwork.cluster.connection import _mended, connected
from graftwork.errors import ClusterError, MissingPackageError

DRIVER = """
import json, sys
from graftwork.cluster.checks import Needs, check_nodes
from graftwork.cluster.connection import connected
from graftwork.errors import GraftworkError
try:
    with connected(sys.argv[1], insecure="--insecure" in sys.argv) as cluster:
        check_nodes(cluster)
        import ray
        jobs = [one["Entrypoint"] for one in ray._private.state.jobs()]
        print(json.dumps({"own": cluster.own, "nodes": [one.name for one in cluster.nodes], "jobs": jobs}))
except GraftworkError as error:
    print(json.dumps({"error": str(error), "kind": type(error).__name__}))
"""


def drive(environment, *given) -> dict:
    """What a driver in a process of its own finds."""
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, *given],
        env={**{name: value for name, value in os.environ.items() if not name.startswith("RAY_")}, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == ""
    return json.loads(done.stdout)


def test_nobody_listens() -> None:
    with (
        pytest.raises(ClusterError, match=r"No cluster answers at 127\.0\.0\.1:1 "),
        connected("127.0.0.1:1"),
    ):
        pass


def test_without_ray(monkeypatch) -> None:
    monkeypatch.setattr("graftwork.cluster.connection.find_spec", {}.get)
    with pytest.raises(MissingPackageError, match=r"graftwork\[cluster\]"), connected("auto"):
        pass


def test_what_ray_says_is_mended() -> None:
    mismatch = RuntimeError("Version mismatch: The cluster was started with:\n    Ray: 2.1\n    Python: 3.9.1\n")
    assert "another Python or Ray" in str(_mended("head:1", mismatch))
    assert "Ray: 2.1 Python: 3.9.1" in str(_mended("head:1", mismatch))
    away = ConnectionError("Failed to connect")
    away.__cause__ = RuntimeError("No node info found matching attributes: ''")
    assert "no part of the cluster at head:1" in str(_mended("head:1", away))
    assert "can't be used: what" in str(_mended("head:1", ValueError("what")))


@pytest.mark.slow
def test_what_is_no_cluster_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = drive({}, f"127.0.0.1:{server.getsockname()[1]}")
    assert found["kind"] == "ClusterError"
    assert "does not answer as a Ray cluster" in found["error"]


@pytest.mark.slow
def test_a_cluster_with_a_token() -> None:
    with nodes(2) as cluster:
        told = cluster.environment
        found = drive(told, cluster.address)
        assert len(found["nodes"]) == 2
        assert found["jobs"] == ["graft"]  # and not the command line, in which paths of data stand
        mode = {name: value for name, value in told.items() if name != "RAY_AUTH_MODE"}
        assert drive(mode, "auto")["own"] is False  # the token is shown although no mode was set
        none = {name: value for name, value in mode.items() if name != "RAY_AUTH_TOKEN_PATH"} | {"HOME": "/nowhere"}
        for secret in ({}, {"RAY_AUTH_TOKEN": "x" * 32}):
            found = drive(none | secret, cluster.address)
            assert "asks for a token, and this process has none, or another one" in found["error"]
            assert "xxx" not in found["error"]


@pytest.mark.slow
def test_a_cluster_that_lets_anyone_in_needs_a_word() -> None:
    with nodes(1, token=False) as cluster:
        found = drive(cluster.environment, cluster.address)
        assert "lets anyone in" in found["error"]
        assert "--insecure" in found["error"]
        assert len(drive(cluster.environment, cluster.address, "--insecure")["nodes"]) == 1


@pytest.mark.slow
def test_auto_without_a_cluster_takes_this_machine() -> None:
    with tempfile.TemporaryDirectory(prefix="gw-", ignore_cleanup_errors=True) as place:  # sockets need a short path
        told = {"RAY_TMPDIR": place, "HOME": place}
        found = drive(told, "auto")
        assert found["own"] is True
        assert len(found["nodes"]) == 1
        assert not (Path(place) / ".ray").exists()  # the token is kept by nobody
        assert "would let anyone in" in drive(told | {"RAY_AUTH_MODE": "disabled"}, "auto")["error"]

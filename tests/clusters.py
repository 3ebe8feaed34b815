"""Ray clusters for tests: nodes of one core on this machine, in a process of their own that is ended at the end.

Nothing of them is shared with another test, or another user: a token, a folder and an address of their own.
"""

from __future__ import annotations

import inspect
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

STORE = 100 * 2**20


@dataclass
class Started:
    """address: of the head. environment: of a process that may use it. log: what the nodes said."""

    address: str
    environment: dict[str, str]
    process: subprocess.Popen[str]

    def workers(self) -> dict[int, str]:
        """Processes of this cluster, and of no other one, that work on a piece now, with the number of the piece."""
        return {process: named.split()[-1] for process, named in self.named("ray::work ").items()}

    def named(self, begins: str) -> dict[int, str]:
        """Processes of this cluster, and of no other one, whose names begin so, with their names."""
        mark = self.environment["RAY_TMPDIR"].encode()
        found = {}
        for place in Path("/proc").iterdir():
            if not place.name.isdecimal():
                continue
            with suppress(OSError):  # it ended meanwhile
                named = (place / "cmdline").read_bytes().rstrip(b"\0 ")
                if named.startswith(begins.encode()):
                    parent = (place / "stat").read_text().rpartition(")")[2].split()[1]
                    if mark in (Path("/proc") / parent / "cmdline").read_bytes():  # of the raylet: its folder
                        found[int(place.name)] = named.decode()
        return found

    def tell(self, command: str) -> str:
        """`kill N` ends the node of that number, `add` begins another one."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@contextmanager
def nodes(
    count: int = 2,
    *,
    token: bool = True,
    environment: Mapping[str, str] | None = None,
    of_each: Mapping[int, Mapping[str, str]] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Iterator[Started]:
    """A cluster of so many nodes, the head first. of_each: environment variables of single nodes."""
    with tempfile.TemporaryDirectory(prefix="gw-", ignore_cleanup_errors=True) as place:
        (Path(place) / "ray").mkdir()
        secret = Path(place) / "token"
        secret.write_text(os.urandom(16).hex())
        secret.chmod(0o600)
        settings = {
            "RAY_TMPDIR": place,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_enable_metrics_collection": "0",
            "RAY_agent_register_timeout_ms": "240000",  # a busy machine takes more than the usual 30 s
            "RAY_raylet_start_wait_time_s": "240",
            "RAY_worker_register_timeout_seconds": "600",
            "RAY_AUTH_MODE": "token" if token else "disabled",
            **({"RAY_AUTH_TOKEN_PATH": str(secret)} if token else {}),
        }
        every = os.environ | settings | (environment or {})
        with (Path(place) / "log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, __file__, str(count), repr(dict(of_each or {})), repr(dict(options or {}))],
                env=every,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            assert address, (Path(place) / "log").read_text()
            yield Started(address, settings, process)
        finally:
            process.communicate("", timeout=120)


def _serve(count: int, of_each: Mapping[int, Mapping[str, str]], options: Mapping[str, Any]) -> None:
    from ray._private import services, utils
    from ray.cluster_utils import Cluster

    utils.get_dashboard_dependency_error = lambda: ImportError("the agents of nodes stay small")
    services.start_raylet = partial(_started, services.start_raylet)
    said, sys.stdout = sys.stdout, sys.stderr
    started = Cluster()

    def add(number: int) -> Any:
        own: dict[str, Any] = {"num_cpus": 1, "object_store_memory": STORE, "include_dashboard": False, **options}
        if number in of_each:
            own["env_vars"] = dict(of_each[number])
        for last in (False, False, True):  # on a busy machine a node may not be ready in the time that Ray gives it
            try:
                return started.add_node(**own)
            except Exception:
                if last:
                    raise
        return None

    each = [add(number) for number in range(count)]
    print(started.address, file=said, flush=True)
    for line in sys.stdin:
        command, *rest = line.split()
        if command == "kill":
            started.remove_node(each[int(rest[0])], allow_graceful=False)
        elif command == "add":
            each.append(add(len(each)))
        print("done", file=said, flush=True)
    started.shutdown()


def _started(start: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """A node waits 15 s for its agents to tell their ports, in files, and on a busy machine they take longer to start:
    those that are not there say so at once, and the one that is there is told which to take."""
    bound = inspect.signature(start).bind(*given, **named)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        bound.arguments["runtime_env_agent_port"] = free.getsockname()[1]
    ports = dict.fromkeys(("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port"), -1)
    ports["runtime_env_agent_port"] = bound.arguments["runtime_env_agent_port"]
    for name, port in ports.items():
        (Path(bound.arguments["session_dir"]) / f"{name}_{bound.arguments['node_id']}").write_text(str(port))
    return start(*bound.args, **bound.kwargs)


if __name__ == "__main__":
    import ast

    _serve(int(sys.argv[1]), ast.literal_eval(sys.argv[2]), ast.literal_eval(sys.argv[3]))

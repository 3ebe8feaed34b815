"""A Ray cluster that exists already, reached as a driver on it: the one door to Ray, and the one place of its options.

Neither a token nor a path of data stands in a name, a label or a message here.
"""

from __future__ import annotations

import logging
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from graftwork.cluster import knock
from graftwork.cluster.address import AUTO, SECONDS, listens, of_this_machine, parsed
from graftwork.errors import ClusterError, MissingPackageError
from graftwork.threads import usable

LOADING = 120.0
"""Seconds that a Python process may take to load Ray, before it has asked anybody."""
_TOKENS = "https://docs.ray.io/en/latest/ray-security/token-auth.html"
_START = "RAY_AUTH_MODE=token ray start --address={0} (with the token file of the head)"


@dataclass(frozen=True)
class Node:
    """A machine of the cluster. id: Ray's. name: its host name, with its id where several have the same. cores, memory
    (bytes), gpus: what it gives to work."""

    id: str
    name: str
    cores: float
    memory: int
    gpus: float


@dataclass(frozen=True)
class Cluster:
    """address: of the head. own: whether it was started for this call, of this machine's cores."""

    address: str
    own: bool

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Those that are alive now, by name."""
        import ray

        alive = [one for one in ray.nodes() if one["Alive"]]
        hosts = [str(one["NodeManagerHostname"]) for one in alive]
        found = [
            _node(one, host if hosts.count(host) == 1 else f"{host}-{str(one['NodeID'])[:6]}")
            for one, host in zip(alive, hosts, strict=True)
        ]
        return tuple(sorted(found, key=lambda one: one.name))


def _node(told: dict[str, Any], name: str) -> Node:
    given = told.get("Resources", {})
    return Node(told["NodeID"], name, given.get("CPU", 0.0), int(given.get("memory", 0)), given.get("GPU", 0.0))


@contextmanager
def connected(address: str, *, insecure: bool = False) -> Iterator[Cluster]:
    """The cluster at an address, for as long as the block lasts; all that was begun on it ends with the block.

    address: "auto" is the cluster that this machine belongs to, else one of its own cores alone; or "host:port" of a
    head. insecure: take one that lets anyone in. Where this process is on a cluster already (`ray.init`), that one is
    used, and left as it is.

    Raises UsageError for what is no address; MissingPackageError without Ray; ClusterError where nobody answers within
    10 seconds, where no token is asked for and `insecure` is not said, where the token is not the cluster's, where this
    machine is no part of it, and where it runs another Python or Ray.
    """
    place = parsed(address)
    if find_spec("ray") is None:
        raise MissingPackageError(
            'A cluster is reached through Ray, which is not installed: pip install "graftwork[cluster]"'
        )
    here = _joined()
    if here:
        _check_door(here, insecure)
        yield Cluster(here, own=False)
        return
    place, own = _settled(place)
    _prepare()
    if own:
        _with_token(insecure)
    else:
        _check_door(place, insecure)
    import ray

    with _quiet():
        try:
            _init(place, own)
            yield Cluster(ray.get_runtime_context().gcs_address, own)
        finally:
            ray.shutdown()


def _joined() -> str:
    """The address of the cluster that this process is on already; "" where it is on none."""
    ray = sys.modules.get("ray")
    return str(ray.get_runtime_context().gcs_address) if ray is not None and ray.is_initialized() else ""


def _prepare() -> None:
    """What is set for all processes of Ray, before it is loaded; what the user set stays."""
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_enable_metrics_collection": "0",
        "RAY_agent_register_timeout_ms": "120000",  # of a cluster of one's own; a busy machine takes more than 30 s
        "RAY_raylet_start_wait_time_s": "120",
        "RAY_gcs_server_request_timeout_seconds": "20",  # so long it looks for this machine among those of the cluster
    }
    for name, value in settings.items():
        os.environ.setdefault(name, value)


def _settled(place: str) -> tuple[str, bool]:
    """The address of a head that listens, or "" where one is to be started of this machine alone, and which."""
    named = True
    if place == AUTO:
        place, named = of_this_machine()
    if place and listens(place):
        return place, False
    if named:
        raise ClusterError(
            f"No cluster answers at {place} (within {SECONDS:.0f} s). Check the address and port of the head (6379 "
            "unless another was given), that `ray start --head` still runs there, and that no firewall is between."
        )
    return "", True


def _check_door(place: str, insecure: bool) -> None:
    """Whether the cluster asks for a token; and let this process show its own."""
    answer = _knocked(place)
    if answer == knock.SILENT:
        raise ClusterError(
            f"What listens at {place} does not answer as a Ray cluster of this version does (within {SECONDS:.0f} s). "
            "Name the port of the head (6379 unless another was given), not that of a dashboard or of Ray Client."
        )
    if answer == knock.OPEN and not insecure:
        raise ClusterError(
            f"The cluster at {place} lets anyone in: it asks for no token, so that whoever reaches the port runs code "
            f"on all its machines. Start its head and nodes with RAY_AUTH_MODE=token ({_TOKENS}); or give --insecure "
            "(insecure=True) in a network that you alone use."
        )
    if answer == knock.REFUSED:
        raise _unwelcome(place)
    if answer == knock.WELCOME and os.environ.get("RAY_AUTH_MODE") != "token":
        _use_tokens()


def _unwelcome(place: str) -> ClusterError:
    return ClusterError(
        f"The cluster at {place} asks for a token, and this process has none, or another one. Set RAY_AUTH_TOKEN_PATH "
        f"to a file with the token of the cluster ({_TOKENS})."
    )


def _knocked(place: str) -> str:
    """How a process without a token is met there, and one with the token of this one."""
    process = subprocess.Popen(
        [sys.executable, "-P", str(Path(knock.__file__)), place],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            return _answer(process)
        finally:
            process.kill()


def _answer(process: subprocess.Popen[str]) -> str:
    heard: list[str] = []
    asking, done = threading.Event(), threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            heard.append(line.strip())
            asking.set()
        asking.set()
        done.set()

    threading.Thread(target=read, daemon=True).start()
    asking.wait(LOADING)
    done.wait(SECONDS)
    return heard[-1] if heard and heard[-1] != knock.KNOCKING else knock.SILENT


def _use_tokens() -> None:
    """Ray shows its token at an address only where it was told to; it reads the setting once."""
    os.environ["RAY_AUTH_MODE"] = "token"
    from ray._raylet import Config

    Config.initialize("")


def _with_token(insecure: bool) -> None:
    """A cluster of one's own asks for a token too, so that no other user of the machine gets in; one that nobody keeps
    where there is none."""
    mode = os.environ.get("RAY_AUTH_MODE")
    if mode and mode != "token" and not insecure:
        raise ClusterError(
            f"RAY_AUTH_MODE is '{mode}': a cluster that is started here would let anyone in. Leave it unset, or set it "
            "to token; or give --insecure (insecure=True) on a machine that you alone use."
        )
    if mode and mode != "token":
        return
    _use_tokens()
    from ray._raylet import AuthenticationTokenLoader

    loader = AuthenticationTokenLoader.instance()
    if not loader.has_token(ignore_auth_mode=True):
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
        loader.reset_cache()


def _init(place: str, own: bool) -> None:
    """The one call of `ray.init`."""
    import ray

    options: dict[str, Any] = {"address": place}
    if own:
        options = {"address": "local", "num_cpus": usable(), "include_dashboard": False}
    try:
        with _unnamed():
            ray.init(**options, log_to_driver=False, configure_logging=True, logging_level=logging.ERROR)
    except Exception as error:
        raise _mended(place or "this machine", error) from error


@contextmanager
def _unnamed() -> Iterator[None]:
    """Ray keeps the command line of a driver, with all its paths, where everyone on the cluster reads it; not ours."""
    from ray._private import utils

    kept = getattr(utils, "get_entrypoint_name", None)
    utils.get_entrypoint_name = lambda: "graft"
    try:
        yield
    finally:
        utils.get_entrypoint_name = kept


@contextmanager
def _quiet() -> Iterator[None]:
    """Ray prints what it has to say of lost processes among the results of a command; what matters of it is told by
    who has them do their work."""
    from ray._private import worker

    kept = getattr(worker, "print_to_stdstream", None)
    worker.print_to_stdstream = lambda *_, **__: None
    try:
        yield
    finally:
        worker.print_to_stdstream = kept


def _mended(place: str, error: Exception) -> ClusterError:
    """What Ray said, as it concerns the user."""
    from ray.exceptions import AuthenticationError

    every = [error]
    while (deeper := every[-1].__cause__ or every[-1].__context__) is not None and isinstance(deeper, Exception):
        every.append(deeper)
    said = " ".join(str(one) for one in every)
    if any(isinstance(one, AuthenticationError) for one in every) or "authentication token" in said.lower():
        return _unwelcome(place)
    if "version mismatch" in said.lower():
        lines = [line.strip() for line in str(error).splitlines() if "Python" in line or "Ray" in line]
        return ClusterError(
            f"The cluster at {place} runs another Python or Ray than this machine. {' '.join(lines)} Use the same "
            "versions everywhere: one image, or one environment made from the same file."
        )
    if "No node info found" in said:
        return ClusterError(
            f"This machine is no part of the cluster at {place}: a command runs as a driver on one of its machines. "
            f"Start this one into it, {_START.format(place)}, or run the command on one that is in it."
        )
    return ClusterError(f"The cluster at {place} can't be used: {str(error).strip() or type(error).__name__}")

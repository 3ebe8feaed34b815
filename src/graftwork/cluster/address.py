"""Which cluster is meant: an address as it was given, checked; and the cluster that this machine belongs to."""

from __future__ import annotations

import os
import re
import socket
import tempfile
from pathlib import Path

from graftwork.errors import UsageError

AUTO = "auto"
SECONDS = 10.0
"""In which a cluster has to answer."""
_EXPECTED = "Expected auto (the cluster of this machine, else its own cores) or host:port (of the head, such as {0})."


def parsed(address: str) -> str:
    """`auto`, or `host:port`. Raises UsageError for anything else, without what may be a password in it."""
    text, expected = address.strip(), _EXPECTED.format("10.0.0.1:6379")
    if text == AUTO:
        return AUTO
    if "@" in text:
        raise UsageError(f"--cluster: an address holds no user and no password. {expected} Tokens come from a file.")
    if text.startswith("ray://"):
        raise UsageError(
            f"--cluster {text}: that is Ray Client, which is not used. Run the command on a machine of the cluster, "
            "with --cluster auto, or with the address of the head (port 6379, not 10001)."
        )
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+):(\d{1,5})", text)
    if found is None or not 0 < int(found[2]) < 65536:
        raise UsageError(f"--cluster '{text}'. {expected}")
    return text


def of_this_machine() -> tuple[str, bool]:
    """The address of the cluster that this machine was started into, "" without one; and whether it was named
    (`RAY_ADDRESS`), and not merely the last one that was started here, which may be gone."""
    named = os.environ.get("RAY_ADDRESS", "").strip()
    if named and named != AUTO:
        return parsed(named), True
    noted = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()) / "ray" / "ray_current_cluster"
    try:
        if os.name == "posix" and noted.stat().st_uid not in (os.getuid(), 0):
            return "", False  # in a folder that all users write, anyone can note an address
        return parsed(noted.read_text(encoding="utf-8")), False
    except (OSError, ValueError, UsageError):
        return "", False


def listens(address: str, seconds: float = SECONDS) -> bool:
    """Whether anything takes connections there."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=seconds):
            return True
    except OSError:
        return False

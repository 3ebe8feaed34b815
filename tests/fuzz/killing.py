"""A command in a forked process that is killed as power cuts kill: right before its n-th rename or unlink."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from fuzz.examine import FIRST, MUTATIONS, within

EVENTS = frozenset({"os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink"})
"""What changes which files there are; `replace` is a rename, `unlink` a remove (audit events of Python)."""
SECONDS = 180.0
ALL = 100
"""From so many mutations on, every place is tried; below, a few that the seed draws."""


def forked(act: Callable[[], object], kill_before: int | None = None, within_folder: Path | None = None) -> int:
    """Run `act` in a child; gives how many renames and unlinks it made below `within_folder`, or -1: killed.

    AssertionError where the child failed in any other way.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        code = 70
        try:
            counted = _count(kill_before, within_folder)
            act()
            os.write(writer, str(counted[0]).encode())
            code = 0
        except BaseException as error:  # the child must not go on with the parent's tests
            os.write(writer, f"{type(error).__name__}: {error}".encode()[:4000])
        finally:
            os._exit(code)
    os.close(writer)
    try:
        with within(SECONDS):
            said = b"".join(iter(lambda: os.read(reader, 4096), b"")).decode(errors="replace")
            _, status = os.waitpid(child, 0)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    finally:
        os.close(reader)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL, f"ended by signal {os.WTERMSIG(status)}"
        return -1
    assert os.WEXITSTATUS(status) == 0, said
    return int(said)


def _count(kill_before: int | None, folder: Path | None) -> list[int]:
    counted = [0]
    below = os.path.realpath(folder) if folder else ""

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event not in EVENTS or not _is_below(arguments, below):
            return
        if counted[0] == kill_before:
            os.kill(os.getpid(), signal.SIGKILL)
        counted[0] += 1

    sys.addaudithook(hook)
    return counted


def _is_below(arguments: tuple[object, ...], folder: str) -> bool:
    """Names without a folder are meant relative to an open one (`rmtree`): they count."""
    names = [os.fsdecode(name) for name in arguments if isinstance(name, str | bytes | os.PathLike)]
    return not folder or any(not os.path.isabs(name) or name.startswith(folder) for name in names)


def places(count: int) -> list[int]:
    """Which renames and unlinks of `count` are tried."""
    if MUTATIONS >= ALL or count <= 3:
        return list(range(count))
    return sorted(random.Random(FIRST).sample(range(count), 3))

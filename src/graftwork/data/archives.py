"""A .zip of images or sounds, unpacked once into the cache folder, with nothing in it trusted."""

from __future__ import annotations

import re
import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO

from graftwork.data.cache import digest, entry, limit_bytes, storing
from graftwork.data.entries import SEAL, kept
from graftwork.data.folders import EXPECTED, is_hidden, kind_of
from graftwork.errors import DataError

_BLOCK = 1 << 20


def unpacked(path: Path) -> Path:
    """The folder with the images and sounds of a zip file; without a folder that only wraps the others.

    Raises DataError for a member whose name leads out of the folder, a link, an encrypted or damaged member, no image
    or sound at all, or more to unpack than the cache may hold.
    """
    known = path.stat()
    folder = entry("unpacked", digest(str(path.resolve()), str(known.st_size), str(known.st_mtime_ns)))

    def unpack(place: Path) -> None:
        try:
            with zipfile.ZipFile(path) as archive:
                _unpack(archive, path, place)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            reason = "it is encrypted" if "encrypted" in str(error) else str(error)
            raise DataError(f"{path} can't be unpacked: {reason}. Pack it again, or unpack it yourself.") from error

    return kept(folder, unpack, _inner, spare=True)


def _unpack(archive: zipfile.ZipFile, path: Path, folder: Path) -> None:
    members = [member for member in archive.infolist() if not member.is_dir()]
    for member in members:
        _check_name(member, path)
    wanted = [(m, p) for m in members if kind_of(p := PurePosixPath(m.filename)) and not is_hidden(p)]
    if not wanted:
        raise DataError(f"{path} holds no images or sounds. {EXPECTED}")
    left = most = limit_bytes()
    for member, name in wanted:
        target = folder / name
        with storing(folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as packed, open(target, "wb") as file:
                left -= _copy(packed, file, left)
        if left < 0:
            raise DataError(
                f"{path} unpacks to more than {most / 1e9:,.1f} GB, which the cache may hold "
                "(GRAFTWORK_CACHE_LIMIT_GB). Unpack it yourself, and name the folder."
            )


def _check_name(member: zipfile.ZipInfo, path: Path) -> None:
    name = member.filename
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if ".." in parts or name.startswith(("/", "\\")) or re.match(r"^[A-Za-z]:", name):
        raise DataError(f"{path} has a member '{name}', which leads out of the folder. Nothing was unpacked.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise DataError(f"{path} has a member '{name}', which is a link. Nothing was unpacked; pack the files instead.")


def _copy(packed: IO[bytes], file: IO[bytes], most: int) -> int:
    """Bytes written; what the archive says of its sizes is not relied on."""
    written = 0
    while written <= most and (block := packed.read(_BLOCK)):
        file.write(block)
        written += len(block)
    return written


def _inner(folder: Path) -> Path:
    """Behind folders that hold nothing but one other folder with folders in it."""
    while True:
        held = [each for each in folder.iterdir() if each.name != SEAL]
        if len(held) != 1 or not held[0].is_dir() or not any(each.is_dir() for each in held[0].iterdir()):
            return folder
        folder = held[0]

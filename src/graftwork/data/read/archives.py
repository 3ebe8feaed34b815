"""A .zip of images or sounds, unpacked once into the cache folder, with nothing in it trusted."""

from __future__ import annotations

import json
import re
import stat
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

import pyarrow as pa

from graftwork.data.media.paths import LONGEST_NAME, LONGEST_PATH, shortened
from graftwork.data.read.folders import EXPECTED, is_hidden, kind_of, read_folder
from graftwork.data.read.unread import nothing_read
from graftwork.data.read.zip_names import names_of
from graftwork.data.store.cache import digest, entry, limit_bytes, storing
from graftwork.data.store.entries import kept
from graftwork.data.store.writing import write_text
from graftwork.errors import DataError

_BLOCK = 1 << 20
_ABOUT = ".left-out.json"
"""Beside what was unpacked: the names of the other members, and what was made of names."""


class Unpacked(NamedTuple):
    """folder: with the images or sounds, without folders that only wrap it. others: members that were left out, as
    seen from it. notes: lines for the user."""

    folder: Path
    others: list[str]
    notes: list[str]


class Member(NamedTuple):
    """A member and the name that was read for it."""

    info: zipfile.ZipInfo
    name: str


def read_zip(path: Path, name: str) -> pa.Table:
    """The zip's images or sounds as a table (see `read_folder`)."""
    found = _unpacked(path)
    return read_folder(found.folder, name, found.others, [f"{name}: {line}" for line in found.notes])


def unpacked(path: Path) -> Path:
    """The folder with the images and sounds of a zip file; without a folder that only wraps the others.

    Raises DataError for a member whose name leads out of the folder or can't be one, a link, an encrypted or damaged
    member, two that differ under one name, no image or sound at all, or more to unpack than the cache may hold.
    """
    return _unpacked(path).folder


def _unpacked(path: Path) -> Unpacked:
    known = path.stat()
    key = digest("names 2", str(path.resolve()), str(known.st_size), str(known.st_mtime_ns))

    def unpack(place: Path) -> None:
        with _explained(path), zipfile.ZipFile(path) as archive:
            _unpack(archive, path, place)

    return kept(entry("unpacked", key), unpack, _described, spare=True)


@contextmanager
def _explained(path: Path, member: str = "") -> Iterator[None]:
    """Whatever a damaged archive raises, as a DataError."""
    try:
        yield
    except (DataError, FileNotFoundError, PermissionError):
        raise
    except MemoryError:
        raise DataError(f"{path} can't be unpacked: it needs more memory than is left.") from None
    except Exception as error:  # each method of compression raises its own kinds
        reason = "it is encrypted" if "encrypted" in str(error) else " ".join(str(error).split()) or "it is damaged"
        where = f", member '{shortened(member)}'" if member else ""
        raise DataError(f"{path}{where} can't be unpacked: {reason}. Pack it again, or unpack it yourself.") from error


def _unpack(archive: zipfile.ZipFile, path: Path, folder: Path) -> None:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    names, note = names_of(infos)
    members = [Member(info, name) for info, name in zip(infos, names, strict=True)]
    for member in members:
        _check_name(member, path)
    seen = [member for member in members if not is_hidden(PurePosixPath(member.name))]
    wanted = [member for member in seen if kind_of(member.name)]
    others = [member.name for member in seen if not kind_of(member.name)]
    if not wanted:
        raise DataError(nothing_read(others, [], str(path)) or f"{path} holds no images or sounds. {EXPECTED}")
    wanted = _without_doubles(wanted, path)
    left = most = limit_bytes()
    for member in wanted:
        target = folder / member.name
        with storing(folder):
            target.parent.mkdir(parents=True, exist_ok=True)
            with _new(target, path) as file:
                left -= _copy(archive, member, path, file, left)
        if left < 0:
            raise DataError(
                f"{path} unpacks to more than {most / 1e9:,.1f} GB, which the cache may hold "
                "(GRAFTWORK_CACHE_LIMIT_GB). Unpack it yourself, and name the folder."
            )
    with storing(folder):
        write_text(folder / _ABOUT, json.dumps({"others": others, "notes": [note] if note else []}))


def _check_name(member: Member, path: Path) -> None:
    name, shown = member.name, shortened(member.name)
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/") or re.match(r"^[A-Za-z]:", name):
        raise DataError(f"{path} has a member '{shown}', which leads out of the folder. Nothing was unpacked.")
    if stat.S_ISLNK(member.info.external_attr >> 16):
        raise DataError(f"{path} has a member '{shown}', which is a link. Nothing was unpacked; pack files instead.")
    if not kind_of(name):
        return
    sizes = [len(part.encode(errors="replace")) for part in parts]
    if not parts or "\0" in name or max(sizes) > LONGEST_NAME or sum(sizes) + len(sizes) > LONGEST_PATH // 2:
        raise DataError(
            f"{path} has a member '{shown}', a name that no file can have here (at most {LONGEST_NAME} bytes a part). "
            "Nothing was unpacked; give it a shorter one."
        )


def _without_doubles(members: Sequence[Member], path: Path) -> list[Member]:
    """Each name once: the same file packed twice is one. Raises DataError for two files under one name, and for one
    that is a folder to another."""
    found: dict[PurePosixPath, Member] = {}
    for member in members:
        name = PurePosixPath(member.name)
        other = found.setdefault(name, member)
        if (other.info.CRC, other.info.file_size) != (member.info.CRC, member.info.file_size):
            raise DataError(f"{path} has two members '{shortened(member.name)}' that differ. Give one another name.")
    for name in found:
        for above in name.parents:
            if above in found:
                raise DataError(f"{path} has a member '{shortened(str(above))}' that is a file and a folder.")
    return list(found.values())


@contextmanager
def _new(target: Path, path: Path) -> Iterator[IO[bytes]]:
    """The file to write; a DataError where the system takes its name for that of another one."""
    try:
        file = open(target, "xb")  # noqa: SIM115
    except FileExistsError:
        raise DataError(
            f"{path} has members whose names differ only in capitals or accents ('{shortened(target.name)}'), which "
            "are one file here. Give one another name."
        ) from None
    with file:
        yield file


def _copy(archive: zipfile.ZipFile, member: Member, path: Path, file: IO[bytes], most: int) -> int:
    """Bytes written; what the archive says of its sizes is not relied on."""
    written = 0
    with _explained(path, member.name):
        packed = archive.open(member.info)
    with packed:
        while written <= most:
            with _explained(path, member.name):
                block = packed.read(_BLOCK)
            if not block:
                break
            file.write(block)
            written += len(block)
    return written


def _described(folder: Path) -> Unpacked:
    """What was unpacked, behind folders that hold nothing but one other folder with folders in it."""
    about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    inner = folder
    while True:
        held = [each for each in inner.iterdir() if not each.name.startswith(".")]
        if len(held) != 1 or not held[0].is_dir() or not any(each.is_dir() for each in held[0].iterdir()):
            break
        inner = held[0]
    wrapped = PurePosixPath(inner.relative_to(folder).as_posix())
    others = [PurePosixPath(name) for name in about["others"]]
    relative = [str(name.relative_to(wrapped) if name.is_relative_to(wrapped) else name) for name in others]
    return Unpacked(inner, relative, about["notes"])

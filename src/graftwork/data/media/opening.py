"""The one place where files of images and sounds are opened: regular files only, of a limited size."""

from __future__ import annotations

import os
import stat
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from graftwork.data.media.endings import reads_heif
from graftwork.data.media.paths import absence, shortened
from graftwork.errors import DataError

MOST_BYTES = 1 << 30
"""A larger file is refused by what the system says of it, before anything is read."""
FORMATS = {
    "JPEG": "Jpeg",  # and MPO, which begins as one
    "PNG": "Png",
    "GIF": "Gif",
    "BMP": "Bmp",
    "WEBP": "WebP",
    "TIFF": "Tiff",
    "PPM": "Ppm",
    "AVIF": "Avif",
    "JPEG2000": "Jpeg2K",
}
"""What Pillow may take bytes for. Its other formats stay shut: some start programs (EPS), some have no mark of their
own, so that anything could be taken for them."""
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}


class MediaError(DataError):
    """One image or sound can't be used. The message is a reason for a reader, without the row or the column."""


class UnknownFormat(MediaError):
    """The bytes are in no format that is read here."""


def read_file(path: Path, named: str) -> bytes:
    """The bytes of a regular file.

    named: what the cell says, for the message. Raises MediaError, and never waits, for what is no regular file (a
    pipe, a device, a socket, a folder, a link to one), is larger than 1 GiB, or can't be read.
    """
    try:
        _check(os.stat(path), path)  # opening some devices does something already
        with open(path, "rb", opener=_without_waiting) as file:
            known = os.fstat(file.fileno())
            _check(known, path)
            return file.read(known.st_size)
    except FileNotFoundError:
        raise MediaError(absence(named, path)) from None
    except MemoryError:
        raise MediaError(f"{shortened(str(path))} is too large for the memory that is left") from None
    except (OSError, ValueError) as error:  # a text is no path where it is long, or holds a zero byte
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"{shortened(str(path))} can't be read: {reason}") from None


def _check(known: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(known.st_mode):
        what = _KINDS.get(stat.S_IFMT(known.st_mode), "no regular file")
        raise MediaError(f"{shortened(str(path))} is {what}, not a file")
    if known.st_size > MOST_BYTES:
        raise MediaError(f"{shortened(str(path))} has {known.st_size:,} bytes; at most {MOST_BYTES:,} are read")
    if not known.st_size:
        raise MediaError(f"{shortened(str(path))} is empty (0 bytes)")


def _without_waiting(path: str, flags: int) -> int:
    """Opened such that a pipe put there since would not make it wait."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))


@lru_cache(maxsize=1)
def formats() -> tuple[str, ...]:
    """What Pillow may open in this build; with HEIF where pillow-heif is installed."""
    from PIL import Image

    for plugin in FORMATS.values():  # all of Pillow's would take longer to load
        import_module(f"PIL.{plugin}ImagePlugin")
    wanted = (*FORMATS, "HEIF") if reads_heif() else tuple(FORMATS)
    return tuple(name for name in wanted if name in Image.OPEN)

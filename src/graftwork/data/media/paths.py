"""Names of image and sound files: told by how they look and by the files that are there, and found on disk."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Literal
from urllib.parse import unquote, urlsplit

from graftwork.data.media.endings import HEIF, READABLE, REMEDIES, UNREADABLE, WEAK, reads_heif
from graftwork.data.media.marks import held_kind
from graftwork.shown import shortened_text

MediaKind = Literal["image", "audio"]
MOSTLY = 0.5
"""A column of which a larger share names files of one kind is one of that kind; its other values are bad rows."""
LONGEST_PATH, LONGEST_NAME = 4096, 255
_LOOKED_AT = 20
"""Values whose files are looked at where no ending tells what they are."""
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_DATA = re.compile(r"^data:(image|audio)/[-+.\w]+(;[-=\w]+)*;base64,", re.IGNORECASE)
_DRIVE = re.compile(r"^[A-Za-z]:[\\/]|^\\\\")
_BARE_ADDRESS = re.compile(r"^(www\.|//)\S+\.\w", re.IGNORECASE)


def media_kind(values: Sequence[str], folder: Path | None) -> MediaKind | None:
    """image or audio where most of these texts name such files; None where they don't.

    values: some of a column, without missing and blank ones. folder: where relative paths start; None for here.
    Told by the ending (of paths, of names with spaces, of Windows paths, of addresses, whether it can be read or not);
    where endings tell nothing, by what the files of that name hold.
    """
    if not values:
        return None
    found = [shown_kind(value) for value in values]
    for kind in READABLE:
        if found.count(kind) > MOSTLY * len(values):
            return kind
    looked = values[:: max(1, len(values) // _LOOKED_AT)]
    held = [shown_kind(value) or _held_kind(value, folder) for value in looked]
    return next((kind for kind in READABLE if held.count(kind) > MOSTLY * len(looked)), None)


def shown_kind(value: str) -> MediaKind | None:
    """What the look of one text tells: the kind of file it names, readable or not; None for no file of either."""
    given = value.strip()
    data = _DATA.match(given[:200])
    if data:
        return "image" if data[1].lower() == "image" else "audio"
    if len(given) > LONGEST_PATH or "\n" in given:
        return None
    name, ending = _name_of(given), ending_of(given)
    if len(name.encode(errors="replace")) > LONGEST_NAME or name.lower() == ending:
        return None
    if ending in WEAK and (name == given or (is_address(given) and urlsplit_path(given).count("/") < 2)):
        return None  # a domain: site.com.au, https://firm.ai
    return kind_of(given) or UNREADABLE.get(ending)


def kind_of(path: PurePath | str) -> MediaKind | None:
    """image or audio by an ending that can be read; None for anything else."""
    ending = ending_of(str(path))
    if ending in HEIF and reads_heif():
        return "image"
    return next((kind for kind, endings in READABLE.items() if ending in endings), None)


def ending_of(value: str) -> str:
    """The ending of a file's name in lower case, dot included; of an address without its query. "" where none.

    >>> ending_of("my photos/IMG 1 (2).JPG "), ending_of("https://a.org/b.heic?w=100"), ending_of(r"C:\\x\\a.b.wav")
    ('.jpg', '.heic', '.wav')
    """
    name = _name_of(value.strip())
    stem, dot, last = name.rpartition(".")
    return f".{last.lower()}" if dot and (stem or last) else ""


def refusal(value: str) -> str | None:
    """Why a file of this name can't be read, by its ending, and what to do; None where it may well be."""
    ending = ending_of(value)
    if ending not in UNREADABLE or (ending in HEIF and reads_heif()):
        return None
    return f"{ending} files can't be read: {REMEDIES.get(ending) or REMEDIES[UNREADABLE[ending]]}"


def absence(value: str, path: Path) -> str:
    """Why nothing can be read under this name, where no file is at `path`."""
    if is_address(value):
        return f"{shortened(value)} is an address on the web or of a store; download it first, and name the file"
    why = refusal(value)
    if _DRIVE.match(value.strip()) and os.name != "nt":
        hint = "a path of Windows; put the files beside the table and name them like photos/1.jpg"
        return f"there is no file {shortened(value)} here: it is {hint}{f'. {why}' if why else ''}"
    near = _near(path)
    hint = f". Did you mean {near}?" if near else f"; and {why}" if why else ""
    return f"there is no file {shortened(str(path))}{hint}"


def is_address(value: str) -> bool:
    """Whether it names something on the web or in a store (https://, s3://, www.): nothing here is downloaded."""
    given = value.strip()
    scheme = _SCHEME.match(given)
    return bool(scheme and scheme[1].lower() != "file") or bool(_BARE_ADDRESS.match(given))


def is_data(value: str) -> bool:
    """Whether it is no name but the file itself, written as text: data:image/png;base64,…"""
    return bool(_DATA.match(value.lstrip()[:200]))


def located(value: str, folder: Path | None) -> Path:
    """Where a path of a cell points to: the first of its readings under which something is there, else the plain one.

    Tried are the path as it is; without quotes around it; with %20 as a space; backslashes as slashes; its letters
    joined to their accents, and apart, since systems store names one way or the other.
    """
    plain = None
    for reading in _readings(value):
        path = (folder or Path()) / os.path.expanduser(reading)
        plain = path if plain is None else plain
        try:
            if os.path.lexists(path):
                return path
        except ValueError:  # a zero byte, or half of a surrogate pair: no file has such a name
            break
    return plain if plain is not None else Path()


def shortened(text: str) -> str:
    """A path for a message: of usual length, and without what a terminal would act on."""
    plain = "".join(character if character.isprintable() else "\ufffd" for character in text.strip())
    return shortened_text(plain, 200)


def urlsplit_path(value: str) -> str:
    """The path of an address; "" where it is none."""
    given = value if _SCHEME.match(value) else f"http://{value.lstrip('/')}"
    try:
        return urlsplit(given).path
    except ValueError:  # brackets in the wrong place
        return ""


def _name_of(given: str) -> str:
    """The last part of a path, under any system's separators; of an address without its query."""
    path = given
    if _SCHEME.match(given) or _BARE_ADDRESS.match(given):
        path = unquote(urlsplit_path(given))
    name = re.split(r"[\\/]", path)[-1].strip("\"' ")
    return re.split(r"[?#]", name)[0] if re.search(r"\.\w+[?#]", name) else name


def _readings(value: str) -> Iterator[str]:
    given = value.strip()
    if given[:5].lower() == "file:":
        rest = given[7:] if given[5:7] == "//" else given[5:]
        if not rest.startswith("/"):  # file://host/path
            rest = "/" + rest.partition("/")[2]
        rest = unquote(rest)
        given = rest[1:] if re.match(r"^/[A-Za-z]:", rest) else rest
    bare = given.strip("\"'")
    forms = [given, bare, unquote(bare)]
    if os.name != "nt" and not _DRIVE.match(given):
        forms += [form.replace("\\", "/") for form in (bare, unquote(bare))]
    forms += [unicodedata.normalize(kind, form) for form in forms if not form.isascii() for kind in ("NFC", "NFD")]
    yield from dict.fromkeys(forms)


def _near(path: Path) -> str | None:
    """A file whose name differs in case only, in the same folder; or one of this name in a folder beside."""
    here = _names(path.parent)
    if path.name.casefold() in here:
        return here[path.name.casefold()]
    for folder in list(here.values())[:_LOOKED_AT]:
        found = _names(path.parent / folder).get(path.name.casefold())
        if found:
            return f"{folder}/{found} (relative paths start at the folder of the table)"
    return None


def _names(folder: Path) -> dict[str, str]:
    """What stands in a folder, by names without capitals; nothing where it is none."""
    try:
        return _listed(str(folder), os.stat(folder).st_mtime_ns)
    except (OSError, ValueError):
        return {}


@lru_cache(maxsize=32)
def _listed(folder: str, changed: int) -> dict[str, str]:  # noqa: ARG001  a changed folder is listed again
    return {name.casefold(): name for name in sorted(os.listdir(folder))}


def _held_kind(value: str, folder: Path | None) -> MediaKind | None:
    """What the file of this name holds, by its first bytes."""
    if len(value) > LONGEST_PATH or "\n" in value or not value.strip():
        return None
    path = located(value, folder)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as file:
            return held_kind(file.read(16))
    except (OSError, ValueError):
        return None

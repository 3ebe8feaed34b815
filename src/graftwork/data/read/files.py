"""Opening data files: plain or gzip, with errors that say what a file really holds."""

from __future__ import annotations

import codecs
import difflib
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from graftwork.errors import DataError

SUPPORTED = (
    "csv, tsv, json lines (.jsonl, .ndjson, .json) and parquet, each also as .gz; .xlsx, .arrow, .feather; "
    "a folder or a .zip of images or sounds"
)


def check_file(path: Path) -> None:
    """Raise DataError unless `path` is a file that holds something."""
    if path.is_dir():
        files = ", ".join(sorted(entry.name for entry in path.iterdir() if entry.is_file())[:10])
        raise DataError(f"{path} is a folder, not a file. Name one file in it{': ' + files if files else ''}.")
    if not path.exists():
        raise DataError(f"There is no file {path}{_near(path)}")
    if not path.is_file():
        raise DataError(f"{path} is a pipe or a device. Write it to a file first, and name that.")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty (0 bytes). Expected a header and at least one row.")


def _near(path: Path) -> str:
    parent = path.parent
    if not parent.is_dir():
        return f": the folder {parent} does not exist."
    names = sorted(entry.name for entry in parent.iterdir() if entry.is_file() and not entry.name.startswith("."))
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    if close:
        return f". Did you mean {' or '.join(close)}?"
    if " " in path.name and not path.suffix:
        return ". If this is a text and not a file name, put it into a list: ['...']."
    tables = [name for name in names if name.lower().endswith(_EXTENSIONS)]
    return f". The folder holds: {', '.join(tables[:10])}." if tables else "."


_EXTENSIONS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".gz")
TABLES = (*_EXTENSIONS, ".txt", ".xlsx", ".arrow", ".feather", ".zip")
"""How the names of table files end."""


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked if its name ends in .gz. A file that can't be read is a DataError."""
    try:
        if path.name.lower().endswith(".gz"):
            with gzip.open(path, "rb") as packed:
                yield cast(BinaryIO, packed)
        else:
            with open(path, "rb") as plain:
                yield plain
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is not a sound gzip file ({error}). Copy or download it again.") from error
    except EOFError as error:
        raise DataError(f"{path} is cut off: the gzip data end too early. Copy or download it again.") from error
    except PermissionError as error:
        raise DataError(f"{path} can't be read: permission denied. Check who owns it (ls -l {path}).") from error


@dataclass(frozen=True)
class Content:
    """What the first bytes of a file show: a name for the message, and the extension that would fit."""

    what: str
    extension: str | None


def sniff(path: Path) -> Content:
    """What a file with an unknown extension seems to hold."""
    with open_bytes(path) as file:
        start = file.read(4096)
    for magic, what in _MAGIC.items():
        if start.startswith(magic):
            return Content(what, ".parquet" if magic == b"PAR1" else ".gz" if magic == b"\x1f\x8b" else None)
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return _of_text(start.decode("utf-16", errors="ignore"))
    try:
        text = start.decode("utf-8-sig") if len(start) < 4096 else start[:-4].decode("utf-8-sig", errors="ignore")
    except UnicodeDecodeError:
        return Content("binary data or text that is not UTF-8", None)
    return Content("binary data", None) if "\0" in text else _of_text(text)


def _of_text(text: str) -> Content:
    first = text.lstrip().replace("\r", "\n").split("\n", 1)[0]
    if first.startswith(("{", "[")):
        return Content("json", ".jsonl")
    if "\t" in first:
        return Content("tab-separated text", ".tsv")
    return Content("csv", ".csv") if any(sign in first for sign in ",;|") else Content("plain text", None)


_MAGIC = {
    b"PAR1": "parquet",
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "an Excel workbook or another zip file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"ARROW1": "an Arrow file",
    b"%PDF": "a PDF",
}


_PANDAS = {".sav": "read_spss", ".dta": "read_stata", ".sas7bdat": "read_sas", ".orc": "read_orc", ".h5": "read_hdf"}
"""What reads other formats, by ending."""
OPEN_ENDINGS = (".txt", ".dat", ".tab", ".data", ".psv", ".text")
"""Endings that say nothing of the contents; the first line does."""


def unknown_extension(path: Path) -> DataError:
    """The error for a file whose extension names no supported format."""
    content = sniff(path)
    if content.extension is not None:
        mend = f"Rename it to end in {content.extension}."
    elif "Excel" in content.what or path.suffix.lower() in (".ods", ".numbers", ".xlsb", ".xls"):
        mend = "Save the sheet as 'CSV UTF-8'" + (" or rename it to end in .xlsx." if "Excel" in content.what else ".")
    elif reader := _PANDAS.get(path.suffix.lower()):
        code = f"import pandas; pandas.{reader}('{path.name}').to_csv('{path.stem}.csv', index=False)"
        mend = f'Convert it: python -c "{code}"'
    elif path.suffix.lower() in (".pkl", ".pickle", ".joblib"):
        mend = "A pickle can run any program when it is opened, so none is read. Save it with to_parquet or to_csv."
    elif content.what == "plain text":
        mend = "For one text a line, put a header line `text` on top and quote each text, as csv does."
    else:
        mend = "Convert it to one of these."
    kind = f"extension '{path.suffix}'" if path.suffix else "no extension"
    return DataError(f"{path} has {kind}, and seems to hold {content.what}. Readable are {SUPPORTED}. {mend}")

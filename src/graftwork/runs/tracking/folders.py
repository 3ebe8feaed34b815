"""Where tracking writes: `<out>/track`, and in it a folder a run, whatever the run is called."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

TRACK = "track"
_LONGEST = 80


def folder_of(folder: Path, run: str) -> Path:
    """The folder of a run. Slashes in its name make folders, which viewers show as groups; what a name of a file can't
    have is replaced, and a digest keeps two such names apart.

    >>> folder_of(Path("track"), "trials/0003").as_posix(), folder_of(Path("track"), "..").as_posix()
    ('track/trials/0003', 'track/run-5ec1f7')
    """
    return folder.joinpath(*(_plain(part) for part in run.split("/")))


def _plain(part: str) -> str:
    plain = re.sub(r"[^\w .,=+-]", "-", part)[:_LONGEST].strip(" .")
    if plain == part and plain:
        return part
    return f"{plain or 'run'}-{hashlib.sha256(part.encode(errors='surrogatepass')).hexdigest()[:6]}"

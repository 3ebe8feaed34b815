"""A trial of a tune on a machine of a cluster: taken up from the files that it is given, and handed back as files."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from graftwork.data.store.cache import SPOOL, cache_dir
from graftwork.data.store.packed import pack, unpack
from graftwork.data.store.writing import remove, write_text
from graftwork.evidence.tune.trials import Trial
from graftwork.runs.machines.heard import Tell, Telling
from graftwork.runs.machines.settled import settled
from graftwork.runs.tune.judged import Judged
from graftwork.runs.tune.ladder import rungs_of
from graftwork.runs.tune.search import Wanted
from graftwork.runs.tune.trials.files import trial_folder
from graftwork.runs.tune.trials.run import TrialRunner

BEGUN = "begun-from"
"""In the folder of a trial on a machine: which files it began from."""


@dataclass(frozen=True)
class Shared:
    """What all trials share, sent once to each machine. key: of this call. threads, device, cwd: as of `settled`."""

    judged: Judged
    key: str
    threads: int
    device: str
    cwd: str


@dataclass(frozen=True)
class Given:
    """files: of the trial's folder, as it was left; none for a new one."""

    wanted: Wanted
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Came:
    """The trial as it is now, and its files."""

    trial: Trial
    files: Mapping[str, bytes]


def run_trial(shared: Shared, given: Given, tell: Tell) -> Came:
    """Go on with a trial here, as `TrialRunner.run` does. Where this machine was lost to it before, it goes on from the
    last checkpoint that it wrote here."""
    wanted = given.wanted
    place = (cache_dir() / SPOOL / f"tune-{shared.key}").absolute()
    folder = trial_folder(place, wanted.trial.number)
    _begin(folder, wanted, given.files)
    hearing, shares = Telling(tell), _sharing(shared.key)
    runner = TrialRunner(shared.judged, rungs_of, place, hearing, began=time.monotonic(), afar=True, _shared=shares)
    with settled(shared.threads, shared.device, shared.cwd):
        done = runner.run(wanted.trial, wanted.recipe, wanted.level, wanted.seconds)
    files = {name: content for name, content in pack(folder).items() if name != BEGUN}
    remove(folder)
    return Came(done, files)


def _begin(folder: Path, wanted: Wanted, files: Mapping[str, bytes]) -> None:
    """The folder with the files that were sent, or as a process left it that began from the same ones and was ended."""
    mark = json.dumps([wanted.trial.rungs, wanted.trial.recipe], default=str)
    noted = folder / BEGUN
    if noted.is_file() and noted.read_text(encoding="utf-8") == mark:
        return
    unpack(files, folder)
    write_text(noted, mark)


@lru_cache(maxsize=1)
def _sharing(key: str) -> set[str]:  # noqa: ARG001
    """What this process has put into its cache for all folds, in the call of this key."""
    return set()

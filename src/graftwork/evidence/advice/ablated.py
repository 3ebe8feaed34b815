"""What an ablation of a run says is to be done next: the findings of its `ablation.json`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from graftwork.data.store.names import inside
from graftwork.errors import ModelError
from graftwork.evidence.advice.advice import About, Item
from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.words import quoted
from graftwork.shown import counted

NAME = "ablation.json"
_ABOUT: dict[str, About] = {"technique": "technique", "input": "input", "setting": "setting"}
_MOST_FOLDERS = 200


def ablations_in(run: Path) -> list[Path]:
    """The `ablation.json` files in the folder of a run, and in folders below it."""
    folders = [run, *(one for one in sorted(run.iterdir())[:_MOST_FOLDERS] if one.is_dir())]
    return [inside(run, str((one / NAME).relative_to(run))) for one in folders if (one / NAME).is_file()]


def findings_in(file: Path) -> list[dict[str, Any]]:
    """The findings as they were written. Raises ModelError for a file that is damaged."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))["findings"]
        checked = [_checked(one) for one in found]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(
            f"{file} is damaged ({type(error).__name__}: {error}). Expected what graft ablate writes; make it again, "
            "or remove it."
        ) from None
    return checked


def _checked(one: Any) -> dict[str, Any]:
    """What is read of a finding, held against its types."""
    values = {name: one[name] for name in ("name", "kind", "verdict", "value", "low", "high", "repeats", "settles")}
    numbers = [values[name] for name in ("value", "low", "high", "settles")]
    good = all(isinstance(values[name], str) for name in ("name", "kind", "verdict")) and all(
        number is None or (isinstance(number, int | float) and math.isfinite(number)) for number in numbers
    )
    if not good or not isinstance(values["repeats"], int):
        raise ValueError(f"a finding with {values}")
    return values


def of_findings(
    found: Collection[dict[str, Any]],
    used: Collection[str],
    without: Callable[[], str],
    taken: Callable[[str], str],
    repeated: Callable[[int], str],
) -> tuple[list[Item], list[str]]:
    """Items, and notes of what earned its place. used: names of the techniques of the run. without, taken, repeated:
    the commands that leave out what hurts, take a technique, and go on to so many repeats."""
    items, notes = list[Item](), list[str]()
    for one in found:
        about = _ABOUT.get(one["kind"])
        if about is None or one["low"] is None or one["value"] is None:
            continue
        name, repeats = one["name"], counted(one["repeats"], "repeat")
        measured = f"by an ablation over {repeats}"
        if one["verdict"] == "hurts" and (about != "technique" or name in used):
            gain = Interval(-one["value"], -one["high"], -one["low"])
            items.append(Item(about, f"Leave out {quoted(name)}: it hurts.", without(), gain, measured))
        elif one["verdict"] == "helps" and about == "technique" and name not in used:
            gain = Interval(one["value"], one["low"], one["high"])
            items.append(Item(about, f"Take {quoted(name)}: it helps.", taken(name), gain, measured))
        elif one["verdict"] == "helps":
            notes.append(f"{quoted(name)} earned its place ({measured}).")
        elif one["verdict"] == "open" and one["settles"]:
            text = f"Settle whether {quoted(name)} helps: {counted(one['settles'], 'more repeat')} should tell."
            items.append(Item(about, text, repeated(one["repeats"] + int(one["settles"]))))
    return items, notes

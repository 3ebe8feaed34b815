"""Whether the steps of a sequence can be meant: what they are called, what they build on, and the files they name."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graftwork.errors import UsageError, nearest
from graftwork.networks.bases.registry import BASES, parse_base
from graftwork.networks.hub.paths import check_path, is_hub_id, split_path
from graftwork.runs.sequences.steps import Step, place, placed, renamed, rounds_of

Links = Mapping[str, Sequence[str]]
"""By the name of a step, the steps that it names, whether they stand before it or not."""


def checked(steps: Sequence[Step], source: str = "") -> list[Step]:
    """The steps, a step of several rounds as so many steps. source: the file they are from, for messages.

    Files are looked for, so that a mistyped one is not found out hours later.

    Raises UsageError for no steps at all, for names that can't be meant and for missing files, ModelError for a base
    that is not there.
    """
    if not steps:
        raise UsageError(f"{source or 'The sequence'} has no steps. Expected one or more, each with a name.")
    found: list[Step] = []
    stands_for: dict[str, str] = {}
    names = [step.name for step in steps]
    links: dict[str, list[str]] = {}
    for at, step in enumerate(steps, start=1):
        with placed(place(source, step.name or at)):
            links[step.name] = [name for _, name in _named(step) if name in names]
    for at, step in enumerate(steps, start=1):
        with placed(place(source, step.name or at)):
            _check_name(step.name, names)
            _check_references(step, stands_for, links)
            _check_files(step)
        made = rounds_of(step)
        found += [renamed(one, stands_for) for one in made]
        stands_for[step.name] = made[-1].name
    return found


def _named(step: Step) -> list[tuple[str, str]]:
    """What a step builds on, as (base, teacher or pseudo_labels; name): steps, folders and hub ids."""
    pseudo = step.pseudo_labels
    return [
        *(("base", split_path(spec)[0].partition(":")[0]) for spec in _bases(step)),
        *(("teacher", teacher) for technique in step.recipe.listed for teacher in technique.teachers),
        *([("pseudo_labels", pseudo.model)] if pseudo else []),
    ]


def _bases(step: Step) -> list[str]:
    return [step.recipe.base] if isinstance(step.recipe.base, str) else list(step.recipe.base.values())


def _check_name(name: str, names: Sequence[str]) -> None:
    if not name:
        raise UsageError("it has no name. Expected one of letters, digits, dots, - and _: name: teacher.")
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise UsageError(f"it is named '{name}'. Expected a name of letters, digits, dots, - and _: name: teacher.")
    if names.count(name) > 1:
        raise UsageError(f"{names.count(name)} steps are named '{name}'. Give each a name of its own.")
    if name in BASES:
        raise UsageError(f"it is named '{name}', which is the name of a base. Choose another name.")


def _check_references(step: Step, earlier: Mapping[str, str], links: Links) -> None:
    for what, name in _named(step):
        if name in links and name not in earlier:
            raise _not_earlier(step.name, what, name, links)
    for spec in _bases(step):
        _check_base(spec, earlier)
    for technique in step.recipe.listed:
        for teacher in technique.teachers:
            if teacher not in earlier and not Path(teacher).expanduser().is_dir() and not is_hub_id(teacher):
                raise UsageError(
                    f"{technique.name} names the teacher '{teacher}', which is neither an earlier step nor a folder. "
                    f"{nearest(teacher, earlier)}"
                )
    if step.pseudo_labels is None:
        return
    if step.pseudo_labels.model not in earlier:
        raise UsageError(
            f"pseudo_labels names the model '{step.pseudo_labels.model}', which is no earlier step. "
            f"{nearest(step.pseudo_labels.model, earlier)}"
        )
    if step.data.unlabelled is None:
        raise UsageError("pseudo_labels needs rows to label. Add unlabelled: TABLE to the step.")


def _not_earlier(step: str, what: str, name: str, links: Links) -> UsageError:
    """To put a step before helps only where that does not build on this one."""
    if name == step:
        return UsageError(f"{what} names the step itself. A step can't build on itself: name an earlier step.")
    way = _way(name, step, links, set())
    if way:
        circle = ", ".join(f"{one} needs {other}" for one, other in zip([step, *way], way, strict=False))
        return UsageError(
            f"{what} names the step '{name}', which itself needs this one: {circle}. Steps can't build on each other "
            "in a circle: give one of them another base or teacher."
        )
    return UsageError(f"{what} names the step '{name}', which is not done by then. Put it before.")


def _way(start: str, end: str, links: Links, seen: set[str]) -> list[str]:
    """The steps from `start` to `end`, each of which names the next; empty where there is no such way."""
    if start == end:
        return [end]
    seen.add(start)
    ways = (_way(one, end, links, seen) for one in links[start] if one not in seen)
    return next(([start, *way] for way in ways if way), [])


def _check_base(spec: str, earlier: Mapping[str, str]) -> None:
    path = split_path(spec)[0]
    name = path.partition(":")[0]
    if name in earlier or spec == "auto":
        return
    if name.strip() not in BASES:
        check_path(path, (*BASES, *earlier))  # earlier steps may have been meant, too
    parse_base(spec)


def _check_files(step: Step) -> None:
    train: Any = step.data.train
    several = isinstance(train, list | tuple) and all(isinstance(one, str) for one in train)
    trains = list(train) if several else [train]
    for source in (*trains, step.data.valid, step.data.test, step.data.unlabelled):
        if isinstance(source, str | os.PathLike) and not Path(source).expanduser().exists():
            raise UsageError(f"there is no file {source}. Paths start where the command runs: {Path.cwd()}.")

"""The steps of a sequence: what a YAML file says, and what its names of earlier steps stand for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from graftwork import specs
from graftwork.core.technique import Technique
from graftwork.data.quality.checks import known_choice
from graftwork.data.store.yaml_files import read_yaml
from graftwork.discovery.code import check_allowed
from graftwork.errors import GraftworkError, UsageError, nearest
from graftwork.networks.bases.registry import Named
from graftwork.recipe import Recipe, from_dict, from_yaml
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.shown import shortened_text


@dataclass(frozen=True, kw_only=True)
class PseudoLabels:
    """Self-training: the unlabelled rows of which an earlier step's model is sure are trained on with its answers.

    model: the step. threshold: the least (calibrated) probability, above 0 and at most 1. balance: keep the same share
    of the rows of every class, the surest ones, so that easy classes don't crowd out the others (Zou et al. 2018).
    rounds: how often; each round asks the model of the one before.
    """

    model: str
    threshold: float = 0.9
    balance: bool = False
    rounds: int = 1

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold <= 1.0:
            raise UsageError(f"pseudo_labels: threshold is {self.threshold}. Expected a number above 0, at most 1.")
        if self.rounds < 1:
            raise UsageError(f"pseudo_labels: rounds is {self.rounds}. Expected 1 or more.")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One run of a sequence.

    name: also of its folder. data: its tables, as in `fit`. recipe: may name an earlier step as `base`, or as the
    `teacher` of a technique. pseudo_labels: what its unlabelled rows are labelled with. budget: wall seconds.
    """

    name: str
    data: DataArguments
    recipe: Recipe = field(default_factory=Recipe)
    pseudo_labels: PseudoLabels | None = None
    budget: float | None = None


DATA = tuple(f.name for f in fields(DataArguments) if f.name != "labelled")
OTHERS = ("name", "recipe", "pseudo_labels", "budget")


def read_steps(path: str | os.PathLike[str], allow_code: Sequence[str] = ()) -> list[Step]:
    """The steps of a YAML file: `steps`, a list, and `data`, what all of them have unless they say otherwise.

    allow_code: the modules that their recipes may import to train. Raises UsageError for a missing file, broken YAML,
    an unknown entry, a wrong value or code that is not allowed.
    """
    file = Path(path)
    plain = read_yaml(file, "sequence")
    if not isinstance(plain, Mapping):
        raise UsageError(f"{file} is no sequence: expected YAML with `data:` and `steps:`.")
    entries: Mapping[str, Any] = plain
    _check_names(entries, ("data", "steps"), str(file))
    listed = entries.get("steps")
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
        raise UsageError(f"{file}, 'steps' is {_shown(listed)}. Expected a list of steps, each with a name.")
    shared = _mapping(entries.get("data") or {}, f"{file}, 'data'")
    _check_names(shared, DATA, f"{file}, 'data'")
    return [_read_step(one, at, shared, str(file), allow_code) for at, one in enumerate(listed, 1)]


def place(source: str, step: str | int) -> str:
    """Where a message has its cause: a step, by its name or else its number. source: its file, empty for a list.

    >>> place("all.yaml", "teacher"), place("", 2)
    ('all.yaml, step teacher', 'Step 2')
    """
    return f"{source}, step {step}" if source else f"Step {step}"


@contextmanager
def placed(where: str) -> Iterator[None]:
    """Inside, errors that don't say where they have their cause begin with it."""
    try:
        yield
    except GraftworkError as error:
        if str(error).startswith(where):
            raise
        raise type(error)(f"{where}: {error}") from error


def resolved(step: Step, folders: Mapping[str, Path]) -> Recipe:
    """Its recipe with the folders of the steps that it names."""
    techniques = step.recipe.techniques
    if not isinstance(techniques, str):
        techniques = tuple(
            _with_teacher(one, {name: str(path) for name, path in folders.items()}) for one in techniques
        )
    base = _with_bases(step.recipe.base, {name: str(path) for name, path in folders.items()})
    return replace(step.recipe, techniques=techniques, base=base)


def _read_step(plain: Any, at: int, shared: Mapping[str, Any], file: str, allow_code: Sequence[str]) -> Step:
    entries = _mapping(plain, place(file, at))
    where = place(file, str(entries.get("name") or at))
    with placed(where):
        return _step(entries, shared, where, allow_code)


def _step(plain: Mapping[str, Any], shared: Mapping[str, Any], where: str, allow_code: Sequence[str]) -> Step:
    _check_names(plain, (*OTHERS, *DATA), where)
    name = str(plain.get("name") or "")
    given = {key: value for key, value in {**shared, **plain}.items() if key in DATA and value is not None}
    if "train" not in given:
        raise UsageError(f"{where} has no training table. Add train: TABLE to the step, or to 'data' for all steps.")
    if "on_bad_rows" in given:
        given["on_bad_rows"] = known_choice(given["on_bad_rows"])
    pseudo = plain.get("pseudo_labels")
    budget = plain.get("budget")
    return Step(
        name=name,
        data=DataArguments(**given),
        recipe=_recipe(plain.get("recipe"), f"{where}, 'recipe'", allow_code),
        pseudo_labels=None
        if pseudo is None
        else specs.build(PseudoLabels, _mapping(pseudo, f"{where}, 'pseudo_labels'"), f"{where}, 'pseudo_labels'"),
        budget=None if budget is None else specs.convert(budget, float, f"{where}, 'budget' (seconds)"),
    )


def _recipe(given: Any, where: str, allow_code: Sequence[str]) -> Recipe:
    if given is None:
        return Recipe()
    if isinstance(given, str):
        return from_yaml(given, allow_code)
    recipe = from_dict(_mapping(given, where), where)
    check_allowed(recipe.code, allow_code, where)
    return recipe


def rounds_of(step: Step) -> list[Step]:
    """The step, or a step for each round, of which the next one asks the one before."""
    pseudo = step.pseudo_labels
    if pseudo is None or pseudo.rounds == 1:
        return [step]
    made, asked = [], pseudo.model
    for number in range(1, pseudo.rounds + 1):
        name = f"{step.name}-{number}"
        made.append(replace(step, name=name, pseudo_labels=replace(pseudo, model=asked, rounds=1)))
        asked = name
    return made


def renamed(step: Step, names: Mapping[str, str]) -> Step:
    """The step with the last round of each step that it names."""
    pseudo = step.pseudo_labels
    techniques = step.recipe.techniques
    if not isinstance(techniques, str):
        techniques = tuple(_with_teacher(one, names) for one in techniques)
    recipe = replace(step.recipe, techniques=techniques, base=_with_bases(step.recipe.base, names))
    asked = None if pseudo is None else replace(pseudo, model=names.get(pseudo.model, pseudo.model))
    return replace(step, recipe=recipe, pseudo_labels=asked)


def _with_teacher(technique: Technique, names: Mapping[str, str]) -> Technique:
    """A technique whose setting `teacher` is the name of a step, with what that stands for."""
    teacher = getattr(technique, "teacher", None)
    if not isinstance(teacher, str) or teacher not in names:
        return technique
    changed: dict[str, Any] = {"teacher": names[teacher]}
    return replace(technique, **changed)


def _with_bases(base: Named, names: Mapping[str, str]) -> Named:
    if not isinstance(base, str):
        return {use: _with_base(spec, names) for use, spec in base.items()}
    return _with_base(base, names)


def _with_base(spec: str, names: Mapping[str, str]) -> str:
    name, colon, settings = spec.partition(":")
    return f"{names[name]}{colon}{settings}" if name in names else spec


def _check_names(plain: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for name in plain:
        if name not in known:
            raise UsageError(f"{where} has an unknown entry '{name}'. {nearest(str(name), known)}")


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise UsageError(f"{where} is {_shown(value)}. Expected names and values.")


def _shown(value: Any) -> str:
    """A value for a message; a whole table that was taken for a sequence is cut."""
    return shortened_text(repr(value))

"""A recipe: base, task, techniques and training settings. Pure data; the same thing in Python, YAML and on the command
line, and what a saved model carries."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from graftwork import specs
from graftwork.core.settings import Training
from graftwork.core.technique import Technique
from graftwork.data.columns.text import TextSettings
from graftwork.data.store.yaml_files import read_yaml
from graftwork.data.table import Input, Schema
from graftwork.discovery.code import check_allowed
from graftwork.discovery.needed import check_packages, packages_of
from graftwork.discovery.registry import Registry
from graftwork.errors import UsageError, nearest
from graftwork.networks.base_settings import BaseSettings
from graftwork.networks.bases.registry import BASES, Named, bases_of
from graftwork.networks.heads.registry import HEADS
from graftwork.tasks.metrics.functions import Function, function_name
from graftwork.tasks.registry import TASKS
from graftwork.techniques import TECHNIQUES

Auto = Literal["auto"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to do, apart from the data.

    base: a name from `graft list bases` with settings ("minilm:layers=3"), a local transformers folder, or a hub id; or
    one for each modality (text, image, audio, table) or column, `{"text": "minilm", "photo": "./mobilenet"}`. "auto"
    takes the default of each modality.
    task: "auto" or a name from `graft list tasks`; or one for each target, `{"price": "regression"}`. head: "linear",
    "mlp:width=512" or "kernel"; "auto" is the task's usual one, and lets `techniques: auto` try several.
    techniques: "auto" chooses by trying (`graftwork.runs.default`); an empty list is the plain loop. Each is an object,
    or as it is written in YAML ("lora:rank=16").
    metric: what validation is scored by, or that for each target; None takes the task's first. A name, or a Python
    function of the true and the predicted values, more is better; a recipe file keeps its name alone. The score of
    several targets is the mean of theirs, and there a regression is scored by r2 unless named otherwise. valid_share:
    share of the training rows that is held out for validation where no validation table is given. rows: train on a
    sample of so many rows (what a budget allows). valid_rows: score runs on a sample of so many validation rows; None
    is all, or a third of `rows`. kept_rows: stream the rows of the sample through the steps, each prepared when a step
    comes to it and kept nowhere, but for the first so many, on which heads are solved before the first step; None
    prepares and keeps all. calibration_share: share of the training rows that is held out, beyond the
    validation rows, to say how sure the model is (`Model.predict_sets`). reference: whether the model keeps features
    of some training rows, by which it tells how unusual others are. inputs: those that are read, by column, "table"
    for all numbers and categories; None for all. seed: of everything that is drawn.

    >>> Recipe(base="gru", techniques=(), seed=1).to_dict()
    {'base': 'gru', 'techniques': [], 'seed': 1}
    """

    base: Named = "auto"
    task: str | Mapping[str, str] = "auto"
    head: str = "auto"
    techniques: Sequence[Technique] | Auto = "auto"
    training: Training = field(default_factory=Training)
    text: TextSettings = field(default_factory=TextSettings)
    metric: str | Function | Mapping[str, str | Function] | None = None
    valid_share: float = 0.12
    rows: int | None = None
    valid_rows: int | None = None
    kept_rows: int | None = None
    inputs: Sequence[str] | None = None
    calibration_share: float = 0.0
    reference: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "metric", _named_metrics(self.metric))
        if not 0 < self.valid_share < 1:
            raise UsageError(f"valid_share is {self.valid_share}. Expected a number between 0 and 1.")
        if not 0 <= self.calibration_share < 1 - self.valid_share:
            raise UsageError(
                f"calibration_share is {self.calibration_share}. Expected a number from 0, which holds nothing out, to "
                f"below {1 - self.valid_share:g}: {self.valid_share:g} of the rows validate."
            )
        if self.seed < 0:
            raise UsageError(f"seed is {self.seed}. Expected a whole number of 0 or more.")
        for name, least in (("rows", 2), ("valid_rows", 1), ("kept_rows", 2)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"{name} is {value}. Expected {least} or more, or none for all.")
        if self.inputs is not None:
            if isinstance(self.inputs, str) or not self.inputs:
                raise UsageError(f"inputs is {self.inputs!r}. Expected a list of inputs, or none for all.")
            object.__setattr__(self, "inputs", tuple(str(name) for name in self.inputs))
        if isinstance(self.techniques, str):
            if self.techniques != "auto":
                raise UsageError(f"techniques is {self.techniques!r}. Expected 'auto' or a list of techniques.")
        else:
            object.__setattr__(self, "techniques", parse_techniques(self.techniques))

    @property
    def listed(self) -> tuple[Technique, ...]:
        """The techniques that do something (not `off`); none while they are still to be chosen."""
        return tuple(technique for technique in self.named if not technique.off)

    @property
    def named(self) -> tuple[Technique, ...]:
        """The same with those that are off."""
        return () if isinstance(self.techniques, str) else tuple(self.techniques)

    @property
    def code(self) -> tuple[str, ...]:
        """Modules of the user's that its techniques import when they train."""
        return tuple(dict.fromkeys(module for technique in self.named for module in technique.code))

    @classmethod
    def load(cls, path: str | os.PathLike[str], allow_code: Sequence[str] = ()) -> Recipe:
        """Read a recipe file. allow_code: the modules that it may import when it trains.

        Raises UsageError for a missing file, broken YAML, an unknown name, a wrong value, or code that is not allowed.
        """
        return from_yaml(path, allow_code)

    @property
    def base_text(self) -> str:
        """The bases as a reader sees them."""
        if isinstance(self.base, str):
            return self.base
        return ", ".join(f"{use}: {spec}" for use, spec in self.base.items())

    def metric_of(self, target: str) -> str | None:
        """The metric that is named for a target."""
        found = self.metric.get(target) if isinstance(self.metric, Mapping) else self.metric
        return found if found is None or isinstance(found, str) else function_name(found)

    def bases(self, schema: Schema) -> dict[str, BaseSettings]:
        """The base of each input of a table, by the input's name."""
        return bases_of(self.base, self.read(schema))

    def read(self, schema: Schema) -> tuple[Input, ...]:
        """The inputs of a table that are read. Raises UsageError for one that there is not."""
        every = {one.name: one for one in schema.modalities}
        for name in self.inputs or ():
            if name not in every:
                raise UsageError(f"inputs: there is no input '{name}'. {nearest(name, every)}")
        return tuple(every[name] for name in every if self.inputs is None or name in self.inputs)

    def read_columns(self, schema: Schema) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The input columns of a table that are read, and those that are not, in the table's order."""
        read = {column for one in self.read(schema) for column in one.columns}
        names = [column.name for column in schema.inputs]
        return tuple(name for name in names if name in read), tuple(name for name in names if name not in read)

    def to_dict(self) -> dict[str, Any]:
        """Plain data; whatever is at its default is left out, but for base and techniques. What other packages bring
        is listed with them under `packages`."""
        plain: dict[str, Any] = {"base": _plain(self.base), "techniques": self.techniques}
        if not isinstance(self.techniques, str):
            plain["techniques"] = [
                {t.name: {name: _plain(value) for name, value in specs.changed_settings(t).items()}}
                for t in self.techniques
            ]
        for name, value in specs.changed_settings(self).items():
            if name in ("training", "text"):
                plain[name] = specs.changed_settings(value)
            elif name not in plain:
                plain[name] = _plain(value)
        packages = packages_of(self.names())
        return plain | ({"packages": packages} if packages else {})

    def names(self) -> Iterator[tuple[Registry[Any], str]]:
        """What it names, and where that is looked up."""
        yield from ((TECHNIQUES, technique.name) for technique in self.listed)
        for known, named in ((BASES, self.base), (TASKS, self.task), (HEADS, self.head)):
            specs_of = [named] if isinstance(named, str) else list(named.values())
            yield from ((known, name) for name in map(specs.name_of, specs_of) if name in known)

    def to_yaml(self) -> str:
        import yaml

        text: str = yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)
        return text


def from_dict(plain: Mapping[str, Any], source: str = "recipe") -> Recipe:
    """The inverse of `Recipe.to_dict`; every name and value is checked and `source` names it in messages."""
    known = {f.name for f in fields(Recipe)}
    check_packages(plain.get("packages", {}), REGISTRIES, source)
    plain = {name: value for name, value in plain.items() if name != "packages"}
    for name in plain:
        if name not in known:
            raise UsageError(f"{source} has an unknown entry '{name}'. {nearest(str(name), known)}")
    values: dict[str, Any] = {}
    for name, value in plain.items():
        if name == "techniques":
            values[name] = parse_techniques(value)
        elif name == "inputs":
            values[name] = value
        elif name == "training":
            values[name] = specs.build(Training, _mapping(value, name, source), "training")
        elif name == "text":
            values[name] = specs.build(TextSettings, _mapping(value, name, source), "text")
        elif name in ("base", "task", "metric") and isinstance(value, Mapping):
            values[name] = {str(use): specs.convert(one, str, f"{source}, '{name}'") for use, one in value.items()}
        else:
            hint = _HINTS.get(name, str)
            values[name] = specs.convert(value, hint, f"{source}, '{name}'")
    return Recipe(**values)


REGISTRIES: tuple[Registry[Any], ...] = (TECHNIQUES, BASES, TASKS, HEADS)
"""Where the names in a recipe are looked up."""

_HINTS: dict[str, Any] = {
    "metric": str | None,
    "valid_share": float,
    "calibration_share": float,
    "rows": int | None,
    "valid_rows": int | None,
    "kept_rows": int | None,
    "reference": bool,
    "seed": int,
}


def from_yaml(path: str | os.PathLike[str], allow_code: Sequence[str] = ()) -> Recipe:
    """`Recipe.load`."""
    file = Path(path)
    plain = read_yaml(file, "recipe")
    recipe = from_dict(_mapping(plain or {}, "recipe", str(file)), str(file))
    check_allowed(recipe.code, allow_code, str(file))
    return recipe


def parse_techniques(value: Any) -> tuple[Technique, ...] | Auto:
    """`"auto"`, `"none"`, or a list of "name:key=value", {name: {key: value}} or Technique."""
    if value == "auto":
        return "auto"
    if value is None or value == "none":
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise UsageError(f"techniques is {value!r}. Expected 'auto', 'none' or a list.")
    return tuple(t if isinstance(t, Technique) else specs.parse(t, TECHNIQUES, "technique") for t in value)


def with_settings(recipe: Recipe, settings: Mapping[str, str]) -> Recipe:
    """The recipe with `key=value` settings changed, as `--set` gives them: training settings by their name, text
    settings as `text.name`, and the recipe's own base, task, head, metric, rows, reference, seed, and its shares."""
    own = {"head", "metric", "valid_share", "rows", "valid_rows", "seed", "task", "base", "reference"}
    own |= {"calibration_share", "kept_rows"}
    training, text, plain = asdict(recipe.training), asdict(recipe.text), {}
    for key, value in settings.items():
        if key in training:
            training[key] = value
        elif key.removeprefix("text.") in text and key.startswith("text."):
            text[key.removeprefix("text.")] = value
        elif key in own:
            plain[key] = value
        else:
            known = [*training, *own, *(f"text.{name}" for name in text)]
            raise UsageError(f"There is no setting '{key}'. {nearest(key, known)}")
    return replace(
        recipe,
        training=specs.build(Training, training, "training"),
        text=specs.build(TextSettings, text, "text"),
        **{key: getattr(from_dict({key: value}, "--set"), key) for key, value in plain.items()},
    )


def _named_metrics(given: str | Function | Mapping[str, str | Function] | None) -> str | dict[str, str] | None:
    """The metrics by name, which is all that a recipe keeps of a function. Raises UsageError for what is none."""
    if isinstance(given, Mapping):
        return {name: one if isinstance(one, str) else function_name(_function(one)) for name, one in given.items()}
    return given if given is None or isinstance(given, str) else function_name(_function(given))


def _function(given: object) -> Function:
    if callable(given):
        return given
    raise UsageError(f"metric is {given!r:.60}. Expected a name, a function of true and predicted values, or none.")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _mapping(value: Any, name: str, source: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise UsageError(f"{source}, '{name}' is {value!r}. Expected names and values.")

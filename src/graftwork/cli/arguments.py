"""What the command line's options mean: recipes, times, pairs and folders from text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import typer

from graftwork.errors import UsageError
from graftwork.terminal import tell_of

if TYPE_CHECKING:
    from graftwork.recipe import Recipe

Encoding = Annotated[
    str | None, typer.Option("--encoding", help="of csv, tsv and json that are not UTF-8, such as cp1252 or gb18030")
]
BadRows = Annotated[str, typer.Option("--on-bad-rows", help="fail, or skip rows that can't be used")]
TrackWith = Annotated[
    str | None,
    typer.Option("--track", help="tensorboard or mlflow: also write curves for it, below --out"),
]
"""Options that several commands have."""


def _use_device(context: typer.Context, name: str) -> str:
    """Compute there until the command is over."""
    from graftwork.devices import AUTO, use_device

    if name != AUTO and not context.resilient_parsing:
        context.call_on_close(use_device(name))
    return name


Device = Annotated[
    str,
    typer.Option("--device", help="auto (a GPU of CUDA where there is one), cpu, cuda or mps", callback=_use_device),
]
"""Where a command computes; its callback says so, and the command itself need not look at it."""


def recipe_of(
    file: Path | None,
    base: list[str] | None,
    task: list[str] | None,
    metric: list[str] | None,
    techniques: list[str] | None,
    settings: list[str] | None,
    seed: int | None,
    begin: Recipe | None = None,
    allow_code: Sequence[str] | None = None,
) -> Recipe:
    """The recipe of a file, `begin`, or the default one, with the options that are given on top of it."""
    from dataclasses import replace

    from graftwork.recipe import Recipe, from_yaml, parse_techniques, with_settings

    recipe = from_yaml(file, allow_code or ()) if file else begin or Recipe()
    given: dict[str, Any] = {
        "base": one_or_named(base, "--base"),
        "task": one_or_named(task, "--task"),
        "metric": one_or_named(metric, "--metric"),
        "seed": seed,
    }
    recipe = replace(recipe, **{name: value for name, value in given.items() if value is not None})
    if techniques:
        if len(techniques) > 1 and {"none", "auto"} & set(techniques):
            raise UsageError("--with none and --with auto stand alone. Drop them, or the other techniques.")
        alone = techniques[0] if techniques[0] in ("none", "auto") else techniques
        recipe = replace(recipe, techniques=parse_techniques(alone))
    return with_settings(recipe, pairs_of(settings, "--set"))


def with_classes(recipe: Recipe, table: Path | None) -> Recipe:
    """The recipe with the technique that begins from the names in a table of classes. Alone it freezes the base; beside
    others the base is trained as they, or the plain loop, have it."""
    if table is None:
        return recipe
    from dataclasses import replace

    from graftwork.data.class_names import read_class_names
    from graftwork.techniques import TECHNIQUES

    told, auto = read_class_names(table), isinstance(recipe.techniques, str)
    settings = {"names": tuple(told), "texts": tuple(told.values()), "freeze": auto}
    named = TECHNIQUES["label-names"](**settings)
    return replace(recipe, techniques=(*(() if auto else recipe.listed), named))


def one_or_named(items: list[str] | None, option: str) -> str | dict[str, str] | None:
    """One value for all, or NAME=VALUE items by name: a base by modality or column, a task or metric by target.

    >>> one_or_named(["gru:width=64"], "--base"), one_or_named(["text=minilm", "photo=./mobilenet"], "--base")
    ('gru:width=64', {'text': 'minilm', 'photo': './mobilenet'})
    """
    if not items:
        return None
    if len(items) == 1 and not re.match(r"[^:/\\=]+=", items[0]):
        return items[0]
    return pairs_of(items, option)


def pairs_of(items: list[str] | None, option: str) -> dict[str, str]:
    """`NAME=VALUE` items by name; `option` names them in messages. A kind holds no `=`, but the name of a column may.

    >>> pairs_of(["a=b=category"], "--kind"), pairs_of(["group=a=b"], "--role")
    ({'a=b': 'category'}, {'group': 'a=b'})
    """
    pairs = {}
    for item in items or ():
        name, equals, value = item.rpartition("=") if option == "--kind" else item.partition("=")
        if not equals or not name or not value:
            raise UsageError(f"{option} {item}: expected NAME=VALUE.")
        if name in pairs:
            raise UsageError(f"{option} {name} is given twice.")
        pairs[name] = value
    return pairs


def seconds_of(text: str) -> float:
    """Seconds of a time as people write it.

    >>> seconds_of("60s"), seconds_of("5m"), seconds_of("1.5h"), seconds_of("20")
    (60.0, 300.0, 5400.0, 20.0)
    """
    units = {"s": 1, "m": 60, "h": 3600}
    number, unit = (text[:-1], text[-1]) if text and text[-1] in units else (text, "s")
    try:
        seconds = float(number) * units[unit]
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise UsageError(f"--budget {text}: expected a time such as 60s, 5m or 1h.")
    return seconds


def check_paths(paths: Sequence[Path | None]) -> None:
    """Raise DataError for a table that is not there or empty, before torch is loaded, which takes seconds."""
    from graftwork.data.read.files import check_file

    for path in paths:
        if path is not None and not path.expanduser().is_dir():
            check_file(path.expanduser())


def free_folder(train: Sequence[Path], resume: bool) -> Path:
    """A new folder below runs/, named for the table, the first one of several."""
    name = train[0].name.split(".")[0] or "run"
    if resume:
        raise UsageError("--resume needs --out: the folder of the unfinished run.")
    folders = (Path("runs") / (name if number == 1 else f"{name}-{number}") for number in range(1, 10_000))
    return next(folder for folder in folders if not folder.exists())


_CHOSEN = (
    *("--base", "--task", "--metric", "--with", "--set", "--recipe", "--seed", "--budget", "--out"),
    *("--device", "--classes", "--allow-code"),
)


class Commands(TypedDict):
    """asked: the command as it was given. command: the one that repeats what it chose."""

    asked: str
    command: str


def commands_of(arguments: list[str], folder: Path, code: Sequence[str] = ()) -> Commands:
    """Of what stands behind `graft`. code: modules that the recipe imports to train."""
    import shlex

    return {"asked": shlex.join(["graft", *arguments]), "command": repeat_command(arguments, folder, code)}


def repeat_command(arguments: list[str], folder: Path, code: Sequence[str] = ()) -> str:
    """The command that repeats the winner: the same data options, with the resolved recipe for all the rest."""
    import shlex

    kept, skip = [], False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in _CHOSEN:
            skip = True
        elif argument != "--resume" and not argument.startswith(tuple(f"{option}=" for option in _CHOSEN)):
            kept.append(argument)
    allowed = [word for module in code for word in ("--allow-code", module)]
    again = ["--recipe", str(folder / "recipe.yaml"), *allowed, "--out", f"{folder}-again"]
    return shlex.join(["graft", *kept, *again])


def show_warning(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    """A warning as a user reads it, without the line of code that gave it; those for developers stay away."""
    if issubclass(category, UserWarning):
        tell_of("warning", message)

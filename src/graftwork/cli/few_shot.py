"""`graft adapt`, and what `graft evaluate --episodes` does: classes that training never had."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graftwork.cli.arguments import BadRows, Device
from graftwork.errors import UsageError
from graftwork.progress import screen
from graftwork.terminal import say, tell

if TYPE_CHECKING:
    from graftwork.data.table import Table
    from graftwork.evidence.evaluation import Evaluation
    from graftwork.model import Model


def add_commands(app: typer.Typer) -> None:
    """Put the command into `app`."""
    app.command()(adapt)


def adapt(
    model: Annotated[Path, typer.Argument(help="folder that fit wrote, best with --task few-shot")],
    support: Annotated[Path, typer.Argument(help="a few labelled rows of each new class")],
    out: Annotated[Path, typer.Option(help="folder for the new model")],
    on_bad_rows: BadRows = "fail",
    device: Device = "auto",
) -> None:
    """Make a model for new classes from a few rows of each; predict and evaluate work with it as with any other."""
    from graftwork.data.load import load_like
    from graftwork.data.quality.checks import known_choice
    from graftwork.networks.manifest import read_manifest_of, schema_of

    choice, schema = known_choice(on_bad_rows), schema_of(read_manifest_of(model))
    with screen() as on:
        on.doing(f"reading {support}")  # before torch is loaded, which takes seconds
        load_like(support, schema, with_target=True, on_bad_rows=choice)
        on.doing("loading the model")
        import graftwork.model
        from graftwork.runs.workspace import check_free

        check_free(out)
        loaded = graftwork.model.load(model).on()
        on.doing("learning the classes")
        adapted = loaded.few_shot().adapt(support, on_bad_rows=choice)
        adapted.save(out)
    names = adapted.task.classes
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    tell(f"{len(names):,} classes learned from {support}: {shown}")
    say(f"model: {out}")


def evaluate_episodes(model: Model, table: Table, given: dict[str, int | None]) -> Evaluation:
    """Scores by episodes, of a table that has been read. given: episodes, way, shot and query, None where left out:
    then as the model's task says."""
    from graftwork.data.episodes import Episodes
    from graftwork.tasks.capabilities import Episodic

    shapes = [task.shape for task in model.tasks.values() if isinstance(task, Episodic)]
    named: dict[str, Any] = {"count" if name == "episodes" else name: value for name, value in given.items()}
    asked = {name: value for name, value in named.items() if value is not None}
    return model.few_shot().evaluate_table(table, replace(shapes[0] if shapes else Episodes(), **asked))


def shape_of(episodes: int | None, way: int | None, shot: int | None, query: int | None) -> dict[str, int | None]:
    """What is given of the episodes' shape, empty where nothing is. Raises UsageError for a number below 1."""
    given = {"episodes": episodes, "way": way, "shot": shot, "query": query}
    for name, value in given.items():
        if value is not None and value < 1:
            raise UsageError(f"--{name} is {value}. Expected a whole number of at least {2 if name == 'way' else 1}.")
    return given if any(value is not None for value in given.values()) else {}

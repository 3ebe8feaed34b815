"""`graft verify`, `enroll` and `identify`: what the command line does with a model of the task identity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from graftwork.verification import Gallery, Identified, Verdict

Folder = Annotated[Path, typer.Argument(help="folder that fit wrote, with --task identity")]
Far = Annotated[
    float | None,
    typer.Option(help="share of pairs of different identities that may be accepted; default: the equal error rate"),
]
AsJson = Annotated[bool, typer.Option("--json", help="print the answer as JSON")]


def add_commands(app: typer.Typer) -> None:
    """Put the three commands into `app`."""
    for command in (verify, enroll, identify):
        app.command()(command)


def verify(
    model: Folder,
    first: Annotated[str, typer.Argument(help="a file, or the text itself for a text input")],
    second: Annotated[str, typer.Argument(help="what to compare it with")],
    far: Far = None,
    json: AsJson = False,
) -> None:
    """Say whether two photos, sounds or texts show the same identity, also one that training never had."""
    import graftwork.model

    found = graftwork.model.load(model).verify(first, second, far=far)
    answer = "same" if found.same else "different"
    _print(found, json, f"{answer}: cosine {found.score:.3f}, {_of_threshold(found)}")


def enroll(
    model: Folder,
    table: Annotated[Path, typer.Argument(help="rows of known identities, named in the target column")],
    out: Annotated[Path, typer.Option(help="file to write, such as people.safetensors")],
) -> None:
    """Write a gallery: the embeddings of known identities, for identify. Trains nothing."""
    import graftwork.model
    from graftwork.verification import enroll_table

    gallery = enroll_table(graftwork.model.load(model), table)
    typer.echo(f"{len(gallery):,} identities enrolled into {gallery.save(out)}", err=True)


def identify(
    model: Folder,
    gallery: Annotated[Path, typer.Argument(help="what enroll wrote, or a table of known identities")],
    items: Annotated[list[str], typer.Argument(help="files, or texts for a text input")],
    far: Far = None,
    json: AsJson = False,
) -> None:
    """Say who of a gallery each photo, sound or text shows, or that it is none of them."""
    import graftwork.model
    from graftwork.verification import identify as find

    loaded = graftwork.model.load(model)
    for item, found in zip(items, find(loaded, items, _read_gallery(loaded, gallery), far), strict=True):
        answer = found.name if found.name is not None else f"unknown (nearest: {found.nearest})"
        _print(found, json, f"{item}: {answer}, cosine {found.score:.3f}, {_of_threshold(found)}")


def _read_gallery(model: Any, path: Path) -> Gallery:
    from graftwork.verification import enroll_table, load_gallery

    return load_gallery(path) if path.suffix == ".safetensors" else enroll_table(model, path)


def _of_threshold(found: Verdict | Identified) -> str:
    return f"threshold {found.threshold:.3f}, probability of the same identity {found.probability:.0%}"


def _print(found: Verdict | Identified, as_json: bool, line: str) -> None:
    if as_json:
        import json
        from dataclasses import asdict

        line = json.dumps(asdict(found), ensure_ascii=False)
    typer.echo(line)

"""`graft verify`, `enroll` and `identify`: what the command line does with a model of the task identity."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graftwork.cli.arguments import Device
from graftwork.progress import screen
from graftwork.shown import counted
from graftwork.terminal import say, say_json, tell

if TYPE_CHECKING:
    from graftwork.deploy.items import Items
    from graftwork.uses.verification import Identified, Verdict

Folder = Annotated[Path, typer.Argument(help="folder that fit wrote, with --task identity")]
Far = Annotated[
    float | None,
    typer.Option(help="share of pairs of different identities that may be accepted; default: the equal error rate"),
]
AsJson = Annotated[bool, typer.Option("--json", help="print a JSON object for each answer")]
Out = Annotated[
    Path | None, typer.Option(help="csv, tsv, jsonl or parquet to write: the rows, with the answers beside them")
]


def add_commands(app: typer.Typer) -> None:
    """Put the three commands into `app`."""
    for command in (verify, enroll, identify):
        app.command()(command)


def verify(
    model: Folder,
    first: Annotated[str, typer.Argument(help="a file, or the text itself for a text input")],
    second: Annotated[str, typer.Argument(help="what to compare it with; each row, where it is a folder or a table")],
    out: Out = None,
    far: Far = None,
    json: AsJson = False,
    device: Device = "auto",
) -> None:
    """Say whether two photos, sounds or texts show the same identity, also one that training never had."""
    from graftwork.deploy.transformers.compared import verify_items

    _check_out(out, [second])
    with screen() as on:
        items, found = verify_items(model, first, second, far, on)
    if out is not None:
        _write(items, found, out)
        return
    for name, one in zip(items.names, found, strict=True):
        if one is not None:
            answer = f"{'same' if one.same else 'different'}: cosine {one.score:.3f}, {_of_threshold(one)}"
            _print(one, name, f"{name}: {answer}" if items.listed else answer, json, named=items.listed)
    _tell_unread(items)


def enroll(
    model: Folder,
    table: Annotated[Path, typer.Argument(help="rows of known identities, named in the target column")],
    out: Annotated[Path, typer.Option(help="file to write, such as people.safetensors")],
    device: Device = "auto",
) -> None:
    """Write a gallery: the embeddings of known identities, for identify. Trains nothing."""
    from graftwork.data.load import load_like
    from graftwork.networks.manifest import read_manifest_of, schema_of

    with screen() as on:
        on.doing(f"reading {table}")
        known = load_like(table, schema_of(read_manifest_of(model)), with_target=True).table
        on.doing("loading the model")
        import graftwork.model

        gallery = graftwork.model.load(model).on().verifier().enroll_rows(known, on.counting("enrolling", "rows"))
    tell(f"{len(gallery):,} identities enrolled into {gallery.save(out)}")


def identify(
    model: Folder,
    gallery: Annotated[Path, typer.Argument(help="what enroll wrote, or a table or folder of known identities")],
    items: Annotated[list[str], typer.Argument(help="files, folders, tables, or texts for a text input")],
    out: Out = None,
    far: Far = None,
    json: AsJson = False,
    device: Device = "auto",
) -> None:
    """Say who of a gallery each photo, sound or text shows, or that it is none of them."""
    from graftwork.deploy.transformers.compared import identify_items

    _check_out(out, items)
    with screen() as on:
        found = identify_items(model, gallery, items, far, out=out is not None, on=on)
    if out is not None:
        _write(*found[0], out)
        return
    for part, each in found:
        for name, one in zip(part.names, each, strict=True):
            if one is not None:
                answer = one.name if one.name is not None else f"unknown (nearest: {one.nearest})"
                line = f"{name}: {answer}, cosine {one.score:.3f}, {_of_threshold(one)}"
                _print(one, name, line, json, named=True)
        _tell_unread(part)


def _check_out(out: Path | None, sources: Sequence[str]) -> None:
    from graftwork.deploy.predict import check_out

    if out is not None:
        check_out(out, *map(Path, sources))


def _write(items: Items, found: Sequence[Identified | Verdict | None], out: Path) -> None:
    from graftwork.deploy.items import with_found
    from graftwork.deploy.predict import write_table

    write_table(with_found(items, found), out)
    tell(f"{counted(len(items))} compared into {out}")
    _tell_unread(items, "the answer is empty, see the column 'reason'")


def _tell_unread(items: Items, what: str = "") -> None:
    reasons = items.reasons
    if reasons and what:
        tell(f"{len(reasons):,} of them could not be read: {what}")
    for at, reason in list(reasons.items())[: 0 if what else 10]:
        tell(f"{items.names[at]} could not be read: {reason}")


def _of_threshold(found: Verdict | Identified) -> str:
    return f"threshold {found.threshold:.3f}, probability of the same identity {found.probability:.0%}"


def _print(found: Verdict | Identified, name: str, line: str, as_json: bool, *, named: bool) -> None:
    from dataclasses import asdict

    if as_json:
        say_json(({"item": name} if named else {}) | asdict(found))
    else:
        say(line)

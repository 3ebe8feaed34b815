"""`graft cache`: what lies in the cache folder, how large it is, and how to make it smaller."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from graftwork.shown import counted
from graftwork.terminal import say, say_json, say_table

Json = Annotated[bool, typer.Option("--json", help="print it as JSON")]


def add_commands(app: typer.Typer) -> None:
    """Put the group `cache` into `app`."""
    group = typer.Typer(invoke_without_command=True, help="The cache folder: what lies there, and how to prune it.")
    group.callback()(cache)
    group.command("list")(list_cache)
    group.command()(prune)
    app.add_typer(group, name="cache")


def cache(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_cache()


def list_cache(json: Json = False) -> None:
    """List what lies in the cache by section, how large it is, and the limit that it is kept under."""
    from graftwork.data.store.cache import cache_dir, limit_bytes
    from graftwork.data.store.contents import sections
    from graftwork.runs.finished_store import folder, store

    found, limit = sections(), limit_bytes()
    total = sum(one.size for one in found)
    if json:
        plain = [
            {"section": one.name, "entries": one.entries, "unfinished": one.unfinished, "bytes": one.size}
            for one in found
        ]
        kept = store()
        runs = {"folder": str(folder()), "entries": kept.entries, "bytes": kept.size}
        say_json({"folder": str(cache_dir()), "bytes": total, "limit_bytes": limit, "sections": plain, "runs": runs})
        return
    rows = [("section", "what it holds", "entries", "size", "last used")]
    for one in found:
        unfinished = f" and {one.unfinished:,} unfinished" if one.unfinished else ""
        last = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.used)) if one.used else ""
        rows.append((one.name, one.what, f"{one.entries:,}{unfinished}", _size(one.size), last))
    if found:
        say_table(rows)
    say(f"{cache_dir()}: {_size(total)} of at most {_size(limit)} (GRAFTWORK_CACHE, GRAFTWORK_CACHE_LIMIT_GB)")
    kept = store()
    runs_kept = counted(kept.entries, "finished run")
    say(f"{folder()}: {runs_kept} of ablations, {_size(kept.size)} (graft cache prune --runs)")
    say("Deleting any of it only costs time: graft cache prune [--all]. Fetched bases lie elsewhere: graft bases.")


def prune(
    every: Annotated[bool, typer.Option("--all", help="everything that is not being written just now")] = False,
    runs: Annotated[bool, typer.Option("--runs", help="the finished runs of ablations, in place of the cache")] = False,
) -> None:
    """Delete what was not used for longest, until the cache is within its limit; with --all the whole of it."""
    if runs:
        _prune_runs()
        return
    from graftwork.data.store import cache as store
    from graftwork.data.store.contents import sections

    before = sections()
    store.prune(0 if every else None)
    after = sections()
    gone = sum(one.entries for one in before) - sum(one.entries for one in after)
    freed = sum(one.size for one in before) - sum(one.size for one in after)
    say(f"{counted(max(0, gone), 'entry', 'entries')} deleted, {_size(max(0, freed))} freed in {store.cache_dir()}")
    left = sum(one.unfinished for one in after)
    if left:
        say(f"{counted(left, 'entry', 'entries')} stayed: they are being written, or were left less than a day ago.")


def _prune_runs() -> None:
    from graftwork.runs.finished_store import folder, prune, store

    before = store()
    freed = prune()
    say(f"{counted(before.entries - store().entries, 'finished run')} deleted, {_size(freed)} freed in {folder()}")


def _size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1e9:,.2f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"

"""Who computes a prediction into a file: this process, or several, whose parts are kept until the file is whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from graftwork.errors import UsageError
from graftwork.progress import Screen
from graftwork.shown import counted

if TYPE_CHECKING:
    from graftwork.predicting_parts.workers import Crew


@dataclass(frozen=True)
class ComputedBy:
    """workers: processes; None for this one alone, or for as many as a cluster has cores (or GPUs). cluster: the
    address of a Ray cluster, or "auto". insecure: take one that asks for no token."""

    workers: int | None = None
    cluster: str | None = None
    insecure: bool = False

    @contextmanager
    def hired(self, out: Path, on: Screen) -> Iterator[Crew | None]:
        """Those that compute the parts of `out`; None where this process does it all. They end with the block.

        Raises UsageError for a number of processes that can't be, where something else lies in `parts_folder`, and for
        `insecure` without a cluster; for a cluster what `graftwork.cluster.connection.connected` raises.
        """
        if self.insecure and self.cluster is None:
            raise UsageError("--insecure says which cluster may be used: name one with --cluster, or leave it out.")
        if self.workers is None and self.cluster is None:
            yield None
            return
        with self._crew(parts_folder(out), on) as made:
            yield made
            made.work.remove()
            each = [f"{name} {counted(one.parts, 'part')} in {one.seconds:,.1f} s" for name, one in made.spent.items()]
            if each:
                on.note(f"computed by {', '.join(sorted(each))}")

    def _crew(self, folder: Path, on: Screen) -> AbstractContextManager[Crew]:
        from graftwork.predicting_parts.workers import cluster_crew, crew

        if self.cluster is not None:
            return cluster_crew(self.cluster, self.insecure, self.workers, folder, on)
        return crew(1 if self.workers is None else self.workers, folder, on)


ALONE = ComputedBy()


def parts_folder(out: Path) -> Path:
    """Where the parts of `out` are kept until it is whole."""
    return out.with_name(f"{out.name}.parts")

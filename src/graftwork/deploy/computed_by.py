"""Who computes a prediction into a file: this process, or several, whose parts are kept until the file is whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from graftwork.progress import Screen
from graftwork.shown import counted

if TYPE_CHECKING:
    from graftwork.predicting_parts.workers import Crew


@dataclass(frozen=True)
class ComputedBy:
    """workers: processes of this machine; None for this one alone."""

    workers: int | None = None

    @contextmanager
    def hired(self, out: Path, on: Screen) -> Iterator[Crew | None]:
        """Those that compute the parts of `out`; None where this process does it all. They end with the block.

        Raises UsageError for a number of processes that can't be, and where something else lies in `parts_folder`.
        """
        if self.workers is None:
            yield None
            return
        from graftwork.predicting_parts.workers import crew

        with crew(self.workers, parts_folder(out), on) as made:
            yield made
            made.work.remove()
            each = [
                f"worker {at} {counted(one.parts, 'part')} in {one.seconds:,.1f} s"
                for at, one in sorted(made.spent.items())
            ]
            if each:
                on.note(f"computed by {', '.join(each)}")


ALONE = ComputedBy()


def parts_folder(out: Path) -> Path:
    """Where the parts of `out` are kept until it is whole."""
    return out.with_name(f"{out.name}.parts")

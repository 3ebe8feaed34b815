"""What commands that train share: progress on the screen, Ctrl-C, and the result behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from graftwork.terminal import tell

if TYPE_CHECKING:
    from graftwork.model import Model
    from graftwork.runs.listener import Listener


def train_and_print(train: Callable[[Listener], Model], folder: Path, what: str) -> None:
    """Print what `train` gives, and how to go on where it was stopped. folder: that it writes to; what: it makes.

    Raises Exit with the code 130 where Ctrl-C stopped it.
    """
    from graftwork.cli.console import print_result
    from graftwork.runs.watching import Watching

    again = f"Go on with the same command, --out {folder} and --resume."
    with Watching() as console:
        try:
            model = train(console)
        except KeyboardInterrupt:
            tell(f"Stopped before there was a {what}. {again}")
            raise typer.Exit(130) from None
    print_result(model, folder)
    if model.interrupted:
        tell(f"Stopped: this is the best so far. {again}")
        raise typer.Exit(130)

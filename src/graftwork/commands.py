"""The commands that stand in files of their own."""

from __future__ import annotations

import typer

from graftwork import (
    few_shot_commands,
    mix_commands,
    model_commands,
    search_commands,
    sequence_commands,
    verify_commands,
)


def add_commands(app: typer.Typer) -> None:
    """Put them into `app`."""
    for commands in (
        model_commands,
        search_commands,
        verify_commands,
        few_shot_commands,
        mix_commands,
        sequence_commands,
    ):
        commands.add_commands(app)

"""The commands that stand in files of their own."""

from __future__ import annotations

import typer

from graftwork.cli import few_shot as few_shot_commands
from graftwork.cli import merge as mix_commands
from graftwork.cli import model as model_commands
from graftwork.cli import nearest as search_commands
from graftwork.cli import sequence as sequence_commands
from graftwork.cli import verification as verify_commands


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

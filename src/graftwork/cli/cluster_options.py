"""The options by which a command is given a cluster, for all commands that can use one."""

from __future__ import annotations

from typing import Annotated

import typer

OnCluster = Annotated[
    str | None,
    typer.Option("--cluster", help="compute on a Ray cluster: auto (this machine's, else its own cores) or host:port"),
]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="with --cluster: use one that lets anyone in, without a token")
]

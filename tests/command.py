"""`graft(...)`: the command line in this process, as a user runs it, and the tables that its tests read."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from tiny import tiny_rows

QUICK = ("--with", "none", "--set", "steps=4", "--set", "batch=8", "--set", "evaluations=1", "--set", "precision=fp32")
"""A fit of a tiny base that takes a second."""


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    def fails(self, code: int, *words: str) -> Ran:
        """Asserts the exit code, that each of `words` (regular expressions) is said, and that there is no traceback."""
        assert self.code == code, f"exit code {self.code}\n{self.out}\n{self.err}"
        assert "Traceback" not in self.err + self.out
        assert "not expected" not in self.err
        for word in words:
            assert re.search(word, self.err), f"{word!r} is not said:\n{self.err}"
        return self

    def works(self) -> Ran:
        assert self.code == 0, f"exit code {self.code}\n{self.out}\n{self.err}"
        assert "Traceback" not in self.err + self.out
        return self


def graft(*arguments: str | Path) -> Ran:
    """Run `graft` with these arguments."""
    from graftwork.cli import main as cli

    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", ["graft", *map(str, arguments)]),
        mock.patch.dict(os.environ, {"COLUMNS": "200"}),
    ):
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Ran(code, out.getvalue(), err.getvalue())


def write_rows(path: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = ("text", "label")) -> Path:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def topics(path: Path, rows: int = 60) -> Path:
    """A table that a tiny base learns."""
    return write_rows(path, tiny_rows(rows))

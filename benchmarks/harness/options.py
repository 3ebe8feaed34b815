"""The options of every benchmark, and the versions of what it measures."""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

OURS = "graftwork"


@dataclass(frozen=True)
class Options:
    """quick: few rows and one seed, to see that it works; its results lie apart and say nothing. seeds: how many.
    fresh: results to forget first: all, or only those of the project."""

    quick: bool
    seeds: int
    fresh: Literal["all", "ours"] | None


def parse(description: str, seeds: int = 1) -> Options:
    """The command line. seeds: how many a full run has."""
    return chosen(parser(description, seeds).parse_args(), seeds)


def parser(description: str, seeds: int = 1) -> argparse.ArgumentParser:
    """What every benchmark takes; a script adds what is its own."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--quick", action="store_true", help="few rows, one seed: does it work? The numbers mean nothing")
    made.add_argument("--seeds", type=int, default=None, help=f"how many seeds (default {seeds})")
    made.add_argument(
        "--fresh",
        nargs="?",
        const="all",
        choices=("all", "ours"),
        help="measure again what is there already; with 'ours' only the project's side",
    )
    return made


def sets(made: argparse.ArgumentParser) -> None:
    """Let a benchmark of many sets measure some of them alone."""
    help = "measure these sets alone: two processes may share the work"
    made.add_argument("--only", metavar="SET,…", type=names, help=help)


def names(text: str) -> list[str]:
    return text.split(",")


def named(names: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    """The names, in their usual order; all where none is named. An unknown one ends the program."""
    if names is None:
        return list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"There is no set {', '.join(unknown)}. There are: {', '.join(sorted(known))}.")
    return [name for name in known if name in names]


def chosen(given: argparse.Namespace, seeds: int = 1) -> Options:
    """The options among the arguments."""
    return Options(given.quick, given.seeds or (1 if given.quick else seeds), given.fresh)


def version(package: str) -> str:
    """The package with its version, as a result is keyed by it."""
    return f"{package} {importlib.metadata.version(package)}"

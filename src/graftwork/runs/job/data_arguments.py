"""What a call says about its data: one list, for `fit`, `plan`, sequences and the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict, get_args

from graftwork.data.columns.joined import parse_joins
from graftwork.data.load import Source
from graftwork.data.quality.checks import OnBadRows
from graftwork.data.read.decoding import with_encoding
from graftwork.data.unlabelled import Labelled
from graftwork.errors import UsageError, nearest

SplitBy = Literal["domain"]


class DataOptions(TypedDict, total=False):
    """What `fit` and `plan` may be told of their tables; `DataArguments` says what each means, and its default."""

    target: str | Sequence[str] | None
    inputs: Sequence[str] | None
    join: str | Sequence[str | Sequence[str]]
    ignore: Sequence[str]
    roles: Mapping[str, str] | None
    kinds: Mapping[str, str] | None
    valid: Source | None
    test: Source | None
    unlabelled: Source | None
    remember: Source | None
    other: str | None
    split_by: SplitBy | None
    adapt_to_held_out: bool
    on_bad_rows: OnBadRows
    encoding: str | None


@dataclass(frozen=True, kw_only=True)
class DataArguments:
    """The tables of a call, and how they are to be read.

    train: a table, or a list of tables (paths or frames) that share inputs and bring targets of their own.
    target: the column or columns to predict; None looks for one. inputs: columns to read; None takes all.
    join: text columns that are read in one sequence, as "premise+hypothesis" or a list of columns, for each such input;
    kept as a tuple of columns each.
    ignore: columns to leave out. roles: column by role (domain, group, weight, split, time, of which the latest rows
    validate; reward, propensity, rollout, step). kinds: by column, the kind to read it as. valid, test: held out from
    `train`, and none, where left out. unlabelled: further rows to train on without a target. remember: rows of the task
    that the base, a saved model, was trained for before, with their labels: its old head is scored on them before and
    after. other: the label of rows that are none of the classes: they teach from where on a row is none. labelled: rows
    to train on to which a model gave a target. split_by: "domain" also trains without each domain in turn, and scores
    it there; adapt_to_held_out: its rows are seen without their target. on_bad_rows: "fail" or "skip".
    encoding: of text files that are not UTF-8.
    """

    train: Source | Sequence[Source]
    target: str | Sequence[str] | None = None
    inputs: Sequence[str] | None = None
    join: str | Sequence[str | Sequence[str]] = ()
    ignore: Sequence[str] = ()
    roles: Mapping[str, str] | None = None
    kinds: Mapping[str, str] | None = None
    valid: Source | None = None
    test: Source | None = None
    unlabelled: Source | None = None
    remember: Source | None = None
    other: str | None = None
    labelled: Labelled | None = None
    split_by: SplitBy | None = None
    adapt_to_held_out: bool = False
    on_bad_rows: OnBadRows = "fail"
    encoding: str | None = None

    @property
    def joins(self) -> tuple[tuple[str, ...], ...]:
        """The columns of each input that is several texts in one sequence."""
        return parse_joins(self.join)

    @property
    def called(self) -> str:
        """What the training tables are called while they are read."""
        tables = self.train if isinstance(self.train, list | tuple) else [self.train]
        paths = [os.fspath(one) for one in tables[:2] if isinstance(one, str | os.PathLike)]
        more = f" and {len(tables) - 1:,} more" if len(tables) > 2 else ""
        named = paths[:1] if more else paths
        return f"{' and '.join(named)}{more}" if named and len(paths) == len(tables[:2]) else "the table"

    def __post_init__(self) -> None:
        for name in ("train", "valid", "test", "unlabelled", "remember"):
            object.__setattr__(self, name, with_encoding(getattr(self, name), self.encoding))
        for option in ("target", "inputs", "ignore"):
            given = getattr(self, option)
            if given is not None:
                object.__setattr__(self, option, _names(given, option))
        object.__setattr__(self, "join", parse_joins(self.join))
        if self.roles:
            object.__setattr__(self, "roles", {role: _name(column, "roles") for role, column in self.roles.items()})
        if self.kinds:
            object.__setattr__(self, "kinds", {_name(column, "kinds"): kind for column, kind in self.kinds.items()})
        if self.split_by not in (None, *get_args(SplitBy)):
            raise UsageError(f"split_by is '{self.split_by}'. {nearest(str(self.split_by), get_args(SplitBy))}")
        if self.adapt_to_held_out and not self.split_by:
            raise UsageError("adapt_to_held_out says what is done with a domain left out: give split_by too (domain).")


def _names(given: object, option: str) -> str | list[str]:
    """Names of columns as the table has them: those of a frame may be numbers, or tuples of several levels."""
    if isinstance(given, list | set | frozenset) or (
        isinstance(given, Sequence) and not isinstance(given, str | tuple)
    ):
        return [_name(one, option) for one in given]
    if isinstance(given, tuple) and all(isinstance(one, str) for one in given):
        return list(given)
    return _name(given, option)


def _name(given: object, option: str) -> str:
    if isinstance(given, tuple) and given:
        return " ".join(str(level) for level in given if str(level))
    if isinstance(given, str | int | float) and not isinstance(given, bool):
        return str(given)
    if type(given).__module__ == "numpy" and hasattr(given, "item"):
        return _name(given.item(), option)
    raise UsageError(f"{option} is {given!r:.60}. Expected the name of a column, or a list of names.")

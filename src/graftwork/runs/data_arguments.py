"""What a call says about its data: one list, for `fit`, `plan` and the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graftwork.data.checks import OnBadRows
from graftwork.data.load import Source
from graftwork.data.unlabelled import Labelled


@dataclass(frozen=True, kw_only=True)
class DataArguments:
    """The tables of a call, and how they are to be read.

    train: a table, or a list of tables (paths or frames) that share inputs and bring targets of their own.
    target: the column or columns to predict; None looks for one. inputs: columns to read; None takes all.
    ignore: columns to leave out. roles: column by role (domain, group, weight, split). kinds: by column, the kind to
    read it as. valid, test: held out from `train`, and none, where left out. unlabelled: further
    rows to train on without a target. labelled: rows to train on to which a model gave a target. on_bad_rows: "fail"
    or "skip".
    """

    train: Source | Sequence[Source]
    target: str | Sequence[str] | None = None
    inputs: Sequence[str] | None = None
    ignore: Sequence[str] = ()
    roles: Mapping[str, str] | None = None
    kinds: Mapping[str, str] | None = None
    valid: Source | None = None
    test: Source | None = None
    unlabelled: Source | None = None
    labelled: Labelled | None = None
    on_bad_rows: OnBadRows = "fail"

"""Which rows of a table train and which validate, and samples of rows: by class, so that none is lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from graftwork.data.columns.times import moment_text, moments
from graftwork.data.quality.compare import input_hashes
from graftwork.data.splits import group_split, latest_split, random_split, split_by_column, stratified_split
from graftwork.data.table import Table
from graftwork.errors import DataError
from graftwork.recipe import Recipe
from graftwork.runs.job.open_set import hold_out_identities
from graftwork.shown import counted, shortened_text
from graftwork.tasks.labels import row_list
from graftwork.tasks.task import NONE, Encoders, Task

FEW_ROWS_A_CLASS = 20
"""Below this many rows a class nothing is held out for validation: every row is worth more in training."""


def hold_out(table: Table, tasks: Mapping[str, Task], recipe: Recipe) -> tuple[dict[str, Table], str]:
    """Split validation rows off: the latest, by whole groups, stratified, or at random. Nothing where rows are few.

    An open set gives whole identities, however few rows there are.

    Of several targets, the one with the most classes says whether rows are few. A task that compares rows with each
    other is always given some: rows that were scored apart can't be compared.
    """
    compared = next((name for name, task in tasks.items() if task.holds_out == "classes"), None)
    if compared is not None:
        return hold_out_identities(table, compared, tasks[compared], recipe)
    most = max(tasks, key=lambda name: _classes(tasks[name]))
    _, labelled = encoded(table, most, tasks[most])
    enough = max(40, FEW_ROWS_A_CLASS * _classes(tasks[most]))
    pretrained = all(base.pretrained for base in recipe.bases(table.schema).values())
    compares = any(task.couples_rows for task in tasks.values())
    if pretrained and int(labelled.sum()) < enough and not compares:
        return {}, f"validation: none held out, because {len(table):,} rows are few (fewer than {enough:,})"
    time = table.schema.role("time")
    if time:
        return _latest(table, time.name, tasks, recipe)
    kept, held = _split(table, tasks, recipe)
    note = f"validation: {len(held):,} of {len(table):,} rows held out of {table.source} (seed {recipe.seed})"
    return {"train": table.take(kept), "valid": table.take(held)}, note


def _latest(table: Table, time: str, tasks: Mapping[str, Task], recipe: Recipe) -> tuple[dict[str, Table], str]:
    """The latest rows validate."""
    times = moments(table.column(time))
    kept, held = latest_off(table, time, tasks, recipe)
    since = moment_text(table.column(time), float(times[held].min()))
    note = f"validation: the {len(held):,} latest of {len(table):,} rows of {table.source}, from {time} {since} on"
    early = int((times[kept] >= times[held].min()).sum())
    also = f"; {counted(early)} as late, of classes that no earlier row has, train" if early else ""
    return {"train": table.take(kept), "valid": table.take(held)}, f"{note}{also}"


def latest_off(table: Table, time: str, tasks: Mapping[str, Task], recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """Sorted indices of the rows that stay, and of the latest ones by the column `time`, `valid_share` of them."""
    try:
        return latest_split(moments(table.column(time)), recipe.valid_share, _first_classes(table, tasks))
    except DataError as error:
        raise DataError(f"{table.source}, column '{time}': {error}") from None


def split_off(table: Table, tasks: Mapping[str, Task], recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """Sorted indices of the rows that stay, and of `valid_share` of them that are held out, as `hold_out` draws them,
    however few rows there are."""
    compared = next((name for name, task in tasks.items() if task.holds_out == "classes"), None)
    if compared is None:
        return _split(table, tasks, recipe)
    numbered = replace(table, rows=np.arange(len(table)))
    parts, _ = hold_out_identities(numbered, compared, tasks[compared], recipe)
    return parts["train"].rows, parts["valid"].rows


def _split(table: Table, tasks: Mapping[str, Task], recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    group = table.schema.role("group") or table.schema.role("rollout")
    if group is None:
        return _split_distinct(distinct(table), strata(table, tasks), recipe)
    names = np.array(table.values(group.name), dtype=object).astype(str)
    return group_split(names, recipe.valid_share, recipe.seed, _first_classes(table, tasks))


def distinct(table: Table) -> np.ndarray:
    """A number for each row (N,), the same for rows with the same text, picture or sound, which stay together: a row
    that validates has then not been learned by heart. Where most rows are repeats, that is how such rows come, and each
    has a number of its own; so have rows of numbers and categories alone."""
    alone = np.arange(len(table))
    if all(one.modality == "table" for one in table.schema.modalities):
        return alone
    _, first, numbers = np.unique(input_hashes(table), return_index=True, return_inverse=True)
    return alone if len(first) < len(table) / 2 else first[numbers]


def _split_distinct(numbers: np.ndarray, kinds: np.ndarray | None, recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """Sorted indices to train on and to validate on, at random or by kind. The first row of each number is drawn, and
    the others follow it; those of a kind that would be lost to training train."""
    first = np.flatnonzero(numbers == np.arange(len(numbers)))
    if kinds is None:
        _, drawn_rows = random_split(len(first), recipe.valid_share, recipe.seed)
    else:
        _, drawn_rows = stratified_split(kinds[first], recipe.valid_share, recipe.seed, every_class=True)
    held = np.isin(numbers, first[drawn_rows])
    if kinds is not None:
        lost = np.setdiff1d(kinds[held], kinds[~held])
        held &= ~np.isin(numbers, numbers[held & np.isin(kinds, lost)])
    return np.flatnonzero(~held), np.flatnonzero(held)


def drawn(table: Table, tasks: Mapping[str, Task], rows: int, seed: int) -> Table:
    """`rows` rows of the table in the order in which they are drawn, each class in its share and at least once.

    A smaller draw with the same seed is the beginning of a larger one.
    """
    kinds = strata(table, tasks)  # rows without a label (-1) are drawn as a class of their own
    order = drawing_order(kinds, len(table), seed)
    least = 1 if kinds is None else len(np.unique(kinds))
    return table.take(order[: max(rows, least)])


def drawing_order(kinds: np.ndarray | None, rows: int, seed: int) -> np.ndarray:
    """An order of all rows (N,): one row of each kind first, then so that any beginning has every kind in its share."""
    order = np.random.default_rng(seed).permutation(rows)
    if kinds is None:
        return order
    _, codes, sizes = np.unique(kinds[order], return_inverse=True, return_counts=True)
    by_kind = np.argsort(codes, kind="stable")
    rank = np.empty(rows, np.int64)
    rank[by_kind] = np.arange(rows) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    share = (rank + 0.5) / sizes[codes]
    return order[np.lexsort((share, rank > 0))]


def strata(table: Table, tasks: Mapping[str, Task]) -> np.ndarray | None:
    """The kind of each row (N,), to be drawn from in shares: its class, -1 without a label; None where all are alike.

    With several targets: which of them the row has, and its class in the first one with one class a row.
    """
    classes = _first_classes(table, tasks)
    if len(tasks) == 1:
        return classes
    has = [encoded(table, name, task)[1] for name, task in tasks.items()]
    marks = np.stack([*has, np.zeros(len(table), np.int64) if classes is None else classes])
    kinds = np.unique(marks, axis=1, return_inverse=True)[1].reshape(-1)
    found: np.ndarray = np.where(np.any(has, axis=0), kinds, -1)
    return found


def by_column(table: Table, others: Mapping[str, Table]) -> dict[str, Table]:
    """The parts that a column with the role `split` names, but for those that have a table of their own."""
    column = table.schema.role("split")
    if column is None:
        return {}
    found = split_by_column(table.column(column.name), table.source)
    parts = {"train": found.train, "valid": found.valid, "test": found.test}
    return {part: table.take(rows) for part, rows in parts.items() if len(rows) and part not in others}


def check_seen(parts: Mapping[str, Table], tasks: Mapping[str, Task], named: Collection[str] = ()) -> None:
    """Raise DataError where validation or test rows have a class that no training row has, however they were split.

    named: classes that are known without a row.
    """
    for name, task in tasks.items():
        if task.answer not in ("class", "classes"):
            continue
        seen = _rows_of_classes(parts["train"], name, task)
        for part, word in (("valid", "validation"), ("test", "test")):
            if part not in parts:
                continue
            rows = _rows_of_classes(parts[part], name, task)
            unseen = {
                task.classes[at]: rows[at].tolist() for at in rows if at not in seen and task.classes[at] not in named
            }
            if unseen:
                raise DataError(_unseen(parts[part].source, name, word, unseen))


def _unseen(source: str, target: str, word: str, rows: Mapping[str, list[int]]) -> str:
    listed = "; ".join(f"'{shortened_text(label)}' ({row_list(at)})" for label, at in list(rows.items())[:5])
    more = f"; and {len(rows) - 5:,} more" if len(rows) > 5 else ""
    return (
        f"{source}: {counted(len(rows), 'label')} in '{target}' that only {word} rows have, and no training row: "
        f"{listed}{more}. A model can't learn what it never sees. Let some of these rows train, correct their "
        "labels, or drop the rows."
    )


def _rows_of_classes(table: Table, name: str, task: Task) -> dict[int, np.ndarray]:
    """The source numbers of the rows of each class that the table has."""
    targets, labelled = encoded(table, name, task)
    if not labelled.any():
        return {}
    at, codes = (np.flatnonzero(labelled), targets[labelled]) if targets.ndim == 1 else np.nonzero(targets)
    return {int(code): table.rows[at[codes == code]] for code in np.unique(codes)}


def encoded(table: Table, name: str, task: Task, encoders: Encoders = NONE) -> tuple[np.ndarray, np.ndarray]:
    """Targets (N, ...) and the mask of the rows that have one (N,); none where the table has no such column.

    encoders: needed for targets that are tied to places in an input, unless the mask is all that is asked for.
    """
    found = task.encode_rows(table, name, encoders)
    return (np.zeros(len(table), np.int64), np.zeros(len(table), bool)) if found is None else found


def _first_classes(table: Table, tasks: Mapping[str, Task]) -> np.ndarray | None:
    """Class indices (N,) of the first target with one class a row, -1 where missing; None where no target has."""
    for name, task in tasks.items():
        if task.single_label:
            return encoded(table, name, task)[0]
    return None


def _classes(task: Task) -> int:
    return task.outputs if task.single_label else 1

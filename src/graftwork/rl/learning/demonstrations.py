"""Demonstrations: what was seen and done by someone who knows the environment, from a table or a model that acts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graftwork.data.load import load_like
from graftwork.data.media.images import decode
from graftwork.data.media.media import readable
from graftwork.data.media.opening import MediaError
from graftwork.data.table import Column, Kind, Schema, Table
from graftwork.errors import DataError, UsageError
from graftwork.networks.manifest import is_model
from graftwork.rl.learning.model_actor import ModelActor, as_algorithms
from graftwork.rl.sight.reading import Reading
from graftwork.rl.world.action_values import action_columns, action_names, read_action
from graftwork.rl.world.environments import World, guarded
from graftwork.rl.world.looked_at import COLUMN_KINDS, columns_of
from graftwork.rl.world.observations import Part

ACTION = "action"
"""The column of what was done; `action.0`, `action.1`, … where an action is several numbers or choices."""
PLAYED = 4096
"""Observations that are collected from a model that acts."""
SIDE_BY_SIDE = 8
"""Environments in which it acts."""
CHUNK = 512
_SHOWN = 5


@dataclass(frozen=True)
class Demonstrations:
    """stored: by part or input, as the algorithm stores it (N, length). actions: as algorithms have them, (N,) of one
    choice, else (N, K). called: where they are from."""

    stored: dict[str, np.ndarray]
    actions: np.ndarray
    called: str

    def __len__(self) -> int:
        return len(self.actions)


def read_demonstrations(source: str, world: World, reading: Reading, seed: int) -> Demonstrations:
    """From a table with a column a part of what the environment shows and one of what was done, or from the folder of a
    model that `fit` made of one, which then acts.

    Raises UsageError for a column that is lacking, DataError for a row that the environment can't show, or an action
    that it does not know: file, row, remedy.
    """
    if is_model(Path(source)):
        return _played(source, world, reading, seed)
    table = _table(source, world)
    actions = _actions(table, world)
    chunks = []
    for start in range(0, len(table), CHUNK):
        part = table.take(np.arange(start, min(start + CHUNK, len(table))))
        chunks.append(_stored(_observations(part, world.parts), reading, part))
    return Demonstrations(_joined(chunks), as_algorithms(actions, world), table.source)


def _table(source: str, world: World) -> Table:
    names = action_columns(world.actions, ACTION)
    kind: Kind = "number" if world.actions.kind == "numbers" else "category"
    columns = [Column(name, COLUMN_KINDS[part.kind]) for part in world.parts for name in columns_of(part)]
    schema = Schema((*columns, *(Column(name, kind, "target") for name in names)))
    try:
        table = load_like(source, schema, with_target=True).table
    except UsageError as error:
        shown = ", ".join(column.name for column in columns[:12])
        raise UsageError(
            f"{error} Demonstrations for {world.name} have the columns {shown}{', …' if len(columns) > 12 else ''} of "
            f"what it shows, and {', '.join(names)} of what was done."
        ) from None
    if len(table) < 2:
        raise DataError(f"{table.source} has {len(table)} rows of demonstrations. Expected some hundred.")
    return table


def _actions(table: Table, world: World) -> np.ndarray:
    """Actions (N, K). Raises DataError for those that the environment does not know."""
    known, wrong, found = action_names(world), list[str](), []
    columns = [table.values(name) for name in action_columns(world.actions, ACTION)]
    for at, row in enumerate(zip(*columns, strict=True)):
        try:
            found.append(read_action(row, world.actions, known))
        except ValueError as error:
            wrong.append(f"{table.place(int(table.rows[at]))}: {error}")
    if wrong:
        more = f"; and {len(wrong) - _SHOWN:,} more rows" if len(wrong) > _SHOWN else ""
        raise DataError(
            f"{table.source} has actions that {world.name} does not know: {'; '.join(wrong[:_SHOWN])}{more}. Write "
            "them as the environment takes them, or leave these rows out."
        )
    return np.stack(found)


def _observations(table: Table, parts: Sequence[Part]) -> list[Any]:
    """Each row as the environment shows it."""
    columns = {name: table.values(name) for part in parts for name in columns_of(part)}
    found = []
    for at in range(len(table)):
        observation: Any = {}
        for part in parts:
            values = [columns[name][at] for name in columns_of(part)]
            try:
                value = _value(part, values, table)
            except (ValueError, TypeError, OverflowError, MediaError) as error:
                place = f"{table.source}, {table.place(int(table.rows[at]))}"
                raise DataError(f"{place}: '{part.name}' is not as the environment shows it: {error}.") from None
            observation = _put(observation, part.path, value)
        found.append(observation)
    return found


def _put(observation: Any, path: Sequence[str], value: Any) -> Any:
    """The observation with a value at its keys; the value itself where there are none."""
    if not path:
        return value
    inner = observation
    for key in path[:-1]:
        inner = inner.setdefault(key, {})
    inner[path[-1]] = value
    return observation


def _value(part: Part, values: Sequence[Any], table: Table) -> Any:
    if any(value is None for value in values):
        raise ValueError("it is empty")
    if part.kind == "text":
        return str(values[0])
    if part.kind == "numbers":
        return np.array(values, np.float32)
    if part.kind == "category":
        whole = [float(value) for value in values]
        if any(number != int(number) for number in whole):
            raise ValueError("it is no whole number")
        return np.array(whole, np.int64)
    encoded = readable(values[0], table.folder, table.scale(part.name))
    if encoded is None:
        raise ValueError("it is empty")
    pixels = np.asarray(decode(encoded), np.uint8)[..., : part.shape[2]]
    if pixels.shape != part.shape:
        raise ValueError(f"its height, width and channels are {pixels.shape} in place of {part.shape}")
    return pixels.transpose(2, 0, 1) if part.first else pixels


def _stored(observations: Sequence[Any], reading: Reading, table: Table | None = None) -> dict[str, np.ndarray]:
    rows = []
    for at, one in enumerate(observations):
        try:
            rows.append(reading.row(one))
        except DataError as error:
            place = "" if table is None else f"{table.source}, {table.place(int(table.rows[at]))}: "
            raise DataError(f"{place}{error}") from None
    return reading.seen({name: np.stack([row[name] for row in rows]) for name in rows[0]})


def _joined(chunks: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def _played(source: str, world: World, reading: Reading, seed: int) -> Demonstrations:
    """What a model does, and what it saw then."""
    import graftwork.model

    actor = ModelActor.of(graftwork.model.load(source), world)
    envs = [guarded(world.made(None), world.name) for _ in range(SIDE_BY_SIDE)]
    chunks, actions, begun = list[dict[str, np.ndarray]](), list[np.ndarray](), 0
    try:
        seen = []
        for env in envs:
            seen.append(env.reset(seed=seed + begun)[0])
            begun += 1
        while len(actions) * SIDE_BY_SIDE < PLAYED:
            chosen = actor.chosen(seen)
            chunks.append(_stored(seen, reading))
            actions.append(chosen)
            for at, (env, action) in enumerate(zip(envs, world.actions.native(chosen), strict=True)):
                seen[at], _, ended, cut, _ = env.step(action)
                if ended or cut:
                    seen[at] = env.reset(seed=seed + begun)[0]
                    begun += 1
    finally:
        for env in envs:
            with suppress(Exception):
                env.close()
    return Demonstrations(_joined(chunks), np.concatenate(actions), f"{source}, acting for {PLAYED:,} steps")

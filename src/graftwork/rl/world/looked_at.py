"""Observations that are looked at before anything is learned: bases from scratch take their tokens and scales of them,
and features of pretrained ones are standardised by them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from graftwork.data.table import Column, Kind, Schema, Table
from graftwork.errors import RefusedError
from graftwork.rl.world.environments import World, guarded
from graftwork.rl.world.observations import Part

LOOKED_AT = 256
"""Observations, half of them of short episodes, so that there are many beginnings."""
SHORT = 4
"""Steps of a short episode."""
COLUMN_KINDS: dict[str, Kind] = {
    "text": "text",
    "image": "image",
    "map": "image",
    "numbers": "number",
    "category": "category",
}


def look(world: World, seed: int, count: int = LOOKED_AT) -> list[Any]:
    """So many observations under actions at random. Raises EnvironmentCrashedError where the environment fails."""
    env = guarded(world.made(None), world.name)
    space = env.action_space
    space.seed(seed)
    found: list[Any] = []
    try:
        while len(found) < count:
            found.append(env.reset(seed=seed + len(found))[0])
            most = SHORT if len(found) < count // 2 else count
            for _ in range(most):
                seen, _, ended, cut, _ = env.step(space.sample())
                if ended or cut or len(found) >= count:
                    break
                found.append(seen)
    finally:
        with suppress(Exception):
            env.close()
    return found[:count]


def columns_of(part: Part) -> tuple[str, ...]:
    """The columns that a table holds a part in: one, or one for each number or category."""
    count = len(part.sizes) if part.kind == "category" else part.length if part.kind == "numbers" else 1
    return (part.name,) if count == 1 else tuple(f"{part.name}.{at}" for at in range(count))


def values_of(part: Part, observation: Any) -> tuple[Any, ...]:
    """A value for each column: texts, encoded pictures, numbers, categories as text."""
    read = part.read(observation)
    if part.kind == "text":
        return (read,)
    if part.kind in ("image", "map"):
        return (encoded(part, read),)
    if part.kind == "numbers":
        return tuple(read.tolist())
    places = np.split(read, np.cumsum(part.sizes)[:-1])
    return tuple(str(int(one.argmax()) + start) for one, start in zip(places, part.starts, strict=True))


def picture(part: Part, read: np.ndarray) -> Any:
    """A stored picture as Pillow has it, in colours."""
    from PIL import Image

    pixels = read.reshape(part.shape)
    if part.shape[2] not in (1, 3):
        raise RefusedError(
            f"'{part.name}' has {part.shape[2]} channels, and a table holds pictures of 1 or 3. Wrap the environment."
        )
    return Image.fromarray(np.repeat(pixels, 3, axis=2) if part.shape[2] == 1 else pixels)


def encoded(part: Part, read: np.ndarray) -> bytes:
    """A stored picture as PNG."""
    buffer = io.BytesIO()
    picture(part, read).save(buffer, "PNG")
    return buffer.getvalue()


def as_table(parts: Sequence[Part], observations: Sequence[Any], name: str) -> Table:
    """Observations as a table. name: of the environment, for messages."""
    import pyarrow as pa

    arrays: dict[str, Any] = {}
    columns = []
    for part in parts:
        rows = [values_of(part, one) for one in observations]
        for column, values in zip(columns_of(part), zip(*rows, strict=True), strict=True):
            arrays[column] = pa.array(list(values))
            columns.append(Column(column, COLUMN_KINDS[part.kind]))
    return Table(pa.table(arrays), Schema(tuple(columns)), name, np.arange(1, len(observations) + 1))

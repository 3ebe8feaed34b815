"""What an environment shows, in parts that can be read: pictures, maps of symbols, numbers, categories, texts.

A space of gymnasium is taken apart here once; what follows is plain numpy, and needs no gymnasium.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from graftwork.errors import DataError, RefusedError

Kind = Literal["image", "map", "numbers", "category", "text"]
ALONE = "observation"
"""What the one part is called of a space that has no names."""
SMALLEST = 16
"""Pixels a side from which a picture is one; smaller ones are maps of symbols, each value a code."""
MOST = 1_000_000
"""Numbers in a part, at most."""


@dataclass(frozen=True)
class Part:
    """One part of an observation.

    name: its key in a dictionary, nested ones joined by "."; `observation` where there is one only. path: the keys.
    kind: image for uint8 pictures of 1 or 3 colours, map for other arrays (height, width, channels) of bytes. shape:
    of the array; of a map or picture always (H, W, C). first: whether the environment puts the channels first.
    sizes, starts: of categories, how many each has and from which number they count.
    """

    name: str
    kind: Kind
    path: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    first: bool = False
    sizes: tuple[int, ...] = ()
    starts: tuple[int, ...] = ()

    @cached_property  # asked for at every step
    def length(self) -> int:
        """Numbers that it is stored in."""
        return sum(self.sizes) if self.kind == "category" else math.prod(self.shape)

    def read(self, observation: Any) -> Any:
        """Of one observation: a text, or a flat array: bytes of pictures and maps, float32 of numbers, and of
        categories a 1 at each one's place. Raises DataError where it does not fit."""
        try:
            return self._read(self._found(observation))
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(f"'{self.name}' can't be read: {error}.") from None

    def _found(self, observation: Any) -> Any:
        """What is at its keys."""
        value = observation
        for key in self.path:
            try:
                value = value[int(key)] if isinstance(value, tuple) else value[key]
            except (KeyError, IndexError, TypeError):
                raise DataError(f"There is no '{self.name}' in {type(observation).__name__}.") from None
        return value

    def _read(self, value: Any) -> Any:
        if self.kind == "text":
            if not isinstance(value, str):
                raise DataError(f"'{self.name}' is {type(value).__name__}. Expected a text.")
            return value
        if self.kind == "category":
            return self._one_hot(np.asarray(value).reshape(-1))
        array = np.asarray(value)
        wanted = (self.shape[2], *self.shape[:2]) if self.first else self.shape
        if array.size != self.length or (self.kind != "numbers" and array.shape not in (wanted, wanted[:2])):
            raise DataError(f"'{self.name}' has the shape {array.shape}. Expected {wanted}.")
        if self.kind == "numbers":
            numbers: np.ndarray = array.reshape(-1).astype(np.float32, copy=False)
            if not np.isfinite(numbers).all():
                raise DataError(f"'{self.name}' has numbers that are not finite.")
            return numbers
        if array.dtype != np.uint8 and ((array < 0) | (array > 255) | (array != np.floor(array))).any():
            raise DataError(f"'{self.name}' has values that are no bytes. Expected whole numbers from 0 to 255.")
        return (array.transpose(1, 2, 0) if self.first else array).astype(np.uint8, copy=False).reshape(-1)

    def _one_hot(self, values: np.ndarray) -> np.ndarray:
        found = np.zeros(self.length, np.float32)
        if len(values) != len(self.sizes):
            raise DataError(f"'{self.name}' has {len(values)} values. Expected {len(self.sizes)}.")
        at = 0
        for value, size, start in zip(values.tolist(), self.sizes, self.starts, strict=True):
            if int(value) != value or not 0 <= value - start < size:
                raise DataError(f"'{self.name}' is {value}. Expected {start} to {start + size - 1}.")
            found[at + int(value) - start] = 1.0
            at += size
        return found


def to_json(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Plain data."""
    return [asdict(part) for part in parts]


def from_json(plain: Sequence[Mapping[str, Any]]) -> tuple[Part, ...]:
    """The inverse of `to_json`. Raises TypeError for anything else."""
    tuples = ("path", "shape", "sizes", "starts")
    return tuple(Part(**{**one, **{name: tuple(one[name]) for name in tuples}}) for one in plain)


def parts_of(space: Any, env: str) -> tuple[Part, ...]:
    """The parts of a gymnasium space. env: for messages.

    Raises RefusedError for a space that nothing reads.
    """
    found = tuple(_parts(space, (), env))
    if not found:
        raise RefusedError(f"{env} shows nothing: its observation space is {space}. There is nothing to learn from.")
    names = [part.name for part in found]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled:
        raise RefusedError(f"{env} has two parts of observations that would both be called '{doubled}'. Rename one.")
    return found


def _parts(space: Any, path: tuple[str, ...], env: str) -> Iterator[Part]:
    from gymnasium import spaces

    name = ".".join(path) or ALONE
    if isinstance(space, spaces.Dict):
        for key, inner in space.spaces.items():
            yield from _parts(inner, (*path, str(key)), env)
    elif isinstance(space, spaces.Tuple):
        for at, inner in enumerate(space.spaces):
            yield from _parts(inner, (*path, str(at)), env)
    elif isinstance(space, spaces.Text) or (
        space.dtype is not None and np.dtype(space.dtype).kind == "U"
    ):  # minigrid's missions are of a class of their own
        yield Part(name, "text", path)
    elif isinstance(space, spaces.Discrete):
        yield Part(name, "category", path, sizes=(int(space.n),), starts=(int(space.start),))
    elif isinstance(space, spaces.MultiDiscrete):
        starts = np.asarray(space.start).reshape(-1).astype(int).tolist()
        yield Part(name, "category", path, sizes=tuple(map(int, space.nvec.reshape(-1))), starts=tuple(starts))
    elif isinstance(space, spaces.MultiBinary):
        yield Part(name, "numbers", path, shape=tuple(map(int, space.shape)))
    elif isinstance(space, spaces.Box):
        yield _box(name, path, space, env)
    else:
        raise RefusedError(
            f"{env} shows '{name}' as {type(space).__name__}, which no base reads. Expected Box, Discrete, "
            "MultiDiscrete, MultiBinary or Text, or a Dict or Tuple of those: wrap the environment to show one."
        )


def _box(name: str, path: tuple[str, ...], space: Any, env: str) -> Part:
    shape = tuple(map(int, space.shape))
    if not shape or 0 in shape or int(np.prod(shape)) > MOST:
        if shape == ():
            return Part(name, "numbers", path, shape=(1,))
        raise RefusedError(
            f"{env} shows '{name}' in the shape {shape}, which can't be read: 1 to {MOST:,} numbers can."
        )
    if space.dtype != np.uint8 or len(shape) not in (2, 3) or (len(shape) == 2 and min(shape) < SMALLEST):
        return Part(name, "numbers", path, shape=shape)
    if len(shape) == 2:
        return Part(name, "image", path, shape=(*shape, 1))
    first = shape[0] <= 4 < shape[2]
    height, width, channels = (shape[1], shape[2], shape[0]) if first else shape
    kind: Kind = "image" if channels in (1, 3) and min(height, width) >= SMALLEST else "map"
    return Part(name, kind, path, shape=(height, width, channels), first=first)

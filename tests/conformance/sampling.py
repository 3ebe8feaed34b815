"""Which sets of techniques the suite examines in each world: a few of them in CI, all pairs with `make conformance`.

GRAFTWORK_PAIRS and GRAFTWORK_TRIPLES say how many for each world, or "all"; GRAFTWORK_SEED which ones.
"""

from __future__ import annotations

import itertools
import os
import random
from functools import cache
from math import comb

from conformance.table import OTHERS, ROWS, techniques
from graftwork.errors import RefusedError
from tinyrun import BASES, World, Worlds

WORLDS = (*BASES, *OTHERS)
WHOLE = ("transformer", "image", "mixed")
"""A text, an image and a mixed network: these get every triple that is asked for, the others a quarter."""
FEW = {2: "GRAFTWORK_PAIRS", 3: "GRAFTWORK_TRIPLES"}
USUAL = {2: "6", 3: "4"}
CHUNK = 100
"""Sets of one test, at most, so that several workers share them."""


def refusal(names: tuple[str, ...], world: World) -> str | None:
    """Why these techniques can't run together, from the plan alone; None where they can."""
    try:
        world.run(techniques(names), started=False)
    except RefusedError as error:
        return str(error)
    return None


@cache
def fitting(base: str, worlds: Worlds) -> tuple[str, ...]:
    """The techniques that run by themselves in this world."""
    world = worlds(base, "classes", True)
    return tuple(row.name for row in ROWS if refusal((row.name,), world) is None)


def wanted(base: str, size: int) -> int | None:
    """How many sets of this size are to be examined in a world; None for all."""
    asked = os.environ.get(FEW[size], USUAL[size])
    if asked == "all":
        return None
    return int(asked) if base in WHOLE or size == 2 else -(-int(asked) // 4)


def chunks(base: str, size: int) -> range:
    """How many tests share the sets of a world; known before the world is built."""
    most = comb(len(ROWS), size)
    return range(-(-min(wanted(base, size) or most, most) // CHUNK))


def sets_of(base: str, size: int, chunk: int, worlds: Worlds) -> list[tuple[str, ...]]:
    """The sets of this chunk: of techniques that run in this world by themselves, drawn by the seed."""
    names, count = fitting(base, worlds), wanted(base, size)
    seed = f"{os.environ.get('GRAFTWORK_SEED', '0')} {base} {size}"
    if count is None or count >= comb(len(names), size):
        every = list(itertools.combinations(names, size))
    else:
        draw, drawn = random.Random(seed), dict[tuple[str, ...], None]()
        while len(drawn) < count:
            drawn[tuple(sorted(draw.sample(names, size), key=names.index))] = None
        every = list(drawn)
    return every[chunk :: len(chunks(base, size))]

"""Which sets of techniques the suite examines in each fixture: a few of them in CI, all pairs with `make conformance`.

GRAFTWORK_PAIRS and GRAFTWORK_TRIPLES say how many for each fixture, or "all"; GRAFTWORK_SEED which ones.
"""

from __future__ import annotations

import itertools
import os
import random
from functools import cache
from math import comb

from conformance.table import OTHERS, ROWS, techniques
from graftwork.errors import RefusedError
from tinyrun import BASES, Fixture, Worlds

WIDE = ("wide", "wide-episodes", "pictures")
"""Asked for the pairs that no other fixture has."""
WORLDS = (*BASES, *OTHERS, *WIDE)
WHOLE = ("transformer", "image", "mixed")
"""A text, an image and a mixed network: these get every triple that is asked for; the others a quarter, wide ones a
twentieth."""
FEW = {2: "GRAFTWORK_PAIRS", 3: "GRAFTWORK_TRIPLES"}
USUAL = {2: "3", 3: "2"}
CHUNK = 100
"""Sets of one test, at most, so that several workers share them."""


def refusal(names: tuple[str, ...], fixture: Fixture) -> str | None:
    """Why these techniques can't run together, from the plan alone; None where they can."""
    try:
        fixture.run(techniques(names), started=False)
    except RefusedError as error:
        return str(error)
    return None


@cache
def fitting(base: str, fixtures: Worlds) -> tuple[str, ...]:
    """The techniques that run by themselves in this fixture."""
    fixture = fixtures(base, "classes", True)
    return tuple(row.name for row in ROWS if refusal((row.name,), fixture) is None)


@cache
def pairs_of(base: str, fixtures: Worlds) -> tuple[tuple[str, str], ...]:
    """The pairs that are examined in a fixture: all that run in it, of a wide one those that none before it has."""
    pairs = tuple(itertools.combinations(fitting(base, fixtures), 2))
    if base not in WIDE:
        return pairs
    earlier = {pair for other in WORLDS[: WORLDS.index(base)] for pair in pairs_of(other, fixtures)}
    return tuple(pair for pair in pairs if pair not in earlier)


def wanted(base: str, size: int) -> int | None:
    """How many sets of this size are to be examined in a fixture; None for all."""
    asked = os.environ.get(FEW[size], USUAL[size])
    if asked == "all":
        return None
    share = 1 if base in WHOLE or size == 2 else 20 if base in WIDE else 4
    return -(-int(asked) // share)


def chunks(base: str, size: int) -> range:
    """How many tests share the sets of a fixture; known before the fixture is built."""
    most = comb(len(ROWS), size)
    return range(-(-min(wanted(base, size) or most, most) // CHUNK))


def sets_of(base: str, size: int, chunk: int, fixtures: Worlds) -> list[tuple[str, ...]]:
    """The sets of this chunk: of techniques that run in this fixture by themselves, drawn by the seed."""
    names, count = fitting(base, fixtures), wanted(base, size)
    draw = random.Random(f"{os.environ.get('GRAFTWORK_SEED', '0')} {base} {size}")
    every: list[tuple[str, ...]]
    if size == 2:
        every = list(pairs_of(base, fixtures))
        every = every if count is None or count >= len(every) else draw.sample(every, count)
    elif count is None or count >= comb(len(names), size):
        every = list(itertools.combinations(names, size))
    else:
        drawn = dict[tuple[str, ...], None]()
        while len(drawn) < count:
            drawn[tuple(sorted(draw.sample(names, size), key=names.index))] = None
        every = list(drawn)
    return every[chunk :: len(chunks(base, size))]

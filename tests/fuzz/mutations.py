"""Seeded damage: bytes, lines and JSON documents as broken disks, bad exports and hostile people would leave them.

The same seed always makes the same damage, so that a failure is repeated by its seed.
"""

from __future__ import annotations

import copy
import json
import random
from typing import Any

SNIPPETS = (
    *(
        b'"',
        b"'",
        b",",
        b"\t",
        b";",
        b"|",
        b"\n",
        b"\r\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
    ),
    *("\u200b", "\u202e", "\u2028", "\u00a0", "\U0001f600", "日本", "e\u0301"),
    *(
        b"=1+1",
        b"1e999",
        b"-1",
        b"1,5",
        b"NaN",
        b"9" * 400,
        b"<a " * 50,
        b"[" * 300,
        b"{",
        b"}",
        b"]",
        b"\x1b[31m",
        b"null",
    ),
)
"""What is put into tables and texts: separators, quotes, control characters, numbers without end, nesting."""
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 1e300, 0.5, float("nan"), float("inf")),
    *("", "x", "../../escaped", "/tmp/escaped", "C:\\escaped", "a\0b", "\ud800", "0", "a" * 10_000),
    *([], {}, [None], [[]], {"a": {}}, [0] * 50, ["x"], {"name": "../escaped"}),
)
"""What a value of a JSON document becomes: every type, paths that lead out, numbers that fit nowhere."""


def damaged(content: bytes, seed: int) -> bytes:
    """One to four injuries: bits turned, bytes set, parts cut, doubled, moved or zeroed, foreign parts put in."""
    draw = random.Random(seed)
    for _ in range(draw.choice((1, 1, 2, 4))):
        content = draw.choice(INJURIES)(content, draw)
    return content


def damaged_document(document: Any, seed: int) -> Any:
    """A JSON document with one to three values replaced, taken away, renamed, or put elsewhere."""
    draw, document = random.Random(seed), copy.deepcopy(document)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        places = list(_places(document))
        if not places:
            break
        parent, key = draw.choice(places)
        _replace(parent, key, draw)
    return document


def written(document: Any) -> bytes:
    """As JSON, with whatever the damage put in (lone surrogates are escaped)."""
    return json.dumps(document).encode()


def _replace(parent: Any, key: Any, draw: random.Random) -> None:
    kind = draw.randrange(6)
    if kind == 0:
        del parent[key]
    elif kind == 1 and isinstance(parent, dict):
        parent[draw.choice((f"{key}x", "", "../escaped"))] = parent.pop(key)
    elif kind == 2 and isinstance(parent, list):
        parent.extend([copy.deepcopy(parent[key])] * draw.choice((1, 3)))
    elif kind == 3 and isinstance(parent[key], str):
        parent[key] = draw.choice(("../", "/", "\0", " ", "")) + parent[key]
    else:
        parent[key] = copy.deepcopy(draw.choice(VALUES))


def _places(document: Any) -> Any:
    """Each (parent, key) of a document, the outer ones first."""
    keys = list(document) if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    for key in keys:
        yield document, key
    for key in keys:
        yield from _places(document[key])


def _cut(length: int, draw: random.Random) -> tuple[int, int]:
    start = draw.randrange(length + 1)
    return start, min(length, start + draw.choice((1, 1, 4, 16, 64, 1024)))


def _turn_bits(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice((1, 3, 20)) if changed else 0):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _set_bytes(content: bytes, draw: random.Random) -> bytes:
    start, stop = _cut(len(content), draw)
    return content[:start] + bytes([draw.choice((0, 1, 0x7F, 0x80, 0xFF))]) * (stop - start) + content[stop:]


def _remove(content: bytes, draw: random.Random) -> bytes:
    start, stop = _cut(len(content), draw)
    return content[:start] + content[stop:]


def _double(content: bytes, draw: random.Random) -> bytes:
    start, stop = _cut(len(content), draw)
    return content[:stop] + content[start:stop] * draw.choice((1, 2, 30)) + content[stop:]


def _move(content: bytes, draw: random.Random) -> bytes:
    start, stop = _cut(len(content), draw)
    part, rest = content[start:stop], content[:start] + content[stop:]
    at = draw.randrange(len(rest) + 1)
    return rest[:at] + part + rest[at:]


def _truncate(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content) + 1)]


def _insert(content: bytes, draw: random.Random) -> bytes:
    snippet = draw.choice(SNIPPETS)
    at = draw.randrange(len(content) + 1)
    return content[:at] + (snippet.encode() if isinstance(snippet, str) else snippet) + content[at:]


INJURIES = (_turn_bits, _set_bytes, _remove, _double, _move, _truncate, _insert, _insert)

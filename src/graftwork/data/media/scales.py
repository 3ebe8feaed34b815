"""The scale of each column of images with more than 8 bits a colour: found on the training rows, and said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from graftwork.data.media.deep import Range, Scale, scale_of
from graftwork.data.media.media import examined
from graftwork.data.table import Schema, Table

_ALLOWED = 0.1
"""Share of a scale's width that later values may lie outside without a word."""


def ranges_of(table: Table) -> dict[str, list[Range]]:
    """By column, the ranges of its images with more than 8 bits a colour; of a table that was checked."""
    images = [column.name for column in table.schema.inputs if column.kind == "image"]
    return {name: examined(table.column(name), table.folder, "image").ranges for name in images}


def joined(parts: Sequence[Mapping[str, list[Range]]]) -> dict[str, list[Range]]:
    """Those of several tables as one."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: [each for part in parts for each in part.get(name, [])] for name in names}


def with_scales(schema: Schema, ranges: Mapping[str, list[Range]]) -> tuple[Schema, list[str]]:
    """The schema with the scale of every column that needs one, and a line for each."""
    scales = {name: scale_of(found) for name, found in ranges.items() if found}
    columns = tuple(replace(column, scale=scales.get(column.name)) for column in schema.columns)
    notes = [_found(name, ranges[name], scale) for name, scale in scales.items()]
    return Schema(columns), notes


def beyond(table: Table) -> list[str]:
    """A line for each column of a later table whose images don't fit the scale of the training rows."""
    notes = []
    for name, ranges in ranges_of(table).items():
        scale = table.scale(name)
        count = f"{len(ranges):,} image{'s have' if len(ranges) > 1 else ' has'} more than 8 bits a colour"
        if ranges and scale is None:
            notes.append(f"{name}: {count}, and those of training had none such; each is scaled by its own values")
        elif ranges and scale is not None:
            outside = sum(_is_outside(each, scale) for each in ranges)
            if outside:
                notes.append(
                    f"{name}: {outside:,} of {len(ranges):,} images hold values beyond {_pair(scale)}, the scale of "
                    "the training rows; they are cut off there"
                )
    return notes


def _found(name: str, ranges: Sequence[Range], scale: Scale) -> str:
    low, high = min(each.low for each in ranges), max(each.high for each in ranges)
    count = f"{len(ranges):,} image{'s have' if len(ranges) > 1 else ' has'} more than 8 bits a colour"
    return f"{name}: {count} (values {_pair((low, high))}); {_pair(scale)} is black to white in all of them"


def _is_outside(found: Range, scale: Scale) -> bool:
    room = _ALLOWED * (scale[1] - scale[0])
    return found.near_low < scale[0] - room or found.near_high > scale[1] + room


def _pair(pair: Scale) -> str:
    return " to ".join(f"{each:,.0f}" if each == int(each) else f"{each:.4g}" for each in pair)

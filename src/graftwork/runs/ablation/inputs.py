"""The input columns of a table, as an ablation leaves them out: one at a time, joined texts together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from graftwork.data.table import Schema, Table, joined_name
from graftwork.networks.bases.registry import written
from graftwork.recipe import Recipe


def columns_by_input(schema: Schema, recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """What can be left out of the inputs that the recipe reads: by its name, the columns that go together."""
    read = set(recipe.read_columns(schema)[0])
    groups = dict.fromkeys(column.join or (column.name,) for column in schema.inputs if column.name in read)
    return {joined_name(columns): columns for columns in groups}


def without_columns(table: Table, columns: Collection[str]) -> Table:
    """The same rows, whose schema lacks these inputs; none for nothing to leave out."""
    kept = tuple(one for one in table.schema.columns if one.role is not None or one.name not in columns)
    return replace(table, schema=Schema(kept))


def recipe_without(recipe: Recipe, schema: Schema, columns: Collection[str]) -> Recipe:
    """The recipe for a table without these columns: what is left is read by the same bases.

    schema: with all of them.
    """
    left = Schema(tuple(one for one in schema.columns if one.role is not None or one.name not in columns))
    names = {one.name for one in left.modalities}
    bases = {name: base for name, base in recipe.bases(schema).items() if name in names}
    inputs = None if recipe.inputs is None else tuple(name for name in recipe.inputs if name in names)
    return replace(recipe, base=written(bases), inputs=inputs)

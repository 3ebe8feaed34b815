"""Cells that a spreadsheet program would take for formulas, made plain text."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_FORMULA = r"^[\s\x00]*[=+\-@\t\r＝＋－＠]"
_NUMBER = r"^[+-]?[0-9]+([.,][0-9]+)*([eE][+-]?[0-9]+)?$"


def without_formulas(table: pa.Table) -> pa.Table:
    """The table with an apostrophe before every text, and every column name, that begins like a formula.

    These begin with `=`, `+`, `-` or `@`, or with a tab or a line break; numbers stay as they are.
    """
    for at, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            column = table.column(at)
            formula = pc.and_not(pc.match_substring_regex(column, _FORMULA), pc.match_substring_regex(column, _NUMBER))
            marked = pc.binary_join_element_wise(pa.scalar("'", field.type), column, pa.scalar("", field.type))
            table = table.set_column(at, field, pc.if_else(formula, marked, column))
    names = pa.array(table.column_names, pa.string())
    formula = pc.match_substring_regex(names, _FORMULA).to_pylist()
    named = zip(table.column_names, formula, strict=True)
    return table.rename_columns([f"'{name}" if begins else name for name, begins in named])

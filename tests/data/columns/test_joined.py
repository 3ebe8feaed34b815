"""Text columns that are read in one sequence: how they are named, what is refused, what an encoder is given."""

from __future__ import annotations

from dataclasses import asdict

import pyarrow as pa
import pytest

from graftwork.data.columns.joined import parse_joins, picks, text_values
from graftwork.data.columns.schema import infer
from graftwork.data.columns.text import TextSettings
from graftwork.data.load import load, load_like
from graftwork.data.table import Input
from graftwork.errors import DataError, UsageError
from graftwork.networks.manifest import schema_of

ROWS = 40
DATA = {
    "context": [f"the weather of day {at} was fine for a walk" for at in range(ROWS)],
    "question": [f"how was the weather on day {at} ?" for at in range(ROWS)],
    "note": [f"note {at} says that nothing came of it" for at in range(ROWS)],
    "size": [at * 1.5 for at in range(ROWS)],
    "label": ["yes", "no"] * (ROWS // 2),
}


def inferred(**options):
    return infer(pa.table(options.pop("data", DATA)), "rows.csv", target="label", **options)


def test_a_join_is_one_input_of_several_columns_and_the_others_stay_inputs():
    schema, notes = inferred(join=[("question", "context")])
    assert schema.modalities == (
        Input("question+context", "text", ("question", "context")),
        Input("note", "text", ("note",)),
        Input("table", "table", ("size",)),
    )
    assert "input: question+context (texts, read in one sequence), as named" in notes


def test_several_joins_and_one_of_three_columns():
    schema, _ = inferred(join=[("context", "note", "question")])
    assert schema.modalities[0].columns == ("context", "note", "question")
    data = DATA | {"more": DATA["note"]}
    schema, _ = inferred(join=[("context", "note"), ("question", "more")], data=data)
    assert [one.name for one in schema.modalities] == ["context+note", "question+more", "table"]


def test_named_inputs_may_name_the_parts_and_are_then_the_only_ones():
    schema, _ = inferred(join=[("question", "context")], inputs=["question", "context"])
    assert [one.name for one in schema.modalities] == ["question+context"]
    schema, _ = inferred(join=[("question", "context")], inputs=["size"])
    assert [one.name for one in schema.modalities] == ["question+context", "table"]


def test_short_texts_that_look_like_categories_are_texts_in_a_join():
    data = DATA | {"short": ["left", "right"] * (ROWS // 2)}
    schema, _ = inferred(join=[("short", "context")], data=data)
    assert {column.kind for column in schema.columns if column.join} == {"text"}


@pytest.mark.parametrize(
    ("join", "words"),
    [
        (("context", "questoin"), "no column 'questoin'.*question"),
        (("context", "context"), "twice as part of a join"),
        (("context", "label"), "as target and as part of a join"),
        (("context", "size"), "'size' holds numbers, and only texts are read in one sequence"),
    ],
)
def test_what_can_not_be_joined_is_refused(join, words):
    with pytest.raises(UsageError, match=words):
        inferred(join=[join])


def test_a_column_is_in_one_join_at_most_and_has_no_other_use():
    with pytest.raises(UsageError, match="'context' is named twice"):
        inferred(join=[("context", "note"), ("question", "context")])
    with pytest.raises(UsageError, match="part of a join and as column to ignore"):
        inferred(join=[("context", "note")], ignore=["note"])
    with pytest.raises(UsageError, match="part of a join and as group column"):
        inferred(join=[("context", "note")], roles={"group": "note"})
    with pytest.raises(UsageError, match="--kind says category"):
        inferred(join=[("context", "note")], kinds={"note": "category"})
    with pytest.raises(UsageError, match="there is a column of this name already"):
        inferred(join=[("context", "note")], data=DATA | {"context+note": DATA["note"]})


def test_numbers_are_joined_where_the_user_calls_them_text():
    schema, _ = inferred(join=[("context", "size")], kinds={"size": "text"})
    assert schema.modalities[0].columns == ("context", "size")


@pytest.mark.parametrize("given", ["premise", ["premise", "hypothesis"], [("premise",)], ["a+"], [3], "+"])
def test_a_join_of_one_column_is_refused(given):
    with pytest.raises(UsageError, match="expected two or more text columns"):
        parse_joins(given)


def test_ways_to_write_a_join():
    assert parse_joins("a+b") == parse_joins(["a+b"]) == parse_joins([("a", "b")]) == (("a", "b"),)
    assert parse_joins(["a+b+c", ["d", "e+f"]]) == (("a", "b", "c"), ("d", "e+f"))
    assert parse_joins(()) == ()


def test_each_part_is_normalised_and_a_missing_one_is_empty():
    settings = TextSettings(lowercase=True, markup=True)
    assert text_values([["A <b>B</b>", None], [None, " C\tD "]], settings) == [("a b", ""), ("", "c d")]
    assert text_values([["A", None]], settings) == ["a", ""]


def test_later_tables_read_it_the_same_way_and_must_have_every_part():
    loaded = load(DATA, target="label", join=[("question", "context")])
    later = load_like(
        {"context": ["c"], "question": ["q"], "note": ["n"], "size": [1]}, loaded.table.schema, with_target=False
    )
    assert later.table.schema.modalities == loaded.table.schema.modalities
    with pytest.raises(DataError, match="no column 'question'"):
        load_like({"context": ["c"], "note": ["n"], "size": [1]}, loaded.table.schema, with_target=False)


def test_the_schema_comes_back_from_a_manifest_and_an_older_one_has_no_joins():
    schema, _ = inferred(join=[("question", "context")])
    plain = [asdict(column) for column in schema.columns]
    assert schema_of({"schema": plain}) == schema
    older = [{name: value for name, value in column.items() if name != "join"} for column in plain]
    assert all(len(one.columns) == 1 for one in schema_of({"schema": older}).modalities)


def test_settings_name_a_joined_input_by_its_parts():
    assert picks(("a", "b"), "a+b")
    assert picks(("a+b",), "a+b")
    assert not picks(("a",), "a+b")

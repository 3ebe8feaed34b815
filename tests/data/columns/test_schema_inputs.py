"""What a schema says its inputs are."""

from __future__ import annotations

from graftwork.data.table import Column, Input, Schema


def test_each_text_image_and_sound_is_an_input_and_the_rest_is_one():
    columns = (
        Column("price", "number"),
        Column("photo", "image"),
        Column("name", "text"),
        Column("shop", "category"),
        Column("clip", "audio"),
        Column("label", "category", "target"),
        Column("year", "number", "weight"),
    )
    assert Schema(columns).modalities == (
        Input("photo", "image", ("photo",)),
        Input("name", "text", ("name",)),
        Input("clip", "audio", ("clip",)),
        Input("table", "table", ("price", "shop")),
    )


def test_a_column_named_table_keeps_its_name():
    schema = Schema((Column("table", "text"), Column("price", "number")))
    assert [one.name for one in schema.modalities] == ["table", "table_"]


def test_a_table_of_texts_has_no_input_of_numbers():
    assert Schema((Column("text", "text"),)).modalities == (Input("text", "text", ("text",)),)

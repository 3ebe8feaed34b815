"""What names rows or things."""

from __future__ import annotations

from typing import Any

import pytest

from graftwork.data.columns.ids import are_codes, are_row_codes, names_rows


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("PassengerId", list(range(1, 9))),
        ("CustomerID", [1000, 1001, 1002]),
        ("customer_id", [40, 7, 19]),
        ("id_of_customer", [40, 7, 19]),
        ("userid", ["40", "7", "19"]),
        ("row", [1, 2, 3]),
        ("Unnamed: 0", ["0", "1"]),
        ("Unnamed: 0", ["0", "1", "0", "1"]),
        ("__index_level_0__", [4, 1, 3, 1]),
        ("", ["0", "1"]),
        ("#", ["1", "2"]),
        ("order number", ["5", "6", "7"]),
        ("house_no", [3, 1, 2]),
        ("id", [1.0, 2.0]),
        ("id", ["a", "b"]),
        ("编号", [5, 3]),
        ("x", ["123e4567-e89b-12d3-a456-426614174001", "123e4567-e89b-12d3-a456-426614174002"]),
    ],
)
def test_row_ids(name: str, values: list[Any]) -> None:
    assert names_rows(name, values)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("price", list(range(9))),
        ("paid", [5, 3, 9]),
        ("humidity", [5, 3, 9]),
        ("body_mass_index", [21.5, 30.2, 25.0]),
        ("price_index", [100, 140, 90]),
        ("house_no", [3, 90, 41]),
        ("number_of_rooms", [1, 2, 3]),
        ("id", [1, 1, 2]),
        ("id", [0.5, 1.5]),
        ("identity", [4, 2]),
    ],
)
def test_measures(name: str, values: list[Any]) -> None:
    assert not names_rows(name, values)


def test_codes_of_rows() -> None:
    assert are_row_codes(["T0001", "T0002"])
    assert are_row_codes(["INV-2024-17", "INV-2024-18"])
    assert not are_row_codes(["120/80", "130/90"])
    assert not are_row_codes(["10x20", "30x40"])
    assert not are_row_codes(["1,5", "2,5"])


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("zip", [98001, 98002] * 3, "codes by their name"),
        ("PostCode", ["98001", "98002"] * 3, "codes by their name"),
        ("shop_id", list(range(5)) * 20, "ids that repeat"),
        ("kind", [5411, 7995, 4829] * 10, "codes of 4 digits that repeat"),
        ("year", [2019, 2020, 2021] * 10, ""),
        ("salary", [30_000, 45_500, 90_000] * 10, ""),
        ("age", list(range(18, 80)) * 20, ""),
        ("rooms", [1, 2, 3] * 50, ""),
        ("barcode_width", [1.5, 2.5] * 9, ""),
        ("zip", list(range(90_000, 90_020)), ""),
    ],
)
def test_codes_of_things(name: str, values: list[Any], expected: str) -> None:
    assert are_codes(name, values) == expected

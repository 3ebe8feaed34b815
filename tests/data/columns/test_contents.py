from __future__ import annotations

import numpy as np
import pyarrow as pa

from graftwork.data.columns.contents import content_ids
from graftwork.data.table import Schema, Table


def table(**columns: object) -> Table:
    data = pa.table(columns)
    return Table(data, Schema(()), "rows", np.arange(1, len(data) + 1))


def test_the_same_content_has_the_same_number() -> None:
    ids = content_ids(table(text=["a b", " a  b ", "a c", None, " "]), ["text"])
    assert ids[0] == ids[1] != ids[2]
    assert ids[3:].tolist() == [-1, -1]
    assert (ids[:3] >= 0).all()


def test_bytes_paths_and_structs() -> None:
    photos = pa.array(
        [{"bytes": b"x", "path": "1.png"}, {"bytes": b"x", "path": "2.png"}, {"bytes": None, "path": "1.png"}]
    )
    ids = content_ids(table(photo=photos), ["photo"])
    assert ids[0] == ids[1] != ids[2]
    assert content_ids(table(photo=[b"x"]), ["photo"])[0] == ids[0]


def test_several_columns_count_together() -> None:
    ids = content_ids(table(size=[1.0, 1.0, 2.0, None], shop=["a", "b", "a", None]), ["size", "shop"])
    assert len(set(ids.tolist())) == 4
    assert ids[3] == -1


def test_numbers_are_the_same_in_every_process() -> None:
    assert content_ids(table(text=["cat"]), ["text"]).tolist() == [5294002788410209115]

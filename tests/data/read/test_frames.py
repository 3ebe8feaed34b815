"""Tables in memory."""

from __future__ import annotations

import decimal
import fractions
import uuid
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from graftwork.data.read.source import notes_of, read
from graftwork.errors import DataError, UsageError


def test_pandas_missing_values_categories_and_mixed_types() -> None:
    frame = pd.DataFrame(
        {
            "text": ["a", None, float("nan")],
            "label": [1, "x", None],
            "kind": pd.Categorical(["u", "v", "u"]),
            7: [True, False, True],
        },
        index=[5, 6, 7],
    )
    table, name = read(frame)
    assert name == "the frame"
    assert table.to_pydict() == {
        "text": ["a", None, None],
        "label": ["1", "x", None],
        "kind": ["u", "v", "u"],
        "7": [True, False, True],
    }


def test_pandas_whole_numbers_stay_whole() -> None:
    assert read(pd.DataFrame({"label": [0, 1]}))[0].schema.field("label").type == pa.int64()


@pytest.mark.parametrize(
    "source",
    [
        ["a", "b"],
        ("a", "b"),
        np.array(["a", "b"]),
        pd.Series(["a", "b"], index=[3, 4]),
        {"text": ["a", "b"]},
        {"text": np.array(["a", "b"])},
        [{"text": "a"}, {"text": "b"}],
        pa.table({"text": ["a", "b"]}),
        datasets.Dataset.from_dict({"text": ["a", "b"]}),
    ],
)
def test_all_sources_hold_the_same_table(source: Any) -> None:
    assert read(source)[0].to_pydict() == {"text": ["a", "b"]}


def test_keys_that_a_dict_lacks_are_missing() -> None:
    assert read([{"a": "x"}, {"b": 1}, {"a": 2}])[0].to_pylist() == [
        {"a": "x", "b": None},
        {"a": None, "b": 1},
        {"a": "2", "b": None},
    ]


def test_datasets_class_names_indices_and_missing_labels() -> None:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])})
    data = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [0, 1, -1]}, features=features)
    assert read(data)[0].column("label").to_pylist() == ["neg", "pos", None]
    assert read(data.select([1, 0]))[0].to_pydict() == {"text": ["b", "a"], "label": ["pos", "neg"]}
    with pytest.raises(UsageError, match=r"DatasetDict with the splits train, test. Give one of them: data\['train'\]"):
        read(datasets.DatasetDict({"train": data, "test": data}))
    with pytest.raises(UsageError, match="streaming=False"):
        read(data.to_iterable_dataset())


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ([], DataError, "the list is empty"),
        (pd.DataFrame({"text": []}), DataError, r"the frame has no rows \(columns: text\)"),
        (pd.DataFrame(), DataError, "no columns"),
        (pd.DataFrame([["a", "b"]], columns=["t", "t"]), DataError, "more than one column named 't'"),
        ([{"t": "a"}, 3], DataError, "row 2 is 3, a int"),
        ({"a": ["x"], "b": [1, 2]}, DataError, "unequal length: a 1, b 2"),
        ({"a": "xyz"}, UsageError, "column 'a' is 'xyz'. Expected a list"),
        (3, UsageError, "Expected a file, a pandas frame"),
        (np.zeros((2, 2)), UsageError, r"array of shape \(2, 2\)"),
        (["ok", "\ud800"], DataError, "row 2, column 'text': half of a surrogate"),
    ],
)
def test_refused(source: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read(source)


def _kinds(frame: pd.DataFrame) -> dict[str, tuple[str, Any]]:
    from graftwork.data.columns.forms import judge_all

    table = read(frame)[0]
    return {name: (one.shape, table.column(name)[0].as_py()) for name, one in judge_all(table).items()}


def test_what_the_frame_calls_a_category_is_one() -> None:
    codes = [100, 101, 102] * 20
    frame = pd.DataFrame(
        {
            "numbers": pd.Categorical(codes),
            "ordered": pd.Categorical(codes, ordered=True),
            "digits": pd.Categorical([str(code) for code in codes]),
            "floats": pd.Categorical([code / 2 for code in codes]),
            "dates": pd.Categorical(pd.to_datetime(["2024-01-05", "2024-02-05", None] * 20)),
            "cut": pd.cut(codes, [0, 100, 200]),
            "plain": codes,
        }
    )
    found = _kinds(frame)
    assert {name for name, (shape, _) in found.items() if shape == "category"} == set(frame.columns) - {"plain"}
    assert found["numbers"][1] == 100
    assert found["cut"][1] == "(0, 100]"


def test_parquet_dictionaries_are_categories_too(tmp_path: Any) -> None:
    from graftwork.data.columns.schema import infer

    frame = pd.DataFrame({"shop": pd.Categorical([7, 8, 9, None] * 10), "y": ["a", "b"] * 20})
    frame.to_parquet(tmp_path / "a.parquet")
    table, name = read(tmp_path / "a.parquet")
    assert infer(table, name, target="y")[0].inputs[0].kind == "category"


def test_types_of_pandas_and_python_that_arrow_has_no_number_for() -> None:
    rows = 12
    frame = pd.DataFrame(
        {
            "huge": pd.Series([10**25 + at for at in range(rows)], dtype=object),
            "decimal": [decimal.Decimal("1.5")] * rows,
            "sparse": pd.arrays.SparseArray([0.0] * 11 + [2.5]),
            "duration": pd.to_timedelta(range(rows), unit="min"),
            "nullable": pd.array([1, None] * 6, dtype="Int64"),
            "period": pd.period_range("2021-01", periods=rows, freq="M"),
            "uuid": [uuid.UUID(int=at) for at in range(rows)],
            "mixed": [1, "a", None, 2.5, True, "b"] * 2,
            "string": pd.array(["u", None] * 6, dtype="string"),
            "fraction": [fractions.Fraction(at, 4) for at in range(rows)],
        }
    )
    table = read(frame)[0]
    columns = table.to_pydict()
    assert columns["huge"][:2] == [1e25, 1e25]
    assert columns["decimal"][0] == 1.5
    assert columns["fraction"][:2] == [0.0, 0.25]
    assert columns["sparse"][-1] == 2.5
    assert columns["duration"][2] == 120.0
    assert columns["nullable"][:2] == [1, None]
    assert columns["period"][:2] == ["2021-01", "2021-02"]
    assert columns["uuid"][1] == "00000000-0000-0000-0000-000000000001"
    assert columns["mixed"][:6] == ["1", "a", None, "2.5", "True", "b"]
    assert columns["string"][:2] == ["u", None]


def test_types_of_arrow() -> None:
    table = pa.table(
        {
            "large": pa.array(["a"], pa.large_string()),
            "view": pa.array(["a"], pa.string_view()),
            "decimal": pa.array([decimal.Decimal("2.25")], pa.decimal256(40, 2)),
            "half": pa.array(np.array([0.5], np.float16)),
            "time": pa.array([3_661_000], pa.time32("ms")),
            "duration": pa.array([90], pa.duration("s")),
            "uuid": pa.array([uuid.UUID(int=1).bytes], pa.uuid()),
            "runs": pa.RunEndEncodedArray.from_arrays([1], ["a"]),
            "none": pa.nulls(1),
        }
    )
    assert read(table)[0].to_pydict() == {
        "large": ["a"],
        "view": ["a"],
        "decimal": [2.25],
        "half": [0.5],
        "time": ["01:01:01.000"],
        "duration": [90.0],
        "uuid": ["00000000-0000-0000-0000-000000000001"],
        "runs": ["a"],
        "none": [None],
    }


def test_what_holds_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(DataError, match="column 'z' holds complex numbers"):
        read(pd.DataFrame({"z": [1 + 2j, 3j]}))
    with pytest.raises(DataError, match="column 'z' is of the type month_day_nano_interval, which can't be read"):
        read(pa.table({"z": pa.array([(1, 2, 3)], pa.month_day_nano_interval())}))


def test_columns_of_a_frame_may_be_called_by_numbers_and_tuples() -> None:
    import graftwork as gw
    from graftwork.runs.job.data_arguments import DataArguments

    assert DataArguments(train="t", target=1, inputs=[0, np.int64(2)], ignore=5).inputs == ["0", "2"]  # type: ignore[arg-type]
    assert DataArguments(train="t", target=("a", 1)).target == "a 1"  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"target is True. Expected the name of a column"):
        DataArguments(train="t", target=True)  # type: ignore[arg-type]
    frame = pd.DataFrame({0: [float(at) for at in range(40)], 1: ["lo", "hi"] * 20})
    model = gw.fit(frame, target=1, recipe=gw.Recipe(techniques=["probe"]), verbose=False)  # type: ignore[arg-type]
    assert set(model.predict(frame[[0]])) <= {"lo", "hi"}


def test_an_index_with_names_is_said_to_be_no_column() -> None:
    frame = pd.DataFrame({"a": ["x", "y"], "b": [1, 2]})
    said = "not used: a (the index of the frame); frame.reset_index() makes a column of it"
    assert notes_of(read(frame.set_index("a"))[0]) == [said]
    assert notes_of(read(frame)[0]) == notes_of(read(frame.iloc[::-1])[0]) == []
    assert notes_of(read(frame.set_index("a", drop=False))[0]) == []


def test_levels_without_a_name_leave_no_trace_in_a_column_s_name() -> None:
    levels = pd.MultiIndex.from_tuples([("a", "x"), ("y", "")])
    assert read(pd.DataFrame([[1, 2]], columns=levels))[0].column_names == ["a x", "y"]


def test_frames_of_other_libraries_are_read_by_the_arrow_interface() -> None:
    class Frame:  # as polars and DuckDB have them
        columns = ("a",)

        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return pa.table({"a": pa.array(["x", "y"], pa.string_view())}).__arrow_c_stream__()

    assert read(Frame())[0].to_pydict() == {"a": ["x", "y"]}  # type: ignore[arg-type]
    assert read(pa.record_batch({"a": [1]}))[0].to_pydict() == {"a": [1]}  # type: ignore[arg-type]


def test_an_arrow_table_with_texts_that_are_no_utf8() -> None:
    texts = pa.StringArray.from_buffers(2, pa.py_buffer(np.array([0, 2, 4], np.int32)), pa.py_buffer(b"\xe6\xff" * 2))
    with pytest.raises(DataError, match=r"the table, column .text.: .*UTF-8"):
        read(pa.table({"text": texts}), name="the table")

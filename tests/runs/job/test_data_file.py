"""graftwork.runs.job.data_file: the tables of a fit are found again, or what is wrong with them is said."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import graftwork as gw
from command import topics, write_rows
from graftwork.errors import DataError, ModelError, UsageError
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.data_file import NAME, named_tables, read_data
from tiny import tiny_rows

RECIPE = gw.Recipe(base="gru:width=8", techniques=[], training=gw.Training(steps=2, batch=8, precision="fp32"))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fit of `t.csv` and `v.csv`, named as they lie in the current folder."""
    monkeypatch.chdir(tmp_path)
    topics(tmp_path / "t.csv")
    write_rows(tmp_path / "v.csv", tiny_rows(90)[60:])
    gw.fit("t.csv", valid="v.csv", target="label", kinds={"text": "text"}, recipe=RECIPE, out="run", verbose=False)
    return tmp_path / "run"


def changed(run: Path, **more: Any) -> None:
    told = json.loads((run / NAME).read_text())
    (run / NAME).write_text(json.dumps(told | more))


def test_what_fit_was_given_is_found_again_from_another_folder(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert read_data(run) == DataArguments(
        train=str(tmp_path / "t.csv"), valid=str(tmp_path / "v.csv"), target="label", kinds={"text": "text"}
    )


def test_paths_stand_as_given_with_what_sha256_says_of_the_files(run: Path, tmp_path: Path) -> None:
    told = json.loads((run / NAME).read_text())
    assert told["folder"] == str(tmp_path)
    assert {name: [one["path"] for one in files] for name, files in told["tables"].items()} == {
        "train": ["t.csv"],
        "valid": ["v.csv"],
    }
    for files in told["tables"].values():
        assert files[0]["sha256"] == hashlib.sha256((tmp_path / files[0]["path"]).read_bytes()).hexdigest()
    assert {column["name"]: column["role"] for column in told["columns"]} == {"text": None, "label": "target"}


def test_the_model_loads_with_and_without_it(run: Path) -> None:
    before = gw.load(run).predict(["the cat is here"])
    (run / NAME).unlink()
    assert list(gw.load(run).predict(["the cat is here"])) == list(before)


def test_a_list_of_tables_stays_one(tmp_path: Path) -> None:
    topics(tmp_path / "a.csv")
    write_rows(tmp_path / "b.csv", tiny_rows(), header=("text", "topic"))
    tables = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    gw.fit(tables, target=["label", "topic"], recipe=RECIPE, out=tmp_path / "run", verbose=False)
    assert read_data(tmp_path / "run").train == tables


def test_a_missing_table_is_named(run: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").unlink()
    with pytest.raises(DataError, match=r"The train table of .*run is not there any more: .*t\.csv.*--data FILE"):
        read_data(run)


def test_a_changed_table_is_named_and_may_be_taken_as_it_is(run: Path, tmp_path: Path) -> None:
    topics(tmp_path / "t.csv", 90)
    with pytest.raises(DataError, match=r"t\.csv has changed since .*run was made.*--data .*t\.csv"):
        read_data(run)
    assert read_data(run, tmp_path / "t.csv").train == tmp_path / "t.csv"
    assert read_data(run, tmp_path / "t.csv").valid == str(tmp_path / "v.csv")


def test_another_table_can_be_replaced_or_left_out(run: Path, tmp_path: Path) -> None:
    (tmp_path / "v.csv").unlink()
    with pytest.raises(DataError, match=r"The valid table .*v\.csv.*--data valid=FILE"):
        read_data(run)
    assert read_data(run, {"valid": "w.csv"}).valid == "w.csv"
    assert read_data(run, leave_out=["valid"]).valid is None


def test_a_table_in_memory_has_to_be_given(tmp_path: Path) -> None:
    frame = pd.DataFrame(tiny_rows(), columns=["text", "label"])
    gw.fit(frame, target="label", recipe=RECIPE, out=tmp_path / "run", verbose=False)
    with pytest.raises(UsageError, match=r"a table in memory \(DataFrame\), which is not kept.*--data FILE"):
        read_data(tmp_path / "run")
    assert read_data(tmp_path / "run", frame).train is frame
    assert read_data(tmp_path / "run", frame).target == "label"


def test_without_it_the_columns_are_those_of_the_model(run: Path) -> None:
    (run / NAME).unlink()
    with pytest.raises(UsageError, match=r"does not say which table it was trained on.*--data FILE"):
        read_data(run)
    found = read_data(run, "new.csv")
    assert (found.train, found.target, found.inputs) == ("new.csv", ["label"], ["text"])


def test_one_of_another_model_is_not_believed(run: Path) -> None:
    changed(run, weights="0" * 32)
    with pytest.raises(UsageError, match="does not say which table"):
        read_data(run)


@pytest.mark.parametrize(
    "more",
    [
        {"format": 2},
        {"tables": {"train": []}},
        {"tables": {"train": [{"path": 3, "name": "t", "sha256": None}]}},
        {"options": {"roles": ["domain"]}},
        {"options": {"on_bad_rows": "explode"}},
        {"options": {"other": ["none"]}},
        {"folder": None},
    ],
)
def test_a_damaged_one_is_refused(run: Path, more: dict[str, Any]) -> None:
    changed(run, **more)
    with pytest.raises(ModelError, match=r"data\.json is damaged"):
        read_data(run)


def test_one_that_is_no_json_is_refused(run: Path) -> None:
    (run / NAME).write_text("{")
    with pytest.raises(ModelError, match=r"data\.json is damaged"):
        read_data(run)


def test_a_link_out_of_the_folder_is_not_followed(run: Path, tmp_path: Path) -> None:
    (run / NAME).rename(tmp_path / "elsewhere.json")
    (run / NAME).symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(ModelError, match="leads out of the folder"):
        read_data(run)


def test_a_table_without_a_digest_is_not_taken(run: Path) -> None:
    changed(run, tables={"train": [{"path": "t.csv", "name": "t.csv", "sha256": None}]})
    with pytest.raises(DataError, match=r"t\.csv has changed .*SHA-256 not known"):
        read_data(run)


def test_a_device_is_no_table(run: Path) -> None:
    changed(run, tables={"train": [{"path": "/dev/zero", "name": "zero", "sha256": None}]})
    with pytest.raises(DataError, match="is not there any more"):
        read_data(run)


def test_rows_that_a_model_labelled_are_not_kept(run: Path) -> None:
    changed(run, labelled=True)
    with pytest.raises(UsageError, match="a model had labelled"):
        read_data(run)


def test_options_name_tables(tmp_path: Path) -> None:
    assert named_tables(["a.csv", "unlabelled=b.csv"]) == {"train": "a.csv", "unlabelled": "b.csv"}
    odd = tmp_path / "a=b.csv"
    odd.write_text("x")
    assert named_tables([str(odd)]) == {"train": str(odd)}
    with pytest.raises(UsageError, match=r"no table 'vald'.*Did you mean 'valid'"):
        named_tables(["vald=b.csv"])
    with pytest.raises(UsageError, match="the train table twice"):
        named_tables(["a.csv", "b.csv"])

"""Where a model comes from: in its folder, its card, the plan and the report, and through what is made from it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import graftwork as gw
from bases.test_cyclonedx import valid
from command import QUICK, graft, topics, write_rows
from graftwork.bases.provenance import NOT_KNOWN
from graftwork.bases.tables_read import tables_read
from graftwork.data.load import load
from graftwork.errors import ModelError
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.sequences.steps import Step
from saved_models.make import HERE
from tiny import tiny_bert, tiny_rows

NON_COMMERCIAL = "---\nlicense: cc-by-nc-4.0\n---\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two tables, two bases, and a model of the one that is under a licence."""
    folder = tmp_path_factory.mktemp("secret-customer")
    topics(folder / "train.csv")
    write_rows(folder / "more.csv", tiny_rows(90)[60:])
    tiny_bert(folder / "theirs")
    (folder / "theirs" / "README.md").write_text(NON_COMMERCIAL, encoding="utf-8")
    shutil.copytree(folder / "theirs", folder / "nobodys")
    (folder / "nobodys" / "README.md").unlink()
    base = ("--base", folder / "theirs", "--valid", folder / "more.csv")
    graft("fit", folder / "train.csv", "--out", folder / "model", *base, *QUICK).works()
    return folder


def told_in(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    return told


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_a_fit_writes(place: Path) -> None:
    told = told_in(place / "model")
    valid(told)
    provenance = gw.load(place / "model").provenance
    base = provenance.bases[0].origin
    assert (base.name, base.licence, base.commercial) == ("theirs", "CC-BY-NC-4.0", False)
    assert base.sha256 == sha256(place / "theirs" / "model.safetensors")
    assert [(table.name, table.use, table.rows, table.sha256) for table in provenance.tables] == [
        ("train.csv", "train", 60, sha256(place / "train.csv")),
        ("more.csv", "validation", 30, sha256(place / "more.csv")),
    ]
    assert {"graftwork", "torch", "transformers"} <= provenance.versions.keys()
    recipe = next(one for one in told["components"] if one["name"] == "recipe.yaml")
    assert "base: theirs\n" in recipe["data"][0]["contents"]["attachment"]["content"]


def test_nothing_private_is_in_it(place: Path) -> None:
    text = (place / "model" / "provenance.json").read_text(encoding="utf-8")
    assert "secret-customer" not in text
    assert str(place.parent) not in text


def test_the_card_and_the_report_say_what_binds(place: Path) -> None:
    card = (place / "model" / "README.md").read_text(encoding="utf-8")
    section = card.partition("## Licence")[2]
    assert "| theirs | CC-BY-NC-4.0 | not known to be allowed |" in section.replace("\\", "")
    assert "forbids commercial use" in section.replace("\\", "")
    assert "train.csv: 60 rows (train)" in section.replace("\\", "")
    page = (place / "model" / "report.html").read_text(encoding="utf-8")
    assert "<b>Licence.</b>" in page


@pytest.mark.slow
def test_plan_warns_of_licences(place: Path) -> None:
    arguments = ("plan", place / "train.csv", *QUICK)
    said = graft(*arguments, "--base", place / "theirs").works()
    assert "the base theirs is under CC-BY-NC-4.0, which forbids commercial use" in said.out + said.err
    said = graft(*arguments, "--base", place / "nobodys").works()
    assert "under which licence the base nobodys may be used is not known" in said.out + said.err
    for base in ("gru", "minilm"):
        said = graft(*arguments, "--base", base).works()
        assert "licence" not in said.out + said.err


def test_a_base_from_scratch_needs_none(place: Path, tmp_path: Path) -> None:
    graft("fit", place / "train.csv", "--base", "gru:width=16", "--out", tmp_path / "m", *QUICK).works()
    provenance = gw.load(tmp_path / "m").provenance
    assert (provenance.bases, provenance.known) == ((), True)
    assert "trained from scratch" in (tmp_path / "m" / "README.md").read_text(encoding="utf-8")


def test_the_base_that_is_built_in() -> None:
    from graftwork.networks.bases.origins import made_from
    from graftwork.networks.bases.registry import parse_base

    origin = made_from({"text": parse_base("minilm")}).bases[0].origin
    assert (origin.name, origin.licence, origin.commercial) == ("minilm", "Apache-2.0", True)
    assert origin.sha256 is not None
    assert len(origin.sha256) == 64


def test_a_tuned_base_brings_what_it_was_made_from(place: Path, tmp_path: Path) -> None:
    table = write_rows(tmp_path / "own.csv", tiny_rows(60))
    said = graft("fit", table, "--base", place / "model", "--out", tmp_path / "m", *QUICK).works()
    assert "forbids commercial use" in said.out + said.err
    provenance, before = gw.load(tmp_path / "m").provenance, gw.load(place / "model").provenance
    assert [base.origin for base in provenance.bases] == [base.origin for base in before.bases]
    assert [(one.name, one.learner) for one in provenance.tables] == [
        ("own.csv", ""),
        ("train.csv", "model"),
        ("more.csv", "model"),
    ]
    assert provenance.models == ("model",)


def test_saved_again_it_is_the_same(place: Path, tmp_path: Path) -> None:
    gw.load(place / "model").save(tmp_path / "m")
    assert told_in(tmp_path / "m") == told_in(place / "model")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}"])
def test_another_file_in_its_place_is_met(place: Path, tmp_path: Path, content: bytes) -> None:
    folder = shutil.copytree(place / "model", tmp_path / "m")
    (folder / "provenance.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"provenance\.json is not as it was written"):
        gw.load(folder)
    (folder / "provenance.json").unlink()
    with pytest.raises(ModelError, match=r"provenance\.json is missing"):
        gw.load(folder)


def test_a_model_of_an_earlier_version(tmp_path: Path) -> None:
    folder = HERE / "0.1.0" / "text-gru" / "model"
    model = gw.load(folder)
    assert model.provenance == NOT_KNOWN
    model.save(tmp_path / "m")
    told = told_in(tmp_path / "m")
    valid(told)
    assert told["compositions"][0]["aggregate"] == "unknown"
    assert gw.load(tmp_path / "m").provenance == NOT_KNOWN


def test_soups_and_merges_name_all_that_is_in_them(place: Path, tmp_path: Path) -> None:
    base = ("--base", place / "theirs")
    graft("fit", place / "more.csv", "--out", tmp_path / "second", *base, *QUICK).works()
    for command in (("soup", "--method", "uniform"), ("merge",)):
        said = graft(command[0], place / "model", tmp_path / "second", "--out", tmp_path / command[0], *command[1:])
        said.works()
        assert "forbids commercial use" in said.out + said.err
        provenance = gw.load(tmp_path / command[0]).provenance
        assert provenance.models == ("model", "second")
        assert len(provenance.bases) == 1
        assert {table.learner for table in provenance.tables} == {"model", "second"}
        valid(told_in(tmp_path / command[0]))


def test_tables_in_memory_and_new_classes(place: Path) -> None:
    recipe = gw.Recipe(base="gru:width=16", techniques=[], training=gw.Training(steps=2, precision="fp32"))
    frame = pd.DataFrame(tiny_rows(60), columns=["text", "label"])
    model = gw.fit(frame, target="label", recipe=recipe, verbose=False)
    table = model.provenance.tables[0]
    assert (table.name, table.rows, table.hashed) == ("the frame", 60, "rows")
    again = gw.fit(frame.copy(), target="label", recipe=recipe, verbose=False).provenance
    other = gw.fit(frame[::-1], target="label", recipe=recipe, verbose=False).provenance
    assert again == model.provenance
    assert other.tables[0].sha256 != table.sha256
    learned = model.few_shot().adapt(place / "more.csv").provenance
    assert [(one.name, one.use) for one in learned.tables] == [("the frame", "train"), ("more.csv", "new classes")]


def test_steps_of_a_sequence_and_teachers(place: Path, tmp_path: Path) -> None:
    recipe = gw.Recipe(
        base="gru:width=16",
        techniques=[f"distil:teacher={place / 'model'}"],
        training=gw.Training(steps=2, precision="fp32"),
    )
    step = Step(name="one", data=DataArguments(train=place / "train.csv"), recipe=recipe)
    done = gw.run_sequence([step], out=tmp_path, verbose=False)
    text = (done[0].folder / "provenance.json").read_text(encoding="utf-8")
    assert "secret-customer" not in text
    assert gw.load(done[0].folder).provenance.models == ("model",)


def test_a_folder_of_files_has_the_hash_of_all(tmp_path: Path) -> None:
    for name, text in (("b/2.csv", "x"), ("a.csv", "yy")):
        (tmp_path / "d" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "d" / name).write_text(text)
    lines = "".join(f"{sha256(tmp_path / 'd' / name)}  {name}\n" for name in ("a.csv", "b/2.csv"))
    table = load(topics(tmp_path / "t.csv"), target="label").table
    (read,) = tables_read("train", tmp_path / "d", table)
    assert (read.used.name, read.hashed().sha256) == ("d", hashlib.sha256(lines.encode()).hexdigest())
    shutil.rmtree(tmp_path / "d")
    assert read.hashed().sha256 is None, "it may have gone in the meantime"


def test_several_tables_are_named_one_by_one(place: Path) -> None:
    sources = [place / "train.csv", place / "more.csv"]
    table = load(sources, target="label").table
    found = [one.hashed() for one in tables_read("train", sources, table)]
    assert [(one.name, one.rows) for one in found] == [("train.csv", 60), ("more.csv", 30)]
    assert found[1].sha256 == sha256(place / "more.csv")


def test_the_columns_of_a_table_are_nobody_s(tmp_path: Path) -> None:
    """They have no weights, so that there is no licence to doubt."""
    rows = [(f"{row / 7:.3f}", "xyz"[row % 3], "pq"[row % 2]) for row in range(40)]
    table = write_rows(tmp_path / "t.csv", rows, ("a", "b", "y"))
    ran = graft("plan", table, "--target", "y", "--with", "probe").works()
    assert "licence" not in ran.out + ran.err

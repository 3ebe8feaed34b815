"""Texts that are read in one sequence, from the command line to predictions in another process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

import graftwork as gw
from command import QUICK, graft, write_rows
from graftwork.core.rows.examples import make_batch, prepare
from graftwork.data.columns.text import TextSettings
from graftwork.data.load import load
from graftwork.errors import UsageError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from paired import HEADER, JOIN, pair_rows, write_pairs
from tiny import tiny_bert, tiny_model, tiny_texts

LATER = [("the cat is here", "the cat"), ("", "no rain today"), ("where is my soup ?", "")]
SETTINGS = {"steps": 4, "batch": 8, "evaluations": 1, "precision": "fp32"}
SCRATCH = "width=16,vocabulary=200"


def recipe(base: str, techniques: object = "none", **settings: object) -> Recipe:
    from graftwork.recipe import from_dict

    return from_dict({"base": base, "techniques": techniques, "training": SETTINGS | settings})


@pytest.mark.parametrize("base", [pytest.param("bert", marks=pytest.mark.slow), f"gru:{SCRATCH}"])
def test_fit_save_and_predict_elsewhere(tmp_path: Path, base: str) -> None:
    table, out = write_pairs(tmp_path / "pairs.csv"), tmp_path / "model"
    base = str(tiny_bert(tmp_path / "base")) if base == "bert" else base
    made = graft("fit", table, "--target", "label", "--join", JOIN, "--base", base, *QUICK, "--out", out).works()
    assert f"input: {JOIN} (texts, read in one sequence), as named" in made.err
    later = write_rows(tmp_path / "later.csv", LATER, HEADER[:2])
    graft("predict", out, later, "--proba", "--out", tmp_path / "found.jsonl").works()
    by_command = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    code = (
        "import json, sys, graftwork as gw\nprint(json.dumps(gw.load(sys.argv[1]).predict_proba(sys.argv[2]).tolist()))"
    )
    ran = subprocess.run([sys.executable, "-c", code, out, later], capture_output=True, text=True, check=True)
    elsewhere = np.array(json.loads(ran.stdout))
    model = gw.load(out)
    here = model.predict_proba({"premise": [a or None for a, _ in LATER], "hypothesis": [b or None for _, b in LATER]})
    np.testing.assert_array_equal(elsewhere, here)
    np.testing.assert_allclose(elsewhere, [[row["p(no)"], row["p(yes)"]] for row in by_command], atol=1e-6)
    assert (model.network.columns, model.network.sources) == ((JOIN,), {JOIN: ("premise", "hypothesis")})


@pytest.mark.parametrize("base", [f"gru:{SCRATCH}", f"lstm:{SCRATCH}", f"cnn:{SCRATCH}"])
def test_the_second_text_and_the_order_matter(tmp_path: Path, base: str) -> None:
    table = write_pairs(tmp_path / "a.csv")
    model = gw.fit(table, target="label", join=JOIN, recipe=recipe(base), verbose=False)
    cat, rain = "the cat is here", "no rain today"
    found = model.predict_proba({"premise": [cat, cat, rain], "hypothesis": [rain, cat, cat]})
    assert np.abs(found - found[0]).max(1)[1:].min() > 0


def test_three_columns_and_an_input_beside(tmp_path: Path) -> None:
    rows = [
        (*row[:2], text, at * 1.0, row[2]) for at, (row, text) in enumerate(zip(pair_rows(), tiny_texts(), strict=True))
    ]
    table = write_rows(tmp_path / "a.csv", rows, ("premise", "hypothesis", "more", "size", "label"))
    model = gw.fit(
        table, target="label", join=[("premise", "hypothesis", "more")], recipe=recipe(f"cnn:{SCRATCH}"), verbose=False
    )
    assert model.network.columns == ("premise+hypothesis+more", "table")
    model.save(tmp_path / "model")
    row = dict(zip(("premise", "hypothesis", "more", "size"), rows[0][:4], strict=True))
    np.testing.assert_array_equal(gw.load(tmp_path / "model").predict_proba([row]), model.predict_proba([row]))
    changed = row | {"more": "snow and rain"}
    assert not np.array_equal(model.predict_proba([changed]), model.predict_proba([row]))


def test_two_joins_and_a_base_of_their_own(tmp_path: Path) -> None:
    rows = [(*row[:2], *row[:2], row[2]) for row in pair_rows()]
    table = write_rows(tmp_path / "a.csv", rows, ("a", "b", "c", "d", "label"))
    made = graft(
        "fit", table, "--target", "label", "--join", "a+b", "--join", "d+c", "--base", f"a+b=gru:{SCRATCH}",
        "--base", f"d+c=cnn:{SCRATCH}", *QUICK, "--out", tmp_path / "m",
    ).works()  # fmt: skip
    assert "Traceback" not in made.err
    assert gw.load(tmp_path / "m").network.sources == {"a+b": ("a", "b"), "d+c": ("d", "c")}


def test_plan_says_what_is_joined(tmp_path: Path) -> None:
    planned = graft("plan", write_pairs(tmp_path / "a.csv"), "--join", JOIN, "--base", f"gru:{SCRATCH}", *QUICK).works()
    assert f"{JOIN} (texts, read in one sequence)" in planned.err + planned.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--join", "premise+hypothesi"], "no column 'hypothesi'.*hypothesis"),
        (["--join", "premise"], "expected two or more text columns"),
        (["--join", "premise+premise"], "twice as part of a join"),
        (["--join", "premise+label"], "as target and as part of a join"),
        (["--join", "premise+size"], "'size' holds numbers"),
        (["--join", JOIN, "--join", "hypothesis+premise"], "is named twice"),
        (["--join", JOIN, "--ignore", "premise"], "part of a join and as column to ignore"),
    ],
)
def test_wrong_use(tmp_path: Path, options: list[str], words: str) -> None:
    rows = [(*row[:2], at * 1.5, row[2]) for at, row in enumerate(pair_rows())]
    table = write_rows(tmp_path / "a.csv", rows, ("premise", "hypothesis", "size", "label"))
    graft("fit", table, "--target", "label", *options, *QUICK, "--out", tmp_path / "m").fails(2, words)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("setting", "words"), [("windows=2", "windows cuts one text"), ("keep=head+tail", "keep=head")]
)
def test_windows_read_one_text_alone(tmp_path: Path, setting: str, words: str) -> None:
    base = f"transformer:path={tiny_bert(tmp_path / 'base')},{setting}"
    table = write_pairs(tmp_path / "a.csv")
    graft("plan", table, "--target", "label", "--join", JOIN, "--base", base, *QUICK).fails(2, words, "drop --join")


def test_no_room_for_two_texts(tmp_path: Path) -> None:
    base = f"transformer:path={tiny_bert(tmp_path / 'base')},max_length=4"
    graft("plan", write_pairs(tmp_path / "a.csv"), "--join", JOIN, "--base", base, *QUICK).fails(2, "no room")


@pytest.mark.slow
def test_a_base_tuned_on_pairs_is_read_again_and_one_without_a_separator_is_refused(tmp_path: Path) -> None:
    table = write_pairs(tmp_path / "a.csv")
    gw.fit(table, target="label", join=JOIN, recipe=recipe(f"gru:{SCRATCH}"), out=tmp_path / "pairs", verbose=False)
    gw.fit(
        table, target="label", inputs="premise", recipe=recipe(f"gru:{SCRATCH}"), out=tmp_path / "one", verbose=False
    )
    again = gw.fit(table, target="label", join=JOIN, recipe=recipe(str(tmp_path / "pairs")), verbose=False)
    assert again.network.sources == {JOIN: ("premise", "hypothesis")}
    with pytest.raises(UsageError, match="trained on single texts and has no token to set between them"):
        gw.fit(table, target="label", join=JOIN, recipe=recipe(str(tmp_path / "one")), verbose=False)


def test_a_base_that_sets_nothing_between_texts_is_said(tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base", "gpt2")
    table = write_pairs(tmp_path / "a.csv")
    planned = graft("plan", table, "--target", "label", "--join", JOIN, "--base", str(base), *QUICK).works()
    assert f"sets nothing between the texts of '{JOIN}'" in planned.err + planned.out


def test_long_pairs_are_said_and_cut(tmp_path: Path) -> None:
    rows = [(f"{a} " * 12, f"{b} " * 12, label) for a, b, label in pair_rows()]
    table = write_rows(tmp_path / "a.csv", rows, HEADER)
    base = str(tiny_bert(tmp_path / "base"))
    made = graft(
        "fit", table, "--target", "label", "--join", JOIN, "--base", base, *QUICK, "--out", tmp_path / "m"
    ).works()
    assert f"texts in '{JOIN}' are longer than" in made.err
    with pytest.warns(UserWarning, match="longer than the 61 tokens that the model reads; the rest"):
        gw.load(tmp_path / "m").predict(table)


def joined_network(base: str, *others: str) -> tuple[Network, dict[str, list[str | None]]]:
    texts = tiny_texts(6)
    made = parse_base(base).build(TrainingRows(texts=lambda: texts, joined=True), 0)
    names = {JOIN: ("premise", "hypothesis"), **{name: (name,) for name in others}}
    torch.manual_seed(0)
    network = Network(dict.fromkeys(names, made), {"y": RowHead(made.width * len(names), 2)}, sources=names)
    return network.eval(), {column: list(texts) for columns in names.values() for column in columns}


def test_a_missing_part_is_empty_and_all_parts_missing_is_a_missing_input() -> None:
    network, data = joined_network(f"gru:{SCRATCH}", "note")
    data["premise"][1] = data["premise"][2] = data["hypothesis"][2] = data["hypothesis"][3] = None
    read = load(data | {"y": list("ababab")}, target="y", join=[("premise", "hypothesis")])
    examples = prepare(read.table, network, {}, TextSettings(), keep_on_disk=False)
    assert examples.present[JOIN].tolist() == [True, True, False, True, True, True]
    batch = make_batch(examples, network, np.arange(6))
    empty = read.table.data.set_column(0, "premise", pa.array([v or "" for v in data["premise"]]))
    assert "segments" in batch.inputs[JOIN]
    again = load({"premise": empty.column("premise").to_pylist(), "hypothesis": [v or "" for v in data["hypothesis"]],
                  "note": data["note"], "y": list("ababab")}, target="y", join=[("premise", "hypothesis")])  # fmt: skip
    same = make_batch(prepare(again.table, network, {}, TextSettings(), keep_on_disk=False), network, np.arange(6))
    assert torch.equal(batch.inputs[JOIN]["input_ids"], same.inputs[JOIN]["input_ids"])


def test_single_texts_are_prepared_as_before() -> None:
    network, data = joined_network(f"gru:{SCRATCH}", "note")
    read = load(data | {"y": list("ababab")}, target="y", join=[("premise", "hypothesis")])
    examples = prepare(read.table, network, {}, TextSettings())
    encoder = network.encoder("note")
    for row, text in enumerate(data["note"]):
        assert examples.inputs["note"].rows(np.array([row]))[0].tolist() == encoder.prepare([text])[0].tolist()
    assert set(make_batch(examples, network, np.arange(6)).inputs["note"]) == {"input_ids", "attention_mask"}
    assert examples.keys["note"] != examples.keys[JOIN]


@pytest.mark.parametrize(
    "technique",
    [
        "eda",
        "token-dropout:rate=0.3",
        "fgm",
        "vat",
        "consistency",
        "self-distil",
        "layer-decay",
        "lora",
        "probe",
        "warm-start",
        f"token-dropout:columns={JOIN}",
    ],
)  # fmt: skip
def test_techniques_work_on_joined_texts(tmp_path: Path, technique: str) -> None:
    base = str(tiny_bert(tmp_path / "base"))
    model = gw.fit(
        write_pairs(tmp_path / "a.csv", 40), target="label", join=JOIN, recipe=recipe(base, [technique]), verbose=False
    )
    assert np.isfinite(model.predict_proba({"premise": ["the cat"], "hypothesis": ["my dog"]})).all()


def test_frozen_layers_of_pairs_are_cached_and_change_nothing(tmp_path: Path) -> None:
    base, table = str(tiny_bert(tmp_path / "base")), write_pairs(tmp_path / "a.csv")
    made = [
        gw.fit(table, target="label", join=JOIN, recipe=recipe(base, ["partial:blocks=1"]), verbose=False)
        for _ in range(2)
    ]
    rows = {"premise": [a for a, _ in LATER], "hypothesis": [b for _, b in LATER]}
    np.testing.assert_array_equal(made[0].predict_proba(rows), made[1].predict_proba(rows))


def test_the_report_shows_every_part(tmp_path: Path) -> None:
    table, out = write_pairs(tmp_path / "a.csv"), tmp_path / "m"
    graft("fit", table, "--target", "label", "--join", JOIN, "--base", f"cnn:{SCRATCH}", *QUICK, "--out", out).works()
    page = (out / "report.html").read_text()
    shown = [(a, b) for a, b, _ in pair_rows() if a in page and b in page]
    assert shown
    assert "premise" in page
    assert "hypothesis" in page

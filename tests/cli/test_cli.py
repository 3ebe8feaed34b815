"""The command line as a new user meets it: what works, and what each kind of bad input is answered with."""

from __future__ import annotations

import csv
import errno
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from command import QUICK, Ran, graft, topics, write_rows
from tiny import tiny_bert, tiny_rows


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("base") / "bert")


@pytest.fixture(scope="module")
def fitted(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("fitted")
    test = topics(folder / "test.csv", 12)
    fit(topics(folder / "train.csv", 90), base, folder / "run", "--test", test).works()
    return folder / "run"


def fit(table: Path, base: Path, out: Path, *more: str | Path) -> Ran:
    quick = () if any(str(option).startswith("steps=") for option in more) else QUICK
    return graft("fit", table, "--target", "label", "--base", base, "--out", out, *quick, *more)


# --- bad tables -----------------------------------------------------------------------------------------------------
def test_a_missing_file(base: Path, tmp_path: Path) -> None:
    topics(tmp_path / "train.csv")
    fit(tmp_path / "trian.csv", base, tmp_path / "out").fails(1, r"trian\.csv", r"train\.csv")
    assert not (tmp_path / "out").exists(), "nothing is left behind"


def test_a_wrong_column(base: Path, tmp_path: Path) -> None:
    ran = graft("fit", topics(tmp_path / "t.csv"), "--target", "lable", "--base", base, "--out", tmp_path / "o")
    ran.fails(2, "lable", "Did you mean 'label'")
    fit(tmp_path / "t.csv", base, tmp_path / "o", "--inputs", "txt").fails(2, "txt", "Did you mean 'text'")
    fit(tmp_path / "t.csv", base, tmp_path / "o", "--ignore", "ide").fails(2, "ide")
    fit(tmp_path / "t.csv", base, tmp_path / "o", "--role", "domain=sauce").fails(2, "sauce")
    fit(tmp_path / "t.csv", base, tmp_path / "o", "--role", "domian=text").fails(2, "domian", "domain")


@pytest.mark.parametrize("content", ["", "text,label\n", "\n\n"])
def test_an_empty_file(base: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    fit(tmp_path / "t.csv", base, tmp_path / "o").fails(1, "empty|no rows|no columns")


def test_one_class(base: Path, tmp_path: Path) -> None:
    table = write_rows(tmp_path / "t.csv", [(text, "animals") for text, _ in tiny_rows(40)])
    fit(table, base, tmp_path / "o").fails(1, "one class, 'animals'", "two or more")


def test_a_class_with_one_row(base: Path, tmp_path: Path) -> None:
    table = write_rows(tmp_path / "t.csv", [*tiny_rows(90), ("rare bird", "rare")])
    fit(table, base, tmp_path / "o").fails(1, "single row", r"'rare' \(row 91\)", "--on-bad-rows skip")
    assert "'rare' (row 91)" in fit(table, base, tmp_path / "o", "--on-bad-rows", "skip").works().err


def test_empty_texts_and_missing_labels(base: Path, tmp_path: Path) -> None:
    rows = [*tiny_rows(90), ("", "food"), ("  ", "food"), ("a cake", "")]
    table = write_rows(tmp_path / "t.csv", rows)
    ran = fit(table, base, tmp_path / "o")
    ran.fails(1, "3 rows of 93", "row 91, text: empty", "row 93, label: no label", "--on-bad-rows skip")
    assert "left out 3 of the 93 rows" in fit(table, base, tmp_path / "o", "--on-bad-rows", "skip").works().err


def test_a_label_that_training_never_had(base: Path, tmp_path: Path, fitted: Path) -> None:
    test = write_rows(tmp_path / "test.csv", [("the cat is here", "animals"), ("the sea", "seaside")])
    fit(topics(tmp_path / "t.csv"), base, tmp_path / "o", "--test", test).fails(1, r"test\.csv", "seaside", "row 2")
    graft("evaluate", fitted, test).fails(1, "seaside")


def test_broken_quoting(base: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('text,label\n"the cat,animals\nthe rain,weather\nthe cake,food\n')
    fit(tmp_path / "t.csv", base, tmp_path / "o").fails(1, "quot")


def test_not_utf8(base: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("text,label\ncafé,food\nchat,animals\n".encode("latin-1"))
    fit(tmp_path / "t.csv", base, tmp_path / "o").fails(1, "UTF-8", "line 2")


@pytest.mark.slow
def test_a_cell_of_10_megabytes(base: Path, tmp_path: Path) -> None:
    table = write_rows(tmp_path / "t.csv", [*tiny_rows(90), ("cat " * 2_500_000, "animals")])
    fit(table, base, tmp_path / "o").fails(1, "row 91, text", "characters")
    fit(table, base, tmp_path / "o", "--on-bad-rows", "skip").works()


def test_two_columns_of_one_name(base: Path, tmp_path: Path) -> None:
    rows = [(text, text, label) for text, label in tiny_rows(40)]
    table = write_rows(tmp_path / "t.csv", rows, ("text", "text", "label"))
    fit(table, base, tmp_path / "o").fails(1, "'text'")


# --- bad places, disks and runs -------------------------------------------------------------------------------------
def test_an_output_folder_that_holds_something_else(base: Path, tmp_path: Path, fitted: Path) -> None:
    table = topics(tmp_path / "t.csv")
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "thesis.txt").write_text("mine")
    fit(table, base, tmp_path / "o").fails(2, "something else", "another --out")
    fit(table, base, tmp_path / "o", "--resume").fails(2, "nothing to resume")
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["thesis.txt"]
    fit(table, base, fitted).fails(2, "a finished model")
    fit(table, base, table).fails(2, "is a file")


def test_a_full_disk(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from graftwork import network_files

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(network_files, "write_tensors", full)
    fit(topics(tmp_path / "t.csv"), base, tmp_path / "o").fails(1, "No space left", "Free some space")
    monkeypatch.undo()
    fit(topics(tmp_path / "t.csv"), base, tmp_path / "o", "--resume").works()


def test_a_loss_that_is_not_finite(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from graftwork.tasks.classification import Classification

    plain, calls = Classification.loss, []

    def broken(self: Classification, predictions: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        loss = plain(self, predictions, target)
        return loss * float("nan") if len(calls) > 20 else loss

    monkeypatch.setattr(Classification, "loss", broken)
    settings = ("--with", "none", "--set", "steps=30", "--set", "evaluations=10")
    ran = fit(topics(tmp_path / "t.csv", 90), base, tmp_path / "o", *settings)
    ran.fails(1, "step", "finite|NaN", "lr")
    assert list((tmp_path / "o").rglob("checkpoint.safetensors")), "the last good checkpoint stays"


def test_ctrl_c_while_a_domain_is_left_out(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from graftwork.runs.watching import Watching

    rows = [(text, label, ("north", "south")[at % 2]) for at, (text, label) in enumerate(tiny_rows(60))]
    table = write_rows(tmp_path / "t.csv", rows, ("text", "label", "shop"))

    def stop(self: Watching, name: str, progress: object) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    monkeypatch.setattr(Watching, "stepped", stop)
    domains = ("--role", "domain=shop", "--split-by", "domain", "--with", "none", "--set", "steps=3")
    fit(table, base, tmp_path / "o", *domains).fails(130, "Stopped before there was a model", "--resume")


def test_ctrl_c_keeps_the_best_and_resume_goes_on(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.torch import load_file

    from graftwork.runs.watching import Watching

    table = topics(tmp_path / "t.csv", 90)
    settings = ("--with", "none", "--set", "steps=12", "--set", "evaluations=6", "--set", "precision=fp32")
    fit(table, base, tmp_path / "whole", *settings).works()

    def stop(self: Watching, name: str, progress: object) -> None:  # noqa: ARG001
        if progress.step == 7:  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    monkeypatch.setattr(Watching, "stepped", stop)
    ran = fit(table, base, tmp_path / "o", *settings)
    assert ran.code == 130, ran.err
    assert "--resume" in ran.err
    assert graft("evaluate", tmp_path / "o", table).works().out, "what there is so far is a model"
    monkeypatch.undo()
    fit(table, base, tmp_path / "o", *settings, "--resume").works()
    whole, resumed = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "o"))
    assert all(whole[name].equal(resumed[name]) for name in whole)


# --- bad models -----------------------------------------------------------------------------------------------------
def test_folders_that_are_no_sound_model(tmp_path: Path, fitted: Path) -> None:
    import shutil

    table = topics(tmp_path / "t.csv", 6)
    graft("evaluate", fitted.with_name("rum"), table).fails(1, "no model folder", "'run'")
    graft("evaluate", tmp_path, table).fails(1, "not a model of graftwork")
    shutil.copytree(fitted, tmp_path / "half")
    weights = tmp_path / "half" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    graft("predict", tmp_path / "half", table, "--out", tmp_path / "p.csv").fails(1, "damaged", "again")
    weights.unlink()
    graft("predict", tmp_path / "half", table, "--out", tmp_path / "p.csv").fails(1, "damaged", "weights.safetensors")
    (tmp_path / "half" / "model.json").write_text('{"format": 1}')
    graft("evaluate", tmp_path / "half", table).fails(1, "damaged")
    (tmp_path / "half" / "model.json").write_text("{")
    graft("evaluate", tmp_path / "half", table).fails(1, "damaged")
    (tmp_path / "half" / "model.json").write_text('{"format": 99}')
    graft("evaluate", tmp_path / "half", table).fails(1, "format 99")
    assert not (tmp_path / "p.csv").exists()


def test_a_model_whose_manifest_was_tampered_with(tmp_path: Path, fitted: Path) -> None:
    import shutil

    shutil.copytree(fitted, tmp_path / "m")
    manifest = json.loads((tmp_path / "m" / "model.json").read_text())
    for name in manifest:
        changed = {key: value for key, value in manifest.items() if key not in (name, "checksum")}
        (tmp_path / "m" / "model.json").write_text(json.dumps(changed))
        ran = graft("evaluate", tmp_path / "m", topics(tmp_path / "t.csv", 6))
        if name not in ("files", "checksum"):  # what older versions did not write
            ran.fails(1, "damaged")


# --- bad recipes and options ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--with", "lroa"], ["lroa", "Did you mean 'lora'"]),
        (["--with", "lora:rnak=4"], ["rnak", "Did you mean 'rank'"]),
        (["--with", "lora:rank=big"], ["rank", "whole number"]),
        (["--with", "lora:rank"], ["rank", "name:key=value"]),
        (["--with", "none", "--with", "lora"], ["stand alone"]),
        (["--with", "full", "--with", "probe"], ["full", "probe"]),
        (["--with", "mixup", "--with", "supervised-contrastive"], ["mixup", "contrastive"]),
        (["--with", "lora", "--with", "lora:rank=2"], ["lora"]),
        (["--set", "lrr=1"], ["lrr", "Did you mean 'lr'"]),
        (["--set", "lr"], ["NAME=VALUE"]),
        (["--set", "lr=quick"], ["lr", "a number"]),
        (["--set", "lr=-1"], ["lr", "from 0"]),
        (["--set", "lr=nan"], ["lr"]),
        (["--set", "lr=1", "--set", "lr=2"], ["twice"]),
        (["--budget", "soon"], ["soon", "60s"]),
        (["--budget", "-5s"], ["60s"]),
        (["--metric", "acuracy"], ["acuracy", "accuracy"]),
        (["--task", "clasification"], ["clasification", "classification"]),
        (["--base", "minilmm"], ["minilmm", "'minilm'"]),
        (["--on-bad-rows", "ignore"], ["ignore", "fail or skip"]),
        (["--resume"], ["--out"]),
        (["--seed", "many"], ["seed"]),
        (["--nonsense"], ["nonsense"]),
    ],
)
def test_wrong_options(tmp_path: Path, base: Path, options: list[str], words: list[str]) -> None:
    given = ["fit", topics(tmp_path / "t.csv", 90), "--target", "label"]
    out = [] if "--resume" in options else ["--out", tmp_path / "o"]
    chosen = [] if "--base" in options else ["--base", base]
    graft(*given, *out, *chosen, *options).fails(2, *words)
    assert not (tmp_path / "o" / "model.json").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("techniques: [lroa]", ["lroa", "'lora'"]),
        ("techniques: [{lora: {rnak: 2}}]", ["rnak", "'rank'"]),
        ("techniques: [full, probe]", ["full", "probe"]),
        ("bases: minilm", ["bases", "'base'"]),
        ("training: {lrr: 1}", ["lrr", "'lr'"]),
        ("training: fast", ["training"]),
        ("base: [", ["YAML"]),
        ("- a", ["recipe"]),
    ],
)
def test_wrong_recipes(tmp_path: Path, base: Path, text: str, words: list[str]) -> None:
    (tmp_path / "r.yaml").write_text(text)
    chosen = ["--recipe", tmp_path / "r.yaml", "--base", base]
    graft("plan", topics(tmp_path / "t.csv"), "--target", "label", *chosen).fails(2, *words)
    graft("plan", tmp_path / "t.csv", "--recipe", tmp_path / "s.yaml").fails(2, r"s\.yaml")


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    from graftwork.errors import GraftworkError

    with pytest.raises(GraftworkError):
        graft("fit", tmp_path / "none.csv", "--debug", "--out", tmp_path / "o")


# --- what works -----------------------------------------------------------------------------------------------------
def test_help_is_quick_and_imports_nothing_heavy() -> None:
    heavy = ("torch", "transformers", "pandas", "sklearn", "pyarrow", "numpy", "matplotlib")
    code = (
        "import sys; sys.argv = ['graft', 'fit', '--help']\n"
        "from graftwork.cli import main as cli\n"
        "try: cli.main()\nexcept SystemExit as end: assert not end.code\n"
        f"print('loaded:', [name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_a_fitted_folder(fitted: Path) -> None:
    names = {path.name for path in fitted.iterdir()}
    assert names >= {"model.json", "weights.safetensors", "recipe.yaml", "report.html", "metrics.json", "README.md"}
    assert not any(name.startswith(".") or "partial" in name for name in names)
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in fitted.rglob("*") if path.is_file())


def test_the_repeat_command_repeats_to_the_same_bits(fitted: Path) -> None:
    import shlex

    command = json.loads((fitted / "metrics.json").read_text())["command"]
    program, *arguments = shlex.split(command)
    assert program == "graft"
    graft(*arguments).works()
    again = fitted.with_name("run-again")
    assert (again / "weights.safetensors").read_bytes() == (fitted / "weights.safetensors").read_bytes()
    first, second = (json.loads((folder / "metrics.json").read_text()) for folder in (fitted, again))
    assert first["scores"] == second["scores"]


def test_evaluate_as_json(fitted: Path) -> None:
    ran = graft("evaluate", fitted, fitted.with_name("test.csv"), "--json").works()
    scores = json.loads(ran.out)
    assert set(scores["accuracy"]) == {"value", "low", "high"}
    assert scores == json.loads((fitted / "metrics.json").read_text())["scores"]["test"]
    assert "Accuracy" in graft("evaluate", fitted, fitted.with_name("test.csv")).works().out


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_predict_answers_every_row_in_order(fitted: Path, tmp_path: Path, ending: str) -> None:
    rows = [("1", "the cat is here"), ("2", ""), ("3", "no rain today , only snow"), ("4", "x" * 1_000_001)]
    table = write_rows(tmp_path / "new.csv", rows, ("id", "text"))
    out = tmp_path / f"p.{ending}"
    assert "2 of them could not be read" in graft("predict", fitted, table, "--out", out, "--proba").works().err
    found = _read(out)
    assert [row["id"] for row in found] == ["1", "2", "3", "4"]
    assert [row["text"] or "" for row in found] == [text for _, text in rows]
    assert [bool(row["prediction"]) for row in found] == [True, False, True, False]
    assert [bool(row["reason"]) for row in found] == [False, True, False, True]
    for row in (found[0], found[2]):
        chances = {name: float(row[f"p({name})"]) for name in ("animals", "food", "weather")}
        assert sum(chances.values()) == pytest.approx(1.0, abs=1e-5)
        assert row["prediction"] == max(chances, key=lambda name: chances[name])
    assert {path.name for path in tmp_path.iterdir()} == {"new.csv", out.name}


def _read(path: Path) -> list[dict[str, str]]:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        return [dict(row) for row in pq.read_table(path).to_pylist()]
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    csv.field_size_limit(10_000_000)
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))


def test_predict_where_it_can_not(fitted: Path, tmp_path: Path) -> None:
    table = topics(tmp_path / "t.csv", 6)
    graft("predict", fitted, table, "--out", tmp_path / "p.xlsx").fails(2, "xlsx", "csv")
    other = write_rows(tmp_path / "other.csv", [("a",)], ("txt",))
    graft("predict", fitted, other, "--out", tmp_path / "p.csv").fails(1, "no column 'text'")
    assert not (tmp_path / "p.csv").exists()


def test_a_wrong_table_is_found_before_the_model_is_loaded(fitted: Path, tmp_path: Path) -> None:
    """Loading torch takes seconds; none of these mistakes needs it."""
    table = topics(tmp_path / "t.csv", 6)
    other, out = write_rows(tmp_path / "other.csv", [("a",)], ("txt",)), tmp_path / "p.csv"
    (tmp_path / "file").write_text("x")
    commands: list[tuple[list[str | Path], str]] = [
        (["predict", fitted, tmp_path / "u.csv", "--out", out], "no file|t.csv"),
        (["predict", fitted, other, "--out", out], "no column 'text'"),
        (["predict", fitted, table, "--out", tmp_path / "p.docx"], "docx"),
        (["predict", fitted, table, "--out", tmp_path / "p"], "no ending"),
        (["predict", fitted, table, "--out", table], "would be overwritten"),
        (["predict", fitted, table, "--out", tmp_path / "file" / "p.csv"], "is a file"),
        (["predict", tmp_path / "none", table, "--out", out], "no model folder"),
        (["predict", table, table, "--out", out], "is a file, and a model is a folder"),
        (["evaluate", fitted, other], "no column 'text'"),
        (["evaluate", fitted, write_rows(tmp_path / "bare.csv", [("a",)], ("text",))], "no column 'label'"),
        (["evaluate", fitted, table, "--on-bad-rows", "maybe"], "fail or skip"),
    ]
    code = (
        "import json, sys\nfrom graftwork.cli import main as cli\n"
        "for command in json.loads(sys.stdin.read()):\n"
        "    sys.argv = ['graft', *command]\n"
        "    try: cli.main()\n    except SystemExit as end: print(end.code)\n"
        "print('torch' in sys.modules)"
    )
    asked = json.dumps([[str(word) for word in command] for command, _ in commands])
    done = subprocess.run([sys.executable, "-c", code], input=asked, capture_output=True, text=True, check=True)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == len(commands), done.stderr
    for error, (_, words) in zip(errors, commands, strict=True):
        assert re.search(words, error), error
    assert set(done.stdout.split()[:-1]) <= {"1", "2"}
    assert done.stdout.split()[-1] == "False"
    assert len(table.read_text().splitlines()) == 7, "the table is as it was"


def test_predict_and_evaluate_say_how_far_they_are(fitted: Path, tmp_path: Path) -> None:
    table = topics(tmp_path / "t.csv", 6)
    ran = graft("predict", fitted, table, "--out", tmp_path / "p.csv").works()
    assert f"reading {table}\nloading the model\n" in ran.err
    assert ran.out == ""
    assert "loading the model" in graft("evaluate", fitted, table).works().err
    assert graft("evaluate", fitted, table, "--json").works().err == ""


def test_ctrl_c_while_predicting_leaves_nothing_behind(
    fitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graftwork import predicting

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(predicting, "kept_of", stop)
    (tmp_path / "out").mkdir()
    ran = graft("predict", fitted, topics(tmp_path / "t.csv", 6), "--out", tmp_path / "out" / "p.csv")
    ran.fails(130, "Stopped")
    assert not list((tmp_path / "out").iterdir())


def test_a_pipe_that_is_closed_is_no_error() -> None:
    import os

    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "graftwork.cli", "list", "techniques"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert "Traceback" not in done.stderr
    assert "not expected" not in done.stderr


def test_names_that_steer_a_terminal(base: Path, tmp_path: Path) -> None:
    evil = "x\x1b]0;owned\x07\u202e"
    rows = [(text, {"food": evil}.get(topic, topic)) for text, topic in tiny_rows(60)]
    table = write_rows(tmp_path / f"t{evil}.csv", rows, ("text", f"label{evil}"))
    ran = graft("fit", table, "--target", f"label{evil}", "--base", base, "--out", tmp_path / "o", *QUICK).works()
    shown = [ran, graft("evaluate", tmp_path / "o", table), graft("fit", tmp_path / f"{evil}.csv")]
    shown.append(graft("fit", table, "--target", f"lable{evil}"))
    shown.append(graft("predict", tmp_path / "o", table, "--out", tmp_path / f"p{evil}.csv"))
    assert any("\\x1b" in one.err for one in shown)
    for one in shown:
        assert not {"\x1b", "\x07", "\u202e"} & set(one.out + one.err), one


def test_plan_trains_and_writes_nothing(base: Path, tmp_path: Path) -> None:
    table = topics(tmp_path / "t.csv", 90)
    chosen = ["--base", base, "--with", "lora:rank=2", "--out", tmp_path / "o", "--resume"]  # the arguments of fit
    ran = graft("plan", table, "--target", "label", *chosen).works()
    assert "lora" in ran.out
    assert "trained:" in ran.out
    assert not (tmp_path / "o").exists()


def test_lists() -> None:
    assert "minilm" in graft("list", "bases").works().out
    assert "label-smoothing" in graft("list", "techniques").works().out
    assert "regression" in graft("list", "tasks").works().out
    graft("list", "tecniques").fails(2, "Did you mean 'techniques'")


@pytest.mark.parametrize("what", ["bases", "techniques", "tasks"])
def test_nothing_of_a_list_is_cut(what: str) -> None:
    rows = json.loads(graft("list", what, "--json").works().out)
    plain = " ".join(graft("list", what).works().out.split())
    assert len(rows) >= 6
    for row in rows:
        for name, cell in row.items():
            if name == "package" and cell == "graftwork":  # a terminal names the others alone
                continue
            assert " ".join(cell.split()) in plain
    assert "…" not in plain.replace("0, 1, …", "")


def test_the_version() -> None:
    from importlib.metadata import version

    assert graft("--version").works().out.strip() == f"graftwork {version('graftwork')}"


def test_export(fitted: Path, tmp_path: Path) -> None:
    ran = graft("export", fitted, "--to", "transformers", "--out", tmp_path / "hf").works()
    assert "100.0% the same" in ran.out
    assert (tmp_path / "hf" / "config.json").is_file()
    graft("export", fitted, "--to", "onxn").fails(2, "onxn", "transformers")

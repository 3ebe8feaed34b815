"""Pretraining on texts from end to end: a corpus in, a base out that a fit starts from."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
import torch

import graftwork as gw
from command import graft, write_rows
from graftwork.core.fit import Progress
from graftwork.errors import DataError, UsageError
from graftwork.runs.listener import Listener
from graftwork.runs.pretrain.objectives import base_for
from heard import Ear
from tiny import tiny_rows

QUICK = {"steps": "6", "batch": "8", "evaluations": "2", "precision": "fp32"}
SET = [item for key, value in QUICK.items() for item in ("--set", f"{key}={value}")]
ROWS = tiny_rows(90)
BERT = "bert-small:layers=1,width=8,heads=2"


def corpus(path: Path, rows: int = 90) -> Path:
    return write_rows(path, [(text,) for text, _ in ROWS[:rows]], ("text",))


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pretrained")
    out = folder / "base"
    labelled = write_rows(folder / "labelled.csv", ROWS[:40], ("sentence", "label"))
    graft("pretrain", corpus(folder / "corpus.csv"), "--base", BERT, "--watch", labelled, "--target", "label", *SET,
          "--out", out).works()  # fmt: skip
    return out


@pytest.mark.slow
def test_the_report_has_the_curves_and_the_speed(pretrained: Path) -> None:
    page = (pretrained / "report.html").read_text(encoding="utf-8")
    for words in (
        "Loss of hidden tokens",
        "Hidden tokens found",
        "tokens a second",
        "of a probe on labelled.csv",
    ):
        assert words in page
    assert json.loads((pretrained / "metrics.json").read_text())["scores"]["validation"]


def test_the_next_step_is_a_fit_from_it(pretrained: Path) -> None:
    steps = json.loads((pretrained / "metrics.json").read_text())["summary"]["steps"]
    assert any(f"graft fit TABLE --base {pretrained}" in json.dumps(step) for step in steps)
    assert "graft predict" not in json.dumps(steps)


def test_nothing_of_the_run_is_left_beside_the_base(pretrained: Path) -> None:
    assert not (pretrained / ".work").exists()


@pytest.mark.parametrize("techniques", ["none", "full"])
def test_a_fit_starts_from_it(pretrained: Path, tmp_path: Path, techniques: str) -> None:
    table = write_rows(tmp_path / "topics.csv", ROWS)
    graft("fit", table, "--target", "label", "--base", pretrained, "--with", techniques, "--set", "steps=0",
          "--out", tmp_path / "m").works()  # fmt: skip
    first, second = gw.load(pretrained).network, gw.load(tmp_path / "m").network
    own, taken = (next(iter(network.each_encoder())).state_dict() for network in (first, second))
    assert all(torch.equal(value, taken[name]) for name, value in own.items())


def test_python_does_the_same(tmp_path: Path) -> None:
    rows = pa.table({"text": [text for text, _ in ROWS]})
    model = gw.pretrain(rows, base="gru:width=8", settings=QUICK, out=tmp_path / "base", verbose=False)
    assert model.task.name == "masked-language"
    assert model.recipe.base == "gru:width=8"
    again = gw.fit(
        {"text": [text for text, _ in ROWS], "label": [topic for _, topic in ROWS]},
        target="label",
        recipe=gw.Recipe(base=str(tmp_path / "base"), techniques=["full"], training=gw.Training(steps=1)),
        verbose=False,
    )
    assert again.network.encoder("text").architecture == "recurrent"


def test_training_lowers_the_loss_of_what_is_hidden() -> None:
    rows = pa.table({"text": [text for text, _ in ROWS]})
    settings = QUICK | {"steps": "100", "batch": "32", "lr": "0.01", "evaluations": "3"}
    heard = Ear()
    model = gw.pretrain(rows, base="gru:width=32", settings=settings, listener=heard)
    assert model.report is not None
    assert model.report.curves is not None
    losses = model.report.curves.loss.values
    assert losses[-1] < 0.8 * losses[0]
    assert any("tokens a second" in note for note in heard.notes)


def test_several_columns_of_texts_are_read_one_under_the_other() -> None:
    texts = [text for text, _ in ROWS[:40]]
    rows = pa.table({"title": texts, "body": [" ".join(reversed(text.split())) for text in texts]})
    heard = Ear()
    model = gw.pretrain(rows, base="gru:width=8", settings=QUICK, listener=heard)
    assert any("the texts of title, body, one under the other" in note for note in heard.notes)
    assert model.network.columns == ("text",)


def test_the_probe_chooses_the_weights_and_stops_the_run() -> None:
    """With patience 1, a run whose probe gets no better stops there; the best of its scores is kept."""
    texts = pa.table({"text": [text for text, _ in ROWS]})
    labelled = {"text": [text for text, _ in ROWS[:40]], "label": [("a", "b")[at % 2] for at in range(40)]}
    settings = QUICK | {"steps": "40", "evaluations": "20", "patience": "2", "lr": "0.02"}
    model = gw.pretrain(texts, base="gru:width=8", watch=labelled, target="label", settings=settings, verbose=False)
    assert model.report is not None
    assert model.report.curves is not None
    watched = model.report.curves.watched
    assert watched is not None
    best = watched.values.index(max(watched.values))
    assert len(watched.values) == best + 3 < 20


class Stop(Listener):
    """Stops a run like a process that is killed."""

    def stepped(self, name: str, progress: Progress) -> None:  # noqa: ARG002
        if progress.step == 5:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_a_stopped_run_goes_on_to_the_same_base(tmp_path: Path) -> None:
    rows = pa.table({"text": [text for text, _ in ROWS]})
    labelled = {"text": [text for text, _ in ROWS[:40]], "label": [topic for _, topic in ROWS[:40]]}
    given = {"base": BERT, "watch": labelled, "target": "label", "settings": QUICK | {"evaluations": "3"}}
    whole = gw.pretrain(rows, **given, out=tmp_path / "whole", verbose=False)  # type: ignore[arg-type]
    stopped = gw.pretrain(rows, **given, out=tmp_path / "stopped", listener=Stop())  # type: ignore[arg-type]
    assert stopped.interrupted
    (tmp_path / "stopped").joinpath("model.json").unlink()
    resumed = gw.pretrain(rows, **given, out=tmp_path / "stopped", resume=True, verbose=False)  # type: ignore[arg-type]
    ours, theirs = whole.network.state_dict(), resumed.network.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())


@pytest.mark.slow
def test_a_budget_decides_how_long(tmp_path: Path) -> None:
    settings = {key: value for key, value in QUICK.items() if key != "steps"}
    given = [item for key, value in settings.items() for item in ("--set", f"{key}={value}")]
    ran = graft(
        "pretrain",
        corpus(tmp_path / "c.csv"),
        "--base",
        "gru:width=8",
        "--budget",
        "12s",
        *given,
        "--out",
        tmp_path / "b",
    )
    ran.works()
    recipe = (tmp_path / "b" / "recipe.yaml").read_text()
    assert "steps:" in recipe
    assert "epochs: 1000" in recipe


# --- what is refused --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--objective", "masked-languag"], "There is no objective 'masked-languag'. Did you mean 'masked-language'"),
        (["--base", "small-cnn"], r"holds texts, and the base that is named reads pictures"),
        (
            ["--base", "small-cnn", "--objective", "masked-language"],
            r"reads texts, and the base 'small-cnn' reads pictures",
        ),
        (["--base", "gru", "--size", "huge"], r"--size huge: .*large, medium, small"),
        (["--base", "minilm", "--size", "small"], r"has one size: leave out --size. Bases with several: .*bert-small"),
        (["--target", "label"], "Give --watch labelled.csv, too"),
    ],
)
def test_wrong_use_is_said(tmp_path: Path, options: list[str], words: str) -> None:
    graft("pretrain", corpus(tmp_path / "c.csv"), *options, "--out", tmp_path / "b").fails(2, words)
    assert not (tmp_path / "b").exists()


def test_a_corpus_that_is_too_small_is_refused(tmp_path: Path) -> None:
    ran = graft("pretrain", corpus(tmp_path / "c.csv", 30), "--base", "gru:width=8", "--out", tmp_path / "b")
    ran.fails(1, "30 rows hold something in 'text'.*at least 50")


def test_a_corpus_without_anything_to_read_is_refused() -> None:
    with pytest.raises(UsageError, match=r"holds numbers, and no objective reads that. Objectives: masked-language"):
        gw.pretrain({"size": [float(at) for at in range(80)]}, verbose=False)


def test_a_table_to_watch_by_needs_a_target_and_the_same_kind() -> None:
    rows = pa.table({"text": [text for text, _ in ROWS]})
    few = {"text": [text for text, _ in ROWS[:6]], "label": [topic for _, topic in ROWS[:6]]}
    with pytest.raises((DataError, UsageError)):
        gw.pretrain(rows, base="gru:width=8", watch=few, target="label", settings=QUICK, verbose=False)
    numbers = {"size": [float(at) for at in range(40)], "label": [topic for _, topic in ROWS[:40]]}
    with pytest.raises(UsageError, match="the base reads text, and of such columns the table to watch by has none"):
        gw.pretrain(rows, base="gru:width=8", watch=numbers, target="label", settings=QUICK, verbose=False)
    with pytest.raises(UsageError, match="give watch, too"):
        gw.pretrain(rows, target="label", verbose=False)


def test_sizes_are_settings_of_the_base() -> None:
    assert base_for("bert-small", "text", "medium").spec == "bert-small:size=medium"
    assert base_for("gru:dropout=0.1", "text", "small").spec == "gru:width=128,dropout=0.1"
    assert base_for("gru:width=10", "text", "small").spec == "gru:width=10"
    assert base_for("auto", "image", None).spec == "small-cnn"

"""graftwork.tasks.tokens.tagging against brute force; from the command line to spans in files."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from command import graft
from graftwork.data.columns.text import TextSettings, normalise, origins
from graftwork.data.store.ragged import from_rows
from graftwork.errors import UsageError
from graftwork.tasks.learned import with_learned
from graftwork.tasks.metrics.registry import score
from graftwork.tasks.section import SeenRows
from graftwork.tasks.tokens.spans import NOTHING, Span, encoded, spans_of
from graftwork.tasks.tokens.tagging import Tagging

PEOPLE, PLACES = ("Anna", "Bob", "Clara", "David"), ("Paris", "Berlin", "New York")


def task() -> Tagging:
    return with_learned(Tagging(), labels=("LOC", "PER"), column="text")


def sentences(rows: int, seed: int = 0) -> list[dict[str, Any]]:
    draw, found = random.Random(seed), []
    for _ in range(rows):
        text, spans = "", list[dict[str, Any]]()
        for word in draw.choice((("P", "went", "to", "L"), ("P", "met", "P"), ("in", "L"), ("the", "dog"))):
            text += " " if text else ""
            said = draw.choice(PEOPLE if word == "P" else PLACES) if word in "PL" else word
            if word in "PL":
                label = "PER" if word == "P" else "LOC"
                spans.append({"start": len(text), "end": len(text) + len(said), "label": label})
            text += said
        found.append({"text": text, "spans": spans})
    return found


def brute(codes: list[int]) -> set[tuple[int, int, int]]:
    """Every stretch of tokens that is a span: one label, begun once, and neither side belongs to it."""

    def own(at: int) -> int:
        return (codes[at] - 1) // 2 if 0 <= at < len(codes) and codes[at] > 0 else -1

    def begins(at: int) -> bool:
        return own(at) >= 0 and (codes[at] % 2 == 1 or own(at - 1) != own(at))

    return {
        (start, end, own(start))
        for start in range(len(codes))
        for end in range(start + 1, len(codes) + 1)
        if begins(start)
        and all(own(at) == own(start) and not begins(at) for at in range(start + 1, end))
        and not (end < len(codes) and own(end) == own(start) and not begins(end))
    }


def test_spans_are_those_of_brute_force():
    generator = np.random.default_rng(0)
    for _ in range(300):
        codes = generator.integers(0, 5, generator.integers(1, 9))
        assert {tuple(span) for span in spans_of(codes)} == brute(codes.tolist())


def test_spans_of_tokens_come_back_and_what_has_no_token_is_counted():
    places = np.array([(-1, -1), (0, 4), (5, 9), (10, 13), (13, 15), (-1, -1)])
    codes, lost = encoded([Span(10, 15, 1), Span(0, 4, 0), Span(20, 25, 0)], places, 2)
    assert codes.tolist() == [NOTHING, 1, 0, 3, 4, NOTHING]
    assert lost.tolist() == [1, 0]
    assert [tuple(span) for span in spans_of(codes)] == [(1, 2, 0), (3, 5, 1)]
    located = np.column_stack([codes, places])
    assert task().decode([located]) == [
        [{"start": 0, "end": 4, "label": "LOC"}, {"start": 10, "end": 15, "label": "PER"}]
    ]


def test_scores_are_those_of_brute_force_and_missed_spans_count():
    generator = np.random.default_rng(1)
    truth, kept, sums, tokens = [], [], np.zeros(3), np.zeros(2)
    for _ in range(60):
        codes, said = generator.integers(0, 5, (2, 7))
        codes[0] = NOTHING
        lost = generator.integers(0, 2, 2)
        truth.append(np.concatenate([lost, codes]))
        kept.append(said)
        true, predicted = brute(codes[1:].tolist()), brute(said[1:].tolist())
        sums += len(true & predicted), len(true) + lost.sum(), len(predicted)
        tokens += (codes[1:] == said[1:]).sum(), 6
    given = from_rows(truth), from_rows(kept)
    right, there, predicted_ = sums
    assert score(task(), "span_precision", *given) == pytest.approx(right / predicted_)
    assert score(task(), "span_recall", *given) == pytest.approx(right / there)
    assert score(task(), "span_f1", *given) == pytest.approx(2 * right / (there + predicted_))
    assert score(task(), "token_accuracy", *given) == pytest.approx(tokens[0] / tokens[1])
    (section,) = task().sections(*given, SeenRows(np.arange(60)))
    assert section.grid is not None
    assert sum(int(row[1]) for row in section.grid.rows) == there


def test_the_loss_is_summed_over_tokens_and_units_count_them():
    logits = torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(0))
    target = torch.tensor([[NOTHING, 1, 2, NOTHING], [0, NOTHING, NOTHING, NOTHING]])
    loss = task().loss({"logits": logits}, target)
    one = F.cross_entropy(logits[0, 1:3], target[0, 1:3], reduction="sum")
    torch.testing.assert_close(loss, torch.stack([one, F.cross_entropy(logits[1, :1], target[1, :1])]))
    assert task().units(target).tolist() == [2, 1]
    torch.testing.assert_close(task().loss({"logits": logits}, target[:, :3]), loss)


@pytest.mark.parametrize("text", ["  Anna   went\tto Paris ", "a\u200bb c", "\u0130stanbul is big", ""])
def test_signs_of_a_normalised_text_stand_where_they_were_written(text: str):
    for settings in (TextSettings(), TextSettings(lowercase=True), TextSettings(whitespace=False)):
        found, places = normalise(text, settings), origins(text, settings)
        assert len(found) == len(places)
        assert all(
            text[at].isspace() or sign in text[at].lower() + text[at] for sign, at in zip(found, places, strict=True)
        )
    with pytest.raises(UsageError, match=r"text\.markup"):
        origins(text, TextSettings(markup=True))


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


FIT = ("--target", "spans", "--task", "tagging", "--with", "none", "--base", "gru:width=48", "--set", "steps=120")


def test_from_the_command_line_to_spans_in_files(tmp_path: Path):
    data, test = written(tmp_path / "train.jsonl", sentences(200)), written(tmp_path / "test.jsonl", sentences(40, 1))
    model = tmp_path / "model"
    graft("fit", data, *FIT, "--set", "precision=fp32", "--out", model).works()
    page = (model / "report.html").read_text(encoding="utf-8")
    assert "Spans by label" in page
    assert "F1 of spans" in page
    scores = json.loads(graft("evaluate", model, test, "--json").works().out)
    assert scores["span_f1"]["value"] > 0.9
    for ending in ("jsonl", "csv"):
        graft("predict", model, test, "--out", tmp_path / f"out.{ending}").works()
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    right = sum(row["prediction"] == wanted["spans"] for row, wanted in zip(found, sentences(40, 1), strict=True))
    assert right > 34
    assert all(row["text"][one["start"] : one["end"]].strip() for row in found for one in row["prediction"])
    with open(tmp_path / "out.csv", newline="", encoding="utf-8") as file:
        assert [json.loads(row["prediction"]) for row in csv.DictReader(file)] == [row["prediction"] for row in found]
    graft("predict", model, test, "--out", tmp_path / "no.csv", "--proba").fails(2, "tagging has no probabilities")


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([{"start": 0, "end": 99, "label": "PER"}], r"from 0 to 99, and the text has"),
        ([{"start": 2, "end": 2, "label": "PER"}], r"Expected a start before the end"),
        ([{"start": 0, "label": "PER"}], r"is no list of spans"),
        ("PER", r"is no list of spans"),
    ],
)
def test_spans_that_can_not_be_read_are_said_with_their_row(tmp_path: Path, spans: Any, said: str):
    rows = sentences(60)
    rows[2]["spans"] = spans
    data = written(tmp_path / "train.jsonl", rows)
    graft("fit", data, *FIT, "--out", tmp_path / "m").fails(1, r"row 3", said)

"""A task with an answer of its own, of unequal length from row to row: scored, its worst rows and sections shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pytest

from graftwork.data.store.ragged import Ragged, from_rows
from graftwork.evidence.evaluate import evaluate
from graftwork.evidence.report import Report
from graftwork.tasks.metrics.metric import Metric, Scorer, from_sums
from graftwork.tasks.section import RowNote, Section, SeenRows
from graftwork.tasks.task import Task


def right_tokens(truth: Ragged, given: Ragged) -> Scorer:
    counts = [(float((one == other).sum()), float(len(one))) for one, other in zip(truth, given, strict=True)]
    return from_sums(np.array(counts), lambda sums: sums[:, 0] / sums[:, 1])


@dataclass(frozen=True, kw_only=True)
class Marks(Task):
    """A mark for each token of a row."""

    name = "marks-of-tests"
    target_kinds = ("text",)
    metric_names = ()
    outputs = 2

    def metrics(self) -> Mapping[str, Metric]:
        return {"right": Metric("right", right_tokens, "kept", True, "Right tokens", meaning="share of tokens")}

    def wrongness(self, truth: Ragged, kept: Ragged) -> np.ndarray:
        wrong = np.array([(one != other).sum() for one, other in zip(truth, kept, strict=True)], np.float64)
        return np.where(wrong > 0, wrong, -1.0)

    def format(self, value: Any) -> str:
        return "".join(map(str, value))

    def sections(self, truth: Ragged, kept: Ragged, rows: SeenRows) -> tuple[Section, ...]:  # noqa: ARG002
        return (Section("Tokens", (f"{len(truth)} rows",), rows=(RowNote(int(rows.numbers[0]), "the first"),)),)

    def learn_rows(self, *_: Any) -> Self:
        return self

    def encode_rows(self, *_: Any) -> None:
        return None

    def loss(self, *_: Any) -> Any: ...

    def decode(self, *_: Any) -> list[Any]:
        return []

    def state(self) -> dict[str, Any]:
        return {}

    def with_state(self, _: dict[str, Any]) -> Self:
        return self


TRUTH = from_rows([np.array([0, 1, 1]), np.array([1]), np.array([0, 0]), np.array([1, 1, 1, 0])])
GIVEN = from_rows([np.array([0, 1, 1]), np.array([0]), np.array([0, 1]), np.array([0, 0, 0, 0])])
LABELLED = np.array([True, True, False, True])


def test_rows_of_unequal_length_are_scored_and_told_by_the_task() -> None:
    found = evaluate(
        Marks(), TRUTH, GIVEN, np.arange(11, 15), ["a", "b", "c", "d"], labelled=LABELLED, domains=["x", "x", "x", "y"]
    )
    score = found.scores["right"]
    assert (found.rows, found.unlabelled, found.details) == (3, 1, None)
    assert score.value == pytest.approx(4 / 8)
    assert score.low < 0.5 < score.high
    assert [(one.row, one.truth, one.predicted) for one in found.most_wrong] == [(14, "1110", "0000"), (12, "1", "0")]
    assert [(one.domain, one.rows) for one in found.domains] == [("x", 2), ("y", 1)]
    assert found.sections[0].sentences == ("3 rows",)
    report = Report(primary="right", evaluations={"test": found})
    html = report.to_html()
    assert report.sentence() == f"Right tokens {score.text} on 3 test rows."
    assert "share of tokens" in html
    assert '<a href="#own-0-0">Tokens</a>' in html
    assert "1110" in html

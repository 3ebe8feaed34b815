"""graftwork.evidence.merged: the mix beside the best of the others, in words."""

from __future__ import annotations

from evidence.samples import score
from graftwork.evidence.merged import MixReport, Scores, Tried
from graftwork.evidence.scores.intervals import Score
from graftwork.tasks.metrics.registry import METRICS


def report(mixed: Score, best: Score, name: str = "two") -> MixReport:
    worse = score("accuracy", 0.5, 0.4, 0.6)
    by_model = {"one": {"accuracy": worse}, name: {"accuracy": best}, "mix": {"accuracy": mixed}}
    tried = (Tried("mean", 0.8, kept=True), Tried("<b>ties</b>", 0.7, kept=False))
    scores = (Scores("test.csv", 200, "label", METRICS["accuracy"], by_model),)
    return MixReport("a + b, merged", "mix", ("one", name), "mean", tried, scores, "test", ("A note.",))


def test_the_mix_beside_the_best() -> None:
    assert report(score("accuracy", 0.9, 0.88, 0.92), score("accuracy", 0.8, 0.76, 0.84)).verdicts() == [
        "Kept: mean.",
        "test.csv, 'label': accuracy 90.0 % for the mix, 80.0 % for the best of the others, 'two'.",
    ]
    alike = report(score("accuracy", 0.82, 0.78, 0.86), score("accuracy", 0.8, 0.76, 0.84)).verdicts()
    assert alike[1].endswith("These 200 rows don't tell the two apart.")


def test_the_page_is_escaped_and_whole() -> None:
    html = report(score("accuracy", 0.9, 0.88, 0.92), score("accuracy", 0.8, 0.76, 0.84), name="<i>two</i>").page()
    assert "<i>two" not in html
    assert "<b>ties" not in html
    assert "&lt;i&gt;two" in html
    assert "A note." in html
    assert html.startswith("<!doctype html>")

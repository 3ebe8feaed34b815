"""Plots are well-formed SVG, the same every time, and user text in them is text."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pytest

from evidence.samples import MARKUP, evaluation, regression_evaluation
from graftwork.evidence.page import plots
from graftwork.evidence.results import Series

CURVE = Series("fine-tune", (1.0, 2.0), (0.5, 0.7))
DRAWINGS: dict[str, Callable[[], str]] = {
    "loss": lambda: plots.training_loss(CURVE),
    "scores": lambda: plots.validation_scores([CURVE, Series(MARKUP, (1.0,), (0.6,))], MARKUP),
    "reliability": lambda: plots.reliability_diagram(
        evaluation().details.reliability, evaluation().details.reliability
    ),
    "after only": lambda: plots.reliability_diagram((), evaluation().details.reliability),
    "scatter": lambda: plots.predicted_and_true(regression_evaluation().details.points),
    "small scatter": lambda: plots.predicted_and_true(regression_evaluation().details.points, "small", small=True),
    "errors": lambda: plots.errors(regression_evaluation().details.points),
    "roc": lambda: plots.roc_curve(((0.0, 0.5), (0.1, 0.9), (1.0, 1.0))),
    "similarities": lambda: plots.similarities((0.0, 0.5, 1.0), (1, 9), (8, 2)),
}


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS.keys())
def test_svg_is_well_formed_deterministic_and_self_contained(draw: Callable[[], str]) -> None:
    svg = draw()
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert draw() == svg
    assert "<script" not in svg
    assert "#123457" not in svg
    assert "currentColor" in svg
    links = [value for node in root.iter() for name, value in node.attrib.items() if name.endswith("href")]
    assert all(link.startswith("#") for link in links)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"]


def test_labels_stay_text() -> None:
    texts = [node.text for node in ElementTree.fromstring(DRAWINGS["scores"]()).iter() if node.text]
    assert any("<script>alert('x')</script>" in text for text in texts)


def test_two_plots_on_a_page_share_no_id() -> None:
    ids = [
        {node.attrib["id"] for node in ElementTree.fromstring(draw()).iter("{http://www.w3.org/2000/svg}clipPath")}
        for draw in (DRAWINGS["loss"], DRAWINGS["scatter"], DRAWINGS["small scatter"], DRAWINGS["errors"])
    ]
    assert all(ids)
    assert len(set.union(*ids)) == sum(map(len, ids))

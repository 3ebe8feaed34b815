"""Plots are well-formed SVG, the same every time, and user text in them is text."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pytest
from samples import MARKUP, evaluation, regression_evaluation

from graftwork.evidence import plots
from graftwork.evidence.breakdown import ClassScore, Pair
from graftwork.evidence.plots import Series

CURVE = Series("fine-tune", (1.0, 2.0), (0.5, 0.7))
CLASSES = [ClassScore(MARKUP, 5, 4, 3), ClassScore("two\nlines " + "x" * 100, 4, 5, 3), ClassScore("none", 0, 0, 0)]
PAIRS = [Pair(MARKUP, CLASSES[1].label, 2), Pair(CLASSES[1].label, MARKUP, 1)]

DRAWINGS: dict[str, Callable[[], str]] = {
    "curves": lambda: plots.learning_curves(CURVE, [CURVE, Series("probe", (1.0,), (0.6,))], MARKUP),
    "no scores": lambda: plots.learning_curves(CURVE, [], "accuracy"),
    "matrix": lambda: plots.confusion_matrix(CLASSES, PAIRS),
    "pairs": lambda: plots.top_pairs(PAIRS),
    "classes": lambda: plots.class_bars(CLASSES),
    "reliability": lambda: plots.reliability_diagram(evaluation().reliability, evaluation().reliability),
    "after only": lambda: plots.reliability_diagram((), evaluation().reliability),
    "residuals": lambda: plots.predicted_and_residuals(regression_evaluation().points),
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


def test_labels_stay_text() -> None:
    texts = [node.text for node in ElementTree.fromstring(plots.class_bars(CLASSES)).iter() if node.text]
    assert any("<script>alert('x')</script>" in text for text in texts)


def test_two_plots_on_a_page_share_no_id() -> None:
    ids = [
        {node.attrib["id"] for node in ElementTree.fromstring(draw()).iter("{http://www.w3.org/2000/svg}clipPath")}
        for draw in (DRAWINGS["curves"], DRAWINGS["residuals"], DRAWINGS["classes"])
    ]
    assert all(ids)
    assert len(set.union(*ids)) == sum(map(len, ids))

"""docs/compatibility.md says what the plans say, and is made of what the suite found."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from conformance.compatibility import (
    APART,
    COMPOSES,
    DEPENDS,
    PAGE,
    REFUSED,
    every_pair,
    fresh,
    page,
    recorded,
    refused_in,
    sign,
)
from conformance.table import ROWS
from tinyrun import Worlds


@pytest.mark.slow
def test_the_page_is_fresh(fixtures: Worlds):
    text = PAGE.read_text(encoding="utf-8")
    assert text == fresh(fixtures, text, sample=60).rstrip() + "\n", (
        "docs/compatibility.md fell behind the techniques: run `make conformance`, "
        "or PYTHONPATH=tests python -m conformance.compatibility"
    )


def test_the_page_has_every_technique():
    matrix = PAGE.read_text(encoding="utf-8").split("```")[1]
    listed = re.findall(r"^ ?\d+ ([a-z][\w-]*)", matrix, re.MULTILINE)
    assert listed == [row.name for row in ROWS]


@pytest.mark.parametrize(
    ("each", "expected"),
    [
        ({}, APART),
        ({"cnn": None, "image": None}, COMPOSES),
        ({"cnn": "no", "image": "no"}, REFUSED),
        ({"cnn": "no", "image": None}, DEPENDS),
    ],
)
def test_the_sign_of_a_pair(each: dict[str, str | None], expected: str):
    assert sign(each) == expected


def test_what_is_recorded_is_what_the_page_lists(tmp_path: Path):
    pairs = every_pair()
    reasons = {pairs[0]: f"{pairs[0][0]} and {pairs[0][1]} both decide all. Drop one of them.", pairs[1]: None}
    lines = [json.dumps(["cnn", *pair, reason]) for pair, reason in reasons.items()]
    (tmp_path / "cnn-0.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = recorded(tmp_path)
    assert found[pairs[0]] == {"cnn": reasons[pairs[0]]}
    assert found[pairs[1]] == {"cnn": None}
    text = page(found)
    assert "**A and B both decide all. Drop one of them.**" in text
    assert refused_in(text) == {pairs[0]}
    assert (
        f"of which 1 compose,\n1 are refused before training and 0 depend on the network; of {len(pairs) - 2:,}" in text
    )

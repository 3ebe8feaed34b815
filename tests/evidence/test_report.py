"""The report: one page without outside files, escaped, with all that a reader needs; metrics.json and model card."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from samples import MARKUP, evaluation, multilabel_evaluation, regression_evaluation, report

from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.report import Report


class Page(HTMLParser):
    """Collects what a browser would load and run, the text, and whether tags are balanced."""

    VOID = frozenset({"meta", "br", "link", "img", "use"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name.endswith("href") or name == "src"]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


REPORTS = {
    "full": report(),
    "many classes": report(classes=30, rows=900),
    "only scores": Report(primary="accuracy", evaluations={"validation": evaluation(20)}),
    "several labels": Report(primary="micro_f1", evaluations={"test": multilabel_evaluation()}),
    "numbers": Report(primary="rmse", evaluations={"test": regression_evaluation()}),
}


@pytest.mark.parametrize("each", REPORTS.values(), ids=REPORTS.keys())
def test_page_is_whole_and_loads_nothing(each: Report) -> None:
    html = each.to_html()
    page = Page(html)
    assert page.open == []
    assert all(link.startswith("#") for link in page.links)
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert not {"script", "link", "iframe", "img", "object"} & set(page.tags)
    assert not re.search(r"url\((?!#)|@import", html)
    assert "None" not in page.text.split()
    assert each.to_html() == html


def test_user_text_is_escaped() -> None:
    page = Page(report().to_html())
    assert page.tags.count("b") == 2  # the headings of the two warnings
    assert page.text.count("<script>alert('x')</script>") > 10


def test_page_shows_what_it_was_given() -> None:
    text = Page(report().to_html()).text
    for expected in (
        "93.0 %",
        "always answering the most frequent class would be right for 30.3 %",
        "The fine-tune was kept",
        "probe, linear on the last layer",
        "12 of 3,080 test rows",
        "temperature of 1.37",
        "graft fit train.csv --target label",
        "lora:rank=16",
        "3,578,445 of 22,713,216 (15.8 %)",
        "812 MiB",
        "torch 2.13.0",
        "1 min 41 s",
        "Most wrong",
        "Slowest rows",
    ):
        assert expected in text, expected


def test_sections_without_content_are_left_out() -> None:
    text = Page(REPORTS["only scores"].to_html()).text
    for absent in (
        "Data warnings",
        "Training",
        "Repeat it",
        "Recipe",
        "Plan",
        "What was run",
        "Costs",
        "before temperature",
    ):
        assert absent not in text


def test_metrics_json(tmp_path: Path) -> None:
    report().write(tmp_path)
    data = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert data["scores"]["test"]["accuracy"].keys() == {"value", "low", "high"}
    assert data["scores"]["test"]["accuracy"]["value"] == pytest.approx(0.93)
    assert data["seconds"]["fine-tune"] == {"wall": 61.0, "cpu": 101.4}
    assert data["parameters"] == {"trained": 3_578_445, "total": 22_713_216}
    assert [each["kept"] for each in data["candidates"]] == [False, True]


def test_model_card() -> None:
    card = report().model_card()
    for expected in (
        "Accuracy 93.0 % (90.0 % to 96.0 %) on 300 test rows.",
        "## Licence",
        "| Macro-F1 |",
        "lora:rank=16",
    ):
        assert expected in card
    assert "<script>" not in card
    headings = [line for line in card.splitlines() if line.startswith("## ")]
    assert headings == [
        "## Intended use",
        "## Training data",
        "## Scores",
        "## Training",
        "## Limits",
        "## Licence",
    ]


def test_verdict_of_one_row() -> None:
    one: Evaluation = dataclasses.replace(evaluation(20), rows=1)
    assert Report(primary="accuracy", evaluations={"test": one}).verdict().endswith("on 1 test row.")


def test_write_leaves_three_files_and_replaces_old_ones(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    for _ in range(2):
        assert report().write(folder) == folder / "report.html"
    assert sorted(os.listdir(folder)) == ["README.md", "metrics.json", "report.html"]
    assert MARKUP not in (folder / "report.html").read_text(encoding="utf-8")

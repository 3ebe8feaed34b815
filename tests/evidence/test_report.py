"""The report: one page without outside files, escaped, with all that a reader needs; metrics.json and model card."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import itertools
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.samples import (
    MARKUP,
    evaluation,
    identity_evaluation,
    multilabel_evaluation,
    of_classes,
    regression_evaluation,
    report,
    searches_evaluation,
)
from graftwork.data.episodes import Episodes
from graftwork.evidence.episodes import evaluate_episodes
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.report import Report
from graftwork.evidence.results import Candidate, Result
from graftwork.evidence.rows import Cell, RowView
from graftwork.evidence.scores.baseline import Baseline
from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.warnings import DataWarning, Suspect
from graftwork.tasks.metrics.registry import METRICS


class Page(HTMLParser):
    """Collects what a browser would load and run, the text, and whether tags are balanced."""

    VOID = frozenset({"meta", "br", "link", "img", "use", "wbr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name.endswith("href") or name == "src"]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.attributes += [(tag, name, value) for name, value in attrs]
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
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
    "identities": Report(primary="eer", target="who", evaluations={"validation": identity_evaluation()}),
    "episodes": Report(
        primary="episode_accuracy",
        evaluations={"validation": evaluate_episodes(np.tile([0.5, 0.7], 50), Episodes(way=5, shot=1), rows=400)},
    ),
    "searches": Report(primary="recall_at_10", evaluations={"test": searches_evaluation()}),
    "several targets": Report(
        primary="rmse",
        target="price",
        evaluations={"test": regression_evaluation()},
        more=(Result(primary="accuracy", target="kind", evaluations={"test": evaluation()}),),
    ),
}


@pytest.mark.parametrize("each", REPORTS.values(), ids=REPORTS.keys())
def test_page_is_whole_and_loads_nothing(each: Report) -> None:
    html = each.to_html()
    page = Page(html)
    assert page.open == []
    assert all(link.startswith(("#", "data:")) for link in page.links)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)
    assert not {"link", "iframe", "object"} & set(page.tags)
    assert not re.search(r"url\((?!#)|@import", html)
    assert "None" not in page.text.split()
    assert each.to_html() == html
    assert len(html) < 1_000_000


def test_the_only_script_is_the_one_that_the_page_names() -> None:
    html = report().to_html()
    (script,) = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    assert f"script-src 'sha256-{digest}'" in policy[1]
    assert "default-src 'none'" in policy[1]
    assert not any(name.startswith("on") for _, name, _ in Page(html).attributes)


@pytest.mark.parametrize("each", REPORTS.values(), ids=REPORTS.keys())
def test_headings_and_tables_can_be_followed_by_ear(each: Report) -> None:
    page = Page(each.to_html())
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(page.headings))
    labelled = {value for tag, name, value in page.attributes if tag == "section" and name == "aria-labelledby"}
    assert labelled <= set(page.ids)
    pictures = page.tags.count("svg")
    assert sum(tag == "svg" and name == "aria-label" for tag, name, _ in page.attributes) == pictures
    assert page.tags.count("figcaption") == page.tags.count("figure")
    assert page.tags.count("caption") + page.tags.count("table") >= page.tags.count("table")


def test_user_text_is_escaped() -> None:
    page = Page(report().to_html())
    assert page.tags.count("script") == 1
    assert page.text.count("<script>alert('x')</script>") > 10


def test_page_shows_what_it_was_given() -> None:
    text = Page(report().to_html()).text
    for expected in (
        "93.0 %",
        "Of 100 new rows about 93 get the right answer (between 90 and 96).",
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
        "the worst first",
        "The longest rows",
        "share of rows that get the right answer",
    ):
        assert expected in text, expected


@pytest.mark.parametrize("each", REPORTS.values(), ids=REPORTS.keys())
def test_the_first_screen_has_no_word_that_needs_a_course(each: Report) -> None:
    first = Page(each.to_html().partition("<nav")[0]).text.lower()
    assert not {"macro", "f1", "calibration", "temperature", "probe", "log-loss", "ece", "mcc"} & set(first.split())


def test_sections_without_content_are_left_out() -> None:
    text = Page(REPORTS["only scores"].to_html()).text
    for absent in (
        "Warnings about the data",
        "What was tried",
        "Recipe",
        "The plan",
        "How it was made",
        "before it was",
    ):
        assert absent not in text


def test_many_classes_have_no_matrix_but_a_table_to_search() -> None:
    html = REPORTS["many classes"].to_html()
    assert 'class="matrix"' not in html
    assert 'class="matrix"' in REPORTS["full"].to_html()
    first = html.index("What is taken for what, most often first")
    counts = [int(one) for one in re.findall(r'data-sort="(\d+)">\d+</td>', html[first : first + 20_000])]
    assert counts[:5] == sorted(counts[:5], reverse=True)


@pytest.mark.slow
def test_very_many_classes_and_mistakes_stay_light() -> None:
    names = {f"a class with a rather long name, number {at}": (4, 1) for at in range(1100)}
    each = Report(primary="accuracy", evaluations={"test": of_classes(names)})
    suspects = tuple(Suspect(row, "a", "b", 0.9) for row in range(5000))
    text = (Cell("text", "text", "word " * 120),)
    rows = {row: RowView(f"a file with a name.csv, row {row}", text) for row in range(1, 9001)}
    each = dataclasses.replace(each, suspects=suspects, rows={"test": rows, "validation": rows})
    assert len(each.to_html().encode()) < 3_000_000


def test_a_model_that_does_not_beat_what_needs_none_says_so_on_top() -> None:
    not_beaten = Baseline("the commonest class, 'a'", METRICS["accuracy"], 0.5, Interval(0.0, -0.1, 0.1), beaten=False)
    each = Report(primary="accuracy", evaluations={"test": of_classes({"a": (200, 180), "b": (200, 30)})})
    each = dataclasses.replace(each, baseline=not_beaten, suspects=(Suspect(1, "a", "b", 0.9),), folder="runs/x")
    html = each.to_html()
    assert 'class="verdict warn"' in html
    assert Page(html).text.index("not shown to be better than always answering 'a'") < 400
    assert each.summary.trouble == ()
    assert not any("label may be wrong" in step.text for step in each.summary.steps)
    assert not any("predict" in step.command for step in each.summary.steps)
    assert "not shown to be better" in each.model_card().split("##")[0]


def test_rows_are_shown_as_their_owner_knows_them() -> None:
    wrong = of_classes({"a": (50, 45), "b": (50, 40)})
    view = RowView(
        "houses.csv, row 46",
        (
            Cell("price", "number", "5,858,000"),
            Cell("photo", "image", "", "data:image/jpeg;base64,AAAA"),
            Cell("voice", "audio", "v.wav", "data:audio/mpeg;base64,AAAA"),
        ),
    )
    each = Report(primary="accuracy", evaluations={"test": wrong}, rows={"test": {wrong.most_wrong[0].row: view}})
    page = Page(each.to_html())
    assert "houses.csv, row 46" in page.text
    assert "price 5,858,000" in page.text
    assert ("img", "alt", "photo: houses.csv, row 46") in page.attributes
    assert ("audio", "aria-label", "voice: v.wav") in page.attributes


HOSTILE = st.text(
    alphabet=st.one_of(st.sampled_from("<>&\"'`\\[]()|*_#!{}%=/\n\r\t\x1b\x00\u202e\u2028"), st.characters()),
    max_size=30,
)


def named(first: str, second: str) -> Report:
    """A report in which every text from the data is one of two; without plots, which take long to draw."""
    labels = (f"a{first}", f"b{second}")
    found = of_classes({labels[0]: (60, 40), labels[1]: (40, 30)})
    found = dataclasses.replace(found, details=dataclasses.replace(found.details, reliability=()))
    return Report(
        primary="accuracy",
        target=second,
        evaluations={"test": found},
        title=first,
        data={"train": second},
        warnings=(DataWarning(first, second),),
        notes=(first,),
        recipe=first,
        command=second,
        folder=first,
        sources={"test": second},
        reads=(first,),
        training_rows=dict.fromkeys(labels, 10),
        candidates=(Candidate(first, 0.5, 1.0, note=second),),
    )


@settings(max_examples=25, deadline=None)
@given(HOSTILE, HOSTILE)
def test_no_name_can_act_in_the_page_or_the_card(first: str, second: str) -> None:
    each = named(first, second)
    html, card, usual = each.to_html(), each.model_card(), Page(named("t", "t").to_html())
    page = Page(html)
    assert page.open == []
    assert set(page.tags) <= {*usual.tags, "wbr"}
    assert page.tags.count("script") == 1
    assert {name for _, name, _ in page.attributes} <= {name for _, name, _ in usual.attributes}
    assert not re.search("[\x00-\x08\x0e-\x1f\x7f\u202e]", html + card)
    prose = re.sub(r"(?ms)^(`{3,}).*?^\1$", "", card).replace("<!-- -->", "")
    assert not re.search(r"(?<!\\)(?:\\\\)*\]\(|<[a-zA-Z/!]", prose)


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

"""What is shown of an ablation: the page, its figures, csv, and the tables of the terminal."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from evidence.ablation.tables_of_scores import leave_one_out, shapley_design, simulated
from graftwork.evidence.ablation.cells import Cell, Design
from graftwork.evidence.ablation.outcome import Outcome, outcome
from graftwork.evidence.ablation.page.drawn import draw_contributions
from graftwork.evidence.ablation.page.figures import contributions_svg, figure, heat_map_svg
from graftwork.evidence.ablation.page.files import csv_text, write
from graftwork.evidence.ablation.page.page import page
from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.ablation.shapley import passes
from graftwork.evidence.ablation.table import live_table, table_lines, table_rows

MARKUP = "<b>$x$ & \x1b[31m"
POINTS = Scale("Accuracy", "percent")
EFFECTS = {"lora": 6.0, "mixup": -6.0}


def scored(design: Design, repeats: int = 10) -> list[Cell]:
    found = simulated(design, EFFECTS, repeats, np.random.default_rng(3))
    return [replace(cell, score=0.8 + (cell.score or 0.0) / 300) for cell in found]


def left_out(repeats: int = 10, names: tuple[str, ...] = ("lora", "mixup", "ema")) -> Outcome:
    design = leave_one_out(names)
    return outcome(design, scored(design, repeats), scale=POINTS, title="Ablation of runs/x", command="graft ablate x")


def shapley() -> Outcome:
    design = shapley_design(("lora", "mixup", "ema"))
    return outcome(design, scored(design), scale=POINTS, looks=(5, 10))


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page.replace("<wbr>", "")))


def test_the_page_says_what_helps_and_how_it_was_found() -> None:
    found = left_out()
    shown = page(found)
    text = text_of(shown)
    for one in found.findings:
        assert one.sentence in text
    assert "Nadeau and Bengio 2003" in text
    assert "graft ablate x" in text
    assert "It was raced" not in text
    assert "40 finished runs" in text
    assert shown.count("<svg") == 1
    assert "http://" not in re.sub(r"http://www\.w3\.org/[^\"]*", "", shown)
    assert "https://" not in shown


def test_the_page_of_shapley_values_has_interactions_and_looks() -> None:
    shown = page(shapley())
    assert shown.count("<svg") == 2
    assert "after 5, 10 repeats only" in text_of(shown)
    assert "Shapley interaction index, from all combinations" in text_of(shown)


def test_a_page_of_nothing_yet_is_a_page() -> None:
    found = outcome(leave_one_out(("a", "b")), [])
    assert "has no repeat" in text_of(page(found))
    assert contributions_svg(found) == heat_map_svg(found) == ""
    assert figure(found) is not None


def test_failures_and_refusals_are_on_the_page() -> None:
    design = leave_one_out(("lora", "mixup"))
    cells = [
        replace(cell, score=None, failed="TrainingError: not finite") if (cell.arm, cell.repeat) == ("all", 2) else cell
        for cell in scored(design)
        if cell.arm != "without mixup"
    ]
    found = outcome(replace(design, refused={"without mixup": "lora needs mixup"}), cells)
    text = text_of(page(found))
    assert "1 run of 20 failed" in text
    assert "TrainingError: not finite" in text
    assert "mixup can't be compared: lora needs mixup" in text


def test_names_from_the_data_stay_text() -> None:
    found = left_out(names=(MARKUP, "=1+1"))
    shown = page(found)
    assert "<b>" not in shown
    assert "\x1b" not in shown
    for made in (*table_lines(found.findings, POINTS), csv_text(found).replace("\x1b", "?")):
        assert "\x1b" not in made
    assert [row[0] for row in csv.reader(io.StringIO(csv_text(found)))][2] == "'=1+1"
    figure(found).canvas.draw()


@pytest.mark.filterwarnings("error")
def test_figures_are_whole_and_the_same_each_time() -> None:
    found = shapley()
    for made in (contributions_svg, heat_map_svg):
        assert made(found) == made(found)
        ElementTree.fromstring(made(found))


def test_the_waterfall_goes_from_none_of_them_to_all_of_them() -> None:
    from matplotlib.figure import Figure

    found = shapley()
    axes = Figure().subplots()
    draw_contributions(axes, found, "black")
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]  # type: ignore[attr-defined]
    mean = {one.name: 100 * (one.score or 0.0) for one in found.arms()}
    assert bars[0][0] == pytest.approx(mean["none"])
    assert bars[-1][1] == pytest.approx(mean["ema+lora+mixup"])
    assert [end for _, end in bars[:-1]] == pytest.approx([start for start, _ in bars[1:]])
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels[0] == "none of them"
    assert labels[-1] == "all of them"


def test_a_waterfall_of_errors_shows_them_as_they_are() -> None:
    from matplotlib.figure import Figure

    design = shapley_design(("lora", "mixup"))
    cells = [
        replace(cell, score=(cell.score or 0.0) - 40) for cell in simulated(design, {}, 6, np.random.default_rng(0))
    ]
    drawn = Figure()
    axes = drawn.subplots()
    draw_contributions(axes, outcome(design, cells, scale=Scale("Mean error", "own", less=True)), "black")
    drawn.canvas.draw()
    assert axes.get_xlabel() == "Mean error, less is better"
    assert all(float(text.get_text()) > 0 for text in axes.get_xticklabels())


def test_bars_of_what_does_not_add_up_begin_at_zero() -> None:
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    draw_contributions(axes, left_out(), "black")
    assert all(bar.get_x() == 0 for bar in axes.patches)  # type: ignore[attr-defined]
    assert [text.get_text() for text in axes.get_yticklabels()] == [one.name for one in left_out().ranked]


def test_csv_holds_what_the_findings_hold() -> None:
    found = left_out()
    rows = list(csv.DictReader(io.StringIO(csv_text(found))))
    assert [row["name"] for row in rows] == ["lora", "mixup", "ema"]
    for row, one in zip(rows, found.findings, strict=True):
        assert float(row["value"]) == one.value
        assert float(row["holm"]) == one.holm
        assert row["verdict"] == one.verdict
        assert float(row["parameters"]) == one.costs.parameters
        assert row["memory"] == ""
    assert csv_text(left_out(3)).splitlines()[1].split(",")[3:7] == ["", "", "", ""]


def test_files_are_written_whole(tmp_path: Path) -> None:
    found = left_out()
    write(tmp_path / "new" / "folder", found, {"some": "data"})
    names = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert names == {"ablation.html", "ablation.csv", "ablation.json"}
    assert json.loads((tmp_path / "new" / "folder" / "ablation.json").read_text()) == {"some": "data"}
    write(tmp_path / "new" / "folder", found, {})  # in place of what was there


def test_the_table_of_the_terminal_has_a_finding_a_row() -> None:
    rows = table_rows(left_out().findings, POINTS)
    assert rows[0] == ["", "brings", "95 % interval", "verdict", "repeats", "CPU of a fit", "trained parameters"]
    assert [row[0] for row in rows[1:]] == ["lora", "mixup", "ema"]
    assert [row[3] for row in rows[1:3]] == ["helps", "hurts"]
    assert rows[1][5:] == ["+1 s", "+10"]
    assert [row[3] for row in table_rows(left_out(3).findings, POINTS)[1:]] == ["needs 2 more"] * 3


def test_the_table_can_be_drawn_while_it_fills() -> None:
    from rich.console import Console

    design = leave_one_out(("lora", "mixup"))
    cells = scored(design)
    for count in range(0, len(cells) + 1, 7):
        console = Console(width=80, file=io.StringIO(), color_system=None)
        console.print(live_table(outcome(design, cells[:count], scale=POINTS), f"{count} of {len(cells)} runs"))
        text = console.file.getvalue()  # type: ignore[attr-defined]
        assert f"{count} of {len(cells)} runs" in text
        assert max(map(len, text.splitlines())) <= 80
        assert "lora" in text
    assert "helps" in text


def test_passes_say_whether_they_agree() -> None:
    players = tuple("abcde")
    design = shapley_design(players, passes(players))
    found = outcome(design, simulated(design, {"a": 3.0}, 6, np.random.default_rng(0)))
    assert found.check
    text = text_of(page(found))
    assert found.check in text
    assert "as if players acted on each other in pairs at most" in text

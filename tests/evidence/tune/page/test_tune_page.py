"""What is shown of a tune: its page, plots and files."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet
import pytest

from evidence.tune.made_trials import a_tune, trial
from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.tune.doubts import doubts
from graftwork.evidence.tune.next_steps import next_steps
from graftwork.evidence.tune.outcome import About, outcome
from graftwork.evidence.tune.page.drawn import best_so_far, draw_front, front_svg, over_time_svg
from graftwork.evidence.tune.page.files import write
from graftwork.evidence.tune.page.grids import costs_grid, importance_grid, trials_grid
from graftwork.evidence.tune.page.page import page
from graftwork.evidence.tune.trials import Limits
from graftwork.evidence.tune.won import won

MARKUP = "<b>$x$ & \x1b[31m"


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page.replace("<wbr>", "")))


def test_the_page_says_what_won_what_could_go_wrong_and_what_to_do() -> None:
    found = a_tune(importance={"lr": 0.6, "tuning": 0.2}, transfer={"minilm": 0.31, "gte-small": 0.42})
    shown = page(found)
    text = text_of(shown)
    for said in (*won(found), *doubts(found), *(one.text for one in next_steps(found))):
        assert said in text
    for command in (one.command for one in next_steps(found)):
        assert command in text
    for part in ("8 trials: 6 finished, 1 paused, 1 failed", "75 %", "LogME", "PED-ANOVA", "Hansen 2005", "0.420"):
        assert part in text
    assert shown.count("<svg") == 2
    assert "http://" not in re.sub(r"http://www\.w3\.org/[^\"]*", "", shown)
    assert "https://" not in shown


def test_all_trials_are_in_the_table_the_best_first_with_their_gaps() -> None:
    found = a_tune()
    grid = trials_grid(found)
    assert len(grid.rows) == 8
    assert grid.rows[0][0].text == "5"
    assert grid.kept == {0}
    assert [row[0].text for row in grid.rows][-1] == "7"
    gap = found.gaps[0]
    own = next(row for row in grid.rows if row[0].text == "0")
    assert (own[3].text, own[3].small) == (found.scale.number(gap.value), found.scale.interval(gap.low, gap.high))
    assert grid.rows[-1][6].small == "out of memory: 3.2 GB were needed"


def test_costs_are_those_of_the_kept_the_default_and_the_cheaper_one() -> None:
    found = a_tune()
    grid = costs_grid(found)
    assert grid.rows[0][2].text == "12 ms"
    assert grid.rows[0][3].text == "120 MB"
    assert any("the best that fit would have tried" in row[0].small for row in grid.rows)
    assert len({row[0].small for row in grid.rows}) == len(grid.rows)


def test_importance_is_of_all_that_is_known() -> None:
    grid = importance_grid(a_tune(importance={"a": 0.1, "b": 0.3, "c": 0.0}))
    assert grid is not None
    assert [(row[0].text, row[1].text) for row in grid.rows] == [("b", "75 %"), ("a", "25 %")]
    assert importance_grid(a_tune()) is None


def test_whatever_comes_from_elsewhere_stays_text() -> None:
    one = a_tune()
    failed = trial(8, None, state="failed", failed=MARKUP, name=MARKUP, base=MARKUP)
    trials = [
        *(replace(each, name=MARKUP, base=f"{MARKUP}{each.number}", techniques=(MARKUP,)) for each in one.trials),
        failed,
        trial(9, 0.1, params={MARKUP: MARKUP}, techniques=("mixup",)),
        trial(10, 0.2, members={5: 1.0}, origin="combined"),
    ]
    about = replace(
        one.about,
        title=MARKUP,
        target=MARKUP,
        tested=MARKUP,
        folder=MARKUP,
        command=MARKUP,
        notes=(MARKUP,),
        importance={MARKUP: 0.5},
        transfer={MARKUP: 0.5},
    )
    for why in ("", MARKUP):
        shown = page(outcome(trials, None, Scale(MARKUP), about, why=why))
        assert "<b>" not in shown
        assert "\x1b" not in shown
        assert "&lt;b&gt;" in shown


def test_a_page_of_one_trial_is_a_page() -> None:
    found = outcome([trial(0, 0.5)], None, Scale(), About())
    assert over_time_svg(found) == front_svg(found) == ""
    text = text_of(page(found))
    assert "It is the best of what graft fit would have tried; nothing else came to its end." in text
    assert "not measured" in text


@pytest.mark.filterwarnings("error")
def test_plots_are_whole_and_the_same_each_time() -> None:
    found = a_tune(limits=Limits(latency=0.013))
    for made in (over_time_svg, front_svg):
        assert made(found) == made(found)
        ElementTree.fromstring(made(found))


def test_the_line_of_the_best_only_rises() -> None:
    timed = [trial(0, 0.5, at=9.0), trial(1, 0.7, at=3.0), trial(2, 0.8, at=20.0), trial(3, 0.6, at=5.0)]
    assert best_so_far(timed) == ([3.0, 20.0], [0.7, 0.8])


def test_errors_are_drawn_as_they_are() -> None:
    from matplotlib.figure import Figure

    trials = [trial(at, -float(10 + at), latency=0.001 * (at + 1), size=5) for at in range(4)]
    found = outcome(trials, None, Scale("Mean error", "own", less=True), About())
    drawn = Figure()
    axes = drawn.subplots()
    draw_front(axes, found, trials)
    drawn.canvas.draw()
    assert axes.get_ylabel() == "Mean error, less is better"
    assert all(10 <= y <= 13 for one in axes.collections for _, y in one.get_offsets())  # type: ignore[misc]


def test_files_are_written_beside_each_other(tmp_path: Path) -> None:
    found = a_tune()
    write(tmp_path / "new", found)
    assert sorted(one.name for one in (tmp_path / "new").iterdir()) == ["trials.parquet", "tune.html", "tune.json"]
    plain = json.loads((tmp_path / "new" / "tune.json").read_text(encoding="utf-8"))
    assert plain == json.loads(json.dumps(found.to_json()))
    assert plain["chosen"]["number"] == 5
    rows = pyarrow.parquet.read_table(tmp_path / "new" / "trials.parquet").to_pylist()
    assert [row["number"] for row in rows if row["kept"]] == [5]

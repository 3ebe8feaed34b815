"""Label names: what the head begins from, classes that no row shows, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import graftwork as gw
from command import QUICK, graft, write_rows
from graftwork.data.class_names import read_class_names
from graftwork.errors import DataError, UsageError
from graftwork.recipe import from_yaml
from tiny import tiny_bert, tiny_rows

CLASSES = [
    ("animals", "cat dog bird fish cow"),
    ("weather", "rain sun snow wind storm"),
    ("food", "bread soup rice cake tea"),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("base") / "bert")


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "classes.csv", CLASSES, ("name", "description"))


def few(path: Path, *labels: str) -> Path:
    """Two rows of each of these classes."""
    rows = tiny_rows(60)
    picked = [row for label in labels for row in [one for one in rows if one[1] == label][:2]]
    return write_rows(path, picked)


def test_a_class_that_no_row_shows_is_predicted(base: Path, classes: Path, tmp_path: Path) -> None:
    train, test = few(tmp_path / "t.csv", "animals", "weather"), write_rows(tmp_path / "test.csv", tiny_rows(60))
    fit = ("fit", train, "--test", test, "--base", base, "--classes", classes, "--out", tmp_path / "m")
    said = graft(*fit).works()
    assert "known by their names alone: food" in said.err
    classes.unlink()
    model = gw.load(tmp_path / "m")
    assert set(model.task.classes) == {"animals", "weather", "food"}
    graft("predict", tmp_path / "m", test, "--out", tmp_path / "p.csv").works()
    assert list(model.predict(["food: bread soup rice cake tea"])) == ["food"], "no row was of it"
    recipe = from_yaml(tmp_path / "m" / "recipe.yaml")
    assert recipe.listed[0].names == ("animals", "weather", "food")  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("column", [True, False])
def test_without_a_single_label(base: Path, classes: Path, tmp_path: Path, column: bool) -> None:
    rows = [(text, "") if column else (text,) for text, _ in tiny_rows(60)]
    train = write_rows(tmp_path / "t.csv", rows, ("text", "label") if column else ("text",))
    test = write_rows(tmp_path / "test.csv", tiny_rows(60))
    fit = ("fit", train, "--target", "label", "--base", base, "--classes", classes)
    said = graft(*fit, "--test", test, "--out", tmp_path / "m").works()
    assert "none of 60 rows has a label in 'label', so the 3 classes are known by their names alone" in said.err
    assert gw.load(tmp_path / "m").score(test) > 0.5
    assert "labelled --test or --valid rows" in graft(*fit, "--out", tmp_path / "n").works().err


def test_the_names_of_all_count_as_rows(base: Path, classes: Path, tmp_path: Path) -> None:
    """The head is that of a probe on the same rows with the names and descriptions behind them."""
    from graftwork.techniques import TECHNIQUES

    train, test = few(tmp_path / "t.csv", "animals", "weather", "food"), write_rows(tmp_path / "x.csv", tiny_rows(60))
    told = read_class_names(classes)
    longer = write_rows(
        tmp_path / "longer.csv",
        [*[tuple(line.rsplit(",", 1)) for line in _lines(train)], *((text, name) for name, text in told.items())],
    )
    named = TECHNIQUES["label-names"](names=tuple(told), texts=tuple(told.values()), weight=1.0)
    found = []
    for table, technique in ((train, named), (longer, gw.Probe(l2=1 / 16))):
        recipe = gw.Recipe(base=str(base), techniques=[technique], training=gw.Training(precision="fp32"))
        model = gw.fit(table, target="label", test=test, recipe=recipe, verbose=False)
        found.append(model.predict_proba(test))
    np.testing.assert_allclose(found[0], found[1], atol=5e-3)


def _lines(path: Path) -> list[str]:
    import csv

    with open(path, encoding="utf-8") as file:
        return [",".join(row) for row in list(csv.reader(file))[1:]]


def test_beside_what_trains_the_base(base: Path, classes: Path, tmp_path: Path) -> None:
    table = write_rows(tmp_path / "t.csv", tiny_rows(60))
    common = ("plan", table, "--base", base, "--classes", classes)
    said = graft(*common, "--with", "partial:blocks=1", "--with", "label-smoothing").works().out
    assert "label-names" in said
    assert "partial" in said
    graft(*common, "--with", "probe").fails(2, "probe and label-names|label-names and probe")
    graft(*common, "--with", "warm-start").fails(2, "what the head starts from")
    graft(*common, *QUICK).works()


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        ([("a", "x"), ("a", "y")], ("name", "description"), r"row 2: the class 'a' stands in row 1 too"),
        ([("a", "x"), ("b", "")], ("name", "description"), "row 2: the class 'b' has an empty description"),
        ([("a", "x"), ("", "y")], ("name", "description"), "row 2: there is no name"),
        ([("a", "x"), ("b", "y")], ("nam", "description"), "has no column 'name'. Did you mean 'nam'"),
        ([("a", "x")], ("name", "description"), "names 1 class"),
    ],
)
def test_bad_tables_of_classes(tmp_path: Path, rows: list[tuple[str, str]], header: tuple[str, str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_class_names(write_rows(tmp_path / "c.csv", rows, header))


def test_without_descriptions(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("name\ncard_arrival\nlost\n", encoding="utf-8")
    assert dict(read_class_names(tmp_path / "c.csv")) == {"card_arrival": "card arrival", "lost": "lost"}


def test_what_is_refused(base: Path, classes: Path, tmp_path: Path) -> None:
    table = write_rows(tmp_path / "t.csv", tiny_rows(60))
    lacking = write_rows(tmp_path / "few.csv", CLASSES[:2], ("name", "description"))
    fit = ("plan", table, "--base", base)
    graft(*fit, "--classes", lacking).fails(2, "says nothing of 1 of the 3 classes of 'label': 'food'")
    others = write_rows(tmp_path / "others.csv", [("x", "a"), ("y", "b")], ("name", "description"))
    graft(*fit, "--classes", others).fails(2, "names 'x', 'y', and none of these is a class of 'label'")
    graft(*fit, "--classes", tmp_path / "none.csv").fails(1, "none.csv")
    two = write_rows(tmp_path / "two.csv", [(a, a, b) for a, b in tiny_rows(60)], ("text", "other", "label"))
    graft("plan", two, "--base", base, "--classes", classes).fails(2, "reads one text column alone")
    graft("plan", two, "--inputs", "text", "--base", base, "--classes", classes).works()


def test_pictures_are_refused_with_the_reason(classes: Path, tmp_path: Path) -> None:
    from PIL import Image

    for at, (name, _) in enumerate(CLASSES):
        for number in range(4):
            (tmp_path / "photos" / name).mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (16, 16), (at * 80, number, 0)).save(tmp_path / "photos" / name / f"{number}.png")
    graft("plan", tmp_path / "photos", "--classes", classes).fails(2, "label-names needs text_inputs")


def test_settings() -> None:
    from graftwork.techniques import TECHNIQUES

    cls = TECHNIQUES["label-names"]
    with pytest.raises(UsageError, match="2 names and 1 texts"):
        cls(names=("a", "b"), texts=("x",))
    with pytest.raises(UsageError, match="named 2 times"):
        cls(names=("a", "a"), texts=("x", "y"))
    with pytest.raises(UsageError, match="weight"):
        cls(weight=-1.0)

"""`graft drift`, and the same in Python: texts, numbers, categories, pictures and sounds."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

import graftwork as gw
from command import graft, write_rows
from graftwork.errors import DataError, UsageError
from pictures import encoded, picture
from tiny import tiny_rows
from tinysound import encoded as encoded_sound
from tinysound import tone

RECIPE = gw.Recipe(base="gru:width=16", techniques=[], training=gw.Training(steps=30, batch=16, precision="fp32"))
HEADER = ("text", "label", "size", "shop", "day")


def rows(seed: int, count: int) -> list[tuple[str, str, str, str, str]]:
    draw = random.Random(seed)
    made = [
        (text, label, f"{draw.gauss(0, 1):.4f}", draw.choice("abc"), f"2024-{draw.randint(1, 12):02}-05")
        for text, label in tiny_rows(900)
    ]
    draw.shuffle(made)
    return made[:count]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = [dict(zip(HEADER, row, strict=True)) for row in rows(0, 400)]
    recipe = replace(RECIPE, base={"text": "gru:width=16", "table": "auto"})
    return gw.fit(made, target="label", recipe=recipe, verbose=False).save(tmp_path_factory.mktemp("made") / "model")


def test_rows_of_the_same_kind_do_not_differ(folder: Path, tmp_path: Path) -> None:
    table = write_rows(tmp_path / "same.csv", [[text, size, shop, day] for text, _, size, shop, day in rows(1, 200)],
                       ("text", "size", "shop", "day"))  # fmt: skip
    done = graft("drift", folder, table).works()
    assert "same.csv is not shown to differ" in done.out
    assert "no difference shown in: text (characters), size, shop, day, predicted label" in done.out


@pytest.mark.filterwarnings("ignore:The column shop holds categories")
def test_what_has_moved_is_named_and_nothing_else_is_printed_as_json(folder: Path, tmp_path: Path) -> None:
    moved = [
        [f"{text} and so on and on", "" if at % 3 else size, "new", day.replace("2024", "2031")]
        for at, (text, _, size, _, day) in enumerate(rows(1, 200))
    ]
    table = write_rows(tmp_path / "moved.csv", moved, ("text", "size", "shop", "day"))
    done = graft("drift", folder, table).works()
    assert "100 % of the rows have 'new' in 'shop', of the training rows 0 %" in done.out
    assert "of the rows have no 'size'" in done.out
    assert "'day' above 2031-" in done.out
    found = json.loads(graft("drift", folder, table, "--json").works().out)
    assert found["drifted"] is True
    columns = {one["name"] for one in found["comparisons"] if one["kind"] == "column" and one["differs"]}
    assert columns == {"text", "size", "shop", "day"}
    assert gw.drift(gw.load(folder), table).to_json() == found


def test_wrong_use_and_tables_that_are_no_use(folder: Path, tmp_path: Path) -> None:
    few = write_rows(tmp_path / "few.csv", rows(1, 19), HEADER)
    graft("drift", folder, few).fails(1, "19 rows that can be read. Expected 20")
    other = write_rows(tmp_path / "other.csv", [["x"]], ("words",))
    graft("drift", folder, other).fails(1, "no column 'text'")
    graft("drift", folder, few, "--alpha", "0").fails(2, "alpha is 0")
    graft("drift", folder, tmp_path / "none.csv").fails(1, "There is no file")
    graft("drift", tmp_path / "nothing", few).fails(1, "no model folder")
    model = replace(gw.load(folder), reference=None)
    with pytest.raises(UsageError, match="graft reference"):
        gw.drift(model, few)
    with pytest.raises(DataError, match="Expected 20"):
        gw.drift(gw.load(folder), few)


@pytest.mark.slow
def test_pictures_that_are_darker() -> None:
    made = [{"photo": encoded(picture(at)), "label": "ab"[at % 2]} for at in range(120)]
    recipe = replace(RECIPE, base="small-cnn", training=replace(RECIPE.training, steps=2))
    model = gw.fit(made, target="label", recipe=recipe, kinds={"photo": "image"}, verbose=False)
    assert model.reference is not None
    assert {(one.name, one.measure) for one in model.reference.aspects if one.kind == "column"} == {
        ("photo", "light"),
        ("photo", "contrast"),
    }
    dark = [{"photo": encoded(picture(at).point(lambda value: value // 4))} for at in range(120, 180)]
    found = gw.drift(model, dark)
    assert any(one.measure == "light" and "a light of" in one.sentence for one in found.differing)


def test_sounds_that_are_quieter() -> None:
    made = [{"clip": encoded_sound(tone(200 + 200 * (at % 2), seed=at)), "label": "ab"[at % 2]} for at in range(80)]
    recipe = replace(RECIPE, base="mel-cnn", training=replace(RECIPE.training, steps=2))
    model = gw.fit(made, target="label", recipe=recipe, kinds={"clip": "audio"}, verbose=False)
    quiet = [{"clip": encoded_sound(tone(200 + 200 * (at % 2), seed=at) / 20)} for at in range(80, 120)]
    found = gw.drift(model, quiet)
    assert any(one.measure == "loudness" and "dB" in one.sentence for one in found.differing)

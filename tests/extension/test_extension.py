"""Another package adds a technique, a task, a base and a metric: used, saved, loaded elsewhere, and missed when gone.

The package stands beside this file with its pyproject.toml; it is installed as pip does, without asking an index.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from command import write_rows

HERE = Path(__file__).parent
QUICK = ("--set", "epochs=2", "--set", "evaluations=1", "--set", "precision=fp32")
WORDS = ("how many bees", "a zoo of zebras", "no more", "oooo", "all the letters of it", "bee", "zzz zoo", "moon")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with this one in it."""
    folder = tmp_path_factory.mktemp("site")
    project = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.copytree(HERE / "graftwork_letters", folder / "graftwork_letters")
    about = folder / f"graftwork_letters-{project['version']}.dist-info"
    about.mkdir()
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (about / "METADATA").write_text(head, encoding="utf-8")
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


COMMANDS = """
import json, sys
from command import graft
ran = [graft(*command) for command in json.loads(sys.stdin.read())]
json.dump([[one.code, one.out, one.err] for one in ran], sys.stdout)
"""


def ran(*commands: Sequence[object], site: Path | None, code: int = 0, cwd: Path | None = None) -> list[str]:
    """`graft` with each of these arguments, in one new process with the packages of `site`.

    Asserts the exit code of each. Gives what each says: on stdout, or where it must fail on stderr.
    """
    path = [str(HERE.parent), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(site), *path] if site else path)}
    given = json.dumps([[str(word) for word in command] for command in commands])
    script = [sys.executable, "-c", COMMANDS]
    done = subprocess.run(script, input=given, capture_output=True, text=True, env=environment, cwd=cwd, check=True)
    results = json.loads(done.stdout)
    for found, out, err in results:
        assert found == code, out + err
        assert "Traceback" not in err
    return [err if code else out for _, out, err in results]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, site: Path) -> Path:
    """Two tables and two models: one of the base and the technique, one of the base and the task."""
    folder = tmp_path_factory.mktemp("place")
    rows = [(f"{text} {'z' * (row % 3)}", "z" if row % 3 else "none", row % 3) for row, text in enumerate(WORDS * 4)]
    write_rows(folder / "classes.csv", [row[:2] for row in rows], ("text", "label"))
    write_rows(folder / "numbers.csv", [(row[0], str(row[2])) for row in rows], ("text", "zs"))
    techniques = ("--with", "confidence-penalty:weight=0.2", "--with", "mixup", "--with", "ema")
    ran(
        [
            *("fit", folder / "classes.csv", "--target", "label", "--base", "letters:width=8", *techniques, *QUICK),
            *("--out", folder / "classes"),
        ],
        [
            *("fit", folder / "numbers.csv", "--target", "zs", "--base", "letters", "--task", "counts"),
            *("--with", "none", "--metric", "within_one", *QUICK, "--out", folder / "numbers"),
        ],
        site=site,
    )
    return folder


def test_it_is_listed_with_its_package(site: Path) -> None:
    added = {"techniques": "confidence-penalty", "tasks": "counts", "bases": "letters"}
    *lists, metrics = ran(*(("list", what, "--json") for what in (*added, "metrics")), site=site)
    for (what, name), rows in zip(added.items(), lists, strict=True):
        found = {row[what.removesuffix("s")]: row["package"] for row in json.loads(rows)}
        assert found.pop(name) == "graftwork-letters"
        assert set(found.values()) == {"graftwork"}
    assert "within_one" in metrics


def test_the_page_shows_this_package() -> None:
    page = (HERE.parents[1] / "docs" / "packages.md").read_text(encoding="utf-8")
    shown = tomllib.loads(page.split("```toml\n")[1].split("```")[0])["project"]
    project = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert shown == {name: project[name] for name in shown}
    assert shown["entry-points"] == project["entry-points"]


@pytest.mark.slow
def test_models_and_recipes_say_which_package_they_need(place: Path) -> None:
    classes, numbers = (json.loads((place / name / "model.json").read_text()) for name in ("classes", "numbers"))
    package = "graftwork-letters"
    needed = {"technique": {"confidence-penalty": package}, "base": {"letters": package}}
    assert classes["recipe"]["packages"] == needed
    assert classes["encoders"][0]["package"] == package
    assert "package" not in classes["tasks"]["label"]
    assert numbers["tasks"]["zs"]["package"] == package
    assert "package" not in numbers["heads"]["zs"]
    assert "graftwork-letters" in (place / "classes" / "recipe.yaml").read_text()


def test_models_load_in_another_process(place: Path, site: Path) -> None:
    names = ("classes", "numbers")
    *_, scores = ran(
        *(("predict", place / name, place / f"{name}.csv", "--out", place / f"{name}-out.csv") for name in names),
        *(("evaluate", place / name, place / f"{name}.csv", "--json") for name in names),
        site=site,
    )
    for name in names:
        assert len((place / f"{name}-out.csv").read_text().splitlines()) == 1 + len(WORDS) * 4
    with (place / "numbers-out.csv").open(encoding="utf-8") as file:
        answers = [row["prediction"] for row in csv.DictReader(file)]
    assert all(answer.isdigit() for answer in answers), "the task of the package rounds"
    assert "within_one" in scores
    assert "Within one" in (place / "numbers" / "report.html").read_text()


@pytest.mark.slow
def test_they_are_a_base_and_a_recipe_for_others(place: Path, site: Path, tmp_path: Path) -> None:
    table, quick = place / "classes.csv", ("--target", "label", *QUICK, "--out")
    ran(
        ("fit", table, "--base", place / "classes", "--with", "none", *quick, tmp_path / "a"),
        ("fit", table, "--recipe", place / "classes" / "recipe.yaml", *quick, tmp_path / "b"),
        site=site,
    )
    assert json.loads((tmp_path / "b" / "model.json").read_text())["recipe"]["packages"]["base"]


MISSING = "comes from the package graftwork-letters, which is not installed: pip install graftwork-letters"


@pytest.mark.slow
def test_without_the_package_it_is_named(place: Path, tmp_path: Path) -> None:
    table, quick = place / "classes.csv", ("--target", "label", *QUICK, "--out", tmp_path / "out")
    predicted, evaluated, repeated, tuned = ran(
        ("predict", place / "classes", table, "--out", tmp_path / "x.csv"),
        ("evaluate", place / "numbers", place / "numbers.csv"),
        ("fit", table, "--recipe", place / "classes" / "recipe.yaml", *quick),
        ("fit", table, "--base", place / "classes", "--with", "none", *quick),
        site=None,
        code=1,
    )
    assert f"{place / 'classes'} can't be loaded. The architecture 'letters' {MISSING}" in predicted
    assert f"The task 'counts' {MISSING}" in evaluated
    assert f"The technique 'confidence-penalty' {MISSING}" in repeated
    assert f"The architecture 'letters' {MISSING}" in tuned
    (said,) = ran(("fit", table, "--with", "confidence-penalty", *quick), site=None, code=2)
    assert "Unknown technique 'confidence-penalty'" in said
    assert not (tmp_path / "out" / "model.json").exists()


@pytest.fixture
def changed(site: Path, tmp_path: Path) -> Callable[[str, str], Path]:
    """The site with something else in the entry points."""

    def changed(old: str, new: str) -> Path:
        other = tmp_path / "site"
        shutil.copytree(site, other)
        (points,) = other.glob("*.dist-info/entry_points.txt")
        points.write_text(points.read_text().replace(old, new))
        return other

    return changed


@pytest.mark.slow
def test_a_package_of_another_version_is_named(place: Path, changed: Callable[[str, str], Path]) -> None:
    other = changed("letters = ", "words = ")
    (said,) = ran(("evaluate", place / "classes", place / "classes.csv"), site=other, code=1)
    assert "architecture 'letters' comes from the package graftwork-letters, but version 0.3 of it" in said


@pytest.mark.slow
def test_an_encoder_that_no_model_could_name_is_refused_before_training(
    place: Path, changed: Callable[[str, str], Path]
) -> None:
    command = ("fit", place / "classes.csv", "--target", "label", "--base", "letters", "--with", "none", "--out", "x")
    (said,) = ran(command, site=changed("[graftwork.architectures]", "[graftwork.elsewhere]"), code=2)
    assert "LetterEncoder" in said
    assert "entry point letters of the group graftwork.architectures" in said


@pytest.mark.slow
def test_a_model_imports_nothing_by_what_it_says(place: Path, tmp_path: Path) -> None:
    """Its names are looked up among installed entry points, and what it says of packages is only compared."""
    from graftwork.networks.manifest import sealed

    possible, impossible = ("os", "graftwork_spy"), ("../evil", "x; touch y", "")
    spy = tmp_path / "spy"
    spy.mkdir()
    (spy / "graftwork_spy.py").write_text("open('imported', 'w')")
    models, recipes = [], {}
    for at, package in enumerate((*possible, *impossible)):
        for part in ("encoder", "task"):
            model = tmp_path / f"{part}-{at}"
            shutil.copytree(place / "classes", model)
            manifest = json.loads((model / "model.json").read_text())
            if part == "encoder":
                manifest["encoders"][0] |= {"architecture": "graftwork_spy:Encoder", "package": package}
            else:
                manifest["tasks"]["label"] |= {"name": "graftwork_spy:Task", "package": package}
            (model / "model.json").write_text(json.dumps(sealed(manifest)))
            models.append(("evaluate", model, place / "classes.csv"))
        recipe = tmp_path / f"recipe-{at}.yaml"
        recipe.write_text(json.dumps({"base": "gru", "packages": {"technique": {"graftwork_spy:T": package}}}))
        recipes[package] = ("fit", place / "classes.csv", "--recipe", recipe, "--out", tmp_path / "out")
    said = [
        *ran(*models, *(recipes[package] for package in possible), site=spy, code=1, cwd=spy),
        *ran(*(recipes[package] for package in impossible), site=spy, code=2, cwd=spy),
    ]
    assert all("graftwork_spy" in each for each in said)
    assert not (spy / "imported").exists()

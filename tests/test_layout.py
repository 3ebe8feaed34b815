"""The layout holds: imports go downward only, and files stay small enough to be read at once."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TypeGuard

import pytest

from graftwork.tasks.capabilities import FACTS as CAPABILITIES
from graftwork.tasks.registry import TASKS
from graftwork.techniques import TECHNIQUES

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "graftwork"
LONGEST, LOOP, TECHNIQUE = 300, 150, 150
"""Lines of any file, of the training loop, and of a technique with its docs."""


def shown(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def outside(room: str) -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py") if path.relative_to(SOURCE).parts[0] != room)


def test_imports_go_downward_only() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    if not linter.is_file():
        pytest.skip("import-linter is not installed")
    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout


def test_every_module_has_its_layer() -> None:
    import tomllib

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    found = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert {f"graftwork.{name}" for name in found - {"__init__", "__main__"}} == set(layers)


def test_what_is_printed_goes_one_way() -> None:
    """Through terminal.py and progress.py, where nothing in it can act on the terminal."""
    own = {"terminal.py", "progress.py", "bundle_program.py"}  # the last one is a file of exports
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        calls = [
            word for word in ("typer.echo(", "rich.print(", "sys.stdout.write", "sys.stderr.write") if word in text
        ]
        printed = [
            node
            for node in nodes_of(path)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        ]
        assert path.name in own or not (calls or printed), f"{path.name} prints by itself: use graftwork.terminal"


def technique_files() -> set[Path]:
    return {Path(sys.modules[cls.__module__].__file__ or "") for cls in TECHNIQUES.values()}


def test_no_technique_imports_another() -> None:
    """Nor does what they share: what stands beside them knows none of them."""
    techniques = {cls.__module__ for cls in TECHNIQUES.values()} | {"graftwork.techniques"}
    files = [path for path in (SOURCE / "techniques").rglob("*.py") if path.name != "__init__.py"]
    assert len(files) > len(TECHNIQUES)
    for path in files:
        nodes = nodes_of(path)
        found = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        found |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        assert not found & techniques, f"{path.name} imports {found & techniques}"


def too_long_or_nameless(path: Path, techniques: set[Path]) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    allowed = LOOP if path == SOURCE / "core" / "fit.py" else TECHNIQUE if path in techniques else LONGEST
    if len(lines) > allowed:
        return f"{len(lines)} lines, more than {allowed}: split the file"
    named = path.name == "__init__.py" or lines[0].startswith('"""')
    return "" if named else "the file begins without saying what it is for"


def test_a_file_is_one_idea_and_says_which() -> None:
    techniques, files = technique_files(), list(SOURCE.rglob("*.py"))
    wrong = {shown(path): too_long_or_nameless(path, techniques) for path in files}
    assert len(files) > 500
    assert {path: why for path, why in wrong.items() if why} == {}


FLAGS = ("open_set", "reads_target")
"""How tasks were told apart before they said what they answer and hold out."""
KNOW_TASKS = {
    "runs/teachers/transformers.py": "a classifier of transformers comes without a task: its outputs say which it is",
}
"""Files outside the tasks that import a task's class, each with its reason."""


@cache
def task_classes() -> set[tuple[str, str]]:
    return {(cls.__module__, cls.__name__) for cls in TASKS.values()}


def test_no_place_outside_the_tasks_asks_which_one_it_is() -> None:
    """What others need to know a task says, as a property or a capability with a meaning; techniques and heads ask
    for facts, by which they are refused where they don't fit."""
    found = {shown(path): asked_in(path) for path in outside("tasks")}
    assert {path: asked for path, asked in found.items() if asked and path not in KNOW_TASKS} == {}
    assert [path for path in KNOW_TASKS if not found[path]] == [], "it asks nothing: take it off the list"


def asked_in(path: Path) -> list[str]:
    nodes = nodes_of(path)
    found = [f"imports {name}" for name in imported_tasks(nodes)] + [f"line {node.lineno}" for node in asks(nodes)]
    if not {"techniques", "heads"} & set(path.parts):
        found += [f"asks for a fact in line {node.lineno}" for node in asks_facts(nodes)]
    return found


def imported_tasks(nodes: Iterable[ast.AST]) -> list[str]:
    known = task_classes()
    return [
        alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (node.module, alias.name) in known
    ]


def asks(nodes: Iterable[ast.AST]) -> list[ast.expr]:
    """Flags of kinds that there were, and comparisons of a name with that of a task."""
    names = set(TASKS)
    flags = [node for node in nodes if isinstance(node, ast.Attribute) and node.attr in FLAGS]
    compared = [
        node
        for node in nodes
        if isinstance(node, ast.Compare) and any(_is_name(side) for side in (node.left, *node.comparators))
        if names & {one.value for side in (node.left, *node.comparators) for one in ast.walk(side) if _is_text(one)}
    ]
    return [*flags, *compared]


@cache
def own_facts() -> frozenset[str]:
    return frozenset[str]().union(*(task.own_facts for task in TASKS.values())) | set(CAPABILITIES)


def asks_facts(nodes: Iterable[ast.AST]) -> list[ast.Compare]:
    """`"…" in task.facts` and the like."""
    own = own_facts()
    return [
        node
        for node in nodes
        if isinstance(node, ast.Compare)
        if any(isinstance(side, ast.Attribute) and side.attr == "facts" for side in node.comparators)
        if any(_is_text(one) and one.value in own for one in ast.walk(node.left))
    ]


def _is_name(side: ast.expr) -> bool:
    return isinstance(side, ast.Attribute) and side.attr == "name"


def _is_text(node: ast.AST) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("from graftwork.tasks.regression import Regression", True),
        ("from graftwork.tasks.regression import is_skewed", False),
        ("if task.name == 'multilabel': pass", True),
        ("if task.name in ('multilabel', 'own'): pass", True),
        ("if task.answer == 'class': pass", False),
        ("if encoder.name == 'text': pass", False),
        ("print(task.open_set)", True),
        ("x = 'hard_labels' in task.facts", True),
        ("x = 'dropout' in encoder.facts", False),
    ],
)
def test_the_test_sees_what_asks(code: str, expected: bool) -> None:
    nodes = list(ast.walk(ast.parse(code)))
    assert bool(imported_tasks(nodes) or asks(nodes) or asks_facts(nodes)) == expected


def test_modules_of_tests_have_names_of_their_own() -> None:
    """Outside of packages pytest can't tell two of one name apart, and stops."""
    apart = [file for file in (ROOT / "tests").rglob("test_*.py") if not (file.parent / "__init__.py").exists()]
    names = [file.name for file in apart]
    assert sorted({name for name in names if names.count(name) > 1}) == []

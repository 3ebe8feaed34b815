"""No circle of imports, types and imports in functions counted: not of modules, and not of rooms beside each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in SOURCE.rglob("*.py")
}
ROOMS = sorted({name.rpartition(".")[0] for name in MODULES if "." in name})


def imported(path: Path) -> Iterator[str]:
    """The project's modules that a file names, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in names)


@cache
def imports() -> dict[str, set[str]]:
    """What each module names; read when the first test asks, since every process collects this file."""
    return {name: set(imported(path)) - {name} for name, path in MODULES.items() if name != "graftwork"}


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """One circle, if there is any."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def rooms_within(room: str) -> dict[str, set[str]]:
    """What stands in a room (files, and rooms of its own), and which of them each imports."""

    def place(module: str) -> str:
        return module.removeprefix(f"{room}.").partition(".")[0] if module.startswith(f"{room}.") else ""

    graph: dict[str, set[str]] = {}
    for module, found in imports().items():
        if place(module):
            graph.setdefault(place(module), set()).update(place(other) for other in found)
    return {one: {other for other in others if other} - {one} for one, others in graph.items()}


def test_what_is_found_is_what_is_imported() -> None:
    assert "graftwork.core.technique" in imports()["graftwork.techniques.augment.mixup"]
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert not circle({"a": {"b"}, "b": set()})


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert not circle(imports())


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_imports_itself_by_way_of_others(room: str) -> None:
    assert not circle(rooms_within(room))

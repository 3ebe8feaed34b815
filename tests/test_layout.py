"""The layout holds: imports go downward only, and files stay small enough to be read at once."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from graftwork.techniques import TECHNIQUES

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "graftwork"
LONGEST, LOOP, TECHNIQUE = 300, 150, 150
"""Lines of any file, of the training loop, and of a technique with its docs."""


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
            for node in ast.walk(ast.parse(text))
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
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        found = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        found |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        assert not found & techniques, f"{path.name} imports {found & techniques}"


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_file_is_one_idea_and_says_which(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    allowed = LOOP if path == SOURCE / "core" / "fit.py" else TECHNIQUE if path in technique_files() else LONGEST
    assert len(lines) <= allowed, f"{len(lines)} lines, more than {allowed}: split the file"
    assert path.name == "__init__.py" or lines[0].startswith('"""'), "the file begins without saying what it is for"

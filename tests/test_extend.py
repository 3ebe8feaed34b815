"""What outsiders may import from one place."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from graftwork import extend

ROOT = Path(__file__).parents[1]
GUIDES = sorted((ROOT / "docs" / "extending").glob("*.md"))
FENCE = re.compile(r"^```python.*\n((?:.*\n)*?)```$", re.MULTILINE)


def test_every_name_is_there_once() -> None:
    assert len(set(extend.__all__)) == len(extend.__all__)
    assert [name for name in extend.__all__ if not hasattr(extend, name)] == []


def test_what_is_annotated_in_the_contract_can_be_imported() -> None:
    """Whoever writes a technique can annotate what each method is given and gives."""
    for method in ("adapt", "start", "attach", "learn", "predict", "cost", "changes"):
        for hint in getattr(extend.Technique, method).__annotations__.values():
            names = re.findall(r"[A-Z]\w+", str(hint))
            assert set(names) - {"None"} <= set(extend.__all__), method


@pytest.mark.parametrize("guide", [*GUIDES, ROOT / "examples" / "own_technique.py"], ids=lambda path: path.stem)
def test_guides_import_from_here_alone(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    for block in FENCE.findall(text) if guide.suffix == ".md" else [text]:
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("graftwork"):
                assert node.module == "graftwork.extend"


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_a_guide_is_one_screen_besides_its_code(guide: Path) -> None:
    text = re.sub(r"^```.*\n(?:.*\n)*?```$", "", guide.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len([line for line in text.splitlines() if line.strip()]) <= 60


def test_the_command_line_does_not_pay_for_it() -> None:
    code = "import sys, graftwork.cli.main; print('graftwork.extend' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

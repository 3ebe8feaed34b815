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
FOREIGN = {"Any", "Callable", "ClassVar", "Collection", "Iterable", "Iterator", "Literal", "Mapping", "None", "Path"}
FOREIGN |= {"Self", "Sequence", "Tensor"}
RARE = {"Episodes", "Labels", "Reads"}
"""What nobody outside needs to name: few-shot tasks alone have episodes, and the others are plain values."""
FENCE = re.compile(r"^```python.*\n((?:.*\n)*?)```$", re.MULTILINE)


def test_every_name_is_there_once() -> None:
    assert len(set(extend.__all__)) == len(extend.__all__)
    assert [name for name in extend.__all__ if not hasattr(extend, name)] == []


@pytest.mark.parametrize(
    "cls",
    [
        *(extend.Technique, extend.Graft, extend.Setup, extend.Rows, extend.Batch),
        *(extend.Task, extend.ColumnTask, extend.Mixable, extend.Comparable, extend.Calibrated, extend.Section),
        *(extend.BaseSettings, extend.TrainingRows, extend.Encoder, extend.Head, extend.RowHead, extend.Metric),
    ],
    ids=lambda cls: cls.__name__,
)
def test_what_is_annotated_in_the_contract_can_be_imported(cls: type) -> None:
    """Whoever writes one can annotate what each method is given and gives."""
    hints = dict(vars(cls).get("__annotations__", {}))
    for name, member in vars(cls).items():
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if not name.startswith("_"):
            hints |= {f"{name}: {of}": hint for of, hint in getattr(function, "__annotations__", {}).items()}
    for name, hint in hints.items():
        own = set(re.findall(r"(?<![\w.])[A-Z]\w+", str(hint))) - FOREIGN - RARE - {cls.__name__}
        assert own <= set(extend.__all__), name


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

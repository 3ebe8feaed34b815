"""docs/security.md: a test stands behind each sentence that promises something."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))
COMMENT = re.compile(r"<!-- (.*?) -->", flags=re.DOTALL)


def named_files(section: str) -> list[Path]:
    """The test files that a section names in brackets; one without a folder is in that of the one before it."""
    found: list[Path] = []
    for listed in re.findall(r"\((`(?:tests/)?[\w/]*test_\w+\.py`(?:, `[\w/]+\.py`)*)\)", section):
        folder = ROOT
        for name in re.findall(r"`(.+?)`", listed):
            path = ROOT / name if name.startswith("tests/") else folder / name
            folder = path.parent
            found.append(path)
    return found


def promises(section: str) -> list[str]:
    return re.findall(r"^- .*?(?=^- |^\n|\Z)", section, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("title", SECTIONS)
def test_each_section_names_its_tests(title: str) -> None:
    files = named_files(SECTIONS[title])
    assert files or COMMENT.search(SECTIONS[title]), f"{title} names no tests"
    assert [path for path in files if not path.is_file()] == []


@pytest.mark.parametrize("title", [title for title, section in SECTIONS.items() if COMMENT.search(section)])
def test_each_promise_names_tests_that_exist(title: str) -> None:
    listed = promises(SECTIONS[title])
    assert listed
    for promise in listed:
        named = COMMENT.search(promise)
        assert named, f"no test is named behind: {promise}"
        for each in named[1].split(", "):
            file, _, test = each.strip().partition("::")
            assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), f"{each} does not exist"


def test_promises_are_found() -> None:
    assert {"Model folders", "Bases and teachers", "Files that are written", "The cache"} <= SECTIONS.keys()
    assert sum(len(promises(section)) for section in SECTIONS.values()) > 25

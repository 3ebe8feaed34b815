"""graftwork.data.store.yaml_files: what people and programs may put into a YAML file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from command import graft
from fuzz.examine import within
from graftwork.data.store.yaml_files import read_yaml
from graftwork.errors import UsageError

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"{chr(98 + at)}: &{chr(98 + at)} [{', '.join([f'*{chr(97 + at)}'] * 10)}]" for at in range(9)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "values, its aliases"),
        (f"{BOMB}\nbase: *j\ntechniques: *j", "values, its aliases"),
        ("a: &a [*a]", "not valid YAML"),
        ("a: &a {b: {c: *a}}", "not valid YAML"),
        ("[" * 20_000, "nested too deeply"),
        ("seed: " + "9" * 5000, "not valid YAML"),
        ("seed: 2001-99-99", "not valid YAML"),
        ("seed: !!python/object/apply:os.system [true]", "not valid YAML"),
        ("? {a: 1}\n: b", "not valid YAML"),
        ("a: 1\n--- \nb: 2", "not valid YAML"),
        ("a: \0", "not valid YAML"),
        ("#" * ((1 << 20) + 1), "larger than 1 MB"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else "",
)
def test_refused_in_words_and_at_once(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(text)
    with within(10), pytest.raises(UsageError, match=words):
        read_yaml(file, "recipe")


def test_bombs_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(BOMB)
    (tmp_path / "t.csv").write_text("text,label\na,b\n")
    with within(20):
        graft("fit", tmp_path / "t.csv", "--recipe", tmp_path / "r.yaml", "--out", tmp_path / "out").fails(
            2, "no recipe"
        )
        graft("run", tmp_path / "r.yaml", "--out", tmp_path / "out").fails(2, "no sequence")
    assert not (tmp_path / "out").exists()


def test_aliases_of_a_sensible_size_are_read(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("a: &a {b: 1}\nc: [*a, *a]\nd: {<<: *a, e: 2}")
    assert read_yaml(tmp_path / "r.yaml", "recipe") == {"a": {"b": 1}, "c": [{"b": 1}] * 2, "d": {"b": 1, "e": 2}}
    (tmp_path / "r.yaml").write_text("# nothing\n")
    assert read_yaml(tmp_path / "r.yaml", "recipe") is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_and_folders_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    for name in ("pipe.yaml", "folder.yaml", "none.yaml"):
        with within(5), pytest.raises(UsageError, match="no recipe file"):
            read_yaml(tmp_path / name, "recipe")

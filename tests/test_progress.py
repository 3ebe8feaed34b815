"""graftwork.progress: what is shown while things go on, in a terminal, a notebook and a file."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from graftwork import progress
from graftwork.progress import Bars, Doing, Lines, Notebook, Screen, clock


def wait_for(stream: io.StringIO, text: str) -> str:
    until = time.monotonic() + 10
    while text not in stream.getvalue() and time.monotonic() < until:
        time.sleep(0.01)
    return stream.getvalue()


def test_a_file_gets_a_line_now_and_then() -> None:
    stream = io.StringIO()
    with Lines(stream, every=0.05) as screen:
        screen.note("target: label")
        screen.doing("reading train.csv")
        assert stream.getvalue() == "target: label\nreading train.csv\n"
        assert "reading train.csv: 0:00 so far" in wait_for(stream, "so far")
        screen.show("tune", 20, 600, "steps", "loss 0.5")
        assert "tune: 20 of 600 steps, loss 0.5, 0:00 so far, about" in wait_for(stream, "20 of 600")
        screen.show("frozen base", 64, 5500, "rows")
        assert "frozen base: 64 of 5,500 rows" in wait_for(stream, "5,500")
        screen.forget("frozen base")
        screen.forget("tune")
        ended = stream.getvalue()
        time.sleep(0.2)
        assert stream.getvalue() == ended, "nothing goes on, so nothing is said"


def test_nothing_is_said_of_what_is_quick() -> None:
    stream = io.StringIO()
    with Lines(stream) as screen:
        for step in range(1000):
            screen.show("tune", step, 1000, "steps")
    assert stream.getvalue() == ""


def test_a_closed_stream_ends_no_run() -> None:
    stream = io.StringIO()
    with Lines(stream, every=0.02) as screen:
        stream.close()
        screen.note("nobody reads this")
        screen.show("tune", 1, 2, "steps")
        time.sleep(0.1)


def test_nothing_in_a_name_acts_on_the_terminal() -> None:
    stream = io.StringIO()
    with Lines(stream, every=0.02) as screen:
        screen.note("column a\x1b]0;owned\x07 \u202egnp")
        screen.doing("reading x\x1b[2J\ny.csv")
        screen.show("left out\x9b31m", 1, 2, "rows")
        wait_for(stream, "1 of 2")
    assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(stream.getvalue())
    assert "reading x\\x1b[2J\\ny.csv\n" in stream.getvalue()


def test_the_time_that_is_left() -> None:
    one = Doing("tune", time.monotonic() - 30, 100, 400, "steps")
    assert one.text() == "tune: 100 of 400 steps, 0:30 so far, about 1:30 left"
    assert clock(3599.6) == "1:00:00"


@pytest.mark.parametrize(
    ("terminal", "term", "kind"), [(False, "xterm", Lines), (True, "dumb", Lines), (True, "xterm", Bars)]
)
def test_which_screen(monkeypatch: pytest.MonkeyPatch, terminal: bool, term: str, kind: type[Screen]) -> None:
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: terminal, write=print, flush=print))
    monkeypatch.setenv("TERM", term)
    assert type(progress.screen()) is kind


def test_without_any_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with progress.screen() as screen:
        screen.note("nobody sees it")


def test_a_second_bar_at_once_is_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: True, write=lambda _: 0, flush=lambda: None))
    monkeypatch.setenv("TERM", "xterm")
    with progress.screen() as first:
        assert isinstance(first, Bars)
        assert isinstance(progress.screen(), Lines)
    assert isinstance(progress.screen(), Bars)


class Handle:
    """Stands for what IPython gives for an output that changes."""

    def __init__(self) -> None:
        self.shown: list[dict[str, str]] = []

    def update(self, data: dict[str, str], raw: bool) -> None:
        assert raw
        self.shown.append(data)


def test_a_notebook_gets_html_without_widgets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handle = Handle()

    def display(data: dict[str, str], raw: bool, display_id: bool) -> Handle:
        assert raw
        assert display_id
        handle.shown.append(data)
        return handle

    kernel: Any = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))  # type: ignore[arg-type]
    monkeypatch.setattr(progress, "REDRAWN", 0.0)
    with progress.screen() as screen:
        assert isinstance(screen, Notebook)
        screen.note("target: label")
        screen.doing("reading <b>.csv")
        screen.show("tune", 3, 10, "steps", "loss <0.1>")
    assert capsys.readouterr() == ("target: label\n", "")
    assert "reading &lt;b&gt;.csv" in handle.shown[0]["text/html"]
    assert "<progress value='3' max='10'>" in handle.shown[1]["text/html"]
    assert "loss &lt;0.1&gt;" in handle.shown[1]["text/html"]
    assert handle.shown[-1] == {"text/plain": "", "text/html": ""}, "the bar goes once all is done"


@pytest.mark.skipif(os.name != "posix", reason="a terminal is made with pty")
@pytest.mark.parametrize("plain", [False, True])
def test_a_bar_in_a_real_terminal(tmp_path: Path, plain: bool) -> None:
    import pty

    script = tmp_path / "script.py"
    script.write_text(
        "import time\nfrom graftwork import progress\n"
        "with progress.screen() as screen:\n"
        "    screen.note('a note with \\x1b[2J in it')\n"
        "    for step in range(30):\n"
        "        screen.show('tune', step, 30, 'steps', 'loss 0.5')\n"
        "        time.sleep(0.02)\n"
        "print('the end')\n"
    )
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"} | ({"NO_COLOR": "1"} if plain else {})
    with subprocess.Popen([sys.executable, script], stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        seen = b""
        try:
            while part := os.read(ours, 65536):
                seen += part
        except OSError:  # how Linux says that the other side has gone
            pass
        os.close(ours)
    text = seen.decode()
    assert process.returncode == 0
    assert "tune" in text
    assert "/30" in text
    assert "a note with \\x1b[2J in it" in text
    assert "the end" in text
    colours = [code for code in ("\x1b[31m", "\x1b[38;5", "\x1b[38;2", "\x1b[32m", "\x1b[36m") if code in text]
    assert not (plain and colours)

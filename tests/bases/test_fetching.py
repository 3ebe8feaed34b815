"""Fetching a base: whole, checked and once, or not at all."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

import graftwork as gw
from graftwork.bases import fetching, pypi
from graftwork.bases.catalogue import known, named
from graftwork.bases.home import folder_of, is_here, need
from graftwork.bases.source import read_source
from graftwork.data.store.locks import claimed
from graftwork.errors import DataError, FetchError, ModelError, UsageError
from graftwork.progress import Screen
from tinypackages import DATA, convert, entry, left_behind, offer, pinned, sha256, wheel

ONE, TWO = {"tiny_one/data.bin": DATA}, {"tiny_two/data.bin": b"more"}


@pytest.fixture
def tiny(index: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The base `tiny`, of two wheels; gives the folder of the index."""
    first, second = wheel(index, "tiny-one", ONE), wheel(index, "tiny-two", TWO)
    offer(monkeypatch, entry("tiny", pinned(first, "tiny-one", ONE), pinned(second, "tiny-two", TWO)))
    return index


def changed(monkeypatch: pytest.MonkeyPatch, index: Path, **package: object) -> None:
    """`tiny` of one wheel, whose pin says something else of it."""
    offer(monkeypatch, entry("tiny", pinned(wheel(index, "tiny-one", ONE), "tiny-one", ONE, **package)))


def fails(*words: str, files: list[Path] | None = None) -> None:
    """`get` says so, names the other ways, and keeps nothing."""
    with pytest.raises(FetchError) as raised:
        gw.bases.get("tiny", files=files or ())
    told = str(raised.value)
    for word in ("The base 'tiny' could not be fetched", "somebody/tiny", "--source hub", "--base FOLDER", *words):
        assert word in told, told
    assert not is_here("tiny")
    assert not folder_of("tiny").exists()
    assert left_behind(folder_of("tiny").parent) == []


# --- what comes -------------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_a_base_of_two_wheels(tiny: Path, own_home: Path) -> None:
    got = gw.bases.get("tiny")
    assert got == own_home / "bases" / "tiny" == need("tiny")
    assert (got / "part" / "model.safetensors").read_bytes() == DATA + b"more"
    told = json.loads((got / "source.json").read_text())
    assert told["files"] == {
        "config.json": sha256((got / "config.json").read_bytes()),
        "part/model.safetensors": sha256(DATA + b"more"),
    }
    assert [package["name"] for package in told["packages"]] == ["tiny-one", "tiny-two"]
    assert told["packages"][0] == {
        "registry": "pypi",
        "name": "tiny-one",
        "version": "1.0",
        "sha256": sha256((tiny / "tiny_one-1.0-py3-none-any.whl").read_bytes()),
        "by": "somebody",
    }
    assert (told["name"], told["licence"], told["hub"], told["form"]) == ("tiny", "MIT", "somebody/tiny", "whole")
    assert read_source(got).told == "PyPI: tiny-one to two 1.0, uploaded by somebody"
    assert left_behind(own_home) == []


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_it_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Told(Screen):
        def show(self, name: str, done: int, total: int, unit: str, state: str = "") -> None:
            told.append((name, done, total, unit, state))

        def doing(self, what: str) -> None:
            told.append(what)

    told: list[object] = []
    monkeypatch.setattr(pypi, "LOOK", 0.01)
    monkeypatch.setattr(fetching, "MB", 100)
    gw.bases.get("tiny", watch=Told())
    shown = [each for each in told if isinstance(each, tuple)]
    total = shown[0][2]
    assert (told[-1], shown[0]) == ("tiny: converting", ("tiny", 0, total, "MB", "tiny-one (1 of 2)"))
    assert shown[-1][4] == "tiny-two (2 of 2)"
    done = [each[1] for each in shown]
    assert done == sorted(done)
    assert 0 < done[-1] <= total


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_a_home_by_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRAFTWORK_HOME", "here")
    gw.bases.get("tiny")
    assert (tmp_path / "here" / "bases" / "tiny" / "source.json").is_file()


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_the_other_source_does_not_pass_for_the_one_that_is_here() -> None:
    gw.bases.get("tiny")
    with pytest.raises(UsageError, match=r"'tiny' is here already, out of its packages.*graft bases remove tiny"):
        gw.bases.get("tiny", source="hub")


def test_a_use_names_it_and_a_second_time_nothing_is_fetched(tiny: Path) -> None:
    got = gw.bases.get("tinys")
    for path in tiny.iterdir():
        path.unlink()
    assert gw.bases.get("tiny") == got


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_what_is_removed_is_gone_and_can_be_had_again(own_home: Path) -> None:
    gw.bases.get("tiny")
    assert gw.bases.remove("tinys") == own_home / "bases" / "tiny"
    assert not is_here("tiny")
    with pytest.raises(UsageError, match=r"'tiny' was not fetched"):
        gw.bases.remove("tiny")
    with pytest.raises(ModelError, match=r"'tiny' is not here.*graft bases get tiny.*--source hub.*--base FOLDER"):
        need("tiny")
    assert gw.bases.get("tiny").is_dir()
    assert left_behind(own_home) == []


def test_names_that_there_are_not() -> None:
    for call in (gw.bases.get, gw.bases.remove):
        with pytest.raises(UsageError, match=r"no base 'mpnett' to be had. Did you mean 'mpnet'"):
            call("mpnett")
    with pytest.raises(UsageError, match="Expected packages or hub"):
        gw.bases.get("mpnet", source="pip")  # type: ignore[arg-type]


def test_what_uses_mean() -> None:
    assert named("english").name == "mpnet"
    uses = [use for one in known().values() for use in one.uses]
    assert len(set(uses)) == len(uses)
    assert not set(uses) & set(known())


def test_nothing_of_a_package_runs(index: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither its modules, nor a source that would have to be built, nor what PYTHONPATH puts in pip's way."""
    mark = tmp_path / "ran"
    write = f"open({str(mark)!r}, 'w').close()\n".encode()
    files = {"tiny_one/__init__.py": write, "tiny_one/data.bin": DATA, "tiny.pth": write}
    made = wheel(index, "tiny-one", files)
    offer(monkeypatch, entry("tiny", pinned(made, "tiny-one", ONE)))
    (tmp_path / "path").mkdir()
    for name in ("sitecustomize.py", "pip.py"):
        (tmp_path / "path" / name).write_bytes(write)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    gw.bases.get("tiny")
    assert not mark.exists()
    assert "tiny_one" not in sys.modules


def test_a_source_is_not_built(index: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import io
    import tarfile

    mark = tmp_path / "built"
    with tarfile.open(index / "tiny_one-1.0.tar.gz", "w:gz") as archive:
        setup = f"open({str(mark)!r}, 'w').close()\n".encode()
        info = tarfile.TarInfo("tiny_one-1.0/setup.py")
        info.size = len(setup)
        archive.addfile(info, io.BytesIO(setup))
    path = index / "tiny_one-1.0.tar.gz"
    offer(monkeypatch, entry("tiny", pinned(path, "tiny-one", ONE)))
    monkeypatch.setenv("PIP_NO_BINARY", ":all:")
    fails("tiny-one 1.0 is not on the package index")
    assert not mark.exists()


# --- what does not come -----------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_a_package_that_has_vanished(tiny: Path) -> None:
    (tiny / "tiny_two-1.0-py3-none-any.whl").unlink()
    fails("tiny-two 1.0 is not on the package index (any more)")


@pytest.mark.slow
def test_another_file_under_the_same_name(tiny: Path) -> None:
    wheel(tiny, "tiny-two", {"tiny_two/data.bin": b"evil"})
    fails("tiny-two 1.0 is not the one that was looked at", "it was not opened")


@pytest.mark.usefixtures("tiny")
def test_another_file_in_spite_of_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(_: object, folder: Path, __: object) -> Path:
        return wheel(folder, "tiny-one", {"tiny_one/data.bin": b"evil"})

    monkeypatch.setitem(fetching._DOWNLOADS, "pypi", other)
    fails("what came for tiny-one 1.0 is not the file that was looked at", "it was not opened")


def test_a_file_in_it_that_is_not_the_pinned_one(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(monkeypatch, index, files={"tiny_one/data.bin": sha256(b"other")})
    fails("tiny_one/data.bin in tiny-one 1.0", f"expected the SHA-256 {sha256(b'other')}, found {sha256(DATA)}")


def test_a_layout_that_changed(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(monkeypatch, index, files={"tiny_one/weights.bin": sha256(DATA)})
    fails("the layout of tiny-one 1.0 changed", "expected the file tiny_one/weights.bin", "found tiny_one/data.bin")


def test_a_converter_that_does_not_know_the_file(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(files: Mapping[str, Path], out: Path) -> None:
        convert(files, out)
        raise ModelError("the layout of data.bin changed: expected 4 tensors, found 3.")

    made = wheel(index, "tiny-one", ONE)
    offer(monkeypatch, entry("tiny", pinned(made, "tiny-one", ONE), convert=refuse))
    fails("the layout of data.bin changed: expected 4 tensors, found 3. Nothing was kept")


@pytest.mark.usefixtures("tiny")
def test_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    fails("no way to the package index for tiny-one 1.0", "is there a network")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "no space left"),
        ("WARNING: Retrying (Retry(total=4)) after connection broken by 'ProxyError(...)'\nERROR: x", "no way to"),
        ("ERROR: No matching distribution found for tiny-one==1.0", "is not on the package index"),
        ("Traceback\nERROR: Exception: something new", "could not download tiny-one 1.0: Exception: something new"),
        ("", "it said nothing"),
    ],
)
def test_what_pip_said(said: str, words: str, tmp_path: Path) -> None:
    assert words in pypi.reason_of(said, pinned(wheel(tmp_path, "tiny-one", ONE), "tiny-one", ONE))


def test_without_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some tools make environments without it: one on the PATH serves as well."""
    import importlib.util

    assert pypi._pip() == [sys.executable, "-I", "-m", "pip"]
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchError, match="there is no pip here"):
        pypi._pip()
    (tmp_path / "pip3").write_text("#!/bin/sh\n")
    (tmp_path / "pip3").chmod(0o755)
    assert pypi._pip() == [str(tmp_path / "pip3")]


@pytest.mark.usefixtures("tiny")
def test_no_room_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "free_bytes", lambda _: 1_000_000)
    monkeypatch.setitem(fetching._DOWNLOADS, "pypi", lambda *_: pytest.fail("it was downloaded"))
    fails("there is no room on the disk", "1 MB are free", "set GRAFTWORK_HOME")


def test_no_room_in_the_middle(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(files: Mapping[str, Path], out: Path) -> None:
        convert(files, out)
        raise OSError(errno.ENOSPC, "No space left on device", str(out / "model.safetensors"))

    made = wheel(index, "tiny-one", ONE)
    offer(monkeypatch, entry("tiny", pinned(made, "tiny-one", ONE), convert=full))
    fails("there is no room on the disk", "set GRAFTWORK_HOME")


@pytest.mark.usefixtures("tiny")
def test_stopped_by_hand(monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    """pip ends with it, and nothing stays."""
    started = []

    def begin(_: list[str], **options: object) -> subprocess.Popen[str]:
        started.append(real([sys.executable, "-c", "import time; time.sleep(60)"], **options))  # type: ignore[call-overload]
        return started[-1]

    def stop(_: Path) -> int:
        raise KeyboardInterrupt

    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", begin)
    monkeypatch.setattr(pypi, "_bytes_in", stop)
    with pytest.raises(KeyboardInterrupt):
        gw.bases.get("tiny")
    assert started[0].poll() is not None
    assert not is_here("tiny")
    assert left_behind(own_home) == []


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_two_at_once() -> None:
    from threading import Thread

    told: list[Exception] = []

    def second() -> None:
        for call in (gw.bases.get, gw.bases.remove):
            try:
                call("tiny")
            except FetchError as error:
                told.append(error)

    with claimed(folder_of("tiny")):
        thread = Thread(target=second)
        thread.start()
        thread.join()
    assert [("is being fetched or removed" in str(one), "Wait until" in str(one)) for one in told] == [(True, True)] * 2
    assert gw.bases.get("tiny").is_dir()


@pytest.mark.usefixtures("tiny")
def test_a_home_that_can_not_be_written(own_home: Path) -> None:
    own_home.write_text("a file")
    with pytest.raises((FetchError, DataError), match="home"):
        gw.bases.get("tiny")


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_a_folder_without_its_source_is_replaced() -> None:
    folder = folder_of("tiny")
    (folder / "part").mkdir(parents=True)
    (folder / "old.txt").write_text("left by something")
    gw.bases.get("tiny")
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "part", "source.json"]


# --- paths in archives ------------------------------------------------------------------------------------------------
def test_only_pinned_paths_are_read(index: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    evil = {
        "../../evil.txt": b"evil",
        "/tmp/evil-of-a-test.txt": b"evil",
        "tiny_one/../../../evil.txt": b"evil",
        "tiny_one/other.bin": b"not asked for",
    }
    made = wheel(index, "tiny-one", ONE | evil)
    offer(monkeypatch, entry("tiny", pinned(made, "tiny-one", ONE)))
    seen = []

    def convert_and_look(files: Mapping[str, Path], out: Path) -> None:
        seen.extend(sorted(path.name for path in next(iter(files.values())).parent.iterdir() if path.is_file()))
        convert(files, out)

    offer(monkeypatch, entry("tiny", pinned(made, "tiny-one", ONE), convert=convert_and_look))
    gw.bases.get("tiny")
    assert [name for name in seen if name != "requirements.txt"] == [sha256(DATA)]
    assert not list(tmp_path.rglob("evil*"))
    assert not Path("/tmp/evil-of-a-test.txt").exists()


def test_a_name_that_climbs_stays_a_name(index: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Even one that is pinned: on the disk, files are called by their hashes."""
    evil = {"../../evil.txt": DATA}
    made = wheel(index, "tiny-one", evil)
    offer(monkeypatch, entry("tiny", pinned(made, "tiny-one", evil)))
    assert (gw.bases.get("tiny") / "part" / "model.safetensors").read_bytes() == DATA
    assert not list(tmp_path.rglob("evil*"))


# --- files brought by hand --------------------------------------------------------------------------------------------
def test_files_brought_by_hand(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fetching._DOWNLOADS, "pypi", lambda *_: pytest.fail("it was downloaded"))
    wheels = sorted(tiny.iterdir())
    renamed = wheels[1].rename(tiny / "copy (2).whl")
    for files in ([wheels[0], renamed], tiny, [str(wheels[0]), str(renamed)]):
        got = gw.bases.get("tiny", files=files)
        assert (got / "part" / "model.safetensors").read_bytes() == DATA + b"more"
        gw.bases.remove("tiny")
    assert renamed.is_file()


def test_files_that_are_others(tiny: Path, tmp_path: Path) -> None:
    wheels = sorted(tiny.iterdir())
    fails("tiny-two 1.0 is not among the files of --from", "pip download --no-deps tiny-two==1.0", files=[wheels[0]])
    whole = wheels[1].read_bytes()
    wheels[1].write_bytes(whole[:-10])
    fails("is not the file of tiny-two 1.0", "damaged, cut, or another one", sha256(whole), files=wheels)
    (tmp_path / "empty").mkdir()
    for path, words in ((tmp_path / "empty", "holds no packages"), (tmp_path / "none.whl", "no such file")):
        with pytest.raises(DataError, match=words):
            gw.bases.get("tiny", files=path)
    with pytest.raises(UsageError, match="--base FOLDER"):
        gw.bases.get("org/name", files=wheels)


@pytest.mark.usefixtures("index")
def test_a_package_that_is_no_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "tiny_one-1.0.whl"
    for content in (b"no zip", b"PK\x03\x04" + bytes(100)):
        path.write_bytes(content)
        offer(monkeypatch, entry("tiny", pinned(path, "tiny-one", ONE)))
        fails("the file of tiny-one 1.0 can't be read", files=[path])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny_one/data.bin", DATA)
    cut = bytearray(path.read_bytes())
    cut[45] ^= 255
    path.write_bytes(cut)
    offer(monkeypatch, entry("tiny", pinned(path, "tiny-one", ONE)))
    fails(files=[path])

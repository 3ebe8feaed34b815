"""graftwork.data.media.opening and images: hostile files are bad rows, found in little time and little memory."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from command import QUICK, graft
from deeppictures import chunk
from graftwork.data.media import opening
from graftwork.data.media.images import decode, examine
from graftwork.data.media.media import MediaError, content
from graftwork.errors import DataError, GraftworkError
from pictures import encoded, folder_of_classes, picture, png_header

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(/tmp/proof) (w) file closefile\nshowpage\n"


@pytest.fixture
def strange(tmp_path: Path) -> Iterator[Path]:
    """A folder of things that are no files, under names of pictures."""
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "topipe.png").symlink_to("pipe.png")
    (tmp_path / "circle.png").symlink_to("circle.png")
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "empty.png").touch()
    with open(tmp_path / "sparse.png", "wb") as file:
        file.truncate(100 << 30)
    (tmp_path / "closed.png").write_bytes(b"x")
    (tmp_path / "closed.png").chmod(0)
    here = os.getcwd()
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(tmp_path)  # the name of a socket is short
        server.bind("socket.png")
        os.chdir(here)
        yield tmp_path


REASONS = {
    "pipe.png": "is a pipe, not a file",
    "topipe.png": "is a pipe, not a file",
    "zero.png": "is a device, not a file",
    "folder.png": "is a folder, not a file",
    "socket.png": "is a socket, not a file",
    "circle.png": "can't be read: Too many levels of symbolic links",
    "gone.png": "there is no file",
    "empty.png": r"is empty \(0 bytes\)",
    "sparse.png": r"has 107,374,182,400 bytes; at most 1,073,741,824 are read",
    "nul\0.png": "can't be read: embedded null",
    "long" * 1000 + ".png": "can't be read: File name too long",
}


@pytest.mark.parametrize("name", REASONS, ids=lambda name: name[:12])
def test_what_is_no_file_is_a_reason_at_once(strange: Path, name: str) -> None:
    began = time.perf_counter()
    with pytest.raises(MediaError, match=REASONS[name]):
        content(name, strange)
    assert time.perf_counter() - began < 1


def test_a_pipe_put_there_after_the_look_makes_nobody_wait(strange: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = strange / "whole.png"
    whole.write_bytes(b"x")
    known = os.stat(whole)
    monkeypatch.setattr(opening.os, "stat", lambda _: known)
    with pytest.raises(MediaError, match="is a pipe, not a file"):
        opening.read_file(strange / "pipe.png", "pipe.png")


def test_a_file_that_grows_is_read_as_far_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MOST_BYTES", 10)
    (tmp_path / "a.png").write_bytes(b"x" * 10)
    assert len(opening.read_file(tmp_path / "a.png", "a.png")) == 10
    (tmp_path / "a.png").write_bytes(b"x" * 11)
    with pytest.raises(MediaError, match="at most 10 are read"):
        opening.read_file(tmp_path / "a.png", "a.png")


def test_hostile_rows_are_bad_rows_in_every_command(strange: Path) -> None:
    folder_of_classes(strange / "photos")
    good = [f"photos/{name}/{at}.png,{name}" for name in ("dark", "light") for at in range(6)]
    names = [name for name in REASONS if "\0" not in name]
    (strange / "good.csv").write_text("photo,label\n" + "\n".join(good) + "\n")
    (strange / "all.csv").write_text("photo,label\n" + "\n".join([*good, *(f"{name},dark" for name in names)]) + "\n")
    rows = [{"photo": row.split(",")[0], "label": row.split(",")[1]} for row in good] + [
        {"photo": "nul\0.png", "label": "dark"}
    ]
    (strange / "nul.jsonl").write_text("\n".join(map(json.dumps, rows)))
    base = ("--target", "label", "--base", "small-cnn:width=8,size=8", *QUICK)
    graft("fit", strange / "all.csv", *base, "--out", strange / "no").fails(1, "10 rows of 22 can't be used", "a pipe")
    fitted = graft("fit", strange / "all.csv", *base, "--on-bad-rows", "skip", "--out", strange / "run").works()
    assert "left out 10 of the 22 rows" in fitted.out + fitted.err
    graft("evaluate", strange / "run", strange / "all.csv").fails(1, "10 rows of 22 can't be used")
    graft("predict", strange / "run", strange / "all.csv", "--out", strange / "out.csv").works()
    told = (strange / "out.csv").read_text().splitlines()
    assert len(told) == 23
    assert sum("not a file" in line for line in told) == 5
    graft("predict", strange / "run", strange / "nul.jsonl", "--out", strange / "nul.csv").works()
    assert "embedded null" in (strange / "nul.csv").read_text()


def test_only_listed_formats_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_, **__: pytest.fail("ghostscript was started"))
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was started"))
    with pytest.raises(MediaError, match=r"what it holds is a \.eps file; \.eps files can't be read"):
        decode(EPS)
    for form in ("ICO", "TGA", "PCX", "SGI", "DDS", "QOI", "EPS", "PDF", "SPIDER", "ICNS"):
        file = io.BytesIO()
        small = picture(width=32, height=32).convert("L" if form == "SPIDER" else "RGB")
        try:
            (small.convert("F") if form == "SPIDER" else small).save(file, form)
        except (KeyError, OSError):
            continue
        with pytest.raises(MediaError):
            decode(file.getvalue())
    assert set(opening.formats()) <= {*opening.FORMATS, "HEIF"}


def bomb_text(name: bytes) -> bytes:
    """A PNG with a text of 200 MB in a chunk of 200 KB."""
    held = zlib.compress(bytes(200_000_000), 9)
    begun = {b"zTXt": b"k\0\0", b"iTXt": b"k\0\1\0\0\0", b"iCCP": b"k\0\0"}[name]
    whole = encoded(picture())
    return whole[:33] + chunk(name, begun + held) + whole[33:]


def webp_canvas() -> bytes:
    whole = bytearray(encoded(Image.new("RGBA", (16, 16), (9, 9, 9, 99)), "WEBP", lossless=True))
    frame = b"VP8X" + struct.pack("<I", 10) + bytes([2, 0, 0, 0]) + (16_383).to_bytes(3, "little") * 2
    body = b"WEBP" + frame + bytes(whole[12:])
    return b"RIFF" + struct.pack("<I", len(body)) + body


def many_scans() -> bytes:
    whole = encoded(picture(width=64, height=64), "JPEG", progressive=True)
    at = whole.rindex(b"\xff\xda")
    return whole[:at] + whole[at:-2] * 2000 + whole[-2:]


def gif_frame() -> bytes:
    """A GIF of one pixel whose frame claims 60,000 x 60,000."""
    head = b"GIF89a" + struct.pack("<HH", 1, 1) + b"\x80\0\0" + bytes(6)
    return head + b"," + struct.pack("<HHHH", 0, 0, 60_000, 60_000) + b"\0\x02\x02\x4c\x01\0;"


def thin() -> bytes:
    """One pixel wide and 99,000,000 high, in 68 bytes or so."""
    head = struct.pack(">IIBBBBB", 1, 99_000_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


BOMBS = {
    "thin": (thin, "99,000,000 pixels, more than 65,535 a side"),
    "wide": (lambda: png_header(99_000_000, 1), "more than 65,535 a side"),
    "huge": (lambda: png_header(60_000, 60_000), "more than 100 megapixels"),
    "ztxt": (lambda: bomb_text(b"zTXt"), "damaged or cut off"),
    "itxt": (lambda: bomb_text(b"iTXt"), "damaged or cut off"),
    "webp": (webp_canvas, "16,384 x 16,384 pixels, more than 100 megapixels"),
    "scans": (many_scans, "passes, more than 100"),
    "gif": (gif_frame, "more than 100 megapixels"),
    "ppm": (lambda: b"P6 60000 60000 255\n", "more than 100 megapixels"),
    "deep ppm": (lambda: b"P6 60000 60000 65535\n", "more than 100 megapixels"),
    "short ppm": (lambda: b"P6 9000 9000 255\n", "damaged or cut off"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_cost_little_time(name: str) -> None:
    make, reason = BOMBS[name]
    file = make()
    began = time.process_time()
    for reader in (decode, examine):
        with pytest.raises(MediaError, match=reason):
            reader(file)
    assert time.process_time() - began < 3


def test_bombs_cost_little_memory(tmp_path: Path) -> None:
    files = []
    for name, (make, _) in BOMBS.items():
        files.append(tmp_path / f"{name}.bin")
        files[-1].write_bytes(make())
    script = """
import resource, sys
from graftwork.data.media.images import decode
from graftwork.data.media.media import MediaError, content
from graftwork.errors import DataError, GraftworkError
import PIL.Image; PIL.Image.init()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        decode(content(path, None))
    except MediaError:
        continue
    sys.exit(path)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", script, *map(str, files)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 400, done.stdout


def test_a_profile_that_unpacks_to_much_is_left_out_or_refused() -> None:
    began = time.process_time()
    with contextlib.suppress(MediaError):
        decode(bomb_text(b"iCCP"))
    assert time.process_time() - began < 3


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_many_frames_one_is_decoded(form: str) -> None:
    frames = [Image.new("RGB", (200, 100), (at, 0, 0)) for at in range(60)]
    file = io.BytesIO()
    frames[0].save(file, form, save_all=True, append_images=frames[1:])
    held = file.getvalue()
    began = time.process_time()
    assert decode(held).size == (200, 100)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "AVIF", "JPEG2000"])
def test_cut_and_changed_files_are_read_or_refused(form: str) -> None:
    if form not in opening.formats():
        pytest.skip("not in this build")
    whole = encoded(picture(width=40, height=30), form)
    rng = np.random.default_rng(0)
    for _ in range(60):
        changed = bytearray(whole)
        for at in rng.integers(0, len(whole), rng.integers(1, 6)):
            changed[at] = rng.integers(0, 256)
        held = bytes(changed[: rng.integers(1, len(whole) + 1)] if rng.random() < 0.3 else changed)
        with contextlib.suppress(MediaError):
            assert decode(held).mode == "RGB"


def photos_of_people(folder: Path) -> list[dict[str, str]]:
    rows = []
    for person in range(8):
        for at in range(4):
            path = folder / f"person{person}-{at}.png"
            path.write_bytes(encoded(picture(10 * person + at)))
            rows.append({"photo": str(path), "name": f"person {person}"})
    return rows


def test_verify_enroll_and_identify_refuse_what_is_no_file(strange: Path) -> None:
    import graftwork as gw

    quick = gw.Training(precision="fp32", steps=2, batch=8)
    recipe = gw.Recipe(base="small-cnn:width=8,size=8", task="identity", techniques=[], training=quick)
    rows = photos_of_people(strange)
    model = gw.fit(rows, target="name", recipe=recipe)
    model.save(strange / "model")
    for name in ("pipe.png", "zero.png", "sparse.png", "socket.png"):
        with pytest.raises(DataError, match=REASONS[name]):
            model.verifier().verify(rows[0]["photo"], str(strange / name))
    with pytest.raises(DataError, match="is a pipe, not a file"):
        model.verifier().enroll({"person 0": [rows[0]["photo"], str(strange / "pipe.png")]})
    good = rows[0]["photo"]
    graft("verify", strange / "model", good, strange / "pipe.png").fails(1, "is a pipe, not a file")


def test_search_refuses_what_is_no_file(strange: Path) -> None:
    import graftwork as gw

    quick = gw.Training(precision="fp32", steps=2, batch=8)
    base = {"photo": "small-cnn:width=8,size=8", "words": "gru:width=8"}
    recipe = gw.Recipe(base=base, task="retrieval", techniques=[], training=quick)
    people = photos_of_people(strange)
    rows = [{"photo": row["photo"], "words": f"{row['name']} number {at}"} for at, row in enumerate(people)]
    model = gw.fit(rows, inputs=["photo", "words"], recipe=recipe)
    model.searcher().index(rows)
    with pytest.raises(GraftworkError, match="is a device, not a file"):
        model.searcher().search(str(strange / "zero.png"), 3)

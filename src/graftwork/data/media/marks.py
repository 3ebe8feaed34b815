"""What a file holds, told by its first bytes: an image or a sound, readable here or not."""

from __future__ import annotations

from typing import Literal


def held_kind(start: bytes) -> Literal["image", "audio"] | None:
    """What a file holds by its first bytes (16 will do), whether it can be read here or not."""
    if start[:4] in (b"RIFF", b"RF64"):
        return "audio" if start[8:12] == b"WAVE" else "image" if start[8:12] == b"WEBP" else None
    if start[4:8] == b"ftyp":
        return "image" if start[8:12] in _STILL else "audio"
    if start[:4] == b"FORM":
        return "audio" if start[8:12] in (b"AIFF", b"AIFC") else None
    return next((kind for mark, kind in _MARKS if start.startswith(mark)), None)


_STILL = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
_IMAGES = (
    b"\xff\xd8\xff",
    b"\x89PNG",
    b"GIF8",
    b"BM",
    b"II*\x00",
    b"MM\x00*",
    b"\x00\x00\x00\x0cjP  ",
    b"\xff\x4f\xff\x51",
    *(f"P{digit}{space}".encode() for digit in "123456" for space in "\n \r\t"),
    b"\x93NUMPY",
    b"8BPS",
    b"%!PS",
)
_SOUNDS = (b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b".snd", b"caff")
_SOUNDS_UNREAD = (b"#!AMR", b"MThd", b"\xff\xf1", b"\xff\xf9")
_MARKS: tuple[tuple[bytes, Literal["image", "audio"]], ...] = (
    *((mark, "image") for mark in _IMAGES),
    *((mark, "audio") for mark in (*_SOUNDS, *_SOUNDS_UNREAD)),
)


def foreign(start: bytes) -> str | None:
    """The usual ending of a file in a format that is known but not read, by its first bytes (64 will do)."""
    if start[4:8] == b"ftyp":
        brand = start[8:12]
        if brand in _STILL:
            return None if brand.startswith(b"avi") else ".heic"
        return ".m4a" if brand.startswith(b"M4") else ".mp4"
    return next((ending for mark, ending in _FOREIGN.items() if start.startswith(mark)), None)


_FOREIGN = {
    b"8BPS": ".psd",
    b"%!PS": ".eps",
    b"<svg": ".svg",
    b"#!AMR": ".amr",
    b"\xff\xf1": ".aac",
    b"\xff\xf9": ".aac",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": ".wma",
    b"\x1aE\xdf\xa3": ".mkv",
    b"MThd": ".mid",
    b"MAC ": ".ape",
    b"wvpk": ".wv",
}

"""How the names of image and sound files end: of those that are read, and of those that are known but are not."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal


def _endings(text: str) -> frozenset[str]:
    return frozenset(f".{word}" for word in text.split())


READABLE: dict[Literal["image", "audio"], frozenset[str]] = {
    "image": _endings(
        "jpg jpeg jpe jfif png apng gif bmp dib webp tif tiff ppm pgm pbm pnm avif jp2 j2k jpf jpx j2c jpc mpo"
    ),
    "audio": _endings("wav wave bwf flac mp3 mp2 ogg oga opus aiff aif aifc au snd caf w64 rf64 voc"),
}
"""Pillow and libsndfile read these here."""

HEIF = _endings("heic heif hif")
_RAW = _endings("raw dng cr2 cr3 nef nrw arw srw orf rw2 raf pef 3fr")
_VIDEO = _endings("mp4 m4v mov avi mkv webm mpg mpeg wmv flv 3gp ts")
_NOTES = _endings("mid midi")
_DRAWN = _endings(
    "psd psb svg svgz eps ai ps tga ico icns cur jxl jxr wdp dds exr hdr xcf dcm pcx qoi wmf emf djvu xbm"
)
_HEARD = _endings("aac m4a m4b m4p m4r wma amr awb ape alac ac3 dts mka wv spx ra tta dsf dff weba mpc 3ga aax gsm sph")

UNREADABLE: dict[str, Literal["image", "audio"]] = {
    **dict.fromkeys(HEIF | _RAW | _VIDEO | _DRAWN, "image"),
    **dict.fromkeys(_NOTES | _HEARD, "audio"),
}
"""Such names are those of images (videos among them) and sounds, but nothing here reads them."""

WEAK = _endings("au snd ai ps ra ts raw mov im mid hdr wv")
"""Ends of domains and of words too: they tell something only behind a folder."""

REMEDIES: dict[str, str] = {
    "image": "save them as .png or .jpg first",
    "audio": "make them .wav, .flac or .mp3 first (ffmpeg -i sound.m4a sound.wav)",
    **dict.fromkeys(HEIF, "save them as .jpg or .png first, or install their reader (pip install pillow-heif)"),
    **dict.fromkeys(_RAW, "develop them to .jpg, .png or .tif first"),
    **dict.fromkeys(_VIDEO, "take pictures out of them, or their sound (ffmpeg -i clip.mp4 clip.wav), first"),
    **dict.fromkeys(_NOTES, "they hold notes and no sound; play them into a .wav first"),
}
"""What to do instead, by ending, else by kind."""


@lru_cache(maxsize=1)
def reads_heif() -> bool:
    """Whether HEIC pictures can be read: where pillow-heif is installed."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True

"""docs/security.md: the numbers and formats that it promises of pictures and sounds are those of the code."""

from __future__ import annotations

from pathlib import Path

from graftwork.data.media import images, opening, sounds

PAGE = " ".join((Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8").split())


def test_limits() -> None:
    assert opening.MOST_BYTES == 1 << 30
    for promised in (
        "more than 1 GiB",
        f"at most {images.MOST_PIXELS // 10**6} megapixels and {images.MOST_SIDE:,} pixels a side",
        f"a JPEG at most {images.MOST_SCANS} passes",
        f"at most {sounds.LONGEST // 60} minutes, {sounds.MOST_SAMPLES:,} samples, {sounds.MOST_CHANNELS} channels",
        f"{sounds.RATES[0]} to {sounds.RATES[1]:,} samples a second",
    ):
        assert promised in PAGE, promised


def test_formats() -> None:
    pictures = PAGE.split("Pillow may take bytes for ")[1].split("whatever a file is called")[0]
    assert all(name in pictures for name in opening.FORMATS)
    heard = PAGE.split("libsndfile may take them for ")[1].split(". -")[0]
    assert all(name in heard for name in sounds.FORMATS if name != "WAVEX")

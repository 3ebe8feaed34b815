"""A teacher that is a classifier of the transformers library: of texts, images or sounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from graftwork.data.columns.convert import is_missing
from graftwork.data.columns.kinds import is_string
from graftwork.data.media.media import content_digest, readable
from graftwork.data.store.cache import column_digest, digest
from graftwork.data.store.spool import slices
from graftwork.data.table import Table
from graftwork.devices import chosen
from graftwork.errors import DataError, ModelError
from graftwork.networks.hub.loading import load_model, load_reader, locate, read_config
from graftwork.runs.teachers.saved_model import EXPECTED, Answers, Opened
from graftwork.tasks.classification import Classification
from graftwork.tasks.multilabel import Multilabel
from graftwork.tasks.regression import Regression
from graftwork.tasks.task import Task

Reader = Callable[[Sequence[Any]], Mapping[str, Tensor]]
"""Cells of a column as the model's inputs."""
KINDS = {
    "ForSequenceClassification": ("text", "AutoModelForSequenceClassification"),
    "ForImageClassification": ("image", "AutoModelForImageClassification"),
    "ForAudioClassification": ("audio", "AutoModelForAudioClassification"),
}
"""By the end of an architecture's name, what it reads and how transformers loads it."""
BATCH = 32


def open_classifier(source: str, table: Table) -> Opened:
    """A teacher of the rows of `table`: its task stands under "", since it does not name its target."""
    folder = locate(source, "teacher", EXPECTED)
    config = read_config(folder)
    kind, auto = _kind(source, config)
    values = table.column(_column(source, kind, table))
    model = _model(folder, auto)
    if kind != "text":
        _check_whole(source, table, values)

    def key() -> str:
        seen = column_digest(values) if kind == "text" else content_digest(values, table.folder)
        weights = [file.read_bytes() for file in sorted(folder.glob("*.safetensors"))]
        return digest((folder / "config.json").read_bytes(), *weights, seen)

    task, read = _task(source, config), _reader(folder, kind, table)
    width = _asked(model, values.slice(0, 1), read).features.shape[1]
    return {"": task}, width, key, lambda: _asked(model, values, read)


def _kind(source: str, config: Any) -> tuple[str, str]:
    """What it reads, and how transformers loads it."""
    from transformers import MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING

    ends = [end for name in getattr(config, "architectures", None) or () for end in KINDS if name.endswith(end)]
    if ends and type(config) in MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING:  # some are ...ForSequenceClassification
        return KINDS["ForAudioClassification"]
    if ends:
        return KINDS[ends[0]]
    named = ", ".join(getattr(config, "architectures", None) or ["nothing"])
    raise ModelError(
        f"The teacher {source} is no classifier: its config.json names {named}. Expected a model whose architecture "
        f"ends in {', '.join(KINDS)}, or a folder that graft fit wrote."
    )


def _column(source: str, kind: str, table: Table) -> str:
    names = [column.name for column in table.schema.inputs if column.kind == kind]
    if len(names) != 1:
        have = f"{len(names)} of them ({', '.join(names)})" if names else "none"
        raise DataError(
            f"The teacher {source} reads one column of kind {kind}, and {table.source} has {have} among its inputs. "
            "Choose the inputs with --inputs, or another teacher."
        )
    return names[0]


def _task(source: str, config: Any) -> Task:
    labels = [str(config.id2label[index]) for index in range(config.num_labels)]
    if len(labels) == 1 or config.problem_type == "regression":
        return Regression().with_state({"mean": 0.0, "std": 1.0})
    if len(set(labels)) < len(labels):
        raise ModelError(f"The teacher {source} names two outputs alike in its config.json (id2label).")
    many = config.problem_type == "multi_label_classification"
    state = {"classes": labels, "type": "string", "lists": False}
    return Multilabel().with_state(state) if many else Classification().with_state(state)


def _model(folder: Path, auto: str) -> Any:
    model, info = load_model(auto, folder)
    if info["missing_keys"] or info["mismatched_keys"]:
        raise ModelError(f"The weights in {folder} don't fit its config.json: some are missing. Is the file whole?")
    return model.eval()


def _reader(folder: Path, kind: str, table: Table) -> Reader:
    if kind == "text":
        tokenizer = load_reader("AutoTokenizer", folder, "tokenizer")
        most = min(tokenizer.model_max_length, 512)
        return lambda cells: tokenizer(
            ["" if cell is None else str(cell) for cell in cells],
            truncation=True,
            max_length=most,
            padding=True,
            return_tensors="pt",
        )
    if kind == "image":
        from graftwork.data.media.images import decode

        pictures = load_reader("AutoImageProcessor", folder, "image processor")
        return lambda cells: pictures(images=[decode(_held(cell, table)) for cell in cells], return_tensors="pt")
    from graftwork.data.media.sounds import at_rate
    from graftwork.data.media.sounds import decode as samples_of

    sounds = load_reader("AutoFeatureExtractor", folder, "feature extractor")
    rate = int(sounds.sampling_rate)
    return lambda cells: sounds(
        [at_rate(*samples_of(_held(cell, table)), rate) for cell in cells],
        sampling_rate=rate,
        padding=True,
        return_tensors="pt",
    )


def _held(cell: Any, table: Table) -> bytes:
    scale = next((column.scale for column in table.schema.inputs if column.kind == "image"), None)
    return readable(cell, table.folder, scale) or b""


def _check_whole(source: str, table: Table, values: pa.ChunkedArray) -> None:
    """Raise DataError where a row has nothing for the teacher to read."""
    empty = np.flatnonzero(np.concatenate([is_missing(part) for part in slices(values)]))
    if len(empty):
        raise DataError(
            f"{table.source}: {len(empty):,} of {len(values):,} rows have nothing for the teacher {source} to read; "
            f"the first is {table.place(int(table.rows[empty[0]]))}. Leave them out, or use a teacher that was "
            "trained here, which can do without."
        )


def _asked(model: Any, values: pa.ChunkedArray, read: Reader) -> Answers:
    """One pass over the column, texts of like length together."""
    device = chosen()
    model.to(device)
    order, rows_in_all = np.arange(len(values)), len(values)
    if is_string(values.type):
        order = np.argsort(np.asarray(pc.fill_null(pc.utf8_length(values), 0)), kind="stable")[::-1]
    logits = np.zeros((rows_in_all, model.config.num_labels), np.float32)
    features: np.ndarray | None = None
    with torch.inference_mode():
        for start in range(0, rows_in_all, BATCH):
            rows = order[start : start + BATCH]
            inputs = {name: value.to(device) for name, value in read(values.take(pa.array(rows)).to_pylist()).items()}
            output = model(**inputs, output_hidden_states=True)
            pooled = _pooled(output.hidden_states[-1], inputs.get("attention_mask")).float().cpu().numpy()
            if features is None:
                features = np.zeros((rows_in_all, pooled.shape[1]), np.float32)
            logits[rows], features[rows] = output.logits.float().cpu().numpy(), pooled
    assert features is not None
    return Answers({"": logits}, features)


def _pooled(states: Tensor, mask: Tensor | None) -> Tensor:
    """The mean (B, W) of the last hidden states: over tokens that count, patches, or places of a map (B, W, H, W')."""
    if states.ndim == 4:
        return states.mean(dim=(2, 3))
    if mask is None or mask.shape[1] != states.shape[1]:
        return states.mean(dim=1)
    kept = mask.unsqueeze(2).to(states.dtype)
    return (states * kept).sum(dim=1) / kept.sum(dim=1).clamp_min(1.0)

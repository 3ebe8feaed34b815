"""Export to a folder that plain transformers loads, and that predicts the same.

Where the base's architecture has a sequence classifier that can compute the same function (`deploy.classifier`), the
folder holds that, for `AutoModelForSequenceClassification` and `pipeline("text-classification")`. Otherwise it holds
the base for `AutoModel`, the head, and a short program (`deploy.bundle`). Both are compared with the model before the
folder appears.
"""

from __future__ import annotations

import copy
import runpy
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graftwork.core.training.checkpoint import disk_errors
from graftwork.data.columns.joined import text_values
from graftwork.data.columns.text import TextSettings
from graftwork.data.store.cache import storing
from graftwork.data.store.locks import claimed
from graftwork.data.store.staging import STAGED, staged
from graftwork.data.store.writing import is_own, remove, write_text
from graftwork.deploy.transformers import sentences
from graftwork.deploy.transformers.bundle import PROGRAM, write_bundle
from graftwork.deploy.transformers.classifier import build
from graftwork.errors import ModelError, UsageError
from graftwork.model import Model
from graftwork.networks.hub.joined_texts import pair_of
from graftwork.networks.hub.loading import load_model, load_reader
from graftwork.networks.text.transformer import TransformerEncoder
from graftwork.tasks.capabilities import Decides, Weighs

TOLERANCE = 1e-3
"""The most that a probability may differ (a regression: in standard deviations of the target)."""
MARK = "exported by graftwork"
LAST = "config.json"
"""Without it, transformers takes the folder for no model."""


def export_transformers(model: Model, folder: Path) -> list[str]:
    """Write `folder` and return lines that say what it is and how closely it agrees with the model, both in float32.

    An earlier export in the folder is replaced. Raises UsageError where the folder holds something else, for models
    that read anything but texts or align two inputs, for bases that transformers has no architecture for (gru, lstm,
    cnn), and for models that change texts in ways that a tokenizer can't (markup, stop words); ModelError where what
    was written does not agree.
    """
    encoder = _encoder(model)
    _check_texts(model.recipe.text)
    with claimed(folder):
        _check_folder(folder)
        network = copy.deepcopy(model.network).float()
        network.autocast = None
        model = replace(model, network=network.cpu().eval())
        encoder = _encoder(model)
        with storing(folder), disk_errors(), _without_bars(), staged(folder, LAST, _earlier(folder)) as place:
            return [*_written(model, encoder, place, folder), *_thresholds(model)]


def _thresholds(model: Model) -> list[str]:
    """What an export does not carry: it gives probabilities, and whoever reads them decides."""
    moved = {name: task.threshold for name, task in model.tasks.items() if isinstance(task, Decides)}
    weighed = [name for name, task in model.tasks.items() if isinstance(task, Weighs) and task.weights]
    return [
        *(f"{name}: the model weighs its classes; the export gives probabilities alone" for name in weighed),
        *_moved(moved),
    ]


def _moved(moved: Mapping[str, float]) -> list[str]:
    return [
        f"{name}: the model predicts from a probability of {threshold:.3g} on; the export gives probabilities alone"
        for name, threshold in moved.items()
        if threshold != 0.5
    ]


def _written(model: Model, encoder: TransformerEncoder, partial: Path, folder: Path) -> list[str]:
    """Fill `partial` with a classifier, or else with the base and a program, and say which and how well it agrees."""
    texts = _samples(model, encoder)
    first = [texts[column] for column in next(iter(model.network.sources.values()))]
    classifier = build(model, encoder.collate(encoder.prepare(text_values(first, TextSettings()))))
    if classifier is not None:
        classifier.save_pretrained(partial)
        _save_tokenizer(model, encoder, partial)
        difference, agreement = _compare(model, texts, _classifier_outputs(model, encoder, partial, first))
        agreed = _agreement(model, len(first[0]), difference, agreement)
        if difference <= TOLERANCE and agreement == 1.0:
            write_text(partial / "README.md", _readme(folder, CLASSIFIER if len(first) == 1 else PAIR_CLASSIFIER))
            return [
                f"{folder}: a sequence classifier of transformers",
                agreed,
            ]
        for path in list(partial.iterdir()):
            remove(path)
    write_bundle(model, encoder, partial)
    _save_tokenizer(model, encoder, partial)
    difference, agreement = _compare(model, texts, _program_outputs(partial, texts))
    agreed = _agreement(model, len(first[0]), difference, agreement)
    if difference > TOLERANCE:
        raise ModelError(
            f"The export does not agree with the model: {agreed}. "
            "Nothing was written. Please report this, with the base and the recipe."
        )
    write_text(partial / "README.md", _readme(folder, PROGRAM_USE if len(texts) == 1 else PROGRAM_USE_OF_COLUMNS))
    return [
        f"{folder}: a base of transformers, a head and {PROGRAM}; its architecture has no classifier that is the same",
        agreed,
    ]


def _encoder(model: Model) -> TransformerEncoder:
    network = model.network
    reads = ", ".join(f"{name} ({network.encoder(name).modality})" for name in network.columns)
    if any(encoder.modality != "text" for encoder in network.each_encoder()):
        raise UsageError(
            f"This model reads {reads}. Only models that read nothing but texts can be exported; this one runs with "
            "graft predict."
        )
    aligned = [task.name for task in model.tasks.values() if task.target == "inputs"]
    if aligned:
        raise UsageError(
            f"The task of this model is {aligned[0]}, for which transformers has no architecture, so it can't be "
            "exported; it runs with graft predict and graft search."
        )
    acting = [technique.name for technique in model.recipe.listed if technique.predict_depth is not None]
    if network.film is not None or acting:
        what = acting[0] if acting else "film"
        raise UsageError(
            f"The model was made with {what}, which acts at prediction and has no counterpart in transformers. It runs "
            "with graft predict; train it without to export it."
        )
    if any(task.bends_outputs for task in model.tasks.values()):
        raise UsageError(
            "This model learned the logarithm of the target, which a head of transformers does not undo. Train with "
            "--task regression:log=false to export it; this one runs with graft predict."
        )
    encoders = list(network.each_encoder())
    if len(encoders) > 1 or not isinstance(encoders[0], TransformerEncoder):
        raise UsageError(
            f"The base '{model.recipe.base}' can't be exported: transformers has no such architecture. "
            "Models of minilm and of transformers' own bases can; this one runs with graft predict."
        )
    tokenizer = encoders[0].tokenizer
    if tokenizer.windows > 1 or tokenizer.side == "middle":
        raise UsageError(
            f"The base '{model.recipe.base_text}' reads long texts in windows or their two ends, which transformers "
            "can't do, so an export would predict something else. Train with --base minilm, which reads their "
            "beginning, to export it; this one runs with graft predict."
        )
    return encoders[0]


def _check_texts(settings: TextSettings) -> None:
    named = [name for name in ("markup", "stop_words") if getattr(settings, name) != getattr(TextSettings(), name)]
    if named:
        raise UsageError(
            f"This model changes texts before they are tokenised (text.{', text.'.join(named)}), which transformers "
            "can't do, so an export would predict something else. Clean the texts yourself and train without it."
        )


def _check_folder(folder: Path) -> None:
    if folder.is_file():
        raise UsageError(f"{folder} is a file. Name a folder.")
    readmes = [folder / "README.md", folder / STAGED / "README.md"]
    ours = any(each.is_file() and MARK in each.read_text(encoding="utf-8", errors="replace") for each in readmes)
    if folder.is_dir() and not ours and any(not is_own(path.name) for path in folder.iterdir()):
        raise UsageError(f"{folder} holds something that is not an export of graftwork. Choose another folder.")


def _earlier(folder: Path) -> list[str]:
    """What an earlier export left in the folder. `LAST` is the first to go and the last to come, so that nobody loads
    some of the old files with some of the new ones."""
    shards = [path.name for path in folder.glob("model*.safetensors*")]
    return [LAST, PROGRAM, "head.json", "head.safetensors", *shards]


@contextmanager
def _without_bars() -> Iterator[None]:
    """Without transformers' progress bars, which would stand between the lines that are printed."""
    from transformers.utils import logging

    bars: Any = logging
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()


def _save_tokenizer(model: Model, encoder: TransformerEncoder, folder: Path) -> None:
    """The base's tokenizer, which cuts, pads and normalises as the model does."""
    encoder.tokenizer.save_files(folder)
    tokenizer = load_reader("AutoTokenizer", folder, "exported tokenizer")
    if tokenizer.pad_token_id != encoder.tokenizer.pad:
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(encoder.tokenizer.pad)
    tokenizer.model_max_length = encoder.tokenizer.max_length
    tokenizer.padding_side, tokenizer.truncation_side = "right", encoder.tokenizer.side
    wanted = sentences.normaliser(model.recipe.text, encoder.tokenizer.backend)
    if wanted is not None:
        tokenizer.backend_tokenizer.normalizer = wanted
    if not encoder.reads_segments and "token_type_ids" in tokenizer.model_input_names:
        tokenizer.model_input_names = [name for name in tokenizer.model_input_names if name != "token_type_ids"]
    tokenizer.save_pretrained(folder)


def _samples(model: Model, encoder: TransformerEncoder) -> dict[str, list[str]]:
    """Texts for each column that the model reads: the same for every input, and within one sequence different ones."""
    texts = sentences.samples(encoder.tokenizer.backend)
    return {
        column: texts[at:] + texts[:at]
        for columns in model.network.sources.values()
        for at, column in enumerate(columns)
    }


def _classifier_outputs(
    model: Model, encoder: TransformerEncoder, folder: Path, columns: list[list[str]]
) -> np.ndarray:
    """What the classifier in the folder says. columns: the texts of each column that it reads in one sequence."""
    tokenizer = load_reader("AutoTokenizer", folder, "exported tokenizer")
    loaded, _ = load_model("AutoModelForSequenceClassification", folder)
    rows = [row if len(row) == 1 else pair_of(row, encoder.tokenizer.separator) for row in zip(*columns, strict=True)]
    found = []
    with torch.inference_mode():
        for start in range(0, len(rows), 32):
            texts = map(list, zip(*rows[start : start + 32], strict=True))
            batch = tokenizer(*texts, padding=True, truncation=True, return_tensors="pt")
            names = ("input_ids", "attention_mask", *(["token_type_ids"] if encoder.reads_segments else []))
            found.append(loaded(**{name: batch[name] for name in names}).logits)
    outputs: np.ndarray = torch.cat(found).numpy()
    return model.task.in_units(outputs) if model.task.classes else outputs


def _program_outputs(folder: Path, texts: Mapping[str, list[str]]) -> np.ndarray:
    """What predict.py in the folder says."""
    program = runpy.run_path(str(folder / PROGRAM), run_name="predict")
    rows = list(zip(*texts.values(), strict=True)) if len(texts) > 1 else next(iter(texts.values()))
    return np.asarray(program["Model"](folder).probabilities(rows).numpy())


def _compare(model: Model, texts: Mapping[str, list[str]], found: np.ndarray) -> tuple[float, float]:
    """The largest difference, and the share of rows with the same prediction."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "[0-9,]+ of [0-9,]+ texts in .* are longer than")  # the samples are ours
        expected = model.predict_proba(texts)
    assert isinstance(expected, np.ndarray)
    scale = 1.0 if model.task.classes else max(float(expected.std()), 1e-9)
    same = model.task.predicted(found) == model.task.predicted(expected)
    agreement = float(same.reshape(len(found), -1).all(1).mean()) if model.task.classes else 1.0
    return float(np.abs(found - expected).max()) / scale, agreement


def _agreement(model: Model, rows: int, difference: float, agreement: float) -> str:
    if not model.task.classes:
        return f"checked on {rows} texts in float32: predictions differ by at most {difference:.1e} of their spread"
    return (
        f"checked on {rows} texts in float32: {agreement:.1%} the same predictions, "
        f"probabilities differ by at most {difference:.1e}"
    )


CLASSIFIER = """from transformers import pipeline

classify = pipeline("text-classification", "{folder}", truncation=True)
print(classify("where is my card?"))"""

PAIR_CLASSIFIER = """from transformers import pipeline

classify = pipeline("text-classification", "{folder}", truncation=True)
print(classify({{"text": "where is my card?", "text_pair": "the card is late"}}))"""

PROGRAM_USE_OF_COLUMNS = """from predict import Model  # predict.py in this folder

model = Model("{folder}")
print(model.settings["columns"])  # a text for each of them makes a row
print(model.predict([("where is my card?", "the card is late")]))"""

PROGRAM_USE = """from predict import Model  # predict.py in this folder

model = Model("{folder}")
print(model.predict(["where is my card?"]))
print(model.probabilities(["where is my card?"]))"""


def _readme(folder: Path, use: str) -> str:
    return (
        f"# {folder.name}\n\nA model {MARK} for transformers. It predicts what the model it was made from predicts.\n\n"
        f"```python\n{use.format(folder=folder)}\n```\n"
    )

"""The bases a recipe can name, as settings with a short written form: `minilm`, `gru:width=256`, `./my-folder`.

Nothing here imports torch until an encoder is built, so that names and settings are checked at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftwork import specs
from graftwork.bases.home import fetched_from_hub
from graftwork.data.table import Input, Modality
from graftwork.discovery.registry import Registry
from graftwork.discovery.room import classes
from graftwork.errors import UsageError, nearest
from graftwork.networks.base_settings import BaseSettings, TrainingRows
from graftwork.networks.bases.architectures import ARCHITECTURES
from graftwork.networks.bases.folders import check_folder
from graftwork.networks.bases.saved import saved_inputs
from graftwork.networks.hub.paths import check_path, split_path
from graftwork.networks.manifest import is_model

if TYPE_CHECKING:
    from graftwork.networks.encoder import Encoder

BASES: Registry[type[BaseSettings]] = Registry(
    "base", BaseSettings, partial(classes, "graftwork.networks", without=("heads", "fusion")), group="graftwork.bases"
)
"""Each is found by its `name`."""

FROM_PATH: dict[Modality, str] = {"text": "transformer", "audio": "audio-model", "image": "image-model"}
"""By what it reads, the base that loads a folder or a hub id."""

FROM_MODEL: dict[Modality, str] = {
    "text": "tuned-text",
    "image": "tuned-image",
    "audio": "tuned-audio",
    "table": "tuned-table",
}
"""By what it reads, the base that starts from a model that `fit` wrote."""

DEFAULTS: dict[Modality, str] = {"text": "minilm", "audio": "mel-cnn", "image": "small-cnn", "table": "columns"}
"""The base of an input for which the recipe names none."""

TRAINED_INSTEAD = {"columns": "table-mlp"}
"""By a base that has nothing to train, the one that the default trains in its place, from scratch."""

Named = str | Mapping[str, str]
"""A base, or one for each modality or column: `{"text": "minilm", "photo": "./mobilenet"}`; "auto": the defaults."""


def parse_base(spec: str | Mapping[str, Any] | BaseSettings, modality: Modality | None = None) -> BaseSettings:
    """The settings that `spec` names: a name of `BASES` with settings, a folder (of a transformers model, or one that
    `fit` wrote), or a hub id; looks at no network.

    modality: what it is to read, where that is known; else a folder's own files say it, and a hub id is for text.

    >>> parse_base("gru:width=64").spec, parse_base("org/name").spec, parse_base("org/name:layers=3").spec
    ('gru:width=64', 'org/name', 'transformer:layers=3,path=org/name')

    Raises UsageError for an unknown name or setting, ModelError for a folder that does not exist.
    """
    if isinstance(spec, BaseSettings):
        return spec
    if not isinstance(spec, str) or spec.partition(":")[0].strip() in BASES:
        return specs.parse(spec, BASES, "base")
    path, settings = split_path(spec)
    check_path(path, BASES)
    folder = Path(path).expanduser()
    if is_model(folder):
        return specs.parse(
            {FROM_MODEL[modality or saved_inputs(folder)[0].modality]: {"path": path, **settings}}, BASES, "base"
        )
    reads = modality or _modality_of(folder)
    if reads not in FROM_PATH:
        raise UsageError(f"base '{spec}': a folder can't be a base for {reads}. Expected one of: {_names(reads)}.")
    return specs.parse({FROM_PATH[reads]: {"path": path, **settings}}, BASES, "base")


def bases_of(named: Named, inputs: Sequence[Input]) -> dict[str, BaseSettings]:
    """The base of each input, by the input's name. `named` is a recipe's base.

    A single spec is the base of the inputs it can read, and the others get the default of their modality. A mapping
    names bases by modality (text, image, audio, table) or by column; the column counts first.

    Raises UsageError where a base is named for something that the table lacks, or that it can't read.
    """
    by_use = _by_use(named, inputs)
    uses = {use for one in inputs for use in (one.name, one.modality)} | set(DEFAULTS)
    for use in by_use:
        if use not in uses:
            raise UsageError(f"base: there is no input '{use}'. {nearest(use, uses)}")
    found = {}
    for one in inputs:
        named_specs = (by_use.get(one.name), by_use.get(one.modality))
        spec = next((spec for spec in named_specs if spec and spec != "auto"), DEFAULTS[one.modality])
        base = parse_base(spec, one.modality)
        if base.modality != one.modality:
            raise UsageError(
                f"base '{spec}' reads {base.modality}, but the input '{one.name}' is {one.modality}. "
                f"Expected one of: {_names(one.modality)}."
            )
        found[one.name] = base.for_input(one.name)
    return found


def written(bases: Mapping[str, BaseSettings]) -> Named:
    """The bases of all inputs as a recipe names them: one spec where all are the same, else by input."""
    specs_of = {name: base.spec for name, base in bases.items()}
    each = set(specs_of.values())
    return each.pop() if len(each) == 1 else specs_of


def _by_use(named: Named, inputs: Sequence[Input]) -> Mapping[str, str]:
    if not isinstance(named, str):
        return named
    if named == "auto":
        return {}
    modalities = list(dict.fromkeys(one.modality for one in inputs))
    folder = Path(split_path(named)[0]).expanduser()
    if len(modalities) > 1 and named.partition(":")[0] not in BASES and is_model(folder):
        return {one.modality: named for one in saved_inputs(folder) if one.modality in modalities}
    base = parse_base(named, modalities[0] if len(modalities) == 1 else None)
    if base.modality not in modalities:
        raise UsageError(
            f"base '{named}' reads {base.modality}, but the table has {' and '.join(modalities)} to read. "
            f"{_which_read(modalities)} Name one: --base MODALITY=BASE."
        )
    return {base.modality: named}


def named_uses(named: Named, inputs: Sequence[Input]) -> set[str]:
    """The inputs and modalities for which `named` names a base; the others take the default."""
    return {use for use, spec in _by_use(named, inputs).items() if spec and spec != "auto"}


def _which_read(modalities: Sequence[Modality]) -> str:
    return " ".join(f"These read {modality}: {_names(modality)}." for modality in modalities)


def check_base(base: BaseSettings) -> None:
    """Look at the folder of a base that a path names. Raises ModelError where it is no base, lacks its configuration,
    or reads something else; a hub id is looked at when it is loaded."""
    path = getattr(base, "path", None)
    if base.name not in FROM_PATH.values() or not isinstance(path, str):
        return
    folder = fetched_from_hub(path) or Path(path).expanduser()
    if folder.is_dir():
        told = _told_modality(folder)
        check_folder(folder, base.modality, told, _names(base.modality).split(", "))


def _names(modality: Modality) -> str:
    by_folder = {FROM_PATH.get(modality), FROM_MODEL[modality]}  # a path says as much
    names = [name for name, cls in BASES.usable.items() if cls.modality == modality and name not in by_folder]
    return ", ".join([*names, "a folder", "a hub id"] if modality in FROM_PATH else names)


def _modality_of(folder: Path) -> Modality:
    """What the model in a folder reads, by its files; text for what is not known, a hub id that is not here for one."""
    return _told_modality(fetched_from_hub(folder.as_posix()) or folder) or "text"


def _told_modality(folder: Path) -> Modality | None:
    """What the files of a folder say it reads; None where they don't."""
    if (folder / "frontend.json").is_file():
        return "audio"
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    found = config.get("model_type") if isinstance(config, dict) else None
    if not isinstance(found, str):
        return None
    told = next((modality for modality, types in _MODEL_TYPES.items() if found in types), None)
    return "text" if told is None and (folder / "tokenizer.json").is_file() else told


_VISION = """
efficientnet-lite resnet regnet convnext convnextv2 mobilenet_v1 mobilenet_v2 vit deit dinov2 dinov2_with_registers swin
"""
_SPEECH = (
    "wav2vec2 hubert wavlm audio-spectrogram-transformer data2vec-audio unispeech unispeech-sat whisper ge2e-speaker"
)
_MODEL_TYPES: dict[Modality, frozenset[str]] = {
    "image": frozenset(_VISION.split()),
    "audio": frozenset(_SPEECH.split()),
}
"""What models of these types read, as transformers calls them, or we where it has none; others read text."""


def build(base: BaseSettings, rows: TrainingRows, seed: int) -> Encoder:
    """`base.build`, held against what a saved model can name. Raises UsageError where it could not be loaded again."""
    encoder = base.build(rows, seed)
    name = str(getattr(encoder, "architecture", None))
    if name not in ARCHITECTURES or ARCHITECTURES[name] is not type(encoder):
        raise UsageError(
            f"The base '{base.name}' builds a {type(encoder).__name__} with the architecture '{name}', by which no "
            f"saved model would find it. Register it: the entry point {name} of the group {ARCHITECTURES.group} names "
            "the class."
        )
    return encoder

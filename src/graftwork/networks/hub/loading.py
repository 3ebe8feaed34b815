"""The one door to the transformers library: everything of it is found, loaded and built here, and nowhere else.

Local files only, weights only as safetensors, no code from a model's repository, no file outside of the model's folder.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from graftwork.bases.home import fetched_from_hub
from graftwork.data.store.names import check_links, plain_name
from graftwork.errors import ModelError
from graftwork.networks.hub.sizes import bounded, check_counts
from graftwork.networks.hub.versions import check_known, newer_note

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack")
_FETCHED = ("*.json", "*.safetensors", "*.txt", "*.model", "README.md", "LICENSE*")
_SAFE = (".safetensors", ".safetensors.index.json")
_KINDS: dict[type, tuple[type, ...]] = {bool: (bool, int), int: (int, float), float: (int, float)}
"""Where transformers has such a default, what a value may be; it does not check them all itself."""
ADAPTER = "adapter_config.json"


def locate(source: str, what: str = "base", instead: str = "A local folder with the model works too.") -> Path:
    """The folder of a base: a local one, that of a hub id which `graft bases get` fetched, or the hub's in its own
    cache (fetched where the network allows it).

    what, instead: for messages, how it is called, and what would do where the hub does not have it.
    """
    local = Path(source).expanduser()
    if local.is_dir():
        return local
    if local.exists():
        raise ModelError(f"{source} is a file. A base is a folder with config.json, weights and a tokenizer.")
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", source) or source.startswith("."):
        raise ModelError(f"There is no folder {source}. Give an existing folder, or a hub id such as org/name.")
    fetched = fetched_from_hub(source)
    if fetched is not None:
        return fetched
    from huggingface_hub import snapshot_download

    try:
        # Weights in other formats and for other runtimes stay where they are.
        found = snapshot_download(source, allow_patterns=[*_FETCHED], ignore_patterns=["*/*.safetensors"])
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelError(
            f"The {what} '{source}' is no folder here and can't be had from the hub: {reason} "
            f"Is the id right, is there a network, is HF_HUB_OFFLINE set? {instead}"
        ) from None
    return Path(found)


def read_config(folder: Path) -> Any:
    """The transformers configuration in `folder`. Raises ModelError where it is missing, broken or unknown."""
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} is no transformers model: it has no config.json.")
    check_counts(_plain(folder / "config.json"), f"The configuration in {folder} can't be used")
    told = _plain(folder / "config.json")
    check_known(folder, told)
    with explained(f"The configuration in {folder} can't be used{newer_note(told)}"):
        return _settled(_loaded("AutoConfig", folder))


def load_model(auto: str, folder: Path, **options: Any) -> tuple[Any, dict[str, Any]]:
    """The model that a class of transformers, such as "AutoModel", makes of `folder`, in float32, and what it says of
    the keys. Raises ModelError where the weights are no safetensors or can't be loaded."""
    _check_names(folder)
    _check_weights(folder)
    with (
        explained(f"The weights in {folder} can't be loaded{newer_note(_plain(folder / 'config.json'))}"),
        quiet(),
        torch.random.fork_rng(devices=[]),
        bounded(folder / "config.json", folder.glob("*.safetensors")),
    ):
        model, info = _loaded(
            auto, folder, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **options
        )
    return model, info


def load_reader(auto: str, folder: Path, what: str, **options: Any) -> Any:
    """The tokenizer, image processor or feature extractor in `folder`. what: for the message, how it is called."""
    with explained(f"The {what} in {folder} can't be loaded"):
        return _loaded(auto, folder, **options)


def build_model(auto: str, config: Any, **options: Any) -> Any:
    """A model as a configuration describes it, in float32, with weights that are not set or drawn anew."""
    import transformers

    return getattr(transformers, auto).from_config(config, dtype=torch.float32, trust_remote_code=False, **options)


def config_of(plain: dict[str, Any]) -> Any:
    """The transformers configuration that a saved model keeps as plain data."""
    from transformers import AutoConfig

    known = {name: value for name, value in plain.items() if name != "auto_map"}
    check_counts(known, "The configuration of the saved base is damaged")
    with explained("The configuration of the saved base can't be used"):
        made = _settled(AutoConfig.for_model(**known))
    try:
        usual = type(made)()
    except Exception:  # some can't be made of nothing
        return made
    for name, value in known.items():
        kinds = _KINDS.get(type(getattr(usual, name, None)))
        if kinds and value is not None and type(value) not in kinds:
            raise ModelError(f"The configuration of the saved base is damaged: {name} is {str(value)[:60]!r}.")
    return made


def _settled(config: Any) -> Any:
    """How the model is called is not for a configuration to say: other values fail at the first row."""
    config.return_dict = True
    if getattr(config, "chunk_size_feed_forward", 0):
        config.chunk_size_feed_forward = 0
    return config


def _loaded(auto: str, folder: Path, **options: Any) -> Any:
    import transformers

    _check_names(folder)
    return getattr(transformers, auto).from_pretrained(
        folder, trust_remote_code=False, local_files_only=True, **options
    )


def _check_names(folder: Path) -> None:
    """Raise ModelError where a file in the folder leads to another one outside of it, or to an adapter's base."""
    check_links(folder)
    if (folder / ADAPTER).is_file():
        raise ModelError(
            f"{folder} holds an adapter of PEFT ({ADAPTER}), which names another model to load. Merge the two first: "
            "load the base, PeftModel.from_pretrained(base, folder).merge_and_unload().save_pretrained(new)."
        )
    for index in folder.glob("*.index.json"):
        shards = _plain(index).get("weight_map", {})
        for name in shards.values() if isinstance(shards, dict) else [shards]:
            _check_safe(plain_name(name, index), index)
    named = _plain(folder / "config.json").get("transformers_weights")
    if named is not None:
        _check_safe(plain_name(named, folder / "config.json"), folder / "config.json")


def _check_safe(name: str, where: Path) -> None:
    if not name.endswith(_SAFE):
        raise ModelError(
            f"{where} names weights in {name}, which can run code when it is opened. Expected *.safetensors."
        )


def _plain(file: Path) -> dict[str, Any]:
    """What a json file holds; nothing where it can't be read, which who needs it finds out."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _check_weights(folder: Path) -> None:
    if any(folder.glob("*.safetensors")):
        return
    pickles = sorted(file.name for pattern in _PICKLES for file in folder.glob(pattern))
    if pickles:
        raise ModelError(
            f"{folder} has weights only as {', '.join(pickles[:5])}, which can run code when it is opened. Expected "
            "*.safetensors. If you trust the source, convert it once: "
            f"AutoModel.from_pretrained('{folder}').save_pretrained('{folder}')."
        )
    raise ModelError(f"{folder} has no weights: there is no *.safetensors file.")


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Whatever transformers raises, as a ModelError that begins with `what`."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # transformers, tokenizers and safetensors raise many kinds, plain Exception included
        text = " ".join(str(error).split())
        if "trust_remote_code" in text:
            text = (
                "it needs code from the model's own repository, which is never run here. Choose a base whose "
                "architecture transformers has itself."
            )
        raise ModelError(f"{what}: {text[:400] or type(error).__name__}") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Inside, without transformers' report of the keys, which is checked here, and its progress bar."""
    from transformers.utils import logging as hf_logging

    bars: Any = hf_logging
    logger, shown = logging.getLogger("transformers.modeling_utils"), bars.is_progress_bar_enabled()

    def keep(record: logging.LogRecord) -> bool:
        return "LOAD REPORT" not in record.getMessage()

    logger.addFilter(keep)
    bars.disable_progress_bar()
    try:
        yield
    finally:
        logger.removeFilter(keep)
        if shown:
            bars.enable_progress_bar()

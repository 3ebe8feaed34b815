"""A model as a folder of a plain transformers base, its head in safetensors, and a short program that joins the two.

For models that no classifier of transformers can express: heads with hidden units or a kernel, features of several
layers or columns. `predict.py` in the folder needs torch, transformers and safetensors, and nothing of graftwork.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from graftwork.core.training.checkpoint import write_tensors
from graftwork.data.store.writing import write_text
from graftwork.deploy.transformers.classifier import output_units
from graftwork.errors import UsageError
from graftwork.model import Model
from graftwork.networks.heads.layers.kernel import KernelLayer
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.text.transformer import TransformerEncoder

PROGRAM = "predict.py"


def write_bundle(model: Model, encoder: TransformerEncoder, folder: Path) -> None:
    """The base's weights and configuration, head.safetensors, head.json and predict.py; the tokenizer is not written.

    Raises UsageError for a head that predict.py has no words for.
    """
    head = dict(model.network.each_head())[model.target]
    if type(head) is not RowHead:
        raise UsageError(
            f"The head '{head.spec}' can't be exported: {PROGRAM} knows heads that read one row of features."
        )
    if not head.has_gradient:
        raise UsageError(
            f"The head '{head.spec}' can't be exported: it holds boosted trees, for which transformers and {PROGRAM} "
            "have no words. Train with the head linear, mlp or kernel; or keep the model's folder, which graft predict "
            "reads without LightGBM."
        )
    encoder.hf_model.save_pretrained(folder)
    tensors: dict[str, Tensor] = {"shift": head.shift, "scale": head.scale}
    layers: list[dict[str, Any]] = []
    for layer in head.layers:
        if not isinstance(layer, nn.Dropout):
            layers.append(_described(layer))
            prefix = f"{len(layers) - 1}."
            tensors.update({prefix + name: value for name, value in layer.state_dict().items()})
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    write_tensors(plain, folder / "head.safetensors")
    factor, shift = output_units(model)
    described = {
        "loader": _loader(encoder),
        "text": {name: getattr(model.recipe.text, name) for name in ("unicode", "lowercase", "whitespace")},
        "task": model.task.name,
        "labels": list(model.columns),
        "columns": [column for columns in model.network.sources.values() for column in columns],
        "inputs": [list(columns) for columns in model.network.sources.values()],
        "separator": encoder.tokenizer.separator or " ",
        "segments": encoder.reads_segments,
        "pooling": {"how": encoder.pooling.how, "normalise": encoder.pooling.normalise, "layers": encoder.layers},
        "head": layers,
        "factor": factor,
        "shift": shift,
    }
    write_text(folder / "head.json", json.dumps(described, indent=1, ensure_ascii=False) + "\n")
    write_text(folder / PROGRAM, program())


def program() -> str:
    """The text of predict.py."""
    return files("graftwork.deploy.transformers").joinpath("bundle_program.py").read_text(encoding="utf-8")


def _loader(encoder: TransformerEncoder) -> str:
    """The auto class that loads the base; of an encoder-decoder only the encoder is there."""
    import transformers

    encodes = type(encoder.hf_config) in transformers.MODEL_FOR_TEXT_ENCODING_MAPPING
    return "AutoModelForTextEncoding" if encodes else "AutoModel"


def _described(layer: nn.Module) -> dict[str, Any]:
    if isinstance(layer, nn.Linear):
        return {"kind": "linear"}
    if isinstance(layer, nn.GELU):
        return {"kind": "gelu"}
    if isinstance(layer, KernelLayer):
        return {"kind": "kernel", "gamma": layer.gamma}
    raise UsageError(f"This head can't be exported: it has a {type(layer).__name__}. Known: linear, mlp, kernel.")

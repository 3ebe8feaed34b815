"""A model as the sequence classifier that transformers has for its base's architecture, where there is such a thing.

`build` returns None wherever the classifier can't compute the same function; the caller compares what it returns with
the model, because near-identities (tanh of small numbers, a layer that averages) are exact only up to rounding.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from graftwork.data.batch import Inputs
from graftwork.deploy.transformers.pooling_layer import (
    Affine,
    Layer,
    Norm,
    mean_layer,
    unit_mean_layer,
    unit_token_layer,
)
from graftwork.model import Model
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.hub.loading import build_model
from graftwork.networks.pooling import pool
from graftwork.networks.text.transformer import TransformerEncoder

SMALL = 1e-3
"""tanh(x) is x but for a third of a millionth of it, up to here."""
ODD = ("gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu")
"""Activations with a(x) - a(-x) = x, so that a feed-forward network can be linear."""


@dataclass(frozen=True)
class Names:
    """Where the parts of a layer are, below the base: `stack.I.value` and so on. write: puts the readout into place."""

    stack: str
    value: str
    attention_output: str
    attention_norm: str
    up: str
    down: str
    norm: str
    write: Callable[[Any, Affine, float], bool]


def build(model: Model, sample: Inputs) -> Any | None:
    """The classifier (a PreTrainedModel) in eval mode, or None. sample: some tokenised texts."""
    encoder, head = single_encoder(model), affine_head(model)
    if encoder is None or head is None or encoder.layers > 1:
        return None
    if encoder.pooling.how == "last":
        return None if encoder.pooling.normalise else _last_token(model, encoder, head)
    names = FAMILIES.get(encoder.hf_config.model_type)
    if names is None or encoder.pooling.how == "max" or getattr(encoder.hf_config, "is_decoder", False):
        return None
    layers = encoder.hf_model.get_submodule(names.stack)
    last = layers[-1].get_submodule(names.norm)
    norm = Norm(last.weight.detach().double(), last.bias.detach().double())
    layer = _layer(encoder, head, norm, sample)
    if layer is None and (encoder.pooling.normalise or encoder.pooling.how == "mean"):
        return None
    classifier = _classifier(model, encoder, extra=int(layer is not None))
    if classifier is None:
        return None
    if layer is not None:
        _fill(classifier.base_model.get_submodule(names.stack), names, layer)
    readout, bound = (head, norm.bound) if layer is None else (layer.readout, norm.width**0.5)
    return classifier.eval() if names.write(classifier, readout, bound) else None


def single_encoder(model: Model) -> TransformerEncoder | None:
    """The encoder of a model that reads one text, or the texts of one sequence, with a transformers model."""
    encoder = next(model.network.each_encoder())
    alone = len(model.network.columns) == 1
    return encoder if alone and isinstance(encoder, TransformerEncoder) else None


def affine_head(model: Model) -> Affine | None:
    """The head with its standardisation, the temperature and the target's units folded in; None if it isn't linear."""
    head = dict(model.network.each_head())[model.target]
    if type(head) is not RowHead:
        return None
    layers = [layer for layer in head.layers if not isinstance(layer, nn.Dropout)]
    if len(layers) != 1 or not isinstance(layers[0], nn.Linear):
        return None
    weight = layers[0].weight.detach().double() * head.scale.double()
    bias = layers[0].bias.detach().double() - weight @ head.shift.double()
    factor, shift = output_units(model)
    weight, bias = weight * factor, bias * factor + shift
    if model.task.answer == "class":  # softmax does not see what all classes have in common
        weight, bias = weight - weight.mean(0), bias - bias.mean()
    return Affine(weight.cpu(), bias.cpu())


def output_units(model: Model) -> tuple[float, float]:
    """Factor and shift from the head's outputs to what transformers is to give: tempered logits, or numbers."""
    if model.task.classes:
        return 1.0 / model.temperature.get(model.target, 1.0), 0.0
    zero, one = model.task.in_units(np.array([[0.0], [1.0]], np.float32)).flatten().tolist()
    return one - zero, zero


def labels(model: Model) -> dict[str, Any]:
    """What the configuration says about outputs."""
    kinds = {"class": "single_label_classification", "classes": "multi_label_classification"}
    names = dict(enumerate(model.columns))
    return {
        "id2label": names,
        "label2id": {name: index for index, name in names.items()},
        "problem_type": kinds.get(model.task.answer, "regression"),
    }


def _layer(encoder: TransformerEncoder, head: Affine, norm: Norm, sample: Inputs) -> Layer | None:
    how, unit = encoder.pooling.how, encoder.pooling.normalise
    if not unit:
        return mean_layer(head, norm) if how == "mean" else None
    with torch.inference_mode():
        states = encoder.hf_model(**encoder.model_inputs(sample)).last_hidden_state
        features = pool(states, sample["attention_mask"], how)
    if how == "mean":
        return unit_mean_layer(head, norm, features)
    config = encoder.hf_config
    activation = getattr(config, "hidden_act", None) or getattr(config, "activation", None)
    inner: int = getattr(config, "intermediate_size", None) or config.hidden_dim
    return unit_token_layer(head, norm, features) if activation in ODD and inner >= 2 * norm.width else None


def _classifier(model: Model, encoder: TransformerEncoder, extra: int = 0) -> Any | None:
    """The architecture's own classifier with the base's weights; `extra` layers more are not filled."""
    from transformers import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING

    config = copy.deepcopy(encoder.hf_config)
    if type(config) not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        return None
    for name, value in labels(model).items():
        setattr(config, name, value)
    config.num_hidden_layers += extra
    config.pad_token_id = encoder.tokenizer.pad
    with torch.random.fork_rng(devices=[]):
        classifier = build_model("AutoModelForSequenceClassification", config)
    backbone = {name: value.cpu() for name, value in encoder.hf_model.state_dict().items()}
    left = classifier.base_model.load_state_dict(backbone, strict=False)
    return None if left.unexpected_keys else classifier.eval()


@torch.no_grad()
def _fill(stack: Any, names: Names, layer: Layer) -> None:
    """Write `layer` into the last of the stack."""
    last = stack[-1]
    for parameter in last.parameters():
        parameter.zero_()
    for norm in (names.attention_norm, names.norm):
        last.get_submodule(norm).weight.fill_(1.0)
    if layer.attention is not None:
        width = len(layer.attention.bias)
        last.get_submodule(names.value).weight.copy_(layer.attention.weight)
        last.get_submodule(names.attention_output).weight.copy_(torch.eye(width))
        last.get_submodule(names.attention_output).bias.copy_(layer.attention.bias)
    if layer.feedforward is not None:
        width = len(layer.feedforward.bias)
        own = torch.eye(width, dtype=torch.float64)
        last.get_submodule(names.up).weight[: 2 * width].copy_(torch.cat([own, -own]))
        both = torch.cat([layer.feedforward.weight, -layer.feedforward.weight], dim=1)
        last.get_submodule(names.down).weight[:, : 2 * width].copy_(both)
        last.get_submodule(names.down).bias.copy_(layer.feedforward.bias)
    if layer.plain_norm:
        before = stack[-2].get_submodule(names.norm)
        before.weight.fill_(1.0)
        before.bias.zero_()


@torch.no_grad()
def _write_tanh(dense: nn.Linear, output: nn.Linear, readout: Affine, bound: float) -> bool:
    """A dense layer with tanh, kept where tanh is the identity, and the output layer that undoes its scale."""
    small = SMALL / bound
    dense.weight.copy_(torch.eye(len(dense.weight)) * small)
    dense.bias.zero_()
    output.weight.copy_(readout.weight / small)
    output.bias.copy_(readout.bias)
    return True


def _write_bert(classifier: Any, readout: Affine, bound: float) -> bool:
    return _write_tanh(classifier.base_model.pooler.dense, classifier.classifier, readout, bound)


def _write_roberta(classifier: Any, readout: Affine, bound: float) -> bool:
    return _write_tanh(classifier.classifier.dense, classifier.classifier.out_proj, readout, bound)


@torch.no_grad()
def _write_distilbert(classifier: Any, readout: Affine, bound: float) -> bool:  # noqa: ARG001
    """relu(x) - relu(-x) = x: the outputs and their negatives, and then their differences."""
    outputs, width = readout.weight.shape
    if 2 * outputs > width:
        return False
    dense, output, own = classifier.pre_classifier, classifier.classifier, torch.eye(outputs)
    for parameter in (*dense.parameters(), *output.parameters()):
        parameter.zero_()
    dense.weight[: 2 * outputs].copy_(torch.cat([readout.weight, -readout.weight]))
    output.weight[:, : 2 * outputs].copy_(torch.cat([own, -own], dim=1))
    output.bias.copy_(readout.bias)
    return True


@torch.no_grad()
def _last_token(model: Model, encoder: TransformerEncoder, head: Affine) -> Any | None:
    """Classifiers whose `score`, without bias, reads the last token; a bias goes into GPT-2's last norm."""
    classifier = _classifier(model, encoder)
    if classifier is None or not isinstance(getattr(classifier, "score", None), nn.Linear):
        return None
    classifier.score.weight.copy_(head.weight)
    norm = getattr(classifier.base_model, "ln_f", None)
    if isinstance(norm, nn.LayerNorm):
        step: Tensor = torch.linalg.pinv(head.weight, rtol=1e-10) @ head.bias
        norm.bias.add_(step)
        return classifier if torch.allclose(head.weight @ step, head.bias, atol=1e-5) else None
    return classifier if bool((head.bias.abs() < 1e-6).all()) else None


_BERT = Names(
    stack="encoder.layer",
    value="attention.self.value",
    attention_output="attention.output.dense",
    attention_norm="attention.output.LayerNorm",
    up="intermediate.dense",
    down="output.dense",
    norm="output.LayerNorm",
    write=_write_bert,
)
_ROBERTA = Names(**{**vars(_BERT), "write": _write_roberta})
_DISTILBERT = Names(
    stack="transformer.layer",
    value="attention.v_lin",
    attention_output="attention.out_lin",
    attention_norm="sa_layer_norm",
    up="ffn.lin1",
    down="ffn.lin2",
    norm="output_layer_norm",
    write=_write_distilbert,
)
FAMILIES = {
    "bert": _BERT,
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "distilbert": _DISTILBERT,
}

"""Models with random weights, made without any training, and texts to predict."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from torch import nn

from graftwork.data.table import Column, Schema
from graftwork.model import Model
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.heads.layers.kernel import KernelLayer
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from graftwork.runs.tune.choosing.combining import mean_of
from graftwork.tasks.registry import TASKS
from tiny import tiny_model

TEXTS = ["the cat is here", "no rain today , only snow", "bread , soup and cake !", "where is my bird ?", "dog"]
TARGETS: dict[str, list[Any]] = {
    "classification": ["animals", "weather", "food", "animals"],
    "multilabel": [["animals"], ["weather", "food"], [], ["food"]],
    "regression": [1.0, 5.0, 2.5, -3.0],
}


def make(
    folder: Path,
    kind: str = "bert",
    *,
    head: str = "linear",
    task: str = "classification",
    columns: tuple[str, ...] = ("text",),
    settings: str = "",
    unit: bool = False,
    recipe: Recipe | None = None,
) -> Model:
    """A model with random weights; `unit` adds what sentence-transformers write for features of length 1."""
    base = tiny_model(folder / "base", kind, **({"intermediate_size": 64} if unit else {}))
    if unit:
        pooling = "cls_token" if "cls" in settings else "mean_tokens"
        (base / "1_Pooling").mkdir()
        (base / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{pooling}": True}))
        modules = [{"type": "x.Transformer", "path": ""}, {"type": "x.Pooling", "path": "1_Pooling"}]
        (base / "modules.json").write_text(json.dumps([*modules, {"type": "x.Normalize", "path": "2"}]))
    encoder = parse_base(f"{base}{':' if settings else ''}{settings}").build(TrainingRows(lambda: TEXTS), 0)
    if unit:  # as MiniLM's: one feature is always zero
        last: Any = encoder.hf_model.encoder.layer[-1].output.LayerNorm  # type: ignore[attr-defined]
        with torch.no_grad():
            last.weight[0], last.bias[0] = 0.0, 0.0
    learnt = TASKS[task]().learn(pa.chunked_array([pa.array(TARGETS[task])]), "test")
    with torch.random.fork_rng():
        torch.manual_seed(1)
        made = RowHead(encoder.width * len(columns), learnt.outputs, head)
        for layer in made.layers:
            if isinstance(layer, KernelLayer):
                layer.landmarks = torch.randn(7, made.width)
                layer.weight = nn.Parameter(torch.randn(7, learnt.outputs))
                layer.spread.fill_(float(made.width))
            elif isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=0.5)
                nn.init.normal_(layer.bias)
        made.shift.normal_()
        made.scale.uniform_(0.5, 2.0)
    network = Network(dict.fromkeys(columns, encoder), {"topic": made}).eval()
    inputs = tuple(Column(name, "text") for name in columns)
    schema = Schema((*inputs, Column("topic", "number" if task == "regression" else "category", "target")))
    temperature = {} if task == "regression" else {"topic": 1.7}
    return Model(
        recipe=recipe or Recipe(), schema=schema, network=network, tasks={"topic": learnt}, temperature=temperature
    )


def make_ensemble(folder: Path, task: str = "classification", weights: tuple[float, ...] = (0.6, 0.4)) -> Model:
    """Models with random weights of different bases, tokenizers and temperatures, as one."""
    models = []
    for at, kind in zip(range(len(weights)), cycle(("bert", "gpt2")), strict=False):
        made = make(folder / str(at), kind, head="kernel" if at % 2 else "linear", task=task)
        models.append(replace(made, temperature=dict.fromkeys(made.temperature, 1.0 + at)))
    return mean_of(models, weights)

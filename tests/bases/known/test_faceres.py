"""The converter of faceres: a made graph of its layout against an interpreter of graphs, damaged ones, and how well the
real one tells faces apart where it was fetched."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from graftwork.bases.catalogue import known, named
from graftwork.bases.known import faceres
from graftwork.bases.known.faceres import GRAPH, LICENSE, MEAN, WEIGHTS, convert
from graftwork.errors import ModelError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.image.encoder import PIXELS

STEM, PAIRS = 8, (16, 32, 32, 64, 64, 128, 128, 128, 128, 128, 128, 256, 256)
"""A quarter of the real widths."""
Graph = dict[str, Any]


def node(name: str, op: str, *inputs: str, **attributes: Any) -> dict[str, Any]:
    return {"name": name, "op": op, "input": list(inputs), "attr": attributes}


def convolution(name: str, op: str, below: str, kernel: str, stride: int) -> dict[str, Any]:
    strides = {"list": {"i": [str(one) for one in (1, stride, stride, 1)]}}
    return node(name, op, below, kernel, padding={"s": base64.b64encode(b"SAME").decode()}, strides=strides)


def made_graph() -> tuple[Graph, dict[str, np.ndarray]]:
    """A graph as TensorFlow.js keeps it, and its weights in half precision."""
    draw, nodes, weights = np.random.default_rng(0), [node("input_1", "Placeholder")], {}

    def unit(name: str, below: str, channels: int, made: int, stride: int, depthwise: bool) -> str:
        norm, active = f"{name}_bn/batchnorm_1", f"{name}_relu"
        if depthwise:
            kernel = f"{name}/depthwise_kernel"
            weights[kernel] = draw.normal(0, 0.5, (3, 3, channels, 1))
            weights[f"{norm}/mul"] = draw.uniform(0.5, 1.5, channels)
            nodes.append(convolution(f"{name}/depthwise", "DepthwiseConv2dNative", below, kernel, stride))
            nodes.append(node(f"{norm}/mul_1", "Mul", f"{name}/depthwise", f"{norm}/mul"))
        else:
            kernel, side = f"{name}/convolution/merged_input", 3 if name == "conv1" else 1
            scale = 0.01 if name == "conv1" else 1.5 / channels**0.5
            weights[kernel] = draw.normal(0, scale, (side, side, channels, made))
            nodes.append(convolution(f"{norm}/mul_1", "Conv2D", below, kernel, stride))
        weights[f"{norm}/sub"], weights[f"{active}/Cast"] = draw.normal(0.2, 0.5, made), np.array(6.0)
        weights[f"{active}/Const_1"] = np.array(0.0)
        nodes.append(node(f"{norm}/add_1", "Add", f"{norm}/mul_1", f"{norm}/sub"))
        nodes.append(node(f"{active}/Relu", "Relu", f"{norm}/add_1"))
        nodes.append(node(f"{active}/clip_by_value/Minimum", "Minimum", f"{active}/Relu", f"{active}/Cast"))
        bounded = f"{active}/clip_by_value"
        nodes.append(node(bounded, "Maximum", f"{bounded}/Minimum", f"{active}/Const_1"))
        return bounded

    last, below = unit("conv1", "input_1", 3, STEM, 2, depthwise=False), STEM
    for at, channels in enumerate(PAIRS, 1):
        last = unit(f"conv_dw_{at}", last, below, below, 2 if at in (2, 4, 6, 12) else 1, depthwise=True)
        last = unit(f"conv_pw_{at}", last, below, channels, 1, depthwise=False)
        below = channels
    nodes.append(node("global_pooling/Mean", "Mean", last, "global_pooling/Mean/reduction_indices"))
    nodes += [node(name, "Const") for name in weights]
    halves = {name: np.asarray(value, np.float16) for name, value in weights.items()}
    listed = [
        {"name": name, "shape": list(value.shape), "dtype": "float32", "quantization": {"dtype": "float16"}}
        for name, value in halves.items()
    ]
    graph = {
        "format": "graph-model",
        "modelTopology": {"node": nodes},
        "weightsManifest": [{"paths": ["faceres.bin"], "weights": listed}],
    }
    return graph, halves


def written(folder: Path, graph: Graph, content: bytes) -> dict[str, Path]:
    folder.mkdir(exist_ok=True)
    (folder / "graph.json").write_text(json.dumps(graph))
    (folder / "graph.bin").write_bytes(content)
    (folder / "LICENSE").write_text("as it says")
    return {GRAPH: folder / "graph.json", WEIGHTS: folder / "graph.bin", LICENSE: folder / "LICENSE"}


@pytest.fixture(autouse=True)
def _quarter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faceres, "STEM", STEM)
    monkeypatch.setattr(faceres, "PAIRS", PAIRS)
    monkeypatch.setitem(faceres.CONFIG, "depth_multiplier", 0.25)


def run(graph: Graph, weights: dict[str, np.ndarray], images: Tensor) -> Tensor:
    """What the graph computes of images (B, H, W, 3), node by node."""
    values: dict[str, Tensor] = {name: torch.tensor(value.astype(np.float32)) for name, value in weights.items()}
    for one in graph["modelTopology"]["node"]:
        inputs = [values[name] for name in one["input"] if name in values]
        match one["op"]:
            case "Const":
                continue
            case "Placeholder":
                made = images
            case "Conv2D" | "DepthwiseConv2dNative":
                made = convolved(one, *inputs)
            case "Mul":
                made = inputs[0] * inputs[1]
            case "Add":
                made = inputs[0] + inputs[1]
            case "Relu":
                made = inputs[0].relu()
            case "Minimum":
                made = torch.minimum(*inputs)
            case "Maximum":
                made = torch.maximum(*inputs)
            case "Mean":
                made = inputs[0].mean((1, 2))
        values[one["name"]] = made
    return values["global_pooling/Mean"]


def convolved(one: dict[str, Any], images: Tensor, kernel: Tensor) -> Tensor:
    stride, size = int(one["attr"]["strides"]["list"]["i"][1]), kernel.shape[0]
    lacking = [max((-(-side // stride) - 1) * stride + size - side, 0) for side in images.shape[2:0:-1]]
    padding = [places for total in lacking for places in (total // 2, total - total // 2)]
    depthwise = one["op"] != "Conv2D"
    weight = kernel.permute(2, 3, 0, 1) if depthwise else kernel.permute(3, 2, 0, 1)
    padded = functional.pad(images.permute(0, 3, 1, 2), padding)
    groups = images.shape[3] if depthwise else 1
    return functional.conv2d(padded, weight, stride=stride, groups=groups).permute(0, 2, 3, 1)


def flat(weights: dict[str, np.ndarray]) -> bytes:
    return b"".join(value.tobytes() for value in weights.values())


def test_the_catalogue_knows_it_and_that_its_licence_is_not_clear() -> None:
    entry = known()["faceres"]
    assert named("faces") is entry
    assert (entry.licence, entry.commercial) == ("unknown", False)


@pytest.mark.parametrize("size", [64, 75])
def test_a_made_graph_becomes_the_network_that_it_was(tmp_path: Path, size: int) -> None:
    graph, weights = made_graph()
    out = tmp_path / "out"
    out.mkdir()
    convert(written(tmp_path / "in", graph, flat(weights)), out)
    assert (out / "LICENSE").read_text() == "as it says"
    encoder = parse_base(f"{out}:size={size}").build(TrainingRows(), 0)
    pixels = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    less = pixels.permute(0, 2, 3, 1) * 255 - torch.tensor(MEAN)
    with torch.no_grad():
        expected = run(graph, weights, less.flip(3))
        assert expected.std() > 0.05
        torch.testing.assert_close(encoder({PIXELS: pixels}), expected, atol=1e-4, rtol=1e-4)


def _stride(graph: Graph) -> None:
    next(one for one in graph["modelTopology"]["node"] if one["name"] == "conv_dw_3/depthwise")["attr"]["strides"] = {
        "list": {"i": ["1", "2", "2", "1"]}
    }


def _op(graph: Graph) -> None:
    next(one for one in graph["modelTopology"]["node"] if one["name"] == "conv_pw_2_relu/Relu")["op"] = "Elu"


def _wiring(graph: Graph) -> None:
    next(one for one in graph["modelTopology"]["node"] if one["op"] == "Mean")["input"][0] = "conv1_relu/Relu"


def _shape(graph: Graph) -> None:
    next(one for one in graph["weightsManifest"][0]["weights"] if one["shape"] == [3, 3, 16, 1])["shape"] = [
        3,
        3,
        1,
        16,
    ]


def _kind(graph: Graph) -> None:
    graph["weightsManifest"][0]["weights"][3]["quantization"]["dtype"] = "uint8"


def _format(graph: Graph) -> None:
    graph["format"] = "layers-model"


def _nodes(graph: Graph) -> None:
    del graph["modelTopology"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_stride, "with stride 1, found"),
        (_op, "the node conv_pw_2_relu/Relu: Relu of .*Elu"),
        (_wiring, "the node global_pooling/Mean: Mean of conv_pw_13_relu/clip_by_value"),
        (_shape, r"of the shape \(16, 1, 3, 3\), found"),
        (_kind, "found .* in uint8"),
        (_format, "expected a graph of TensorFlow.js, found layers-model"),
        (_nodes, "expected a graph of TensorFlow.js, found KeyError"),
    ],
)
def test_another_layout_is_refused(tmp_path: Path, damage: Callable[[Graph], None], message: str) -> None:
    graph, weights = made_graph()
    damage(graph)
    with pytest.raises(ModelError, match=f"The layout of .* changed: .*{message}"):
        convert(written(tmp_path / "in", graph, flat(weights)), tmp_path)
    assert not (tmp_path / "model.safetensors").exists()


@pytest.mark.parametrize("change", [lambda content: content[:-2], lambda content: content + b"\0\0"])
def test_weights_that_are_cut_or_too_long(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    graph, weights = made_graph()
    with pytest.raises(ModelError, match=r"The layout of .* changed"):
        convert(written(tmp_path / "in", graph, change(flat(weights))), tmp_path)


def test_bounds_that_are_not_those_of_relu6(tmp_path: Path) -> None:
    graph, weights = made_graph()
    weights["conv_pw_4_relu/Cast"] = np.array(1.0, np.float16)
    with pytest.raises(ModelError, match=r"from 0 to 6, found \[0\.0, 1\.0\]"):
        convert(written(tmp_path / "in", graph, flat(weights)), tmp_path)


def test_people_that_it_never_saw(real_bases: Callable[..., None], real_data: Path) -> None:
    """The equal error rate of its plain features on the photos of ORL's test part."""
    real_bases("faceres")
    rows = pq.read_table(real_data / "orl_faces" / "test.parquet").to_pylist()[:60]
    photos = [row["image"]["bytes"] if isinstance(row["image"], dict) else row["image"] for row in rows]
    encoder = parse_base("faceres").build(TrainingRows(), 0)
    assert encoder.width == 1024
    with torch.no_grad():
        features = torch.cat([encoder(encoder.collate(encoder.prepare(photos[at : at + 20]))) for at in (0, 20, 40)])
    likeness = functional.normalize(features, dim=1) @ functional.normalize(features, dim=1).T
    people = torch.tensor([row["identity"] for row in rows])
    first, second = torch.triu_indices(len(rows), len(rows), 1)
    scores, same = likeness[first, second], people[first] == people[second]
    rates = [
        ((scores[same] < limit).float().mean(), (scores[~same] >= limit).float().mean()) for limit in scores.sort()[0]
    ]
    assert min(max(float(missed), float(taken)) for missed, taken in rates) <= 0.02

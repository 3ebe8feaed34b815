"""The output of frozen blocks, computed once for every row and kept on disk, memory-mapped.

Keyed by the frozen weights, the depth, the precision and the rows' content, so it serves every later run on the same
base and data. A whole frozen encoder caches its features (width numbers a row); a partly frozen one caches hidden
states (a vector a token), unless they would fill the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from graftwork.core.frozen.blocks import block_ends, each_batch
from graftwork.core.frozen.together import each_batch_together
from graftwork.core.frozen.weights import weights_digest
from graftwork.core.parallel.workers import ALONE, Workers
from graftwork.core.rows.examples import Cached, Examples
from graftwork.core.technique import Technique
from graftwork.data.batch import Inputs
from graftwork.data.store import ragged
from graftwork.data.store.cache import digest, entry, limit_bytes, storing
from graftwork.data.store.entries import is_whole, kept
from graftwork.networks.network import Network, frozen_depth

ROWS = "rows.bin"
"""States or features of one shape a row; a vector a token is kept ragged."""
Watch = Callable[[int, int], None]
"""Called with rows done and rows in all."""
Put = Callable[[np.ndarray, np.ndarray], None]
"""Told the rows of a batch, and what is kept of them."""


def cache_depths(
    network: Network, techniques: Sequence[Technique], *, predicting: bool = False
) -> tuple[dict[str, int], list[str]]:
    """By input, how many blocks can be cached (inputs with none are left out), and who shortened it.

    predicting: of the validation rows, which are seen as a prediction sees them, and not of the training rows.
    """
    depths, notes = {}, []
    for name in network.columns:
        encoder = network.encoder(name)
        depth = frozen_depth(encoder)
        for technique in techniques:
            limit = technique.predict_depth if predicting else technique.depth
            if limit is not None and limit < depth and technique.changes(name, encoder.modality):
                depth = limit
                where = f"{name} in validation" if predicting else name
                notes.append(f"{technique.name} changes the input of block {limit} of {where}: the cache ends there")
        if depth < encoder.depth or network.fusion.reads_tokens or name in network.token_inputs:
            depth = min(depth, encoder.deepest_start)  # pooled features hold no tokens
        if name in network.map_inputs:
            depth = 0
        if depth > 1:  # the embedding alone is cheaper to compute than to read
            depths[name] = depth
    return depths, notes


def features_cache(network: Network, examples: Examples, techniques: Sequence[Technique]) -> dict[str, Cached]:
    """The features of these rows, as a prediction sees them, for what predicts or scores them more than once.

    Of several inputs those of every encoder; of a single one only where it is frozen, so that other runs share them.
    Nothing where the fusion or a head reads tokens, or a technique changes the inputs of a prediction.
    """
    if network.reads_tokens or any(technique.predict_depth is not None for technique in techniques):
        return {}
    whole = {name: network.encoder(name).depth for name in network.columns}
    several = len(whole) > 1
    shared = {n: depth for n, depth in whole.items() if several or frozen_depth(network.encoder(n)) == depth}
    return build_cache(network, examples, {name: depth for name, depth in shared.items() if depth > 1})


def computed_before(network: Network, examples: Examples, techniques: Sequence[Technique]) -> dict[str, Cached]:
    """The cached blocks of these rows that are on disk already; nothing is computed."""
    depths, _ = cache_depths(network, techniques)
    keys = {name: _key(network, examples, name, depth) for name, depth in depths.items()}
    there = {name: depth for name, depth in depths.items() if is_whole(entry("frozen", keys[name]))}
    return build_cache(network, examples, there)


def build_cache(
    network: Network,
    examples: Examples,
    depths: Mapping[str, int],
    watch: Watch | None = None,
    workers: Workers = ALONE,
) -> dict[str, Cached]:
    """The cached blocks of these rows, from disk where they were computed before. workers: compute a part each, and one
    of each machine writes."""
    stores = {}
    for name, depth in depths.items():
        encoder = network.encoder(name)
        whole = depth == encoder.depth
        if not whole and _state_bytes(examples, name, depth, network) > limit_bytes() // 2:
            continue
        key = _key(network, examples, name, depth)
        if workers.count > 1:
            _computed_together(network, examples, name, depth, entry("frozen", key), watch, workers)
        stores[name] = _stored(network, examples, name, depth, key, watch if workers.count == 1 else None)
    return stores


def keep_features(network: Network, examples: Examples, features: Mapping[str, np.ndarray]) -> None:
    """Put features that are known (N, width), by input, where `build_cache` finds them."""
    for name, values in features.items():
        depth = network.encoder(name).depth

        def write(folder: Path, values: np.ndarray = values) -> None:
            with storing(folder):
                ragged.reserve(folder / ROWS, values.nbytes)
                np.memmap(folder / ROWS, values.dtype, mode="r+", shape=values.shape)[:] = values

        def read(folder: Path, name: str = name, depth: int = depth) -> Cached:
            return _read(folder, depth, len(examples), network, name)

        kept(entry("frozen", _key(network, examples, name, depth)), write, read)


def _key(network: Network, examples: Examples, name: str, depth: int) -> str:
    """What batches a row is read in moves its last bits, so that reading in blocks counts too, and so does a GPU."""
    how = ["blocks"] if examples.in_blocks else []
    how += [] if network.device.type == "cpu" else [network.device.type]
    weights = weights_digest(network.encoder(name), depth)
    return digest(examples.keys[name], weights, str(depth), str(network.autocast), *how)


def _stored(network: Network, examples: Examples, name: str, depth: int, key: str, watch: Watch | None) -> Cached:
    """The entry `key`, computed if it is not there, or damaged."""
    return kept(
        entry("frozen", key),
        lambda folder: _compute(network, examples, name, depth, folder, watch),
        lambda folder: _read(folder, depth, len(examples), network, name),
    )


def _layout(network: Network, name: str, depth: int) -> tuple[tuple[int, ...] | None, bool]:
    """Shape of what is kept of a row, None for a vector a token; and whether it is kept as bfloat16."""
    encoder = network.encoder(name)
    if depth == encoder.depth:
        return (encoder.width,), False
    return encoder.state_shape(depth), network.autocast == torch.bfloat16


def _read(folder: Path, depth: int, rows: int, network: Network, name: str) -> Cached:
    shape, bf16 = _layout(network, name, depth)
    if shape is None:
        return Cached(depth, ragged.read(folder), bf16)
    return Cached(depth, np.memmap(folder / ROWS, _dtype(bf16), mode="r", shape=(rows, *shape)), bf16)


def _dtype(bf16: bool) -> str:
    """As what numpy holds the values: it has no bfloat16, so that their bits are kept."""
    return "int16" if bf16 else "float32"


def _compute(network: Network, examples: Examples, name: str, depth: int, folder: Path, watch: Watch | None) -> None:
    with storing(folder):
        put = _writer(network, examples, name, depth, folder)

        def keep(indices: np.ndarray, inputs: Inputs) -> None:
            put(indices, _values(network, name, depth, inputs))

        def computed(rows: np.ndarray, count: Callable[[int], None]) -> None:
            each_batch(network, examples, name, rows, keep, count)

        _each_block(examples, computed, watch)


def _computed_together(
    network: Network, examples: Examples, name: str, depth: int, place: Path, watch: Watch | None, workers: Workers
) -> None:
    """The entry `place` is on every machine when this returns. A meeting."""
    whole, wrote = is_whole(place), list[Path]()
    if workers.every(whole):
        return

    def compute(put: Put | None) -> None:
        def computed(rows: np.ndarray, count: Callable[[int], None]) -> None:
            values = partial(_values, network, name, depth)
            each_batch_together(network, examples, name, rows, values, put, count, workers)

        _each_block(examples, computed, watch)

    def write(folder: Path) -> None:
        wrote.append(folder)
        with storing(folder):
            compute(_writer(network, examples, name, depth, folder))

    if workers.place == 0 and not whole:
        kept(place, write, lambda folder: folder)
    if not wrote:  # the others need this worker's part all the same
        compute(None)
    workers.wait()


def _writer(network: Network, examples: Examples, name: str, depth: int, folder: Path) -> Put:
    make = _states_writer if _layout(network, name, depth)[0] is None else _rows_writer
    return make(network, examples, name, depth, folder)


def _values(network: Network, name: str, depth: int, inputs: Inputs) -> np.ndarray:
    """What is kept of a batch: features, or padded hidden states."""
    encoder, bf16 = network.encoder(name), _layout(network, name, depth)[1]
    return _plain(encoder(inputs) if depth == encoder.depth else encoder.states(inputs, depth), bf16)


def _rows_writer(network: Network, examples: Examples, name: str, depth: int, folder: Path) -> Put:
    shape, bf16 = _layout(network, name, depth)
    whole = (len(examples), *(shape or ()))
    ragged.reserve(folder / ROWS, int(np.prod(whole)) * np.dtype(_dtype(bf16)).itemsize)
    kept = np.memmap(folder / ROWS, _dtype(bf16), mode="r+", shape=whole)

    def put(indices: np.ndarray, values: np.ndarray) -> None:
        kept[indices] = values

    return put


def _plain(values: torch.Tensor, bf16: bool) -> np.ndarray:
    plain: np.ndarray = (values.bfloat16().view(torch.int16) if bf16 else values.float()).cpu().numpy()
    return plain


def _states_writer(network: Network, examples: Examples, name: str, depth: int, folder: Path) -> Put:
    encoder, (_, bf16) = network.encoder(name), _layout(network, name, depth)
    lengths = encoder.state_lengths(examples.inputs[name].lengths, depth)
    store = ragged.allocate(folder, lengths, _dtype(bf16), (encoder.state_width(depth),))

    def put(indices: np.ndarray, values: np.ndarray) -> None:
        for row, own in zip(indices, values, strict=True):
            start, stop = store.offsets[row], store.offsets[row + 1]
            store.values[start:stop] = own[: stop - start]

    return put


def _each_block(
    examples: Examples, computed: Callable[[np.ndarray, Callable[[int], None]], None], watch: Watch | None
) -> None:
    """Every row once, block by block where the rows are to be read so. computed: computes the rows of a block, and says
    how many are done."""
    done = 0

    def count(rows: int) -> None:
        nonlocal done
        done += rows
        if watch:
            watch(done, len(examples))

    start = 0
    for end in block_ends(len(examples)) if examples.in_blocks else [len(examples)]:
        computed(np.arange(start, end), count)
        start = end


def _state_bytes(examples: Examples, name: str, depth: int, network: Network) -> int:
    encoder, (shape, bf16) = network.encoder(name), _layout(network, name, depth)
    vectors = len(examples) if shape else int(encoder.state_lengths(examples.inputs[name].lengths, depth).sum())
    width = int(np.prod(shape)) if shape else encoder.state_width(depth)
    return vectors * width * np.dtype(_dtype(bf16)).itemsize

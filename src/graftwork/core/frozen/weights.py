"""What tells the weights of an encoder's blocks from others, by which what they gave is found again."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from torch import Tensor

from graftwork.data.store.cache import digest
from graftwork.networks.encoder import Encoder

Stamp = tuple[int, int, float]
"""Of a tensor: where it is, how often it was written to, the sum of its values: writing through `.data` is not
counted, and is seen unless the sum stays as it was."""
_KNOWN: WeakKeyDictionary[Encoder, dict[int, tuple[str, list[Stamp], str]]] = WeakKeyDictionary()
"""By encoder and blocks: its configuration, its tensors as they were, and their digest, which takes 20 times as long to
compute as the stamps, and is asked for several times a run."""


def weights_digest(encoder: Encoder, depth: int) -> str:
    """Of the configuration of an encoder and the weights of its first `depth` blocks."""
    blocks = encoder.blocks()[:depth]
    tensors = [value for block in blocks for module in block for value in module.state_dict().values()]
    config, stamps = repr(encoder.config()), [_stamp(tensor) for tensor in tensors]
    known = _KNOWN.setdefault(encoder, {})
    if depth not in known or known[depth][:2] != (config, stamps):
        made = digest(config, *(tensor.detach().cpu().contiguous().numpy() for tensor in tensors))
        known[depth] = config, stamps, made
    return known[depth][2]


def _stamp(tensor: Tensor) -> Stamp:
    writes = 0 if tensor.is_inference() else tensor._version  # these don't count
    return tensor.data_ptr(), writes, float(tensor.sum())

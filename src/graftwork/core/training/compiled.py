"""Compiling the blocks of a network's encoders, where a run is long enough to pay for it: on a GPU.

Blocks are compiled one by one and in place (`torch.nn.Module.compile`), so that names of weights, hooks between blocks
and copies stay as they are. Recurrent layers have kernels of their own and stay. Compiled and plain blocks differ by
rounding alone. Tested on the processor with a backend that compiles nothing; not measured on a GPU yet.
"""

from __future__ import annotations

from torch import nn

from graftwork.networks.network import Network


def compile_encoders(network: Network, backend: str = "inductor") -> int:
    """Compile what is trained of each encoder, in place; how many modules were. Lengths of texts may vary from batch to
    batch without compiling anew. backend: as torch names them."""
    found = [
        module
        for encoder in network.each_encoder()
        for block in encoder.blocks()
        for module in block
        if not isinstance(module, nn.RNNBase) and any(parameter.requires_grad for parameter in module.parameters())
    ]
    for module in found:
        module.compile(backend=backend, dynamic=True)
    return len(found)

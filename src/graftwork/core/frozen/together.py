"""A pass of the frozen base that workers make together: whole batches, so that each has the bits of one alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graftwork.core.frozen.blocks import batches_of, collated, passing
from graftwork.core.parallel.gathering import each_array
from graftwork.core.parallel.workers import Workers
from graftwork.core.rows.examples import Examples
from graftwork.data.batch import Inputs
from graftwork.networks.network import Network


def each_batch_together(
    network: Network,
    examples: Examples,
    name: str,
    rows: np.ndarray,
    values: Callable[[Inputs], np.ndarray],
    put: Callable[[np.ndarray, np.ndarray], None] | None,
    watch: Callable[[int], None],
    workers: Workers,
) -> None:
    """These rows once: in each round every worker computes a batch, and all get the values of all. A meeting.

    put: told the rows and values of each batch; None where nothing is to be kept here. Raises KeyboardInterrupt at all
    where one was asked to stop.
    """
    batches = batches_of(network, examples, name, rows)
    with passing(network):
        for start in range(0, len(batches), workers.count):
            workers.check()
            together = batches[start : start + workers.count]
            own = together[workers.index] if workers.index < len(together) else None
            found = None if own is None else values(collated(network, examples, name, own))
            for indices, part in zip(together, each_array(found, workers), strict=False):
                if put is not None and part is not None:
                    put(indices, part)
            watch(sum(map(len, together)))

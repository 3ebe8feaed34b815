"""A pass of the frozen base over rows in blocks, stopped by the clock, so that what is done by then is of use.

Rows that stand in the order in which they were drawn are read block by block. Where a block ends depends on its place
alone, and a smaller sample is the beginning of a larger one, so that a pass that was stopped has computed the very bits
that a pass over the smaller sample computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from graftwork.core.clock.pace import Left
from graftwork.core.rows.examples import Examples
from graftwork.networks.network import Network

FIRST, LARGEST = 32, 512
"""Rows of the first block, and of later ones; each is as large as all before it until then."""
WORTH = 16
"""A block of fewer rows is not begun for the last of the time."""


def block_ends(rows: int) -> Iterator[int]:
    """Where each block of so many rows ends.

    >>> list(block_ends(700)), list(block_ends(20))
    ([32, 64, 128, 256, 512, 700], [20])
    """
    end = FIRST
    while end < rows:
        yield end
        end += min(end, LARGEST)
    if rows:
        yield rows


@dataclass(frozen=True)
class Passed:
    """What a pass has done: the first so many training and validation rows. features: by input, (N, width)."""

    rows: int
    valid_rows: int
    features: dict[str, np.ndarray]
    valid_features: dict[str, np.ndarray]


def timed_pass(
    network: Network,
    train: Examples,
    valid: Examples | None,
    validated: Callable[[int], int],
    left: Left,
    *,
    least: int,
    watch: Callable[[int, int], None] | None = None,
) -> Passed:
    """The features of as many rows as there is time for, `least` or more. validated: how many of the validation rows
    belong to so many training rows. left: seconds; all of the pass is done by then, unless a block takes far longer
    than the one before."""
    sides = [_Side(network, train), _Side(network, valid)] if valid else [_Side(network, train)]
    each, done, most = 0.0, 0, len(train)
    for end in block_ends(most):
        if end <= done:
            continue
        if done >= least and each > 0:
            fit = _rows_that_fit(done, each, left(), validated, sides)
            if fit < end and fit - done < WORTH:
                break
            end, last = min(end, fit), fit < end
        else:
            last = False
        before, work = left(), 0
        work += sides[0].reach(end)
        for side in sides[1:]:
            work += side.reach_whole_blocks(validated(end))
        each, done = max(before - left(), 1e-9) / max(work, 1), end
        if watch:
            watch(done, most)
        if last:
            break
    for side in sides[1:]:
        side.reach(validated(done))
    held = sides[1] if valid else None
    return Passed(
        done,
        held.done if held else 0,
        {name: values[:done] for name, values in sides[0].features.items()},
        {name: values[: held.done] for name, values in held.features.items()} if held else {},
    )


def _rows_that_fit(done: int, each: float, left: float, validated: Callable[[int], int], sides: list[_Side]) -> int:
    """The most training rows of which all, with their validation rows, are read in the time that is left."""
    waiting = sides[1].done if len(sides) > 1 else 0
    low, high = done, len(sides[0].examples)
    while low < high:
        middle = (low + high + 1) // 2
        work = middle - done + (validated(middle) - waiting if len(sides) > 1 else 0)
        low, high = (middle, high) if work * each <= left else (low, middle - 1)
    return low


class _Side:
    """The rows of one table, and how many of them have been read."""

    def __init__(self, network: Network, examples: Examples) -> None:
        self.network, self.examples, self.done = network, examples, 0
        self.features = {
            name: np.zeros((len(examples), network.encoder(name).width), np.float32) for name in network.columns
        }

    def reach(self, end: int) -> int:
        """Read up to `end`, in blocks; gives how many rows that were."""
        before = self.done
        for stop in block_ends(end):
            if stop > self.done:
                self._read(self.done, stop)
        return self.done - before

    def reach_whole_blocks(self, end: int) -> int:
        """Read the blocks that end before `end` whatever comes: a later one may still grow."""
        whole = [stop for stop in block_ends(len(self.examples)) if stop <= end]
        return self.reach(whole[-1]) if whole else 0

    def _read(self, start: int, stop: int) -> None:
        rows = np.arange(start, stop)
        for name in self.network.columns:
            each_batch(self.network, self.examples, name, rows, self._keeper(name))
        self.done = stop

    def _keeper(self, name: str) -> Callable[[np.ndarray, dict[str, torch.Tensor]], None]:
        def keep(indices: np.ndarray, inputs: dict[str, torch.Tensor]) -> None:
            self.features[name][indices] = self.network.encoder(name)(inputs).float().cpu().numpy()

        return keep


def each_batch(
    network: Network,
    examples: Examples,
    name: str,
    rows: np.ndarray,
    keep: Callable[[np.ndarray, dict[str, torch.Tensor]], None],
    watch: Callable[[int], None] | None = None,
) -> None:
    """These rows once, long ones first, in eval mode and without gradient. watch: is told the rows of each batch."""
    with passing(network):
        for indices in batches_of(network, examples, name, rows):
            keep(indices, collated(network, examples, name, indices))
            if watch:
                watch(len(indices))


@contextmanager
def passing(network: Network) -> Iterator[None]:
    """Inside, the network is in eval mode and computes without gradient."""
    training = network.training
    network.eval()
    with torch.inference_mode(), network.precision():
        yield
    network.train(training)


def batches_of(network: Network, examples: Examples, name: str, rows: np.ndarray) -> list[np.ndarray]:
    """The rows of each batch of a pass, long ones first."""
    return [rows[picked] for picked in network.pass_batches(examples.tokens[name][rows], 1024, [name])]


def collated(network: Network, examples: Examples, name: str, rows: np.ndarray) -> dict[str, torch.Tensor]:
    """What the encoder of an input reads of these rows, on its device."""
    inputs = network.encoder(name).collate(examples.inputs[name].rows(rows))
    return {key: value.to(network.device) for key, value in inputs.items()}

"""Long texts in windows: a model reads so many tokens at a time, and the features of a row are those of its windows.

Prepared rows stay rows of tokens, a window behind the other, each framed by special tokens as the tokenizer does it and
all but the last full. They are folded into rows of one window right before the model and unfolded behind it, so that
caches, techniques and heads see a row as ever.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from graftwork.data.batch import Hidden, Inputs
from graftwork.networks.windows import spread


@dataclass(frozen=True)
class Folded:
    """A batch whose rows are windows. rows (B, windows): which windows each row of the batch has. tokens: of each
    (B, windows). length: of the batch's rows before."""

    inputs: Inputs
    hidden: Hidden | None
    rows: Tensor
    tokens: Tensor
    length: int

    def vectors(self, states: Tensor) -> Tensor:
        """Vectors of the windows' tokens (N, window, width) -> of the rows' (B, length, width)."""
        each = spread(states.flatten(1), self.rows)
        return each.view(len(each), -1, states.shape[2])[:, : self.length]

    def pooled(self, features: Tensor, highest: bool) -> Tensor:
        """Features of windows (N, width) -> of rows (B, width): the mean over their tokens, or the highest."""
        each = spread(features, self.rows)
        if highest:
            return each.masked_fill(~self.rows.unsqueeze(2), float("-inf")).amax(1)
        shares = self.tokens / self.tokens.sum(1, keepdim=True)
        return (each * shares.unsqueeze(2).to(each.dtype)).sum(1)


def fold(inputs: Inputs, hidden: Hidden | None, window: int) -> Folded:
    """The batch with windows for rows. inputs: `input_ids` and `attention_mask` (B, length)."""
    count, length = inputs["attention_mask"].shape
    lacking = -length % window
    mask = functional.pad(inputs["attention_mask"], (0, lacking)).reshape(count, -1, window)
    tokens = mask.sum(2)
    rows = tokens > 0
    folded = {n: functional.pad(v, (0, lacking)).reshape(count, -1, window)[rows] for n, v in inputs.items()}
    if hidden is None:
        return Folded(folded, None, rows, tokens, length)
    width = hidden.states.shape[2]
    states = functional.pad(hidden.states, (0, 0, 0, lacking)).reshape(count, -1, window, width)[rows]
    return Folded(folded, Hidden(hidden.depth, states), rows, tokens, length)


def is_long(inputs: Inputs, window: int) -> bool:
    """Whether a row of the batch has more than one window."""
    return bool(inputs["attention_mask"].shape[1] > window)

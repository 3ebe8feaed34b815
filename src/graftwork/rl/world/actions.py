"""What a policy may do in an environment, and how its outputs become an action. Plain numpy and torch, no gymnasium."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from graftwork.errors import RefusedError

Kind = Literal["one", "several", "flags", "numbers"]


@dataclass(frozen=True)
class Actions:
    """kind: one choice of several, several such choices, yes or no of each, or numbers. sizes: of choices, how many
    there are. starts: from which number they count. shape: of an action as the environment takes it. low, high: of
    numbers, flat."""

    kind: Kind
    shape: tuple[int, ...] = ()
    sizes: tuple[int, ...] = ()
    starts: tuple[int, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    @property
    def outputs(self) -> int:
        """Numbers that a policy gives."""
        return sum(self.sizes) if self.kind in ("one", "several") else int(np.prod(self.shape))

    @property
    def text(self) -> str:
        """For a reader."""
        told = {
            "one": f"one of {self.outputs} choices",
            "several": f"{len(self.sizes)} choices at a time",
            "flags": f"{self.outputs} switches",
            "numbers": f"{self.outputs} number{'s' if self.outputs != 1 else ''}",
        }
        return told[self.kind]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> Actions:
        """The inverse of `to_json`. Raises TypeError or KeyError for anything else."""
        return Actions(kind=plain["kind"], **{n: tuple(plain[n]) for n in ("shape", "sizes", "starts", "low", "high")})

    def native(self, chosen: np.ndarray) -> list[Any]:
        """Actions as the environment takes them. chosen: (B, ...), counted from 0, as algorithms do."""
        if self.kind == "one":
            return [np.int64(one + self.starts[0]) for one in chosen.reshape(-1)]
        if self.kind == "several":
            return list((chosen + np.array(self.starts)).reshape(-1, *self.shape).astype(np.int64))
        if self.kind == "flags":
            return list(chosen.reshape(-1, *self.shape).astype(np.int8))
        return list(chosen.reshape(-1, *self.shape).astype(np.float32))

    def probable(self, outputs: Tensor) -> Tensor:
        """The most probable of each row's actions (B, ...). outputs: (B, outputs) of the policy; of numbers these are
        the means themselves."""
        if self.kind == "one":
            return outputs.argmax(1)
        if self.kind == "several":
            return torch.stack([part.argmax(1) for part in torch.split(outputs, list(self.sizes), dim=1)], dim=1)
        if self.kind == "flags":
            return (outputs > 0).long()
        return outputs

    def drawn(self, outputs: Tensor, log_std: Tensor | None, generator: torch.Generator) -> Tensor:
        """An action a row, drawn as probable as the policy finds it. log_std: of numbers, as wide as `outputs`."""
        if self.kind == "one":
            return torch.multinomial(outputs.softmax(1), 1, generator=generator).squeeze(1)
        if self.kind == "several":
            each = torch.split(outputs, list(self.sizes), dim=1)
            drawn = [torch.multinomial(part.softmax(1), 1, generator=generator) for part in each]
            return torch.cat(drawn, dim=1)
        if self.kind == "flags":
            return (torch.rand(outputs.shape, generator=generator) < outputs.sigmoid()).long()
        noise = torch.randn(outputs.shape, generator=generator)
        return outputs if log_std is None else outputs + noise * log_std.exp()

    def within(self, numbers: Tensor, *, squashed: bool) -> Tensor:
        """Numbers in their range: cut off at its ends, or where they are `squashed`, drawn into it by tanh."""
        low, high = torch.tensor(self.low), torch.tensor(self.high)
        if squashed:
            return low + 0.5 * (torch.tanh(numbers) + 1.0) * (high - low)
        return torch.maximum(torch.minimum(numbers, high), low)


def actions_of(space: Any, env: str) -> Actions:
    """The actions of a gymnasium space. env: for messages. Raises RefusedError for a space that no algorithm learns."""
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        return Actions("one", (), (int(space.n),), (int(space.start),))
    if isinstance(space, spaces.MultiDiscrete) and len(space.shape) == 1:
        starts = tuple(np.asarray(space.start).reshape(-1).astype(int).tolist())
        return Actions("several", tuple(space.shape), tuple(map(int, space.nvec)), starts)
    if isinstance(space, spaces.MultiBinary) and len(space.shape) == 1:
        return Actions("flags", tuple(map(int, space.shape)))
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
        low, high = space.low.reshape(-1).astype(float), space.high.reshape(-1).astype(float)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise RefusedError(
                f"{env} takes numbers without an end as actions: {space}. Wrap it so that its actions have a lowest "
                "and a highest value (gymnasium.wrappers.RescaleAction)."
            )
        return Actions("numbers", tuple(map(int, space.shape)), low=tuple(low), high=tuple(high))
    raise RefusedError(
        f"{env} takes actions of {type(space).__name__} ({space}), which no algorithm here learns. Expected Discrete, "
        "MultiDiscrete, MultiBinary or a Box of numbers: wrap the environment so that it takes one of those."
    )

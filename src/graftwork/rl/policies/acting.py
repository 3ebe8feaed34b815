"""How a policy acts: an observation in, an action out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from graftwork.errors import UsageError
from graftwork.rl.policies.network import PolicyNetwork
from graftwork.rl.sight.reading import Reading
from graftwork.rl.world.actions import Actions

Scale = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""By part that is normalised, mean and variance of its numbers."""
CLIPPED = 10.0
"""What normalised numbers are cut off at."""
EPSILON = 1e-8


@dataclass(frozen=True, eq=False)
class Acting:
    """What acts in an environment.

    squashed: numbers come out of a tanh that fits their range, rather than being cut off at its ends. explore: share of
    actions at random where they are drawn, of an algorithm that learns values. about: where it comes from, plain data:
    the recipe, the seed and the step.
    """

    network: PolicyNetwork
    reading: Reading
    actions: Actions
    squashed: bool = False
    explore: float = 0.0
    scale: Scale = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    def act(self, observation: Any, deterministic: bool = True, *, seed: int | None = None) -> Any:
        """The action for one observation of the environment, as its `step` takes it: a whole number or an array.

        deterministic: the most probable one; else one is drawn. seed: of the draw; None for torch's own stream.
        Raises DataError for an observation that is not as the environment's were.
        """
        return self.act_many([observation], deterministic, seed=seed)[0]

    def act_many(
        self, observations: Sequence[Any], deterministic: bool = True, *, seed: int | None = None
    ) -> list[Any]:
        """An action for each of several observations, computed together."""
        if not observations:
            return []
        rows = [self.reading.row(one) for one in observations]
        stored = self.reading.seen({name: np.stack([row[name] for row in rows]) for name in rows[0]})
        tensors = {name: torch.from_numpy(self._scaled(name, values)) for name, values in stored.items()}
        device = next(self.network.parameters()).device
        with torch.no_grad():
            outputs, log_std = self.network({name: values.to(device) for name, values in tensors.items()})
        outputs, log_std = outputs.cpu(), None if log_std is None else log_std.cpu()
        if deterministic:
            chosen = self.actions.probable(outputs)
        else:
            drawn_seed = int(torch.randint(2**62, (1,))) if seed is None else seed
            chosen = self._drawn(outputs, log_std, torch.Generator().manual_seed(drawn_seed))
        if self.actions.kind == "numbers":
            chosen = self.actions.within(chosen, squashed=self.squashed)
        return self.actions.native(chosen.numpy())

    def _drawn(self, outputs: torch.Tensor, log_std: torch.Tensor | None, generator: torch.Generator) -> torch.Tensor:
        if self.about.get("values"):  # of each action, not how probable it is
            random = torch.rand(len(outputs), generator=generator) < self.explore
            any_action = torch.randint(outputs.shape[1], (len(outputs),), generator=generator)
            return torch.where(random, any_action, outputs.argmax(1))
        return self.actions.drawn(outputs, log_std, generator)

    def _scaled(self, name: str, values: np.ndarray) -> np.ndarray:
        if name not in self.scale:
            return values
        mean, variance = self.scale[name]
        found: np.ndarray = np.clip((values - mean) / np.sqrt(variance + EPSILON), -CLIPPED, CLIPPED)
        return found.astype(np.float32)

    def check_fits(self, parts: Sequence[Any], actions: Actions, name: str) -> None:
        """Raise UsageError where an environment shows or takes something else. name: of it."""
        if tuple(parts) != self.reading.parts or actions != self.actions:
            raise UsageError(
                f"This policy was learned in {self.about.get('env', 'another environment')}, and {name} shows or takes "
                "something else."
            )

"""Accuracy under attack: by gradient at several strengths, by a black-box attack, and whether to believe them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graftwork.core.rows.examples import Examples
from graftwork.core.scoring import prediction
from graftwork.core.technique import Technique
from graftwork.data.batch import Batch
from graftwork.data.table import Modality
from graftwork.data.tensors import one_tensor
from graftwork.evidence.robustness.black_box import random_search
from graftwork.evidence.robustness.settings import HUGE, RobustnessSettings
from graftwork.evidence.robustness.shares import Share
from graftwork.networks.network import Forward, Network
from graftwork.tasks.task import Task
from graftwork.techniques.adversarial.attack import Ball, pgd
from graftwork.techniques.adversarial.perturbed_inputs import ball, shifted, steady

_ROWS = 128
_MARGIN = 0.02
"""Shares of the rows closer than this count as equal."""
_STILL_RIGHT = 0.1


@dataclass(frozen=True)
class Attacked:
    """Accuracy on the same rows, untouched and attacked. epsilons, gradient: strengths, and what is left at each.

    single: at the largest strength after one step (FGSM). black_box: there too, None where it was not tried. far: at a
    strength where nothing should be left. notes: why the figures may be better than the truth.
    """

    target: str
    input: str
    modality: Modality
    clean: Share
    epsilons: tuple[float, ...]
    gradient: tuple[Share, ...]
    single: Share
    black_box: Share | None
    far: Share

    @property
    def notes(self) -> tuple[str, ...]:
        """Signs of gradients that mislead (Athalye et al. 2018); empty where there are none."""
        found, worst = [], self.gradient[-1]
        where = f"{self.target} from {self.input}"
        if self.black_box is not None and self.black_box.value < worst.value - _MARGIN:
            found.append(
                f"{where}: an attack that sees predictions only leaves {self.black_box.text}, the gradient attack "
                f"{worst.text}: the gradients look masked, so trust the lower figure, and expect worse"
            )
        if self.single.value < worst.value - _MARGIN:
            found.append(
                f"{where}: a single step leaves {self.single.text}, many steps {worst.text}: the gradients look masked"
            )
        if self.far.value > _STILL_RIGHT:
            found.append(
                f"{where}: {self.far.text} are still right at epsilon {HUGE[self.modality]:g}, where every row can be "
                "turned into another: the gradients look masked, and accuracy under attack is not to be trusted"
            )
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        pairs = zip(self.epsilons, self.gradient, strict=True)
        return {
            "target": self.target,
            "input": self.input,
            "clean": self.clean.to_json(),
            "gradient": [{"epsilon": epsilon, **share.to_json()} for epsilon, share in pairs],
            "single_step": self.single.to_json(),
            "black_box": None if self.black_box is None else self.black_box.to_json(),
            "huge_epsilon": HUGE[self.modality],
            "at_huge_epsilon": self.far.to_json(),
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class Aim:
    """What is attacked: one target by one input of a network, with what acts at prediction."""

    network: Network
    task: Task
    target: str
    input: str
    techniques: tuple[Technique, ...] = ()

    @property
    def modality(self) -> Modality:
        return self.network.encoder(self.input).modality


def attack(
    aim: Aim,
    examples: Examples,
    settings: RobustnessSettings,
    watch: Callable[[str], None] | None = None,
) -> Attacked:
    """Accuracy under attack of the labelled rows; a row counts as right where no change that was tried fools it.

    examples: prepared with the task. watch: told what is being tried.
    """
    rows = np.flatnonzero(examples.labelled[aim.target])
    epsilons = settings.tried(aim.modality)
    tell = watch or (lambda _: None)
    tell(f"{aim.input}: untouched")
    right = _each(aim, examples, rows, lambda seen: seen.right())
    clean, left, shares = Share.of(right), rows[right], list[Share]()
    for epsilon in epsilons:  # what a smaller change fools a larger one does too
        tell(f"{aim.input}: gradient attack at {epsilon:.4g}")
        left = left[_each(aim, examples, left, partial(_Seen.survives, epsilon=epsilon, settings=settings))]
        shares.append(Share(len(left), len(rows)))

    def standing(among: np.ndarray, look: Callable[[_Seen], Tensor]) -> Share:
        return Share(int(_each(aim, examples, among, look).sum()), len(rows))

    single = standing(rows[right], lambda seen: seen.survives(epsilons[-1], settings, single=True))
    black_box: Share | None = None
    if settings.queries:
        tell(f"{aim.input}: black-box attack at {epsilons[-1]:.4g}")
        black_box = standing(rows[right], lambda seen: seen.withstands(epsilons[-1], settings))
    tell(f"{aim.input}: gradient attack at {HUGE[aim.modality]:g}")
    far = standing(left, lambda seen: seen.survives(HUGE[aim.modality], settings))
    return Attacked(aim.target, aim.input, aim.modality, clean, epsilons, tuple(shares), single, black_box, far)


@dataclass(frozen=True)
class _Seen:
    """One batch of rows under attack."""

    aim: Aim
    forward: Forward
    batch: Batch
    draws: torch.Generator

    def right(self) -> Tensor:
        with torch.no_grad():
            return self._right(one_tensor(self.forward(self.batch).predictions[self.aim.target]))

    def survives(self, epsilon: float, settings: RobustnessSettings, *, single: bool = False) -> Tensor:
        """Which rows (B,) stay right under the gradient attack, whichever restart is looked at."""
        balls = {self.aim.input: self._ball(epsilon)}
        steps, restarts = (1, 1) if single else (settings.steps, settings.restarts)
        standing = torch.ones(len(self.batch), dtype=torch.bool, device=self.batch.rows.device)
        for restart in range(restarts):
            draws = None if single or restart == 0 else self.draws
            delta = pgd(self._loss, balls, steps, draws)
            with torch.no_grad():
                standing &= self._right(self._predict(delta))
        return standing

    def withstands(self, epsilon: float, settings: RobustnessSettings) -> Tensor:
        """The same under the black-box attack."""

        def margin(delta: Tensor, rows: Tensor) -> Tensor:
            with torch.no_grad():
                part = self.batch.part(rows.to(self.batch.rows.device))
                changed = shifted(self.aim.network, part, {self.aim.input: delta})
                found, truth = self.forward(changed).predictions[self.aim.target], part.targets[self.aim.target]
                return _margin(one_tensor(found), one_tensor(truth))

        return ~random_search(margin, self._ball(epsilon), settings.queries, self.draws)

    def _ball(self, epsilon: float) -> Ball:
        text = self.aim.modality == "text"
        return ball(self.aim.network, self.aim.input, self.batch, epsilon, "l2" if text else "linf", relative=text)

    def _predict(self, delta: dict[str, Tensor]) -> Tensor:
        return one_tensor(self.forward(shifted(self.aim.network, self.batch, delta)).predictions[self.aim.target])

    def _loss(self, delta: dict[str, Tensor]) -> Tensor:
        return self.aim.task.loss(self._predict(delta).float(), self.batch.targets[self.aim.target])

    def _right(self, predictions: Tensor) -> Tensor:
        return predictions.argmax(1) == one_tensor(self.batch.targets[self.aim.target])


def _margin(predictions: Tensor, target: Tensor) -> Tensor:
    """How much the true class is ahead of the best other one (B,)."""
    own = predictions.gather(1, target.unsqueeze(1)).squeeze(1)
    others = predictions.scatter(1, target.unsqueeze(1), -torch.inf).amax(1)
    return torch.where(own == others, -torch.finfo(own.dtype).tiny, own - others)


def _each(aim: Aim, examples: Examples, rows: np.ndarray, look: Callable[[_Seen], Tensor]) -> np.ndarray:
    """What `look` finds of each of these rows (N,), bool, batch by batch."""
    found = np.zeros(len(rows), bool)
    if not len(rows):
        return found
    with steady(aim.network), torch.enable_grad():
        forward, given = prediction(aim.network, examples, rows, aim.techniques)
        for indices in _batches(examples.lengths[rows]):
            draws = torch.Generator().manual_seed(int(rows[indices[0]]))
            found[indices] = look(_Seen(aim, forward, given.batch(indices), draws)).cpu().numpy()
    return found


def _batches(lengths: np.ndarray) -> Sequence[np.ndarray]:
    order = np.argsort(lengths, kind="stable")
    return [order[start : start + _ROWS] for start in range(0, len(order), _ROWS)]

"""A policy from logged choices: which action to choose of a row, learned from what other choices brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from graftwork.data.table import Kind, Table
from graftwork.data.values import Targets
from graftwork.errors import UsageError
from graftwork.shown import shortened_text
from graftwork.tasks.labels import MISSING, Labels
from graftwork.tasks.learned import with_learned
from graftwork.tasks.logs.log import read_log
from graftwork.tasks.logs.logged import Logged, learn_log
from graftwork.tasks.logs.policies import policy_sections
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.metrics.off_policy import Judged, metrics_of
from graftwork.tasks.section import Section, SeenRows
from graftwork.tasks.task import NONE, Encoders, Task

MOST = 1000.0
"""The largest weight of a row where a policy is judged: there bias costs more than variance."""
HEATS = np.geomspace(0.2, 5.0, 41)
NEVER = -1e9
"""The logit of an action that is never chosen."""


@dataclass(frozen=True, kw_only=True)
class Bandit(Task):
    """One of K actions a row, learned from a log in which each row shows what one action brought; more is better.

    Targets are (N, 3), float32: the index of the logged action (-1 where missing), its reward, and its propensity (0
    where none is logged). Predictions are (B, 2 K): logits of the policy, then the standardised reward to expect of
    each action; where no propensities are logged (B, 3 K), behind them logits of the logging policy. The most probable
    action of the policy is chosen.

    The loss of a row is that of its three parts: the policy's cross-entropy at the logged action, weighted by reward /
    propensity, so that the best action is the most probable one; the squared error of the reward; and the logging
    policy's cross-entropy. The reward is scaled to 0 to 1 for the first one (its 1 % and 99 % quantiles).

    support: logged rows of an action below which it is never chosen, 1 or more. clip: the largest weight of a row,
    1 / propensity, in learning; above 1.
    """

    name: ClassVar[str] = "bandit"
    target_kinds: ClassVar[tuple[Kind, ...]] = ("category", "text", "number")
    metric_names: ClassVar[tuple[str, ...]] = ("policy_value", "snips_value", "ips_value", "effective_sample_share")
    own_facts: ClassVar[frozenset[str]] = frozenset({"row_outputs"})

    support: int = 10
    clip: float = 100.0
    labels: Labels = field(default=Labels(()), init=False)
    log: Logged = field(default=Logged(), init=False)

    def __post_init__(self) -> None:
        if self.support < 1:
            raise UsageError(f"bandit: support is {self.support}. Expected 1 or more rows.")
        if not 1.0 < self.clip < float("inf"):
            raise UsageError(f"bandit: clip is {self.clip}. Expected a number above 1, such as 100.")

    def learn_rows(self, table: Table, name: str) -> Self:
        """Raises UsageError where no column holds rewards; DataError where nothing can be learned of the log."""
        labels, log = learn_log(table, name, self.support, self.clip)
        return with_learned(self, labels=labels, log=log)

    @property
    def actions(self) -> int:
        return len(self.labels.texts)

    @property
    def outputs(self) -> int:
        return self.actions * (2 if self.log.propensity else 3)

    @property
    def usual_techniques(self) -> tuple[str, ...]:
        """Rewards and propensities of the training rows are cross-fitted there."""
        return ("doubly-robust",)

    @property
    def reading(self) -> tuple[str, ...]:
        return self.log.reading

    def encode_rows(self, table: Table, name: str, encoders: Encoders = NONE) -> Targets | None:
        """Raises DataError for actions that training never had, and where the columns of the log are lacking."""
        if name not in table.data.column_names:
            return None
        codes = self.labels.codes(table.column(name), table.source, table.rows)
        read = read_log(table, self.log.reward, self.log.propensity)
        known = (codes != MISSING) & ~np.isnan(read.reward)
        known = known & ~np.isnan(read.propensity) if self.log.propensity else known
        columns = [codes, np.nan_to_num(read.reward), np.nan_to_num(read.propensity)]
        values = np.stack(columns, axis=1).astype(np.float32)
        values[~known, 0] = MISSING
        return Targets(values, known)

    # --- learning ------------------------------------------------------------------------------------------------
    def loss(self, predictions: Tensor, target: Tensor) -> Tensor:
        """Of each row (B,); 0 where the action is missing."""
        action, known = self._action(target)
        propensity = target[:, 2] if self.log.propensity else self._row(self.log.shares, target)[action]
        weight = (1.0 / propensity.clamp(min=1e-12)).clamp(max=self.clip) * self._row(self.log.supported, target)[
            action
        ]
        gain = ((target[:, 1] - self.log.low) / (self.log.high - self.log.low)).clamp(0.0, 1.0) / self.log.scale
        chosen = self.log_policy(predictions).gather(1, action[:, None]).squeeze(1)
        return (self.reward_and_choice_loss(predictions, target) - weight * gain * chosen) * known

    def reward_and_choice_loss(self, predictions: Tensor, target: Tensor) -> Tensor:
        """The squared error of the logged action's reward, and where no propensities are logged the cross-entropy of
        the logging policy (B,); 0 where the action is missing."""
        action, known = self._action(target)
        missed = self.expected(predictions).gather(1, action[:, None]).squeeze(1) - self.standardised(target[:, 1])
        value: Tensor = missed.square()
        if not self.log.propensity:
            value = value + F.cross_entropy(predictions[:, 2 * self.actions :], action, reduction="none")
        return value * known

    def improvement_loss(self, predictions: Tensor, rewards: Tensor) -> Tensor:
        """Less the reward that the policy brings where each action brings so much (B, K), standardised; (B,)."""
        return -(self.log_policy(predictions).exp() * rewards).sum(dim=1)

    def log_policy(self, predictions: Tensor) -> Tensor:
        """Log-probabilities of the policy (B, K); an action that is never chosen has next to none."""
        logits = predictions[:, : self.actions]
        never = self._row(self.log.supported, logits) == 0
        return torch.log_softmax(logits.masked_fill(never, NEVER), dim=1)

    def expected(self, predictions: Tensor) -> Tensor:
        """The reward to expect of each action (B, K), standardised."""
        return predictions[:, self.actions : 2 * self.actions]

    def logging_policy(self, predictions: Tensor) -> Tensor | None:
        """How probable each action is in the log (B, K); None where propensities are logged."""
        return None if self.log.propensity else torch.softmax(predictions[:, 2 * self.actions :] / self.log.heat, dim=1)

    def calibrated(self, values: np.ndarray, targets: np.ndarray) -> Self:
        """Where no propensities are logged, with the temperature at which the logging policy is most honest."""
        if self.log.propensity or not len(targets):
            return self
        logits = torch.from_numpy(values[:, 2 * self.actions :]).double()
        action = torch.from_numpy(targets[:, 0].astype(np.int64))
        missed = [float(F.cross_entropy(logits / heat, action)) for heat in HEATS]
        return with_learned(self, log=replace(self.log, heat=float(HEATS[int(np.argmin(missed))])))

    def standardised(self, rewards: Any) -> Any:
        """Rewards (N,), an array or a tensor, as `expected` has them."""
        return (rewards - self.log.mean) / self.log.std

    def divergence(self, predictions: Tensor, reference: Tensor) -> Tensor:
        """KL of the policies, and the squared difference of the rewards to expect, mean over the actions (B,)."""
        log_p, log_q = self.log_policy(predictions), self.log_policy(reference)
        apart = F.kl_div(log_p, log_q, reduction="none", log_target=True).sum(dim=1)
        return apart + (self.expected(predictions) - self.expected(reference)).square().mean(dim=1)

    def _action(self, target: Tensor) -> tuple[Tensor, Tensor]:
        """Indices (B,), 0 where missing, and which are there (B,)."""
        action = target[:, 0].long()
        return action.clamp(min=0), action != MISSING

    def _row(self, values: tuple[float, ...], like: Tensor) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=like.device)

    # --- predictions ---------------------------------------------------------------------------------------------
    def in_units(self, kept: np.ndarray, temperature: float = 1.0) -> np.ndarray:
        """How probable each action is in the policy (N, K)."""
        with torch.inference_mode():
            found: np.ndarray = self.log_policy(torch.from_numpy(kept)).exp().numpy()
        return found

    def scored(self, kept: np.ndarray, temperature: float = 1.0) -> np.ndarray:
        """The same, then rewards to expect in their own units, and the logging policy where it is learned."""
        with torch.inference_mode():
            predictions = torch.from_numpy(kept)
            logging = self.logging_policy(predictions)
            rewards = (self.expected(predictions).double() * self.log.std + self.log.mean).float().numpy()
            parts = [self.in_units(kept), rewards, *([] if logging is None else [logging.numpy()])]
        return np.concatenate(parts, axis=1)

    def truth(self, targets: np.ndarray) -> np.ndarray:
        """Logged action, reward and propensity (N, 3)."""
        return targets.astype(np.float64)

    def predicted(self, kept: np.ndarray) -> np.ndarray:
        """Indices of the chosen actions (N,)."""
        return np.asarray(kept[:, : self.actions].argmax(axis=1))

    def judged(self, truth: np.ndarray, kept: np.ndarray) -> Judged:
        """The chosen actions on logged rows, as `metric_inputs` gives them. How many actions there are is seen from the
        rows, so that metrics know it of a task that has learned nothing yet."""
        actions = kept.shape[1] // (2 if self.log.propensity else 3)
        action, propensity = truth[:, 0].astype(np.int64), truth[:, 2]
        if not self.log.propensity:
            propensity = kept[np.arange(len(kept)), 2 * actions + action].astype(np.float64)
        return Judged(
            action=action,
            reward=truth[:, 1],
            propensity=np.maximum(propensity, 1e-12),
            chosen=kept[:, :actions].argmax(axis=1),
            expected=kept[:, actions : 2 * actions].astype(np.float64),
            clip=MOST,
            normalised=not self.log.propensity,
        )

    def metrics(self) -> Mapping[str, Metric]:
        return metrics_of(self.judged) | self.suited_metrics()

    def sections(self, truth: np.ndarray, kept: np.ndarray, rows: SeenRows) -> tuple[Section, ...]:
        """The value of the policy beside others, and which actions it chooses."""
        return policy_sections(self.judged(truth, kept), self.labels.texts, self.log)

    def constant(self, train: np.ndarray, metric: Metric, kept: np.ndarray) -> tuple[str, np.ndarray] | None:
        """The action that alone would have brought most in the log."""
        always = kept.copy()
        always[:, : self.actions] = np.eye(self.actions, dtype=kept.dtype)[self.log.constant]
        return f"the best single action, '{shortened_text(self.labels.texts[self.log.constant])}'", always

    def format(self, value: np.ndarray) -> str:
        return self.labels.texts[int(value)]

    def decode(self, kept: np.ndarray) -> list[Any]:
        return self.labels.values(self.predicted(kept))

    def numbers(self, name: str) -> tuple[str, ...]:
        """The actions: the numbers of a row are their probabilities."""
        return self.labels.texts

    # --- what was learned ----------------------------------------------------------------------------------------
    def state(self) -> dict[str, Any]:
        learned = {"actions": list(self.labels.texts), "type": self.labels.type, "log": self.log.state()}
        return {"support": self.support, "clip": self.clip, **learned}

    def with_state(self, state: dict[str, Any]) -> Self:
        return with_learned(
            self,
            support=int(state["support"]),
            clip=float(state["clip"]),
            labels=Labels(tuple(state["actions"]), str(state["type"])),
            log=Logged.of(state["log"]),
        )

"""A model that `fit` gave, acting in an environment: its rows are what the environment shows. Policies that were
learned there are played as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graftwork.errors import UsageError, nearest
from graftwork.evidence.rl.scored import Scored
from graftwork.model import Model, load
from graftwork.rl.policies.acting import Acting
from graftwork.rl.policies.manifest import is_policy
from graftwork.rl.policies.policy import load_policy
from graftwork.rl.recipe import Made
from graftwork.rl.world.action_values import action_columns, action_names, read_action
from graftwork.rl.world.environments import World, open_world
from graftwork.rl.world.looked_at import columns_of, values_of
from graftwork.rl.world.observations import Part
from graftwork.rl.world.scoring import Act, Scorer, episode_seeds


@dataclass(frozen=True)
class ModelActor:
    """Predicts an action for each observation. names: of the environment's choices."""

    model: Model
    world: World
    names: dict[str, int]

    @classmethod
    def of(cls, model: Model, world: World) -> ModelActor:
        """Raises UsageError where the environment does not show what the model reads, or takes other actions."""
        shown = [column for part in world.parts for column in columns_of(part)]
        for column in model.schema.inputs:
            if column.name not in shown:
                raise UsageError(
                    f"The model reads '{column.name}', and {world.name} shows {', '.join(map(repr, shown[:12]))}. "
                    f"{nearest(column.name, shown)} The columns that it was fitted on have to be called so."
                )
        wanted = len(action_columns(world.actions, "action"))
        if len(model.tasks) != wanted:
            raise UsageError(
                f"{world.name} takes {world.actions.text}, so a model has to predict {wanted} column"
                f"{'s' if wanted > 1 else ''}, and this one predicts {len(model.tasks)}: {', '.join(model.tasks)}."
            )
        return cls(model, world, action_names(world))

    @property
    def _parts(self) -> list[Part]:
        """Those that the model reads."""
        read = {column.name for column in self.model.schema.inputs}
        return [part for part in self.world.parts if read & set(columns_of(part))]

    def act_many(self, observations: Sequence[Any]) -> list[Any]:
        """An action for each observation, as the environment takes it.

        Raises UsageError for a prediction that is no action there.
        """
        native: list[Any] = self.world.actions.native(self.chosen(observations))
        return native

    def chosen(self, observations: Sequence[Any]) -> np.ndarray:
        """The same as algorithms count them: (B,) of one choice, else (B, K)."""
        predicted = self.model.predict_rows(as_rows(self._parts, observations)).each_values
        rows = zip(*predicted.values(), strict=True)
        try:
            found = np.stack([read_action(row, self.world.actions, self.names) for row in rows])
        except ValueError as error:
            raise UsageError(
                f"The model's prediction is no action of {self.world.name}: {error}. Fit it on actions as the "
                "environment takes them."
            ) from None
        return as_algorithms(found, self.world)


def as_rows(parts: Sequence[Part], observations: Sequence[Any]) -> Any:
    """These parts of observations as a table of Arrow, a column a part or number."""
    import pyarrow as pa

    columns: dict[str, list[Any]] = {}
    for part in parts:
        rows = [values_of(part, one) for one in observations]
        columns |= {name: list(values) for name, values in zip(columns_of(part), zip(*rows, strict=True), strict=True)}
    return pa.table(columns)


def as_algorithms(actions: np.ndarray, world: World) -> np.ndarray:
    """Actions (B, K) in the form and type in which algorithms have them."""
    kind = world.actions.kind
    if kind == "numbers":
        return actions.astype(np.float32)
    whole = actions.astype(np.int64)
    return whole[:, 0] if kind == "one" else whole


Player = Model | Acting
"""What can be played: a model, or a policy."""


@dataclass(frozen=True)
class Played:
    """Episodes of a model or policy, and as many of actions at random from the same beginnings."""

    model: Scored
    random: Scored


def play(model: Player | str | Path, env: str | Made, *, episodes: int = 100, seed: int = 0) -> Played:
    """Let a model that was fitted on rows, or a policy, act in an environment: its returns, beside those of actions at
    random.

    model: that, or its folder. A model reads what the environment shows in columns of the same names: `observation.0`,
    `observation.1`, … of numbers, the keys of a dictionary else; what it predicts is the action. env: the id of a
    gymnasium environment, `module:Class`, or a function that makes one. seed: of the beginnings.

    Raises UsageError where they don't fit or there is no such environment, MissingPackageError without the extra `rl`,
    EnvironmentCrashedError where the environment fails.
    """
    if episodes < 1:
        raise UsageError(f"episodes is {episodes}. Expected 1 or more.")
    world = open_world(env)
    player = load_player(model) if isinstance(model, (str, Path)) else model
    return Played(*score_model(player, world, episodes=episodes, seed=seed))


def load_player(folder: str | Path) -> Player:
    """The policy or the model in a folder. Raises ModelError where there is none, or a damaged one."""
    return load_policy(folder) if is_policy(Path(folder)) else load(folder)


def score_model(player: Player, world: World, *, episodes: int = 100, seed: int = 0) -> tuple[Scored, Scored]:
    """Episodes of a model or policy in an environment, and as many of actions at random from the same beginnings.

    Raises UsageError where they don't fit, EnvironmentCrashedError where the environment fails.
    """
    if isinstance(player, Acting):
        player.check_fits(world.parts, world.actions, world.name)
        act: Act = player.act_many
    else:
        act = ModelActor.of(player, world).act_many
    # A policy was chosen by the others, and a model by none.
    scorer, seeds = Scorer(world), episode_seeds(seed, episodes, last=isinstance(player, Acting))
    try:
        return scorer.score(act, seeds), scorer.random(seeds)
    finally:
        scorer.close()

"""A search space as plain data: recipes of proposed values, and the values of recipes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from graftwork import specs
from graftwork.core.plan import place
from graftwork.core.settings import Training, fitted_epochs
from graftwork.core.technique import Technique
from graftwork.networks.base_settings import BaseSettings
from graftwork.networks.bases.registry import bases_of, written
from graftwork.networks.heads.registry import HEADS
from graftwork.recipe import Recipe
from graftwork.runs.tune.space.arms import SHARES, BaseArm, InputArms, Regime, blocks_of, regime_of
from graftwork.runs.tune.space.dimensions import Dimension, lies_within, proposed
from graftwork.spaces import Range, Space
from graftwork.tasks.registry import USUAL_HEAD
from graftwork.techniques.transfer.partial import Partial

TUNING, BLOCKS, WITH = "tuning", "blocks", "with "
HEAD, FUSION = ("head", "probe head"), ("fusion", "probe fusion")
"""The dimensions of what is trained on, and of what is solved on frozen features, which knows other values."""
LR: dict[Regime, str] = {"tuned": "lr", "scratch": "scratch lr"}
EPOCHS: dict[Regime, str] = {"tuned": "epochs", "scratch": "scratch epochs"}
FULL, NO_FUSION = "full", "side by side"
PLAIN_HEAD = "linear"
DIGITS = 3
S = TypeVar("S")


@dataclass(frozen=True)
class Frame:
    """What all recipes of a space share.

    recipe: as the user gave it, with the techniques that it names. inputs: the bases of each. rows, outputs: of the
    training rows, by which passes are fitted. solved: what solves a head on bases that have nothing to train. tunings:
    by name, what says which parts of pretrained bases are trained. starts: what solves the head before, where the
    tuning does not. fusions: of several inputs. switches: what is switched on and off. training: of fine-tunes, where
    the values say nothing else. shares: of the blocks of a base, those that a partial fine-tune trains.
    """

    recipe: Recipe
    inputs: tuple[InputArms, ...]
    rows: int
    outputs: int
    solved: tuple[Technique, ...] = ()
    tunings: Mapping[str, tuple[Technique, ...]] = field(default_factory=dict)
    starts: tuple[Technique, ...] = ()
    fusions: Mapping[str, Technique] = field(default_factory=dict)
    switches: Mapping[str, Technique] = field(default_factory=dict)
    training: Training = field(default_factory=Training)
    shares: tuple[float, ...] = SHARES

    def is_probe(self, tuning: str) -> bool:
        """Whether it leaves the base frozen."""
        return any("trainable_features" in one.drops for one in (*self.recipe.listed, *self.tunings.get(tuning, ())))


@dataclass(frozen=True)
class SearchSpace:
    """Where a tune looks; `search_space` makes one of a job.

    dimensions: in the order in which they are asked for. What a plan refuses lies outside of them, as far as the facts
    and claims of techniques can tell.
    """

    dimensions: tuple[Dimension, ...]
    frame: Frame

    def propose(self, suggest: Callable[[str, Space], object]) -> dict[str, object]:
        """A value for each dimension that is asked for. suggest: gives one for a name and its space."""
        return proposed(self.dimensions, suggest)

    def __contains__(self, params: object) -> bool:
        """Whether these are values of just the dimensions that are asked for."""
        return isinstance(params, Mapping) and lies_within(self.dimensions, params)

    def recipe(self, params: Mapping[str, object]) -> Recipe:
        """The recipe of proposed values. Numbers are rounded to three digits, for those who read it."""
        params = {name: _rounded(value) for name, value in params.items()}
        frame = self.frame
        arms = [one.chosen(params) for one in frame.inputs]
        bases = {one.input.name: arm.with_values(params) for one, arm in zip(frame.inputs, arms, strict=True)}
        regime = regime_of(arm.kind for arm in arms)
        tuning = self._tuning(params, regime)
        probe = regime == "solved" or frame.is_probe(tuning)
        head = str(params.get(HEAD[probe], frame.recipe.head))
        return replace(
            frame.recipe,
            base=written(bases),
            head=_head_at(head, params),
            techniques=self._techniques(params, depths_of(arms, bases.values()), regime, tuning),
            training=self._training(params, regime, probe),
        )

    def params_of(self, recipe: Recipe) -> dict[str, object] | None:
        """The values of which `recipe` makes this one, its numbers to three digits; None where it lies elsewhere."""
        found = self._known(recipe)
        if found is None:
            return None
        known, arms = found
        rounded = self.propose(lambda name, space: _whole(_rounded(known.get(name)), space))
        if rounded not in self or self._plain(self.recipe(rounded), arms) != self._plain(recipe, arms):
            return None
        return rounded

    def _tuning(self, params: Mapping[str, object], regime: Regime) -> str:
        """What is trained of pretrained bases."""
        return str(params.get(TUNING, next(iter(self.frame.tunings), ""))) if regime == "tuned" else ""

    def _techniques(
        self, params: Mapping[str, object], depths: list[int], regime: Regime, tuning: str
    ) -> tuple[Technique, ...]:
        frame = self.frame
        switched = [_at(one, params) for name, one in frame.switches.items() if params.get(WITH + name) is True]
        fusion = [params[name] for name in FUSION if name in params]
        fused = [_at(one, params) for name, one in frame.fusions.items() if name in fusion]
        chosen = [_at(one, params) for one in frame.tunings.get(tuning, ())]
        if BLOCKS in params:
            blocks = blocks_of(cast(float, params[BLOCKS]), depths)
            chosen = [Partial(blocks) if isinstance(one, Partial) else one for one in chosen]
        chosen = list(frame.solved) if regime == "solved" else chosen
        named = [*frame.recipe.named, *chosen, *fused, *switched]
        solves = any("head initialisation" in one.claims for one in named)
        starts = [] if solves or regime != "tuned" else frame.starts
        return tuple(sorted([*named, *starts], key=place))

    def _training(self, params: Mapping[str, object], regime: Regime, probe: bool) -> Training:
        own = self.frame.recipe.training
        if probe:
            return own
        training = self.frame.training if regime == "tuned" else own
        values = {"lr": params.get(LR[regime]), "epochs": params.get(EPOCHS[regime])}
        return _changed(training, {name: value for name, value in values.items() if value is not None})

    def _known(self, recipe: Recipe) -> tuple[dict[str, object], list[BaseArm]] | None:
        """What the recipe says of every dimension, and its bases; None where it has what no recipe of the space has."""
        frame, known, arms = self.frame, dict[str, object](), list[BaseArm]()
        if recipe.techniques == "auto" or recipe.inputs != frame.recipe.inputs:
            return None
        bases = bases_of(recipe.base, [one.input for one in frame.inputs])
        for one in frame.inputs:
            values = [(arm, arm.values_of(bases[one.input.name])) for arm in one.arms]
            arm, said = next(((arm, said) for arm, said in values if said is not None), (None, {}))
            if arm is None:
                return None
            arms.append(arm)
            known |= {one.dimension: arm.base.spec, **said}
        regime = regime_of(arm.kind for arm in arms)
        listed = {one.name: one for one in recipe.listed}
        tuning = self._tuning_of(listed, regime)
        probe = regime == "solved" or frame.is_probe(tuning)
        known[TUNING] = tuning
        known[FUSION[probe]] = next((name for name in frame.fusions if name in listed), NO_FUSION)
        known |= {WITH + name: name in listed for name in frame.switches}
        known |= {f"{name}.{setting}": value for name, one in listed.items() for setting, value in vars(one).items()}
        depths = depths_of(arms, (bases[one.input.name] for one in frame.inputs))
        partial = listed.get(Partial.name)
        if isinstance(partial, Partial) and depths:
            known[BLOCKS] = next((share for share in frame.shares if blocks_of(share, depths) == partial.blocks), None)
        head = specs.parse(PLAIN_HEAD if recipe.head == USUAL_HEAD else recipe.head, HEADS, "head")
        known[HEAD[probe]] = head.name
        known |= {f"{head.name}.{setting}": value for setting, value in vars(head).items()}
        if not probe:
            training = self._filled(recipe.training, arms)
            known |= {LR[regime]: training.lr, EPOCHS[regime]: training.epochs}
        return known, arms

    def _tuning_of(self, listed: Mapping[str, Technique], regime: Regime) -> str:
        """The tuning whose techniques are listed; `full` where nothing says what is trained."""
        if regime != "tuned":
            return ""
        named = {name: {one.name for one in techniques} for name, techniques in self.frame.tunings.items()}
        fits = [name for name, techniques in named.items() if techniques and techniques <= set(listed)]
        return next(iter(fits), FULL if FULL in named else next(iter(named), ""))

    def _filled(self, training: Training, arms: list[BaseArm]) -> Training:
        """With the rate and the passes that are usual for these bases where it names none."""
        passes = max(arm.base.suggested_epochs for arm in arms)
        epochs = fitted_epochs(training, rows=self.frame.rows, outputs=self.frame.outputs, epochs=passes)
        lr = usual_lr(arms) if training.lr is None else training.lr
        return replace(training, lr=_rounded(lr), epochs=None if training.steps is not None else epochs)

    def _plain(self, recipe: Recipe, arms: list[BaseArm]) -> Recipe:
        """By which two recipes are told to be the same."""
        bases = bases_of(recipe.base, [one.input for one in self.frame.inputs])
        regime = regime_of(arm.kind for arm in arms)
        listed = [one for one in recipe.listed if one.name != FULL or regime != "tuned"]
        tuning = self._tuning_of({one.name: one for one in recipe.listed}, regime)
        solved = regime == "solved" or self.frame.is_probe(tuning)
        return replace(
            recipe,
            base={name: base.spec for name, base in bases.items()},
            head=PLAIN_HEAD if recipe.head == USUAL_HEAD else recipe.head,
            techniques=tuple(sorted(listed, key=place)),
            training=recipe.training if solved else self._filled(recipe.training, arms),
        )


def depths_of(arms: Iterable[BaseArm], bases: Iterable[BaseSettings]) -> list[int]:
    """The blocks of the bases that are tuned in parts, as they are at some values."""
    depths = (arm.blocks_at(base) for arm, base in zip(arms, bases, strict=True))
    return [depth for depth in depths if depth]


def usual_lr(arms: list[BaseArm]) -> float:
    """The rate at which all of some bases is trained where none is named: that of the slowest pretrained one."""
    learning = [arm.base for arm in arms if arm.base.suggested_lr]
    return min(base.suggested_lr for base in [one for one in learning if one.pretrained] or learning)


def _at(technique: Technique, params: Mapping[str, object]) -> Technique:
    """The technique at the values of its dimensions."""
    prefix = f"{technique.name}."
    values = {name.removeprefix(prefix): value for name, value in params.items() if name.startswith(prefix)}
    return _changed(technique, values)


def _head_at(head: str, params: Mapping[str, object]) -> str:
    """The head at the values of its dimensions, written."""
    prefix = f"{head}."
    values = {name.removeprefix(prefix): value for name, value in params.items() if name.startswith(prefix)}
    return specs.write(specs.build(HEADS[head], values, f"head '{head}'"), head) if values else head


def _rounded(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _whole(value: object, space: Space) -> object:
    """A whole number where the space is of those."""
    whole = isinstance(space, Range) and space.whole
    return int(value) if whole and isinstance(value, float) and value == int(value) else value


def _changed(settings: S, values: Mapping[str, Any]) -> S:
    """Settings (a dataclass) with other values."""
    return cast(S, replace(cast(Any, settings), **values)) if values else settings

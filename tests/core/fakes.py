"""Techniques that only say when they are called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from graftwork.core.technique import Graft, LossOutput, Objective, Phase, Predictor, Rows, Setup, Technique
from graftwork.data.batch import Batch
from graftwork.networks.network import Forward, Network, Output


@dataclass(frozen=True)
class Teller(Technique):
    """Appends `name stage` to `told` at every stage; wrapped stages tell when they are entered and left."""

    told: list[str] = field(default_factory=list, compare=False)
    name: ClassVar[str] = "teller"
    phase: ClassVar[Phase] = Phase.LABELS
    summary: ClassVar[str] = "a fake"

    def adapt(self, network: Network, setup: Setup) -> Network:
        self._tell("adapt")
        return network

    def start(self, network: Network, setup: Setup) -> None:
        self._tell("start")

    def predict(self, predictor: Predictor, rows: Rows) -> Predictor:
        def made(network: Network) -> Forward:
            forward = predictor(network)
            return Forward(self._around("predict", forward.features), forward.heads, forward.generate)

        return made

    def attach(self, network: Network, setup: Setup) -> Graft:
        def losses(_batch: Batch, _output: Output) -> dict[str, Any]:
            self._tell("losses")
            return {}

        def view(network: Network) -> Network:
            self._tell("view")
            return network

        def combine(_batch: Batch, terms: Any) -> Any:
            self._tell("combine")
            return terms

        def inputs(batch: Batch) -> Batch:
            self._tell("inputs")
            return batch

        def fold(network: Network) -> Network:
            self._tell("fold")
            return network

        return Graft(
            inputs=inputs,
            losses=losses,
            objective=lambda inner: self._around("objective", inner),
            combine=combine,
            gradient=lambda inner: self._around("gradient", inner),
            after_step=lambda _: self._tell("after_step"),
            view=view,
            fold=fold,
        )

    def _tell(self, stage: str) -> None:
        self.told.append(f"{self.name} {stage}")

    def _around(self, stage: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            self._tell(f"{stage} in")
            result = inner(*args)
            self._tell(f"{stage} out")
            return result

        return call


@dataclass(frozen=True)
class Later(Teller):
    name: ClassVar[str] = "later"
    phase: ClassVar[Phase] = Phase.ACCUMULATE


@dataclass(frozen=True)
class Ends(Technique):
    """Turns the loss of one step into NaN, or its gradient only."""

    at: int = 3
    what: str = "loss"
    name: ClassVar[str] = "ends"
    phase: ClassVar[Phase] = Phase.VIEWS
    summary: ClassVar[str] = "a fake"

    def attach(self, network: Network, setup: Setup) -> Graft:
        calls = [0]

        def objective(inner: Objective) -> Objective:
            def measure(forward: Forward, batch: Batch) -> LossOutput:
                measured = inner(forward, batch)
                calls[0] += 1
                if calls[0] != self.at:
                    return measured
                if self.what == "gradient":
                    measured.output.features.rows.register_hook(lambda gradient: gradient * float("nan"))
                    return measured
                terms = {name: replace(term, value=term.value * float("nan")) for name, term in measured.terms.items()}
                return LossOutput(terms, measured.output)

            return measure

        return Graft(objective=objective)


@dataclass(frozen=True)
class Shallow(Technique):
    """Says that it changes the input of a block, so that the cache must end below it."""

    at: int = 0
    name: ClassVar[str] = "shallow"
    phase: ClassVar[Phase] = Phase.WORDS
    summary: ClassVar[str] = "a fake"

    @property
    def depth(self) -> int:
        return self.at


@dataclass(frozen=True)
class Needs(Technique):
    """Needs, drops, gives and claims what it is told."""

    need: str = ""
    drop: str = ""
    give: str = ""
    claim: str = ""
    name: ClassVar[str] = "needs"
    phase: ClassVar[Phase] = Phase.LABELS
    summary: ClassVar[str] = "a fake"

    @property
    def needs(self) -> frozenset[str]:
        return frozenset(filter(None, [self.need]))

    @property
    def drops(self) -> frozenset[str]:
        return frozenset(filter(None, [self.drop]))

    @property
    def gives(self) -> frozenset[str]:
        return frozenset(filter(None, [self.give]))

    @property
    def claims(self) -> frozenset[str]:
        return frozenset(filter(None, [self.claim]))


@dataclass(frozen=True)
class Other(Needs):
    name: ClassVar[str] = "other"

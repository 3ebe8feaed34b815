"""The plan: techniques held against a base, tasks and a table. Ordered, checked, costed; nothing is trained yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import reduce

import numpy as np

from graftwork import notebook, specs
from graftwork.core.contract.facts import CLAIMS, FACTS
from graftwork.core.planning.solved_heads import check_solved_once
from graftwork.core.rows.examples import Examples
from graftwork.core.settings import Training
from graftwork.core.technique import Cost, Graft, Technique
from graftwork.errors import DataError, RefusedError
from graftwork.networks.network import Network
from graftwork.networks.norms import norm_facts
from graftwork.tasks.run_facts import run_facts
from graftwork.tasks.task import Task


def order(techniques: Iterable[Technique]) -> tuple[Technique, ...]:
    """Those that are not off, by phase, then by name: the order in which they were listed changes nothing."""
    acting = (technique for technique in techniques if not technique.off)
    return tuple(sorted(acting, key=place))


def place(technique: Technique) -> tuple[int, str]:
    """Where a technique stands in a run. Names say nothing: techniques of one phase commute."""
    return technique.phase, technique.name


def off_notes(techniques: Iterable[Technique]) -> list[str]:
    """Which techniques `order` leaves out, as they were written."""
    return [f"{specs.write(technique, technique.name)} is off" for technique in techniques if technique.off]


def base_facts(network: Network, tasks: Mapping[str, Task], roles: Iterable[str] = ()) -> frozenset[str]:
    """What holds before any technique: of the base, of the tasks (a technique works on the targets that it fits) and of
    the table."""
    from_base = frozenset[str]().union(*(encoder.facts for encoder in network.each_encoder()))
    from_heads = {"dropout"} if any(head.has_dropout for _, head in network.each_head()) else set()
    from_heads |= {"solvable_heads"} if any(head.can_be_solved for _, head in network.each_head()) else set()
    from_heads |= {"gradients"} if all(head.has_gradient for _, head in network.each_head()) else set()
    from_heads |= {"row_features"} if all(head.reads == "rows" for _, head in network.each_head()) else set()
    from_tasks = run_facts(tasks.values())
    always = {"trainable_features", "row_sampling", "batch_parts", "row_identity"}
    inputs = _input_facts(network).difference(*(task.drops for task in tasks.values()))
    return from_base | norm_facts(network) | inputs | from_heads | from_tasks | frozenset(roles) | always


def _input_facts(network: Network) -> frozenset[str]:
    """What the kinds of the inputs say."""
    kinds = {network.encoder(name).modality for name in network.columns}
    found = {f"{kind}_inputs" for kind in kinds}
    found |= {"several_inputs"} if len(network.columns) > 1 else set()
    found |= {"only_image_inputs"} if kinds == {"image"} else set()
    found |= {"other_views", "signals", "continuous_inputs"} if kinds & {"image", "audio"} else set()
    texts = [encoder for encoder in network.each_encoder() if encoder.modality == "text"]
    if any(encoder.deepest_start for encoder in texts):
        found |= {"embeddings", "continuous_inputs"}
    return frozenset(found)


def check(techniques: Sequence[Technique], facts: frozenset[str]) -> None:
    """Raise RefusedError, with a reason and a way out, where the techniques can't run together on these facts."""
    names = [technique.name for technique in techniques]
    for name in names:
        if names.count(name) > 1:
            raise RefusedError(f"{name} is listed {names.count(name)} times. A technique can be used once in a run.")
    claimed: dict[str, Technique] = {}
    for technique in techniques:
        for claim in sorted(technique.claims):
            if claim in claimed:
                raise RefusedError(
                    f"{claimed[claim].name} and {technique.name} both decide {CLAIMS[claim]}. Drop one of them."
                )
            claimed[claim] = technique
    for technique in techniques:
        _check_needs(technique, techniques, facts)


def _check_needs(technique: Technique, techniques: Sequence[Technique], facts: frozenset[str]) -> None:
    others = [other for other in techniques if other is not technique]
    held = facts.union(*(other.gives for other in others)) if others else facts
    for need in sorted(technique.needs | ({"gradients"} if technique.acts_in_steps else set())):
        remover = next((other for other in others if need in other.drops), None)
        if remover:
            raise RefusedError(f"{technique.name} needs {need}, but {remover.name} removes them. Drop one of them.")
        if need not in held:
            raise RefusedError(f"{technique.name} needs {need}, which this run does not have: {FACTS[need]}.")


def check_labels(train: Examples, valid: Examples | None) -> None:
    """Raise DataError where nothing can be learned, or nothing scored."""
    if not any(mask.any() for mask in train.labelled.values()):
        raise DataError("No training row has a label.")
    if train.weight is not None and not train.weight.any():
        raise DataError("Every training row has the weight 0. Expected at least one row that counts.")
    held = valid.labelled if valid else {}
    if held and not any(mask.any() for mask in held.values()):
        raise DataError(f"No validation row has a label in {' or '.join(map(repr, held))}, so nothing can be scored.")


def check_adapted(techniques: Sequence[Technique], network: Network) -> None:
    """Raise RefusedError where a technique needs something of the base that freezing has left nothing of, and where
    something would be trained below a head that has no gradient."""
    check_solved_once(techniques, network)
    trained = any(parameter.requires_grad for encoder in network.each_encoder() for parameter in encoder.parameters())
    holds = {"trainable_features": trained, "dropout": network.drops_in_training}
    freezer = next((t.name for t in techniques if "trainable parameters" in t.claims), "the base")
    for technique in techniques:
        for need in sorted(technique.needs):
            if not holds.get(need, True):
                raise RefusedError(
                    f"{technique.name} needs {need}, and {freezer} leaves nothing of it in what is trained. "
                    f"Expected {FACTS[need]}. Drop one of them, or train more of the base."
                )


@dataclass(frozen=True, repr=False)
class Plan:
    """A run that was checked and costed.

    techniques: in their order. stages: which stages each takes part in. total_steps: optimizer steps.
    cost: forwards and backwards a row and step. cache: by input column, how many blocks are computed once for all.
    trained, parameters: numbers of parameters. seconds: estimated wall time of the steps, and of the pass over the rows
    where no run before has made it; if it was timed.
    step_rows: rows a step at most where a technique makes the batches, 0 where the settings say it.
    replays: steps that each batch makes in a row.
    """

    techniques: tuple[Technique, ...]
    stages: dict[str, tuple[str, ...]]
    training: Training
    rows: int
    total_steps: int
    cost: Cost
    cache: dict[str, int]
    depths: dict[str, int]
    trained: int
    parameters: int
    notes: tuple[str, ...]
    seconds: float | None = None
    step_rows: int = 0
    replays: int = 1

    @property
    def claims(self) -> frozenset[str]:
        return frozenset[str]().union(*(technique.claims for technique in self.techniques))

    @property
    def keeps_last(self) -> bool:
        """The last weights are kept, not the best: asked for, a technique averages weights over the run, or validation
        does not score what it is for."""
        asked = self.training.keep == "last" or "final weights" in self.claims
        return asked or any(technique.keeps_last for technique in self.techniques)

    @property
    def starts_well(self) -> bool:
        """The network before the first step is worth scoring, because its head has been solved."""
        return "head initialisation" in self.claims

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Techniques x stages, cell by cell; the first row names the columns. Empty without techniques."""
        used = list(dict.fromkeys(stage for technique in self.techniques for stage in self.stages[technique.name]))
        rows = [(t.name, *("x" if stage in self.stages[t.name] else "" for stage in used)) for t in self.techniques]
        return (("technique", *used), *rows) if rows else ()

    @property
    def techniques_text(self) -> str:
        """The names of its techniques."""
        return ", ".join(technique.name for technique in self.techniques) or "none (plain loop)"

    def sentence(self) -> str:
        """What is trained, by what, and how long: one line."""
        time = "" if self.seconds is None else f", about {self.seconds:.0f} s of training"
        steps = f"{self.total_steps:,} steps over {self.rows:,} rows" if self.total_steps else f"{self.rows:,} rows"
        return f"{self.techniques_text}; trains {self.trained:,} of {self.parameters:,} parameters; {steps}{time}"

    def __repr__(self) -> str:
        return f"Plan: {self.sentence()}"

    def _repr_html_(self) -> str:
        return f"<pre>{notebook.lines(self.explain())}</pre>"

    def explain(self) -> str:
        """The plan as text: techniques x stages, what is trained, what is cached, what a step costs."""
        lines = _aligned(self.table()) or ["techniques: none (plain loop)"]
        share = self.trained / max(1, self.parameters)
        lines.append(f"trained: {self.trained:,} of {self.parameters:,} parameters ({share:.1%})")
        for column, depth in self.depths.items():
            done = self.cache.get(column, 0)
            what = "all" if done == depth else f"the first {done}"
            lines.append(
                f"cache: {column}: {what} of {depth} blocks computed once" if done else f"cache: {column}: none"
            )
        training = self.training
        lines.append(
            f"steps: {self.total_steps} of at most {self.step_rows or training.batch} rows over {self.rows:,} rows, "
            f"lr {training.lr:g}, heads {training.head_lr:g}, {training.precision}"
        )
        if self.replays > 1:
            lines.append(f"batches: each comes {self.replays} times in a row, so {self.replays} times fewer are seen")
        lines.append(f"each step: {self.cost.forwards:g} forwards, {self.cost.backwards:g} backwards a row")
        if self.seconds is not None:
            lines.append(f"estimated: {time_text(self.seconds)} on this machine, beside the heads that are solved")
        lines.extend(f"note: {note}" for note in self.notes)
        return "\n".join(lines)


def time_text(seconds: float) -> str:
    """An estimate for people.

    >>> time_text(0.2), time_text(62.4)
    ('less than a second', '62 s')
    """
    return "less than a second" if seconds < 1 else f"{seconds:.0f} s"


def step_cost(techniques: Sequence[Technique], grafts: Sequence[Graft]) -> Cost:
    """Forwards and backwards a row of a step, counted from the innermost technique outward.

    How an objective is descended stands around whatever is measured, so the gradient stages come last.
    """
    pairs = list(reversed(list(zip(techniques, grafts, strict=True))))
    inside = [graft.cost or technique.cost for technique, graft in pairs if graft.gradient is None]
    outside = [graft.cost or technique.cost for technique, graft in pairs if graft.gradient is not None]
    return reduce(lambda cost, around: around(cost), [*inside, *outside], Cost())


def stages_of(graft: Graft) -> tuple[str, ...]:
    """Names of the stages of a step in which the graft takes part."""
    kept = (f.name for f in fields(graft) if f.name not in ("generators", "cost", "reference", "told"))
    return tuple(name for name in kept if getattr(graft, name) is not None)


def all_stages(technique: Technique, graft: Graft) -> tuple[str, ...]:
    """The same with what the technique does before the first step and at prediction."""
    cls = type(technique)
    hooks = [name for name in ("adapt", "start") if getattr(cls, name) is not getattr(Technique, name)]
    predict = ["predict"] if technique.acts_at_prediction else []
    return (*hooks, *stages_of(graft), *predict)


def run_notes(
    techniques: Sequence[Technique], tasks: Mapping[str, Task], labelled: Mapping[str, np.ndarray]
) -> list[str]:
    """What a plan should say of its techniques: who compares rows, and rows that none of them learns from."""
    bare = int(np.count_nonzero(~np.any(list(labelled.values()), axis=0))) if labelled else 0
    notes = coupling_notes(techniques, tasks)
    if bare and not any(technique.uses_unlabelled for technique in techniques):
        notes.append(
            f"{bare:,} training rows have no target, and no technique of the recipe learns from such rows: they cost "
            "time for nothing. Leave them out, or add one that does (consistency, self-distil, distil, coral)"
        )
    return notes


def coupling_notes(techniques: Sequence[Technique], tasks: Mapping[str, Task]) -> list[str]:
    """Who looks at the rows of a batch together, so that parts of a batch don't add up to the whole; and where a batch
    is computed in parts all the same."""
    coupled = [task.name for task in tasks.values() if task.couples_rows]
    coupled += [technique.name for technique in techniques if technique.couples_rows]
    notes = [f"{name} compares the rows of a batch: its loss depends on how rows are batched" for name in coupled]
    parted = [technique.name for technique in techniques if technique.splits_batches]
    notes += [
        f"{name} changes the loss of {other}, which sees the rows of a part only"
        for name in parted
        for other in coupled
    ]
    return notes


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]

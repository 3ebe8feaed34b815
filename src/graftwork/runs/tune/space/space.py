"""The search space of a tune, made for one job: which bases, what is trained of them, heads, techniques and settings.

Which things are tried stands in `space_parts`, `tried_bases` and `tried_techniques`; where a setting is searched stands
in the class whose setting it is (`searched`). All is kept small, so that 20 to 60 trials find something in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from graftwork import specs
from graftwork.errors import UsageError
from graftwork.networks.base_settings import BaseSettings
from graftwork.networks.bases.registry import written
from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import build_network
from graftwork.runs.tune.space.arms import regimes
from graftwork.runs.tune.space.dimensions import Dimension as Dimension
from graftwork.runs.tune.space.listed_dimensions import Parts, dimensions_of, switched_on
from graftwork.runs.tune.space.parts import (
    SOLVED_FUSIONS,
    TRAINED_FUSIONS,
    beside_it,
    fusions_tried,
    heads_tried,
    inputs_tried,
    shares_tried,
    solving,
    starting,
    tuned_training,
    tunings_tried,
    usual_tuned,
)
from graftwork.runs.tune.space.proposals import WITH, Frame
from graftwork.runs.tune.space.proposals import SearchSpace as SearchSpace
from graftwork.runs.tune.space.refused import SEEN
from graftwork.runs.tune.space.refused import refused as refused
from graftwork.runs.tune.space.tried_bases import Tries as Tries
from graftwork.runs.tune.space.tried_bases import bases_tried, cost_of, kind_of
from graftwork.runs.tune.space.tried_bases import candidate_bases as candidate_bases
from graftwork.runs.tune.space.tried_techniques import Reason, Tried, reasons, techniques_tried, written_as
from graftwork.techniques import TECHNIQUES


def search_space(job: Job, recipe: Recipe, tries: Tries) -> SearchSpace:
    """Where a tune of this job looks.

    job: with its bases settled. recipe: what it names stays (head, techniques, lr, epochs), and what it leaves open is
    searched; techniques that it names are part of every recipe. Every base that is tuned is
    loaded once, to see how many blocks it has.

    Raises UsageError for something in `tries` that there is not, or that can't run on this job, ModelError for a base
    that can't be loaded.
    """
    tried = bases_tried(job, recipe, tries)
    small = job.sample(SEEN, recipe.seed, SEEN)
    listed = replace(recipe, techniques=recipe.named)
    network = build_network(
        small, replace(listed, base=written({name: _looked_at(one) for name, one in tried.items()}))
    )
    reason = reasons(job, network)
    inputs = inputs_tried(small, listed, tried, network, strict=bool(tries.bases))
    usual = usual_tuned(job, listed, inputs, network)
    beside = beside_it(usual) if recipe.techniques == "auto" else []
    wanted = {one.name: one for one in techniques_tried(job, listed, tries.techniques, beside, reason)}
    deciding = {name: one for name, one in wanted.items() if "trainable parameters" in one.technique.claims}
    fusing = {name: one for name, one in wanted.items() if "fusion" in one.technique.claims}
    frame = Frame(
        recipe=listed,
        inputs=inputs,
        rows=len(job.train),
        outputs=max(max(1, len(task.classes)) for task in job.tasks.values()),
        solved=solving(job, listed),
        starts=starting(job, listed, network),
        training=tuned_training(job, listed, usual),
        shares=shares_tried(usual, inputs),
    )
    frame = replace(frame, tunings=tunings_tried(frame, network, deciding, reason))
    trained = fusions_tried(frame, TRAINED_FUSIONS, reason, fusing)
    solved = fusions_tried(frame, SOLVED_FUSIONS, reason)
    switches = {name: one for name, one in wanted.items() if name not in {**deciding, **fusing}}
    frame = replace(
        frame,
        fusions={**trained, **solved},
        switches={name: one.technique for name, one in switches.items()},
    )
    structure = {name: written_as(name) for name in (*frame.tunings, *frame.fusions) if name in TECHNIQUES}
    parts = Parts(
        frame=frame,
        when=regimes(inputs),
        searched={name: one.searched for name, one in {**structure, **wanted}.items()},
        heads=heads_tried(job, listed),
        fusions=(tuple(trained), tuple(solved)),
        reason=reason,
    )
    space = SearchSpace(dimensions_of(parts), frame)
    named = [specs.name_of(spec) for spec in tries.techniques]
    _check_tried(space, {name: wanted[name] for name in named}, reason)
    return space


def _looked_at(bases: Sequence[BaseSettings]) -> BaseSettings:
    """The base by which it is told what can run together: the cheapest of those of the kind of the job's own."""
    return min((base for base in bases if kind_of(base) == kind_of(bases[0])), key=cost_of)


def _check_tried(space: SearchSpace, wanted: Mapping[str, Tried], reason: Reason) -> None:
    """Raise UsageError for a technique that the user names and no recipe of the space has."""
    frame = space.frame
    asked = {one.name for one in space.dimensions}
    for name, one in wanted.items():
        if WITH + name in asked or name in {**frame.tunings, **frame.fusions}:
            continue
        beside = [switched_on(frame, tuning, one.technique, reason) for tuning in frame.tunings]
        told = reason([*frame.recipe.listed, one.technique]) or next(filter(None, reversed(beside)), "")
        raise UsageError(f"--try-with {name} can't run on this job. {told or 'It is named without anything to fuse.'}")

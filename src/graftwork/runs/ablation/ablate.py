"""`graftwork.ablate`: what each technique, input column or value of a setting brings, measured by runs with and without
it on the same rows."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, get_args

from graftwork.data.load import Source
from graftwork.data.store.cache import prune
from graftwork.errors import GraftworkError, RefusedError, UsageError, nearest
from graftwork.evidence.ablation.cells import Method
from graftwork.evidence.ablation.page.files import JSON
from graftwork.evidence.ablation.scale import scale_of
from graftwork.recipe import Recipe, from_yaml
from graftwork.runs import finished_store
from graftwork.runs.ablation.ablation import Ablation
from graftwork.runs.ablation.arms import Arms, arms_of
from graftwork.runs.ablation.asked import data_of, is_run, recipe_to_train
from graftwork.runs.ablation.between import parse_between
from graftwork.runs.ablation.cell import Runner
from graftwork.runs.ablation.equal import with_equal_seconds
from graftwork.runs.ablation.on_cluster import CellsOnCluster, cells_on
from graftwork.runs.ablation.repeats import Repeat, pool_of, repeat_of
from graftwork.runs.ablation.rounds import Asked, Rounds
from graftwork.runs.bases.settling import settled
from graftwork.runs.clock import Deadline, check_budget
from graftwork.runs.default import failure_text
from graftwork.runs.job.data_arguments import DataArguments, DataOptions
from graftwork.runs.job.job import Job, make_job
from graftwork.runs.job.signature import with_data_options
from graftwork.runs.listener import Listener
from graftwork.runs.machines.heard import cost_notes
from graftwork.runs.machines.reached import reached
from graftwork.runs.one_at_a_time import one_at_a_time
from graftwork.runs.single.run import make_ready
from graftwork.runs.single.shared_features import frozen_inputs
from graftwork.runs.tracking.tracked import Track, tracked
from graftwork.runs.watching import heard
from graftwork.runs.workspace import Workspace, check_free, claims_out

if TYPE_CHECKING:
    from graftwork.cluster.connection import Cluster

Equal = Literal["steps", "seconds"]
STORE_BYTES = 2_000_000_000
"""What finished runs may take up: the least recently used ones go beyond that."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How an ablation is to be made; `ablate` says what each means."""

    method: Method | None = None
    between: Sequence[str] = ()
    columns: bool = False
    repeats: int | None = None
    budget: float | None = None
    equal: Equal = "steps"
    race: bool = False

    def __post_init__(self) -> None:
        if self.method is not None and self.method not in get_args(Method):
            raise UsageError(f"method is '{self.method}'. {nearest(str(self.method), get_args(Method))}")
        if self.equal not in get_args(Equal):
            raise UsageError(f"equal is '{self.equal}'. {nearest(str(self.equal), get_args(Equal))}")
        if self.repeats is not None and self.repeats < 1:
            raise UsageError(f"repeats is {self.repeats}. Expected 1 or more; verdicts are given from 5 on.")
        check_budget(self.budget)

    @property
    def settled_method(self) -> Method:
        """Leave-one-out of techniques, unless only columns or settings are asked for."""
        if self.method is not None:
            return self.method
        return "between" if self.columns or self.between else "leave-one-out"


@with_data_options
def ablate(
    run: Source,
    *,
    recipe: Recipe | str | os.PathLike[str] | None = None,
    method: Method | None = None,
    between: Sequence[str] = (),
    columns: bool = False,
    repeats: int | None = None,
    budget: float | None = None,
    equal: Equal = "steps",
    race: bool = False,
    data: Source | Mapping[str, Source] | None = None,
    out: str | os.PathLike[str] | None = None,
    cluster: str | None = None,
    insecure: bool = False,
    track: Track | None = None,
    verbose: bool = True,
    listener: Listener | None = None,
    **options: Unpack[DataOptions],
) -> Ablation:
    """What each technique of a recipe brings, from runs with and without it on the same rows.

    Each repeat draws a seed and a split of its own: a fifth of all training and validation rows is held out and scored,
    never the test rows, and every arm is trained on the others. The interval of a contribution is corrected for the
    overlap of the splits (Nadeau & Bengio 2003). Finished runs are kept below `GRAFTWORK_HOME`, so that the same call
    goes on after a stop, and another one makes none of them twice.

    run: the folder of a run, or a table with the options that `fit` has for one. recipe: with its techniques listed;
        None takes that of the run.
    method: "leave-one-out" (the default) leaves each technique out of all; "add-one-in" adds each to none; "shapley"
        runs every coalition of up to 4 techniques, of more those of a few orders, and shows which act on each other;
        "between" compares settings alone.
    between: settings with the values to compare, ["lr=1e-4+3e-4", "lora.rank=4+16"]; the first is what the others are
        held against. columns: also train without each input column. Where one of these two is given without a method,
        techniques are not compared.
    repeats: 10 where none are given, no verdict comes from fewer than 5. budget: wall seconds for the whole call; as
        many repeats as it has time for, 40 at most. race: no further repeats of what is decided; verdicts stay valid,
        since it looks at planned numbers of repeats only.
    equal: arms have the recipe's "steps", or "seconds": as many steps as take the time of the first arm's.
    data: of a run, a table in place of its training table, or tables by name (train, valid, unlabelled).
    out: folder for the page, the table and the data of it.
    cluster: "auto" or "host:port" of a Ray cluster whose machines make the runs, several at a time; "auto" without one
        takes the cores of this machine. insecure: take one that asks for no token.
    track, verbose, listener: as for `fit`.

    Raises DataError, UsageError, RefusedError before anything is trained; a run that fails is counted and ends nothing.
    """
    asking = Asking(
        method=method, between=between, columns=columns, repeats=repeats, budget=budget, equal=equal, race=race
    )
    tables = data_of(run, options, data)
    if recipe is None:
        recipe = recipe_to_train(run) if is_run(run) else Recipe()  # type: ignore[arg-type]
    elif not isinstance(recipe, Recipe):
        recipe = from_yaml(recipe)
    with heard(listener, verbose) as hearing:
        where: dict[str, Any] = {"out": out, "cluster": cluster, "insecure": insecure}
        found = ablate_data(tables, recipe, asking, listener=hearing, track=track, **where)
        hearing.ended("\n".join(one.sentence for one in found.findings))
    return found


@claims_out
@tracked
@one_at_a_time
def ablate_data(
    data: DataArguments,
    recipe: Recipe,
    asking: Asking,
    *,
    listener: Listener | None = None,
    began: float | None = None,
    out: str | os.PathLike[str] | None = None,
    cluster: str | None = None,
    insecure: bool = False,
    track: Track | None = None,
    command: str = "",
) -> Ablation:
    """`ablate`, with the data arguments as one thing. began: `time.monotonic()` at the start. command: for the page."""
    del track  # `tracked` has made a listener of it
    check_out(out)
    data = replace(data, test=None, remember=None, split_by=None, adapt_to_held_out=False)
    listener = listener or Listener()
    with reached(cluster, listener, insecure=insecure) as there:
        found = _ablated(data, recipe, asking, listener, there, began=began, command=command)
    if out is not None:
        found.write(Path(out))
    if found.reused:
        listener.note(f"reused: {found.reused:.0%} of the runs had been finished before")
    return found


def _ablated(
    data: DataArguments,
    recipe: Recipe,
    asking: Asking,
    listener: Listener,
    there: Cluster | None,
    *,
    began: float | None,
    command: str,
) -> Ablation:
    """there: the machines that make the runs; None for this process."""
    deadline = None if asking.budget is None else Deadline.after(asking.budget, time.monotonic, began)
    between = parse_between(asking.between)
    listener.doing(f"reading {data.called}")
    job = make_job(data, recipe)
    job = settled(job, recipe, Workspace(), Listener(), None)
    recipe = replace(recipe, base=job.bases.named)
    arms = arms_of(recipe, job.train.schema, asking.settled_method, between, columns=asking.columns)
    pool = pool_of(job)
    first, runner = repeat_of(pool, recipe, 0), Runner(listener)
    arms, frozen = _looked_at(arms, first, listener)
    if asking.equal == "seconds":
        arms = with_equal_seconds(arms, first, runner.keys, listener)
    runner = replace(runner, frozen=frozen)
    making = runner if there is None else cells_on(there, pool, arms, runner, listener)
    rounds = Rounds(
        pool,
        recipe,
        arms,
        Asked(asking.repeats, deadline, asking.race),
        making,
        listener,
        scale_of(job.bound_metrics),
        notes=_notes(job),
    )
    for line in rounds.notes:
        listener.note(line)
    cells = rounds.run()
    if isinstance(making, CellsOnCluster):
        for line in cost_notes(making.crew.costs, "runs"):
            rounds.say(line)
    prune()
    finished_store.prune(STORE_BYTES)
    return Ablation(
        recipe=recipe,
        schema=job.train.schema,
        design=rounds.arms.design,
        arms=rounds.arms.each,
        cells=cells,
        scale=rounds.scale,
        between=between,
        looks=rounds.asked.looks,
        table=job.train.source,
        notes=tuple(rounds.notes),
        command=command,
    )


def check_out(out: str | os.PathLike[str] | None) -> None:
    """Raise UsageError where the folder holds anything but an earlier ablation, so that nothing is overwritten."""
    if out is not None and not (Path(out) / JSON).is_file():
        check_free(out)


def _notes(job: Job) -> list[str]:
    """What a reader should know of the rows."""
    time = job.train.schema.role("time")
    if time is None:
        return []
    return [
        f"the held-out rows are drawn over all times of '{time.name}', not the latest alone, so that runs train on "
        "rows later than some they are scored on: all scores may be higher than on rows to come"
    ]


def _looked_at(arms: Arms, repeat: Repeat, listener: Listener) -> tuple[Arms, dict[str, tuple[str, ...]]]:
    """The arms that can be run, and by arm the inputs whose base stays frozen; nothing is trained.

    Raises what refuses an arm, where it leaves nothing to compare.
    """
    refused, frozen, errors = dict[str, str](), dict[str, tuple[str, ...]](), list[GraftworkError]()
    for name, arm in arms.each.items():
        listener.doing(f"checking: {name}")
        try:
            frozen[name] = frozen_inputs(make_ready(repeat.job(arm), repeat.recipe(arm), sketched=True))
        except GraftworkError as error:
            errors.append(error)
            refused[name] = failure_text(error)
    for name, why in refused.items():
        listener.note(f"{name}: can't be run. {why}")
    arms = arms.refused(refused)
    comparable = [one for one in arms.design.comparisons if not {one.with_, one.without} & set(refused)]
    if refused and (arms.design.method == "shapley" or not comparable):
        if not frozen:
            raise errors[0]
        told = "; ".join(f"'{name}': {why}" for name, why in refused.items())
        raise RefusedError(f"There is nothing left to compare, because these runs can't be made: {told}")
    return arms, frozen

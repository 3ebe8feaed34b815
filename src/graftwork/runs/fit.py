"""`graftwork.fit`: a table in; an adapted, evaluated, reported and saved model out."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from graftwork.core.parallel.workers import Workers
from graftwork.core.plans import Plans
from graftwork.data.load import Source
from graftwork.data.store.cache import prune
from graftwork.evidence.views import words_of
from graftwork.model import Model
from graftwork.recipe import Recipe, from_yaml
from graftwork.runs.bases.settling import known_bases, settled
from graftwork.runs.budget.affordable import within_budget
from graftwork.runs.budget.planning import planned
from graftwork.runs.candidates.orders import Portfolio
from graftwork.runs.candidates.portfolio import PORTFOLIO
from graftwork.runs.clock import Began, Clock, Deadline, check_budget
from graftwork.runs.default import run_all
from graftwork.runs.finished.finishing import Finishing
from graftwork.runs.finished.provenance import licence_notes
from graftwork.runs.finished.reporting import Call
from graftwork.runs.job.data_arguments import DataArguments, DataOptions
from graftwork.runs.job.job import Job, make_job
from graftwork.runs.job.signature import with_data_options
from graftwork.runs.job.watched import Watch, read_watched
from graftwork.runs.leave_one_domain_out import domains_to_leave_out, score_left_out
from graftwork.runs.listener import Listener, Recorder
from graftwork.runs.one_at_a_time import one_at_a_time
from graftwork.runs.single.model_from_run import make_model as make_model
from graftwork.runs.single.run import run_single
from graftwork.runs.tracking.tracked import Track, tracked
from graftwork.runs.watching import heard
from graftwork.runs.workers.choice import counted_workers, made_by, repeating
from graftwork.runs.workspace import Workspace, claims_out, open_workspace


@with_data_options
def fit(
    train: Source | Sequence[Source],
    *,
    recipe: Recipe | str | os.PathLike[str] | None = None,
    budget: float | None = None,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    workers: int | None = None,
    cluster: str | None = None,
    insecure: bool = False,
    track: Track | None = None,
    verbose: bool = True,
    listener: Listener | None = None,
    command: str | None = None,
    began: float | None = None,
    **data: Unpack[DataOptions],
) -> Model:
    """Adapt a foundation model to a table. Without a recipe, the best of a few runs is chosen on validation.

    train, valid, test: a csv, tsv, json lines or parquet file (also .gz), a pandas frame, a datasets.Dataset, or a list
        of dicts. Without `valid`, rows are held out of `train`, unless they are too few. `train` may be a list of files
        or frames that share inputs but not targets; they become one table with missing targets.
    target: the column to predict, or a list of columns; found by its name where not given. With several, a row may lack
        some of them. inputs: columns to read, else all.
    join: text columns that a base reads in one sequence, `["premise+hypothesis"]`, so that it can compare their words;
        several items make several inputs.
    ignore: columns to leave out. roles: `{"domain": column}`, also group, weight, split, time, and of logged
        choices reward, propensity, rollout, step. kinds: `{column: kind}` where an input is to be read as another kind
        (text, image, audio, number, category) than it looks like.
    unlabelled: further rows to train on without a target, for techniques that can use them (cross-domain, consistency).
    remember: labelled rows of the task that the base was trained for before, where the base is a saved model: its old
        head is scored on them before and after, in the report.
    split_by: "domain" also trains a model without each domain in turn, and scores it there: in the report, beside the
        model of all domains. adapt_to_held_out: these models see the rows of the domain left out, without targets.
    recipe: what to do, as a `Recipe` or a YAML file. budget: wall seconds for the whole call.
    out: folder for the model, its report and the checkpoints; must be new, or the unfinished one with `resume=True`.
    workers: processes that train together, each a part of every batch (`docs/workers.md`): of this machine, None is
        one; of a `cluster`, None is one for each GPU, and without GPUs one for each machine.
    cluster: "auto" or "host:port" of a Ray cluster whose machines run them. insecure: take one that asks for no token.
    track: "tensorboard" also writes curves of the runs below `out` (extra `track`), "mlflow" MLflow runs there, or to
        where `MLFLOW_TRACKING_URI` says.
    on_bad_rows: "fail" lists rows without text or label; "skip" leaves them out.
    encoding: of csv, tsv and json files that are not UTF-8, such as "cp1252".
    verbose: say what was inferred, how far the runs are and how well they do, as the command line does; False is
        silent. listener: hears about all this in its place.
    command, began: for the report, the command to repeat and `time.monotonic()` at which it began.

    Threads of one process fit one after the other, so that each model is the one its seed gives.

    Raises DataError, UsageError, RefusedError before anything is trained; NonFiniteLossError from a diverging run.
    """
    tables = DataArguments(train=train, **data)
    with heard(listener, verbose) as hearing:
        model = fit_data(
            tables,
            recipe,
            budget=budget,
            out=out,
            resume=resume,
            workers=workers,
            cluster=cluster,
            insecure=insecure,
            track=track,
            listener=hearing,
            command=command,
            began=began,
        )
        if model.report is not None:
            hearing.ended("\n".join(words_of(model.report)))
    return model


@claims_out
@tracked
@one_at_a_time
def fit_data(
    data: DataArguments,
    recipe: Recipe | str | os.PathLike[str] | None = None,
    *,
    budget: float | None = None,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    workers: int | None = None,
    cluster: str | None = None,
    insecure: bool = False,
    track: Track | None = None,
    listener: Listener | None = None,
    command: str | None = None,
    asked: str = "",
    began: float | None = None,
    clock: Clock = time.monotonic,
    watch: Watch | None = None,
    portfolio: Portfolio = PORTFOLIO,
) -> Model:
    """`fit`, with the data arguments as one thing. asked: the command as it was given, for what to do next.
    watch: by what a pretraining is watched.

    clock: what the budget is counted by; `time.process_time` makes CPU seconds of it. portfolio: the table that says in
    which order `techniques: auto` tries its candidates, in place of the library's own.
    """
    del track  # `tracked` has made a listener of it
    # The command line gives its own start, when the process had spent nothing yet.
    clocks = Began(time.monotonic(), time.process_time()) if began is None else Began(began, 0.0)
    started = clocks.wall if clock is time.monotonic else clock()
    listener = Recorder(listener or Listener())
    recipe, folder = _recipe(recipe), Path(out) if out is not None else None
    workspace = open_workspace(folder, resume)
    check_budget(budget)
    with made_by(workers, recipe, listener, cluster=cluster, insecure=insecure) as run:
        listener.doing(f"reading {data.called}")
        job = _read(data, recipe, workspace, listener, watch)
        # A clock of CPU seconds knows nothing of how busy the machine is.
        on_wall = clocks if clock is time.monotonic else None
        ends = None if budget is None else Deadline.after(budget, clock, started)
        runs = 1 + len(domains_to_leave_out(job) if data.split_by else ())
        with workspace.cleared_if_refused():
            job = settled(job, recipe, workspace, listener, ends)
            recipe = replace(recipe, base=job.bases.named)
            for note in licence_notes(job, recipe):
                listener.note(note)
            allowed = within_budget(
                job,
                recipe,
                workspace,
                listener,
                ends,
                began=on_wall,
                runs=runs,
                streams=run is run_single,
                portfolio=portfolio,
            )
            recipe, deadline = allowed.recipe, allowed.deadline
            left_out = (
                score_left_out(
                    job,
                    recipe,
                    workspace,
                    listener,
                    deadline,
                    adapt=data.adapt_to_held_out,
                    portfolio=portfolio,
                    run=run,
                )
                if data.split_by
                else []
            )
            call = Call(asked, budget, str(folder or ""), len(job.train), len(job.valid or ()), allowed.for_all)
            job = job.sample(recipe.rows, recipe.seed, recipe.valid_rows)
            candidates, kept = run_all(
                job, recipe, workspace, listener, deadline, allowed.look, portfolio, allowed.stream, run
            )
    if kept.recipe.rows != recipe.rows:  # more time would use more rows of the chosen base, and not of this one
        call = call._replace(for_all=None)
    command = repeating(command, by_workers=bool(kept.workers))
    finishing = Finishing(data, job, folder, listener, command, clocks, call)
    model = make_model(job, kept, interrupted=any(one.fitted.interrupted for one in candidates))
    model = finishing.written(model, kept)
    model = finishing.reported(model, candidates, kept, left_out=left_out)
    if not model.interrupted:
        workspace.clear()
    prune()
    return model


def _read(data: DataArguments, recipe: Recipe, workspace: Workspace, listener: Listener, watch: Watch | None) -> Job:
    """The job, and what was inferred said of it."""
    job = make_job(data, recipe, known_bases(recipe, workspace))
    if watch is not None:
        watched = read_watched(watch, job.train.schema.modalities[0], data.on_bad_rows)
        job = replace(job, watched=watched)
    listener.scored_by(job.bound_metrics)
    for note in job.notes:
        listener.note(note)
    return job


@with_data_options
def plan(
    train: Source | Sequence[Source],
    *,
    recipe: Recipe | str | os.PathLike[str] | None = None,
    budget: float | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    insecure: bool = False,
    verbose: bool = True,
    listener: Listener | None = None,
    **data: Unpack[DataOptions],
) -> Plans:
    """What `fit` would do with the same arguments, as named plans in their order; nothing is trained.

    budget: seconds; the plans are for the rows that it leaves, and only then is `test` read. workers, cluster,
    insecure: of `fit`.
    verbose: say what was inferred; listener: hears it in its place.
    """
    tables = DataArguments(train=train, **data)
    with heard(listener, verbose) as hearing:
        return plan_data(
            tables, recipe, budget=budget, workers=workers, cluster=cluster, insecure=insecure, listener=hearing
        )


def plan_data(
    data: DataArguments,
    recipe: Recipe | str | os.PathLike[str] | None = None,
    *,
    budget: float | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    insecure: bool = False,
    listener: Listener | None = None,
) -> Plans:
    """`plan`, with the data arguments as one thing. budget: plan for the rows that it leaves.

    A test table is read only with a budget, part of which it takes.
    """
    began = time.monotonic()
    recipe, listener = _recipe(recipe), listener or Listener()
    count = counted_workers(workers, recipe, listener, cluster=cluster, insecure=insecure)
    listener.doing(f"reading {data.called}")
    job = make_job(data if budget is not None else replace(data, test=None), recipe)
    for note in job.notes:
        listener.note(note)
    ends = None if budget is None else Deadline.after(budget, began=began)
    job = settled(job, recipe, Workspace(), listener, ends)
    recipe = replace(recipe, base=job.bases.named)
    for note in licence_notes(job, recipe):
        listener.note(note)
    if data.split_by:
        listener.note(f"before it, the same without each domain in turn: {', '.join(domains_to_leave_out(job))}")
    return planned(job, recipe, listener, ends, workers=Workers(0, count), streams=not data.split_by)


def _recipe(given: Recipe | str | os.PathLike[str] | None) -> Recipe:
    if given is None:
        return Recipe()
    return given if isinstance(given, Recipe) else from_yaml(given)

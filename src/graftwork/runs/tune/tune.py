"""`graftwork.tune`: a table and a budget in; the best combination of base, techniques and settings out."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from graftwork.data.load import Source
from graftwork.data.store.cache import prune
from graftwork.errors import UsageError
from graftwork.evidence.tune.trials import Limits, Trial
from graftwork.networks.manifest import is_model
from graftwork.recipe import Recipe, from_yaml
from graftwork.runs.candidates.orders import Portfolio
from graftwork.runs.candidates.portfolio import PORTFOLIO
from graftwork.runs.clock import Began, Clock, Deadline, shown
from graftwork.runs.default import failure_text
from graftwork.runs.finished.finishing import Finishing
from graftwork.runs.finished.reporting import Call
from graftwork.runs.job.data_arguments import DataArguments, DataOptions
from graftwork.runs.job.signature import with_data_options
from graftwork.runs.listener import Listener, Recorder
from graftwork.runs.machines.reached import reached
from graftwork.runs.one_at_a_time import one_at_a_time
from graftwork.runs.tracking.tracked import Track, tracked
from graftwork.runs.tune.asked import BUDGET, Asking, latency_of, size_of
from graftwork.runs.tune.choosing.best import Best, Considering, best_score
from graftwork.runs.tune.choosing.choosing import Choosing
from graftwork.runs.tune.choosing.tuned import Tuned
from graftwork.runs.tune.folder import TRIALS, open_folder, removed_if_refused
from graftwork.runs.tune.ladder import rungs_of
from graftwork.runs.tune.preparing import prepared
from graftwork.runs.tune.search import Search
from graftwork.runs.tune.space.space import refused
from graftwork.runs.tune.study.study import check_installed, open_study
from graftwork.runs.tune.trials.files import known_trials
from graftwork.runs.tune.trials.heard import Heard
from graftwork.runs.tune.trials.on_cluster import TrialsOnCluster, told_costs, trials_on
from graftwork.runs.tune.trials.run import TrialRunner
from graftwork.runs.watching import heard
from graftwork.runs.workspace import claims_out
from graftwork.shown import counted

if TYPE_CHECKING:
    from graftwork.cluster.connection import Cluster


@with_data_options
def tune(
    train: Source | Sequence[Source],
    *,
    recipe: Recipe | str | os.PathLike[str] | None = None,
    budget: float | None = None,
    trials: int | None = None,
    try_base: Sequence[str] = (),
    try_with: Sequence[str] = (),
    latency: float | str | None = None,
    size: int | str | None = None,
    pareto: bool = False,
    folds: int | None = None,
    batch: int = 4,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    new: bool = False,
    cluster: str | None = None,
    insecure: bool = False,
    track: Track | None = None,
    verbose: bool = True,
    listener: Listener | None = None,
    **data: Unpack[DataOptions],
) -> Tuned:
    """Search over bases, techniques, heads and their settings, and keep the best model that was found.

    First what `fit` would try, then the same probes on every other base that is here, then recipes that Optuna's TPE
    proposes (Bergstra et al. 2011), trained rung by rung (successive halving, Li et al. 2020); in the end ensembles and
    soups of the best. From the first trial on the best model so far is in `out`, whole. A plainer model is kept where
    no better one is better by more than chance.

    train and the data options: as for `fit`. recipe: what is not to be searched: what it names stays as it is.
    budget: wall seconds for the whole call. trials: how many are run, ensembles and soups not counted. With neither it
        ends after 10 minutes. With trials alone and no limits the same call gives the same model, in one go or in
        several.
    try_base: bases to try beside the one that `fit` takes, `["minilm", "photo=./mobilenet"]`; those that are here and
        suit where left out. try_with: techniques to try beside its own, `["mixup", "lora:rank=8"]`; those that suit
        where left out.
    latency: what one row may take here, "5ms" or seconds. size: what the weights may take, "20MB" or bytes.
    pareto: search for the whole front of quality, latency and size, and not for quality alone.
    folds: in how many parts the rows are dealt to compare trials, 1 for one split; 5 where few rows validate.
    batch: trials that are proposed together. Another batch is another search.
    out: folder for the model, its reports and the study; must be new, or with `resume` or `new` that of a tune.
    resume: go on with the study in `out`: after a stop, or with more trials or time. new: begin afresh there.
    cluster: "auto" or "host:port" of a Ray cluster whose machines run the trials, several at a time, with the same
        result as here; "auto" without one takes the cores of this machine. insecure: take one that asks for no token.
    track: "tensorboard" or "mlflow": curves of all trials, below `out`.
    verbose, listener: as for `fit`.

    Raises DataError, UsageError, RefusedError before anything is trained, UsageError where no trial keeps the limits
    (with the nearest) or Optuna is missing, CheckpointError for a damaged study. A trial that fails is counted, and
    ends nothing.
    """
    asking = Asking(
        budget=budget,
        trials=trials,
        try_base=try_base,
        try_with=try_with,
        limits=Limits(latency_of(latency), size_of(size)),
        pareto=pareto,
        folds=folds,
        batch=batch,
    )
    tables = DataArguments(train=train, **data)
    with heard(listener, verbose) as hearing:
        where: dict[str, Any] = {"out": out, "cluster": cluster, "insecure": insecure}
        tuned = tune_data(tables, recipe, asking, resume=resume, new=new, track=track, listener=hearing, **where)
        hearing.ended("\n".join(tuned.sentences))
    return tuned


@claims_out
@tracked
@one_at_a_time
def tune_data(
    data: DataArguments,
    recipe: Recipe | str | os.PathLike[str] | None = None,
    asking: Asking | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    new: bool = False,
    track: Track | None = None,
    listener: Listener | None = None,
    command: str | None = None,
    asked: str = "",
    cluster: str | None = None,
    insecure: bool = False,
    began: float | None = None,
    clock: Clock = time.monotonic,
    portfolio: Portfolio = PORTFOLIO,
) -> Tuned:
    """`tune`, with the data arguments as one thing. command: that repeats what was chosen. asked: as it was given.

    began, clock, portfolio: as for `fit_data`."""
    del track  # `tracked` has made a listener of it
    check_installed()
    if data.split_by is not None:
        raise UsageError("--split-by trains a model without each domain: that belongs to graft fit, not to a search.")
    place = Path(out) if out is not None else None
    asking, listener = asking or Asking(), listener or Listener()
    with reached(cluster, listener, insecure=insecure) as there:
        return _tuned(
            data,
            recipe,
            asking,
            place,
            listener,
            there,
            resume=resume,
            new=new,
            command=command,
            asked=asked,
            began=began,
            clock=clock,
            portfolio=portfolio,
        )


def _tuned(
    data: DataArguments,
    recipe: Recipe | str | os.PathLike[str] | None,
    asking: Asking,
    place: Path | None,
    listener: Listener,
    there: Cluster | None,
    *,
    resume: bool,
    new: bool,
    command: str | None,
    asked: str,
    began: float | None,
    clock: Clock,
    portfolio: Portfolio,
) -> Tuned:
    """there: the machines that run the trials; None for this process."""
    clocks = Began(time.monotonic(), time.process_time()) if began is None else Began(began, 0.0)
    started = clock() if began is None or clock is not time.monotonic else began
    hearing = Recorder(listener)
    given = recipe if isinstance(recipe, Recipe) else Recipe() if recipe is None else from_yaml(recipe)
    folder = open_folder(place, resume=resume, new=new)
    ends = None if asking.seconds is None else Deadline.after(asking.seconds, clock, started)
    if asking.budget is None and asking.trials is None:
        hearing.note(f"neither --budget nor --trials is given: searching for {shown(BUDGET)}")
    with removed_if_refused(folder, new=new):
        on_wall = clocks if clock is time.monotonic else None
        apart = there is not None
        ready = prepared(data, given, asking, folder, hearing, ends, began=on_wall, portfolio=portfolio, apart=apart)
    study = open_study(folder, given.seed, limits=asking.limits, pareto=asking.pareto)
    trials = None if folder is None else folder / TRIALS
    telling = Heard(hearing, ends, asking.trials)
    earlier = known_trials(trials)
    telling.resumed(earlier)
    before = max((one.at for one in earlier), default=0.0)  # seconds of earlier calls
    runner = TrialRunner(ready.judged, rungs_of, trials, telling, clock, started - before)
    call = Call(asked, asking.seconds, str(place or ""), *ready.rows, ready.for_all)
    best = Best(
        ready.judged,
        runner,
        Finishing(data, ready.judged.job, place, hearing, command, clocks, call, whole=ready.judged.folds > 1),
        asking.limits,
        bar=best_score(earlier, asking.limits) if place is not None and is_model(place) else None,
    )

    def failed(trial: Trial, error: Exception) -> None:
        hearing.note(f"{trial.name} can't be made a model: {failure_text(error)}")

    considering = Considering(best, failed, together=apart)

    def ran(trial: Trial, one: Recipe) -> None:
        telling.done(trial)
        considering.ran(trial, one)

    running = runner if there is None else trials_on(there, ready, runner, telling)
    search = Search(
        ready.first,
        ready.space,
        study,
        running,
        lambda one: refused(ready.job, one),
        batch=asking.batch,
        most=asking.trials,
        deadline=ready.deadline,
        ran=ran,
        rested=considering.rested,
        earlier=earlier,
    )
    interrupted = False
    try:
        search.run()
    except KeyboardInterrupt:
        if best_score(search.trials.values(), asking.limits) is None:
            raise
        interrupted = True
    if search.exhausted:
        hearing.note(f"the search ended after {counted(len(search.trials), 'trial')}: it found nothing new to try")
    if isinstance(running, TrialsOnCluster):
        for line in told_costs(running):
            hearing.note(line)
    tuned = Choosing(ready, search, runner, best, asking, ends, interrupted, asked).tuned(runner.now())
    if place is not None:
        tuned.write(place)
    prune()
    return tuned

"""How rows are scored that are not trained on, while a run goes on: by their predictions, and by whoever watches."""

from __future__ import annotations

from graftwork.core.compose import compose
from graftwork.core.judging.few_shot import validation_score
from graftwork.core.rows.corruption import Change, corruption, shown_twice
from graftwork.core.run import Run
from graftwork.networks.network import Network


def scores(run: Run, network: Network) -> tuple[float | None, float | None]:
    """The score of a network of this run on validation, and what it is watched by; None where there is none. More is
    better."""
    value = None
    if run.valid:
        seen = held_out_views(run)
        value = validation_score(
            network, run.valid, run.tasks, run.metrics, run.plan.techniques, run.valid_cached, seen, run.workers
        )
    return value, None if run.judge is None else run.judge(network)


def held_out_views(run: Run) -> Change | None:
    """Where a task compares two views of a row, how its held-out rows become them: by the techniques that do it in
    training, with the same draws each time. None for other tasks, whose held-out rows no technique augments."""
    if not shown_twice(run.tasks):
        return None
    total = run.plan.total_steps
    grafts = [technique.attach(run.network, run.setup(technique, total)) for technique in run.techniques]
    names = [technique.name for technique in run.techniques]
    return compose(names, grafts, run.tasks, corruption(run.tasks, run.network)).inputs

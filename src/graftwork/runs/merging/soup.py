"""`graftwork.soup`: the mean of several runs of one task (Wortsman et al. 2022, "Model soups").

A uniform soup is the mean of all runs. A greedy soup goes through them from the best on validation to the worst and
keeps each one that does not make the soup worse there, so that it is never worse on validation than the best run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from torch import Tensor

from graftwork.data.load import Source
from graftwork.data.quality.checks import OnBadRows
from graftwork.errors import RefusedError, UsageError, nearest
from graftwork.evidence.merged import MixReport, Tried
from graftwork.model import Model
from graftwork.networks.merging import average
from graftwork.runs.merging.joining import joined_model, joined_targets
from graftwork.runs.merging.merge import Mixed, free_name, with_licences, written
from graftwork.runs.merging.mixed_scores import Part, all_scores, calibrated, mean_score, read_part
from graftwork.runs.merging.parents import Given, Parent, check_shared_base, parents_of
from graftwork.runs.workspace import check_free, claims_out
from graftwork.tasks.labels import shortened

GREEDY, UNIFORM = "greedy", "uniform"


@claims_out
def soup(
    runs: Sequence[Given],
    *,
    valid: Source | None = None,
    method: str = GREEDY,
    test: Source | None = None,
    out: str | os.PathLike[str] | None = None,
    on_bad_rows: OnBadRows = "fail",
    watch: Callable[[str], None] | None = None,
) -> Mixed:
    """One model of several runs on one task and base, with other settings or seeds; it predicts at the cost of one.

    runs: folders, or models. method: "greedy" needs a validation table; "uniform" takes all runs.
    valid: chooses the runs and calibrates probabilities; best rows that no run was trained on. test: for the report.
    out: a new or empty folder to write the model to. watch: told what is being done.

    Raises RefusedError for runs that don't share base and labels, UsageError for an unknown method or no `valid`.
    """
    if method not in (GREEDY, UNIFORM):
        raise UsageError(f"There is no method '{method}' of a soup. {nearest(method, (GREEDY, UNIFORM))}")
    if method == GREEDY and valid is None:
        raise UsageError("A greedy soup chooses its runs on validation: name a table (--valid), or the method uniform.")
    check_free(out)
    tell = watch or (lambda _: None)
    tell("loading the models")
    parents = parents_of(runs)
    check_shared_base(parents)
    targets = joined_targets(parents)
    columns = {parent.model.network.columns for parent in parents}
    if len(columns) > 1 or any(len(one.of) < len(parents) for one in targets):
        raise RefusedError(
            "These models don't learn the same: "
            f"{'; '.join(f'{each.name}: {_learned(each, parents)}' for each in parents)}. "
            "A soup is made of runs on one task. Use merge for models of different tasks."
        )
    of = {one.name: one.name for one in targets}
    first = parents[0]
    tell("scoring each run")
    part = None if valid is None else read_part("validation", valid, first, of, first.model, on_bad_rows)
    scores = [None if part is None else mean_score(parent.model, [part]) for parent in parents]
    tell("mixing")
    model, kept = _mixed(parents, [score for score in scores if score is not None], part, method)
    model = model if part is None else calibrated(model, [part])
    tell("scoring all models")
    tested = part if test is None else read_part("test", test, first, of, first.model, on_bad_rows)
    called = free_name("soup", parents)
    total = None if part is None else mean_score(model, [part])
    report = MixReport(
        title=f"{method} soup of {', '.join(parent.name for parent in parents)}",
        result=called,
        models=tuple(parent.name for parent in parents),
        kept=" + ".join(parents[at].name for at in kept),
        tried=(*_tried(parents, scores, kept), Tried(called, total, True)),
        scores=all_scores(Parent(called, model), parents, [tested] if tested else [], targets),
        scored_on="validation" if test is None else "test",
        notes=(),
    )
    report = with_licences(report, model)
    return Mixed(written(model, report, out), report)


def _learned(parent: Parent, parents: Sequence[Parent]) -> str:
    learned = (
        f"{name} ({task.name}, {task.outputs} outputs{_own_labels(parent, name, parents)})"
        for name, task in parent.model.tasks.items()
    )
    return f"{', '.join(learned)} from {', '.join(parent.model.network.columns)}"


def _own_labels(parent: Parent, target: str, parents: Sequence[Parent]) -> str:
    """The labels of a target that not all models have, or their order where that is all that differs."""
    lists = [each.model.tasks[target].classes for each in parents if target in each.model.tasks]
    if len(set(lists)) == 1:
        return ""
    labels, shared = parent.model.tasks[target].classes, set.intersection(*map(set, lists))
    if all(shared == set(each) for each in lists):
        return f", in the order {shortened(labels)}"
    own = tuple(label for label in labels if label not in shared)
    return f", labels that not all have: {shortened(own) or 'none'}"


def _tried(parents: Sequence[Parent], scores: Sequence[float | None], kept: Sequence[int]) -> list[Tried]:
    return [Tried(each.name, scores[at], at in kept) for at, each in enumerate(parents)]


def _mixed(
    parents: Sequence[Parent], scores: Sequence[float], part: Part | None, method: str
) -> tuple[Model, list[int]]:
    """The soup, and the runs in it. A soup of one run is that run to the bit."""
    if method == UNIFORM:
        return _mean(parents), list(range(len(parents)))
    assert part is not None

    def souped(kept: Sequence[int]) -> Model:
        return parents[kept[0]].model if len(kept) == 1 else _mean([parents[at] for at in kept])

    kept = greedy_kept(scores, lambda some: mean_score(souped(some), [part]))
    return souped(kept), kept


def greedy_kept(scores: Sequence[float], score: Callable[[Sequence[int]], float]) -> list[int]:
    """The runs of a greedy soup, by position: from the best to the worst, each that does not make it worse.

    scores: of each run by itself. score: of the soup of some.
    """
    order = sorted(range(len(scores)), key=lambda at: -scores[at])
    kept, best = [order[0]], scores[order[0]]
    for at in order[1:]:
        wider = score([*kept, at])
        if wider >= best:
            kept, best = [*kept, at], wider
    return kept


def _mean(parents: Sequence[Parent]) -> Model:
    bodies: list[dict[str, Tensor]] = [parent.body for parent in parents]
    return joined_model(parents, joined_targets(parents), average(bodies))

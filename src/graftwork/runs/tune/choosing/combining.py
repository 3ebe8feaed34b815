"""Finished candidates as one: the mean of their predictions (an ensemble), or of their weights (a soup)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from graftwork.core.rows.corruption import corrupts
from graftwork.core.rows.examples import Examples, prepare
from graftwork.core.scoring import predict_examples
from graftwork.core.scoring import score as score_of
from graftwork.data.table import Schema
from graftwork.errors import RefusedError, UsageError
from graftwork.evidence.tune.greedy import Predictions
from graftwork.model import Model
from graftwork.networks.merging import average
from graftwork.networks.several import Several
from graftwork.runs.finished.provenance import provenance_of, together
from graftwork.runs.job.job import Job
from graftwork.runs.merging.joining import joined_model, joined_targets
from graftwork.runs.merging.parents import Parent, check_shared_base
from graftwork.runs.merging.soup import greedy_kept
from graftwork.runs.single.model_from_run import make_model
from graftwork.runs.single.run import Candidate
from graftwork.saved import Member, why_not_together
from graftwork.tasks.averaging import why_not_averaged
from graftwork.tasks.temperature import fit_temperature

MOST_SOUPED = 8
"""Runs that a soup is tried of, at most: each costs a pass over the validation rows."""

Truth = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""By target, the encoded targets of the judged rows, and which rows have one (N,)."""


def why_not_combined(job: Job) -> str:
    """Why candidates of this job can't be averaged, in words for the user; "" where they can."""
    return next(filter(None, map(why_not_averaged, job.tasks.values())), "")


def ensemble_of(job: Job, candidates: Sequence[Candidate], weights: Sequence[float]) -> Model:
    """One model whose predictions are the mean of the candidates' calibrated probabilities, or numbers.

    candidates: finished, their networks in memory; of one job, of whatever bases. weights: of each, above 0; they are
    divided by their sum. One candidate gives its own model. The recipe of the heaviest stands for the ensemble's, and
    its features say which rows are unusual (`make_reference(job, model, heaviest)`). It costs what all members cost
    together, in time and in size.

    Raises RefusedError for tasks whose predictions have no mean (embeddings, labels of tokens), UsageError for weights
    that don't fit.
    """
    if not candidates or len(weights) != len(candidates) or min(weights) <= 0:
        raise UsageError(f"{len(candidates)} candidates, and weights {list(weights)}. Expected one above 0 for each.")
    models = [make_model(job, one) for one in candidates]
    if len(models) == 1:
        return models[0]
    return mean_of([replace(model, provenance=provenance_of(job, model.recipe)) for model in models], weights)


def mean_of(models: Sequence[Model], weights: Sequence[float]) -> Model:
    """`ensemble_of` for models that learned from the same tables."""
    order = sorted(range(len(models)), key=lambda at: (-weights[at], at))
    members = tuple(Member(weights[at] / sum(weights), models[at]) for at in order)
    each = [member.model for member in members]
    made = Model(
        recipe=each[0].recipe,
        schema=Schema(tuple(dict.fromkeys(column for model in each for column in model.schema.columns))),
        network=Several([model.network for model in each]),
        tasks=each[0].tasks,
        provenance=together([model.provenance for model in each]),
        members=members,
    )
    if why := why_not_together(made):
        raise RefusedError(f"These models can't be one ensemble: {why}. Keep one of them.")
    return made


def calibrated_predictions(job: Job, kept: Mapping[str, np.ndarray], truth: Truth) -> Predictions:
    """What an ensemble averages of the predictions that a candidate gave the judged rows, before softmax (N, outputs),
    and metrics read: probabilities, calibrated on these rows as `make_model` does, or numbers in the units of the
    column."""
    found = {}
    for name, task in job.tasks.items():
        targets, labelled = truth[name]
        found[name] = task.scored(kept[name], fit_temperature(kept[name][labelled], targets[labelled], task))
    return found


class Soup(NamedTuple):
    """candidate: whose network has the mean of the weights. weights: of the runs in it, by their position."""

    candidate: Candidate
    weights: dict[int, float]


def soup_of(job: Job, candidates: Sequence[Candidate]) -> Soup | None:
    """The best greedy soup (Wortsman et al. 2022) of fine-tunes that go together: of one base, architecture, head and
    way of reading texts. It needs what one of them needs.

    candidates: finished, their networks in memory. From the best on validation to the worst, each is kept where the
    mean with it scores no less there. None where nothing validates, or where no two go into one soup.
    """
    tuned = [at for at, one in enumerate(candidates) if one.predictions is not None and _is_tuned(one)]
    if job.valid is None or corrupts(job.tasks) or len(tuned) < 2:
        return None
    tuned = sorted(tuned, key=lambda at: (-_score(candidates[at]), at))[:MOST_SOUPED]
    parents = {at: Parent(candidates[at].name, make_model(job, candidates[at])) for at in tuned}
    made = list[Soup]()
    while tuned:
        group = [at for at in tuned if at == tuned[0] or _goes_with(parents[tuned[0]], parents[at])]
        tuned = [at for at in tuned if at not in group]
        found = _greedy(job, [candidates[at] for at in group], [parents[at] for at in group])
        made += [] if found is None else [Soup(found[0], {group[at]: 1 / len(found[1]) for at in found[1]})]
    return max(made, key=lambda soup: _score(soup.candidate), default=None)


def _greedy(job: Job, group: Sequence[Candidate], parents: Sequence[Parent]) -> tuple[Candidate, list[int]] | None:
    """The soup of some that go together, the best one first, and which are in it; None where it is one of them."""
    if len(group) < 2 or job.valid is None:
        return None
    examples = prepare(job.valid, group[0].network, job.tasks, group[0].recipe.text)

    def souped(kept: Sequence[int]) -> Candidate:
        return _mean(job, [group[at] for at in kept], [parents[at] for at in kept], examples)

    own = [score_of(one.predictions or {}, examples, job.tasks, job.metrics) for one in group]
    kept = greedy_kept(own, lambda some: _score(souped(some)))
    return (souped(kept), kept) if len(kept) > 1 else None


def _is_tuned(candidate: Candidate) -> bool:
    """Whether more than heads was trained in it."""
    heads = sum(value.numel() for _, head in candidate.network.each_head() for value in head.parameters())
    return candidate.plan.total_steps > 0 and candidate.plan.trained > heads


def _score(candidate: Candidate) -> float:
    return -np.inf if candidate.score is None else candidate.score


def _goes_with(best: Parent, other: Parent) -> bool:
    """Whether the mean of both has a meaning, and a head."""
    one, two = best.model, other.model
    if one.network.columns != two.network.columns or one.recipe.text != two.recipe.text:
        return False
    try:
        check_shared_base([best, other])
        joined_model([best, other], joined_targets([best, other]), average([best.body, other.body]))
    except RefusedError:
        return False
    return True


def _mean(job: Job, several: Sequence[Candidate], parents: Sequence[Parent], examples: Examples) -> Candidate:
    """The candidate with the mean of their weights, scored on validation."""
    best = several[0]
    model = joined_model(parents, joined_targets(parents), average([parent.body for parent in parents]))
    recipe = replace(best.recipe, techniques=model.recipe.techniques)
    predictions = predict_examples(model.network, examples, recipe.listed, tasks=job.tasks)
    return replace(
        best,
        name=f"soup of {len(several)}: {' + '.join(one.name for one in several)}",
        recipe=recipe,
        network=model.network,
        score=score_of(predictions, examples, job.tasks, job.metrics),
        predictions=predictions,
        wall=sum(one.wall for one in several),
        cpu=sum(one.cpu for one in several),
    )

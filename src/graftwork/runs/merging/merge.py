"""`graftwork.merge`: models of different domains or tasks that share a base become one model, without training."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from torch import Tensor

from graftwork.data.load import Source
from graftwork.data.quality.checks import OnBadRows
from graftwork.errors import UsageError, nearest
from graftwork.evidence.merged import MixReport, Tried
from graftwork.model import Model
from graftwork.networks.merging import average, moved, sum_of_vectors, ties_vector
from graftwork.runs.merging.joining import Joined, joined_model, joined_targets
from graftwork.runs.merging.mixed_scores import Part, all_scores, calibrated, mean_score, read_parts
from graftwork.runs.merging.parents import Given, Parent, check_shared_base, parents_of, starts_of
from graftwork.runs.workspace import check_free, claims_out
from graftwork.saving import save

AVERAGE, ARITHMETIC, TIES, AUTO = "average", "task-arithmetic", "ties", "auto"
METHODS = (AVERAGE, ARITHMETIC, TIES, AUTO)
SCALES = {ARITHMETIC: (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0), TIES: (0.7, 1.0, 1.5)}
"""What is tried on validation; the sum of task vectors needs smaller scales than the mean of TIES."""
DENSITIES = (0.1, 0.2, 0.5)
USUAL_SCALE = {ARITHMETIC: 0.4, TIES: 1.0}
USUAL_DENSITY = 0.2
"""Without validation, as Yadav et al. 2023 recommend."""


@dataclass(frozen=True)
class Mixed:
    """What a merge or a soup gives. model: as `fit` gives one. report: what was tried, and the scores of all models."""

    model: Model
    report: MixReport


@dataclass(frozen=True)
class Way:
    """A way of merging. scale, density: None where the method has none."""

    method: str
    scale: float | None = None
    density: float | None = None

    def __str__(self) -> str:
        settings = {"density": self.density, "scale": self.scale}
        written = ",".join(f"{name}={value:g}" for name, value in settings.items() if value is not None)
        return f"{self.method}:{written}" if written else self.method


@claims_out
def merge(
    models: Sequence[Given],
    *,
    method: str = AVERAGE,
    on: Sequence[Source] | None = None,
    test: Sequence[Source] | None = None,
    scale: float | None = None,
    density: float | None = None,
    out: str | os.PathLike[str] | None = None,
    on_bad_rows: OnBadRows = "fail",
    watch: Callable[[str], None] | None = None,
) -> Mixed:
    """Merge models that were trained from the same base. The same targets share one head, others keep their own.

    models: folders, or models. method: "average", "task-arithmetic" (Ilharco et al. 2023), "ties" (Yadav et al. 2023),
    or "auto": the best of all three on validation.
    on: a validation table for each model, in their order, with its target: `scale`, `density` and the method "auto" are
    chosen by the mean score on them, and probabilities are calibrated. test: the same for the scores of the report;
    left out, the report scores `on`.
    scale: factor on the task vectors, above 0 (0.4 for task-arithmetic and 1 for ties, where nothing is chosen).
    density: share of each task vector that ties keeps, from above 0 to 1 (0.2). out: a new or empty folder to write the
        model to. watch: told what is being done.

    Raises RefusedError for models that don't share a base (it names the tensors that differ), UsageError for settings
    out of their range or another number of tables than models, DataError for a table that lacks a column or labels.
    """
    if method not in METHODS:
        raise UsageError(f"There is no method '{method}' to merge. {nearest(method, METHODS)}")
    ways = ways_of(method, scale, density, searched=on is not None)
    check_free(out)
    tell = watch or _untold
    tell("loading the models")
    parents = parents_of(models)
    check_shared_base(parents)
    targets = joined_targets(parents)
    averaged = average([parent.body for parent in parents])
    model = joined_model(parents, targets, averaged)
    tell("reading the tables")
    valid = read_parts(on, parents, targets, model, "on", on_bad_rows)
    tested = read_parts(test, parents, targets, model, "test", on_bad_rows)
    starts = starts_of(parents[0]) if any(way.method != AVERAGE for way in ways) else {}
    tried = best_of(model, parents, ways, averaged, starts, valid, tell)
    model = calibrated(model, valid)
    tell("scoring all models")
    report = _report(
        Parent("merged", model), parents, targets, tried, tested or valid, "test" if tested else "validation"
    )
    report = with_licences(report, model)
    return Mixed(written(model, report, out), report)


def _untold(_: str) -> None:
    """For callers that want to hear nothing."""


def ways_of(method: str, scale: float | None, density: float | None, *, searched: bool) -> list[Way]:
    """The ways to try, the plainest first. Raises UsageError for settings that the method lacks or out of range."""
    if method == AUTO and not searched:
        raise UsageError("The method auto chooses on validation: name a table for each model (--on), or a method.")
    if scale is not None and not (0 < scale < math.inf):
        raise UsageError(f"scale is {scale:g}. Expected a number above 0.")
    if density is not None and not 0 < density <= 1:
        raise UsageError(f"density is {density:g}. Expected a number above 0, and 1 at most.")
    for name, value, having in (("scale", scale, (ARITHMETIC, TIES, AUTO)), ("density", density, (TIES, AUTO))):
        if value is not None and method not in having:
            raise UsageError(f"The method {method} has no {name}. Drop it, or use {' or '.join(having)}.")
    ways: list[Way] = []
    if method in (AVERAGE, AUTO):
        ways.append(Way(AVERAGE))
    if method in (ARITHMETIC, AUTO):
        ways += [Way(ARITHMETIC, one) for one in _choices(scale, SCALES[ARITHMETIC], USUAL_SCALE[ARITHMETIC], searched)]
    if method in (TIES, AUTO):
        scales = _choices(scale, SCALES[TIES], USUAL_SCALE[TIES], searched)
        densities = _choices(density, DENSITIES, USUAL_DENSITY, searched)
        ways += [Way(TIES, one, share) for share in densities for one in scales]
    return ways


def _choices(given: float | None, grid: Sequence[float], usual: float, searched: bool) -> Sequence[float]:
    if given is not None:
        return (given,)
    return grid if searched else (usual,)


def best_of(
    model: Model,
    parents: Sequence[Parent],
    ways: Sequence[Way],
    averaged: Mapping[str, Tensor],
    starts: Mapping[str, Tensor],
    valid: Sequence[Part],
    tell: Callable[[str], None],
) -> tuple[Tried, ...]:
    """Put the weights of the best way on validation into the model's network; of equals those of the first. Without
    validation there is one way."""
    learned = lru_cache(1)(lambda density: _vector(density, parents, starts))
    scores = []
    for way in ways:
        tell(f"trying {way}")
        scores.append(_scored(model, way, learned, averaged, starts, valid))
    known = [score for score in scores if score is not None]
    kept = scores.index(max(known)) if known else 0
    if kept != len(ways) - 1:
        _scored(model, ways[kept], learned, averaged, starts, ())
    return tuple(Tried(str(way), scores[at], at == kept) for at, way in enumerate(ways))


Vectors = Callable[[float | None], Mapping[str, Tensor]]
"""What the encoders' parameters of a merged model have more than the base: by the density of TIES, None for the sum."""


def _scored(
    model: Model,
    way: Way,
    learned: Vectors,
    averaged: Mapping[str, Tensor],
    starts: Mapping[str, Tensor],
    valid: Sequence[Part],
) -> float | None:
    """Put the weights of this way into the model's network, and score them where there is validation."""
    more = {} if way.method == AVERAGE else moved(starts, learned(way.density), way.scale or 1.0)
    model.network.load_state_dict({**averaged, **more}, strict=False)
    return mean_score(model, valid) if valid else None


def _vector(density: float | None, parents: Sequence[Parent], starts: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    bodies = [parent.body for parent in parents]
    return sum_of_vectors(starts, bodies) if density is None else ties_vector(starts, bodies, density)


def _report(
    merged: Parent,
    parents: Sequence[Parent],
    targets: Sequence[Joined],
    tried: tuple[Tried, ...],
    parts: Sequence[Part],
    scored_on: str,
) -> MixReport:
    names = tuple(parent.name for parent in parents)
    kept = next(one.name for one in tried if one.kept)
    called = [
        f"'{one.of[at]}' of {parents[at].name} is called '{one.name}'."
        for one in targets
        for at in one.of
        if one.of[at] != one.name
    ]
    chosen = "Chosen on the very rows that are scored here: expect a little less on new rows."
    return MixReport(
        title=f"{' + '.join(names)}, merged",
        result=merged.name,
        models=names,
        kept=kept,
        tried=tried,
        scores=all_scores(merged, parents, parts, targets),
        scored_on=scored_on,
        notes=(*called, *([chosen] if parts and scored_on == "validation" and len(tried) > 1 else [])),
    )


def with_licences(report: MixReport, model: Model) -> MixReport:
    """The report with what the licences of the bases say against commercial use."""
    said = (f"{warning[0].upper()}{warning[1:]}." for warning in model.provenance.warnings)
    return replace(report, notes=(*report.notes, *said))


def free_name(name: str, parents: Sequence[Parent]) -> str:
    """What the mixed model is called beside its parents."""
    return name if all(parent.name != name for parent in parents) else f"the {name} model"


def written(model: Model, report: MixReport, out: str | os.PathLike[str] | None) -> Model:
    """The model, saved with its report where a folder is named."""
    if out is None:
        return model
    folder = save(model, Path(out), also=report.write)
    return replace(model, folder=folder)

"""Where a budget has no time for a pass over all rows: a fine-tune whose steps read rows that no probe has read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from graftwork import specs
from graftwork.devices import chosen
from graftwork.networks.bases.registry import written
from graftwork.recipe import Recipe
from graftwork.runs.budget.look import SMALL, Look
from graftwork.runs.budget.own_rows import OF_CLASS
from graftwork.runs.candidates.planned import is_probe
from graftwork.runs.candidates.slower import slower_of
from graftwork.runs.candidates.usual import PROBED_LAYERS
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import make_ready
from graftwork.tasks.capabilities import Accompanied
from graftwork.techniques.transfer.partial import Partial
from graftwork.techniques.transfer.warm_start import WarmStart

NAME, INSTEAD_OF = "stream", "tune"
LEAST_STEPS = 600
"""Steps that there must be time for: with as many and more, streaming was 1 to 17 points above the probes on the rows
that fit (`benchmarks/many_rows.py`)."""
SHARE = 0.25
"""Of the time for training, at most, for the pass of the frozen base over the rows that probes learn from."""
HEADS = 0.2
"""Of the time for training, for heads and scores."""
MOST_KEPT, MOST_VALID = 3000, 1000
"""Rows that the probes learn from and rows that validate: a start for the steps, whose heads are solved in seconds."""
SPARE = 1.25
"""So many more rows are drawn than there is time for by the first look; those that no step reaches cost nothing."""

Planned = Sequence[tuple[str, Recipe]]


class Stream(NamedTuple):
    """rows: a sample of so many is streamed. blocks: so many of each base are trained, the upper half: where nothing is
    cached, those below cost nearly as much."""

    rows: int
    blocks: int


def streaming_of(job: Job, recipe: Recipe, planned: Planned, look: Look, seconds: float, share: float) -> Stream | None:
    """What is streamed; None where that is not worth while or can't be.

    planned: the runs without it. look: what a row takes. seconds: for all of training; share: of them, for the pass
    over the rows where nothing is streamed.
    """
    tune = dict(planned).get(INSTEAD_OF)
    if tune is None or recipe.techniques != "auto" or not look.whole or job.valid is None or job.old_task is not None:
        return None
    if not _as_measured(job, recipe):
        return None
    if not {WarmStart, Partial} <= {type(technique) for technique in tune.listed}:
        return None
    own = recipe.training.steps is not None or recipe.training.epochs is not None
    if own or any(task.couples_rows or task.holds_out == "classes" for task in job.tasks.values()):
        return None
    rows = len(job.train)
    if (rows + min(len(job.valid), rows // 3)) * look.row <= seconds * share:
        return None
    small = job.sample(SMALL, recipe.seed, SMALL)
    depth = min(encoder.depth for encoder in make_ready(small, planned[0][1]).network.each_encoder())
    blocks = depth // 2 + 1
    each = look.prepare + look.read * (1 + 2 * blocks / depth)
    passed = min(seconds * SHARE, (MOST_KEPT + MOST_VALID) * look.row)
    fit = int((seconds * (1 - HEADS) - passed) / each)
    return Stream(min(int(SPARE * fit), rows), blocks) if fit >= LEAST_STEPS * tune.training.batch else None


def _as_measured(job: Job, recipe: Recipe) -> bool:
    """Whether the job is of the kind of which it is known that streaming helps: texts with one class each, all of them
    labelled, on a processor; with rows enough of each class to begin from."""
    texts = all(one.modality == "text" for one in recipe.read(job.train.schema))
    one_class = all(task.single_label and not isinstance(task, Accompanied) for task in job.tasks.values())
    if not (texts and one_class) or chosen().type != "cpu" or OF_CLASS * job.classes > MOST_KEPT:
        return False
    return all(job.train.data.column(name).null_count == 0 for name in job.tasks if name in job.train.data.column_names)


def with_stream(job: Job, planned: Planned, stream: Stream | None) -> list[tuple[str, Recipe]]:
    """The probes, then the fine-tune on streamed rows in place of all on those that are kept, which are few, then the
    probes of a better base, if there is time left. job: on the rows of the probes. stream: None where nothing is
    streamed."""
    if stream is None:
        return list(planned)
    streamed = [(NAME, _streamed(job, one, stream)) for name, one in planned if name == INSTEAD_OF]
    probes = [(name, one) for name, one in planned if is_probe(one)]
    better = [(name, one) for name, one in probes if slower_of(job, one) is not None]
    return [*(pair for pair in probes if pair not in better), *streamed, *better]


def _streamed(job: Job, tune: Recipe, stream: Stream) -> Recipe:
    """The heads begin from those of the linear probe, which reads the same layers, so that no row is read for them."""
    bases = {
        name: base if "layers" in specs.changed_settings(base) else base.with_layers(PROBED_LAYERS)
        for name, base in tune.bases(job.train.schema).items()
    }
    training = replace(tune.training, epochs=1.0, steps=None)
    kept, valid = len(job.train), len(job.valid or ())
    techniques = tuple(Partial(stream.blocks) if isinstance(one, Partial) else one for one in tune.listed)
    tune = replace(tune, base=written(bases), techniques=techniques, training=training)
    return replace(tune, rows=stream.rows, valid_rows=valid, kept_rows=kept)

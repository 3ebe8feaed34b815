"""What the frozen features of the rows say of them: labels in doubt, what more rows would bring, other data in the
test table."""

from __future__ import annotations

from collections.abc import Iterator

from graftwork.data.table import Table
from graftwork.evidence.profile.finding import Finding
from graftwork.evidence.profile.label_errors import label_errors
from graftwork.evidence.profile.look_alikes import look_alikes
from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.profile.curve import learning_curve
from graftwork.runs.profile.features import FrozenBase, RowFeatures, frozen_base
from graftwork.runs.profile.probes import out_of_fold
from graftwork.runs.profile.shift import table_shift

ABOUT = "features"


def feature_findings(
    job: Job,
    recipe: Recipe,
    *,
    table: Table | None = None,
    test: Table | None = None,
    listener: Listener | None = None,
) -> Iterator[Finding]:
    """One finding after the other, as they are made.

    recipe: as it was given; where several bases would do, they are tried, as `fit` does. table: the rows that are
    profiled, `job.train` where left out. test: rows that are scored, `job.test` where left out. Where the base of an
    input starts from nothing, there is one finding, which says so.
    Raises UsageError and ModelError where the base can't be built.
    """
    hearing = listener or Listener()
    hearing.doing("reading the base's features")
    base = frozen_base(job, recipe, hearing)
    if base.unlearned:
        yield unlearned(base)
        return
    test = job.test if test is None else test
    rows = base.features(job.train if table is None else table, hearing)
    others = None if test is None else base.features(test, hearing)
    yield from base_findings(base, rows, others, hearing)


def base_findings(
    base: FrozenBase, rows: RowFeatures, test: RowFeatures | None, listener: Listener
) -> Iterator[Finding]:
    """`feature_findings` of features that are there."""
    listener.doing("looking for labels in doubt")
    yield from label_findings(base, rows)
    yield from _look_alikes(base, rows, test)
    if base.heads:
        listener.doing("measuring the learning curve")
        yield learning_curve(base, rows, test)
    if test is not None:
        listener.doing("comparing the test rows")
        found = table_shift(rows, test, base.recipe.seed)
        if found is not None:
            yield found


def _look_alikes(base: FrozenBase, rows: RowFeatures, test: RowFeatures | None) -> Iterator[Finding]:
    """Images and sounds that are nearly the same, a finding for each input of them."""
    for name, values in rows.by_input.items():
        if base.network.encoder(name).modality in ("image", "audio"):
            others = None if test is None else (test.by_input[name], test.numbers)
            yield look_alikes(name, values, rows.numbers, *(others or ()))


def label_findings(base: FrozenBase, rows: RowFeatures) -> Iterator[Finding]:
    """Labels in doubt, a finding for each target with one class a row."""
    for name, head in base.heads.items():
        task = base.job.tasks[name]
        if task.single_label and name in rows.targets and task.outputs > 1:
            given = (rows.targets[name], rows.labelled[name])
            told = out_of_fold(head, rows, name, task, base.recipe.seed)
            labels = (given[0] * given[1]) - (~given[1]).astype(given[0].dtype)
            yield label_errors(name, task.classes, told, labels, rows.numbers)


def unlearned(base: FrozenBase) -> Finding:
    names = ", ".join(f"'{name}'" for name in base.unlearned)
    said = f"Labels in doubt, the learning curve and shift are not looked at: no pretrained base is here for {names}."
    numbers = {"unlearned": list(base.unlearned)}
    return Finding(ABOUT, (said,), numbers, remedy="Name one with --base, or get one: graft bases lists them.")

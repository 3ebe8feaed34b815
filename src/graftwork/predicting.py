"""What a saved network predicts: values and probabilities of rows, chunk by chunk, so that memory stays flat."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from graftwork.core.judging import predicted
from graftwork.core.judging.predicted import Predicted
from graftwork.core.rows.examples import Cached, Examples, encoders_of, held_rows, is_on_disk, prepare
from graftwork.core.rows.long_texts import cut_off, warn_of_cut
from graftwork.core.rows.splits import warn_of_splits
from graftwork.core.scoring import ROW_FEATURES, Watch, compared_targets, part_of, predict_examples, scored
from graftwork.data.domains import warn_of_lacking_domain
from graftwork.data.load import Source, load_like
from graftwork.data.quality.checks import BadRow
from graftwork.data.read.decoding import with_encoding
from graftwork.data.table import Table
from graftwork.data.values import Values, joined
from graftwork.evidence.strange.other import Other
from graftwork.saved import Saved
from graftwork.tasks.averaging import weighted_mean

CHUNK = 16384
"""Rows predicted at a time, at most."""


BY_HEART = (
    "Too few rows or none were held out from this model's training, so it compares with training rows, which it knows "
    "by heart: new rows look more unusual to it than they are. `graft reference MODEL TABLE` (in Python "
    "`gw.with_reference(model, data)`) with rows that it has not seen mends that."
)


def predict_source(model: Saved, data: Source, encoding: str | None = None, *, unusual: bool = False) -> Predicted:
    """`predict_table` of any source. encoding: of a csv, tsv or json file that is not UTF-8."""
    loaded = load_like(with_encoding(data, encoding), model.schema, with_target=False, on_bad_rows="keep")
    loaded.warn()
    return predict_table(model, loaded.table, loaded.bad, unusual=unusual)


def predict_table(
    model: Saved,
    table: Table,
    bad: list[BadRow],
    *,
    unusual: bool = False,
    kept: Iterator[Kept | None] | None = None,
) -> Predicted:
    """Values and probabilities of the rows of a table that has been read and checked; bad: those that can't be read.
    unusual: also how unusual they are, by a model that has a reference. kept: as in `predict_chunks`."""
    chunks = predict_chunks(model, table, bad, unusual=unusual, kept=kept)
    parts = [part for part, _ in chunks] or [nothing(model, unusual)]
    known = [part.unusual for part in parts if part.unusual is not None]
    return Predicted(
        {name: [value for part in parts for value in part.each_values[name]] for name in model.tasks},
        {name: np.concatenate([part.each_probabilities[name] for part in parts]) for name in _numbered(model)},
        bad,
        np.concatenate(known) if known else None,
    )


def nothing(model: Saved, unusual: bool = False) -> Predicted:
    """Predictions of no row at all."""
    empty = {name: np.zeros((0, width), np.float32) for name, width in _numbered(model).items()}
    return Predicted({name: [] for name in model.tasks}, empty, [], np.zeros(0) if unusual else None)


def predict_chunks(
    model: Saved,
    table: Table,
    bad: list[BadRow],
    watch: Watch | None = None,
    *,
    unusual: bool = False,
    other: Other | None = None,
    kept: Iterator[Kept | None] | None = None,
) -> Iterator[tuple[Predicted, Table]]:
    """Chunk by chunk, with the chunk's rows, so that memory stays flat. watch: told how many rows are done.

    unusual: also how unusual they are, by a model that has a reference. other: the label of those that are too unusual
    for any class, which have no probabilities then. kept: what the networks say of each chunk (`chunks_of`), where
    others compute it; None for one without a row that can be read.
    """
    other, measured = learned_other(model) if other is None else other, reads_features(model, unusual, other)
    if any(member.model.network.film is not None for member in model.each_member):
        warn_of_lacking_domain(table, model.schema)
    unreadable, numbered = {row.row for row in bad}, _numbered(model)
    cut = [Counter[str]() for _ in model.each_member]
    for rows in chunks_of(model, len(table)):
        chunk = table.take(rows)
        good = np.array([row not in unreadable for row in chunk.rows.tolist()], dtype=bool)
        if kept is not None:
            seen = next(kept)
        else:
            own = part_of(watch, int(rows[0]), len(table))
            seen = kept_of(model, chunk.take(np.flatnonzero(good)), own, measured) if good.any() else None
        for lost, found_cut in zip(cut, () if seen is None else seen.cut, strict=False):
            lost.update(found_cut)
        found: Mapping[str, Values] = {} if seen is None else seen.found
        given, values = {}, {}
        for name, task in model.tasks.items():
            read = found.get(name)
            if name in numbered:
                given[name] = np.full((len(chunk), numbered[name]), np.nan, np.float32)
                given[name][good] = np.nan if read is None else read
                read = None if read is None else given[name][good]
            values[name] = [None] * len(chunk)
            if read is not None:
                for index, value in zip(np.flatnonzero(good), task.decode(read), strict=True):
                    values[name][index] = value
        here = set(chunk.rows.tolist()) & unreadable
        found_unusual = _unusual(model, seen, good) if measured else None
        made = Predicted(values, given, [row for row in bad if row.row in here], found_unusual)
        yield made if other is None else with_other(made, other, model), chunk
    for member, lost in zip(model.each_member, cut, strict=True):
        warn_of_cut(member.model.network, lost, len(table))
    warn_of_other_splits(model, table)
    if measured and model.reference is not None and model.reference.by_heart:
        warnings.warn(BY_HEART, stacklevel=2)


def warn_of_other_splits(model: Saved, table: Table) -> None:
    """`warn_of_splits` of all that reads these rows."""
    for member in model.each_member:
        warn_of_splits(member.model.network, table, member.model.recipe.text)


def scored_values(
    model: Saved, table: Table, without: Collection[str] = (), watch: Watch | None = None
) -> dict[str, Values]:
    """What metrics read of each row, by target: calibrated probabilities (N, outputs), or embeddings of open sets
    (N, E), of length 1. without: inputs that are left out."""
    from graftwork.evidence.scores.modalities import known_inputs

    without = known_inputs(model.network, without) if without else ()
    each, found = model.each_member, list[dict[str, Values]]()
    for at, member in enumerate(each):
        found.append(_scored_by(member.model, table, without, _share_of(watch, at, len(each))))
    return means(model, found)


def means(model: Saved, found: Sequence[Mapping[str, Values]]) -> dict[str, Values]:
    """By target, the mean of what each member says of the same rows, by their weights."""
    weights = [member.weight for member in model.each_member]
    return {name: weighted_mean([one[name] for one in found], weights) for name in model.tasks}


def _share_of(watch: Watch | None, at: int, members: int) -> Watch | None:
    """The watch of one of several members, each of which reads all rows."""
    return None if watch is None else lambda done, total: watch((at * total + done) // members, total)


def _scored_by(model: Saved, table: Table, without: Collection[str], watch: Watch | None) -> dict[str, Values]:
    """`scored_values` of one network."""
    from graftwork.evidence.scores.modalities import known_inputs, left_out

    without = known_inputs(model.network, [name for name in without if name in model.network.columns])
    kept = is_on_disk(table, model.network, model.recipe.text)  # a table that a fit has read: decoded once for both
    parts, done = list[dict[str, Values]](), 0
    for part in [table] if kept else map(table.take, chunks_of(model, len(table))):
        examples = prepare(part, model.network, {}, model.recipe.text, keep_on_disk=kept)
        own = part_of(watch, done, len(table))
        parts.append(scored_examples(model, left_out(examples, without), watch=own))
        done += len(part)
    return {name: joined([part[name] for part in parts]) for name in model.tasks}


def scored_examples(
    model: Saved, examples: Examples, cached: Mapping[str, Cached] | None = None, watch: Watch | None = None
) -> dict[str, Values]:
    """The same of rows that are prepared for a model with one network. cached: what is known of them, by input."""
    embedded = compared_targets(model.tasks)
    values = predict_examples(
        model.network, examples, model.recipe.listed, cached, embedded, watch=watch, tasks=model.tasks
    )
    return {n: scored(t, values[n], model.temperature.get(n, 1.0)) for n, t in model.tasks.items()}


def _numbered(model: Saved) -> dict[str, int]:
    """By target, how many numbers a row its task names; targets whose task names none are left out."""
    widths = {name: len(task.numbers(name)) for name, task in model.tasks.items()}
    return {name: width for name, width in widths.items() if width}


def chunks_of(model: Saved, rows: int) -> list[np.ndarray]:
    """The rows that are predicted at a time, chunk by chunk: by the model and their number alone, so that the same rows
    are read together however many processes share them."""
    size = min(held_rows(member.model.network, CHUNK) for member in model.each_member)
    return [np.arange(start, min(start + size, rows)) for start in range(0, rows, size)]


class Kept(NamedTuple):
    """What the networks of a model say of N rows that can be read.

    found: by target, what `task.in_units` gives. features: theirs (N, W), if asked for. cut: by member and by
    input, in how many rows the text was not read whole.
    """

    found: Mapping[str, Values]
    features: np.ndarray | None
    cut: tuple[Mapping[str, int], ...]


def reads_features(model: Saved, unusual: bool, other: Other | None) -> bool:
    """Whether the features of rows are needed too: to say how unusual they are, or which are none of the classes."""
    return unusual or other is not None or learned_other(model) is not None


def learned_other(model: Saved) -> Other | None:
    """From where on a row is none of the classes, where rows have taught the model that."""
    return None if model.reference is None else model.reference.other


def with_other(made: Predicted, other: Other, model: Saved) -> Predicted:
    """The predictions, in which rows that are too unusual have the other label, and no probabilities."""
    if made.unusual is None or model.reference is None:
        return made
    target = other.target_among(model.tasks)
    rows, value = other.chosen(made.unusual, model.reference.most), other.value(model.tasks[target])
    values = [value if chosen else own for own, chosen in zip(made.each_values[target], rows, strict=True)]
    probabilities = made.each_probabilities[target].copy()
    probabilities[rows] = np.nan
    return replace(
        made,
        each_values={**made.each_values, target: values},
        each_probabilities={**made.each_probabilities, target: probabilities},
    )


def kept_of(model: Saved, table: Table, watch: Watch | None = None, features: bool = False) -> Kept:
    """What the networks say of rows that can all be read. The features are those of the first member."""
    each = model.each_member
    found = [
        _kept_by(member.model, table, _share_of(watch, at, len(each)), features and at == 0)
        for at, member in enumerate(each)
    ]
    cut = tuple(lost for one in found for lost in one.cut)
    return Kept(means(model, [one.found for one in found]), found[0].features, cut)


def _kept_by(model: Saved, table: Table, watch: Watch | None, features: bool) -> Kept:
    """The same of one network."""
    examples = prepare(table, model.network, {}, model.recipe.text, keep_on_disk=False)
    predicted.warn_of_lacks(model.network, examples)
    cut = cut_off(model.network, table, examples, model.recipe.text)
    found = predict_examples(
        model.network, examples, model.recipe.listed, watch=watch, tasks=model.tasks, features=features
    )
    encoders = encoders_of(model.network, model.recipe.text)
    in_units = {
        name: task.in_units(task.located(found[name], table, encoders), model.temperature.get(name, 1.0))
        for name, task in model.tasks.items()
    }
    return Kept(in_units, np.asarray(found[ROW_FEATURES]) if features else None, (cut,))


def _unusual(model: Saved, seen: Kept | None, good: np.ndarray) -> np.ndarray:
    """How unusual each row of a chunk is (N,), NaN for those that can't be read, which are not `good`."""
    found = np.full(len(good), np.nan)
    if seen is not None and seen.features is not None and model.reference is not None:
        found[good] = model.reference.unusual(seen.features)
    return found

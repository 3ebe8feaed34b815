"""`graftwork.pretrain`: rows without labels in; a base out, that `--base FOLDER` takes.

It is a fit of a pretext task (`tasks/pretext`), and everything of a fit comes along: techniques, checkpoints and
resuming, budget, progress, report, and the model folder, whose encoders are bases.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graftwork.core.settings import Training
from graftwork.data.quality.checks import OnBadRows
from graftwork.data.read.source import Source
from graftwork.errors import UsageError
from graftwork.evidence.views import words_of
from graftwork.model import Model
from graftwork.networks.base_settings import BaseSettings
from graftwork.recipe import Recipe, parse_techniques, with_settings
from graftwork.runs.fit import fit_data
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.watched import Watch
from graftwork.runs.listener import Listener
from graftwork.runs.pretrain.corpus import Corpus, corpus_of, kinds_of, look
from graftwork.runs.pretrain.objectives import AUTO, base_for, chosen, usual
from graftwork.runs.pretrain.text_folder import texts_of_folder
from graftwork.runs.tracking.tracked import Track
from graftwork.runs.watching import heard

VALID_SHARE, MOST_VALID = 0.05, 1000
"""Of the rows, held out to score the objective by; and how many at most are scored."""
EVALUATIONS = 10
AS_LONG_AS_THERE_IS_TIME = 1000.0
"""Passes over the rows with a budget, which decides how many there are."""


@dataclass(frozen=True, kw_only=True)
class Pretraining:
    """What is asked for, apart from the corpus. base: as `graft fit` takes it; "auto" is the default for what is read.

    objective: "auto", or a pretext task with settings (`masked-language:rate=0.2`). size: small, medium or large, of
    bases from scratch. techniques: in place of the objective's usual ones. settings: as `--set` takes them.
    """

    base: str = AUTO
    objective: str = AUTO
    size: str | None = None
    techniques: Sequence[str] | None = None
    settings: Mapping[str, str] | None = None
    seed: int = 0
    inputs: Sequence[str] | None = None
    on_bad_rows: OnBadRows = "skip"
    encoding: str | None = None


def pretrain(
    corpus: Source,
    *,
    base: str = AUTO,
    objective: str = AUTO,
    size: str | None = None,
    budget: float | None = None,
    watch: Source | None = None,
    target: str | None = None,
    techniques: Sequence[str] | None = None,
    settings: Mapping[str, str] | None = None,
    inputs: Sequence[str] | None = None,
    seed: int = 0,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    track: Track | None = None,
    on_bad_rows: OnBadRows = "skip",
    encoding: str | None = None,
    verbose: bool = True,
    listener: Listener | None = None,
) -> Model:
    """Pretrain a base on rows without labels; `graftwork.fit(..., recipe=Recipe(base=out))` starts from it.

    corpus: a table as `fit` takes it, or a folder of pictures, sounds or text files (a row a paragraph); labels in it
        are not looked at.
    base: what is trained, from random weights or on from its own: minilm, bert-small, gru, small-cnn, mel-cnn,
        mel-gru, a folder; "auto" takes the default of what the corpus holds.
    objective: masked-language, simclr, masked-image, masked-mel, with settings; "auto" takes the first that fits.
    size: small, medium or large, of a base from scratch. budget: wall seconds of the call; without one, a number of
        passes over the rows that suits the objective.
    watch, target: a small labelled table, and its target. How well a linear probe does on it is scored ten times,
        stands in the report, and decides which weights are kept; `settings={"patience": "3"}` stops by it.
    techniques, settings, seed, resume, track, on_bad_rows, encoding, verbose, listener: as in `fit`.
    out: folder for the base, its report and the checkpoints.

    Raises UsageError for an objective that reads another kind, DataError for a corpus that is too small for it.
    """
    asked = Pretraining(
        base=base,
        objective=objective,
        size=size,
        techniques=techniques,
        settings=settings,
        seed=seed,
        inputs=inputs,
        on_bad_rows=on_bad_rows,
        encoding=encoding,
    )
    watched = None if watch is None else Watch(watch, target)
    if watch is None and target is not None:
        raise UsageError("target names a column of the table to watch by, and there is none: give watch, too.")
    with heard(listener, verbose) as hearing:
        model = pretrain_data(
            corpus, asked, budget=budget, watch=watched, out=out, resume=resume, track=track, listener=hearing
        )
        if model.report is not None:
            hearing.ended("\n".join(words_of(model.report)))
    return model


def pretrain_data(
    source: Source,
    asked: Pretraining,
    *,
    budget: float | None = None,
    watch: Watch | None = None,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    track: Track | None = None,
    listener: Listener,
    command: str | None = None,
    given: str = "",
    began: float | None = None,
) -> Model:
    """`pretrain`, with what is asked for as one thing. command, given: those that repeat the call and that was typed;
    began: `time.monotonic()` at its start."""
    listener.doing("looking at the corpus")
    source = texts_of_folder(source, asked.encoding)
    table = look(source, asked.inputs, asked.encoding)
    objective, task = chosen(asked.objective, kinds_of(table), asked.base, table.source)
    base = base_for(asked.base, task.reads, asked.size)
    corpus = corpus_of(source, table, task.reads)
    recipe, note = recipe_for(base, objective, asked, timed=budget is not None)
    for line in filter(None, (corpus.note, note)):
        listener.note(line)
    return fit_data(
        _arguments(corpus, asked),
        recipe,
        budget=budget,
        out=out,
        resume=resume,
        track=track,
        listener=listener,
        command=command,
        asked=given,
        began=began,
        watch=watch,
    )


def recipe_for(base: BaseSettings, objective: str, asked: Pretraining, *, timed: bool) -> tuple[Recipe, str]:
    """How this base is pretrained, and what is to be said of it. timed: a budget decides how long."""
    how, note = usual(objective)
    epochs = how.continued if base.pretrained else how.scratch
    recipe = Recipe(
        base=base.spec,
        task=objective,
        techniques=parse_techniques(list(how.techniques if asked.techniques is None else asked.techniques)),
        training=Training(
            batch=how.batch,
            epochs=AS_LONG_AS_THERE_IS_TIME if timed else epochs,
            evaluations=EVALUATIONS,
            schedule="cosine",
        ),
        valid_share=VALID_SHARE,
        valid_rows=MOST_VALID,
        seed=asked.seed,
    )
    return with_settings(recipe, asked.settings or {}), note if asked.techniques is None else ""


def _arguments(corpus: Corpus, asked: Pretraining) -> DataArguments:
    return DataArguments(
        train=corpus.source,
        inputs=[corpus.column],
        kinds={corpus.column: corpus.kind},
        on_bad_rows=asked.on_bad_rows,
        encoding=asked.encoding,
    )

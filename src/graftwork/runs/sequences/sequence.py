"""Sequences: several runs, one after the other, of which a later one builds on the models of earlier ones.

Train and distil; pretrain on another table and tune; self-training. A sequence is a list of steps, each a recipe with
its data; it goes on at the step where it was stopped.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from graftwork import specs
from graftwork.data.store.cache import digest, storing
from graftwork.data.store.names import plain_name
from graftwork.data.store.writing import clean, remove, write_text
from graftwork.errors import GraftworkError, UsageError
from graftwork.model import Model, load
from graftwork.networks.manifest import is_model
from graftwork.runs.fit import fit_data
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.listener import Listener
from graftwork.runs.sequences.pseudo_labels import pseudo_labelled
from graftwork.runs.sequences.step_checks import checked
from graftwork.runs.sequences.steps import Step, place, placed, read_steps, resolved
from graftwork.runs.watching import heard
from graftwork.runs.workspace import claims_out, holds_something, unfinished

RECORD = "sequence.json"
SUMMARY = "summary.md"


@dataclass(frozen=True)
class Score:
    """The primary score of a target on the rows that count, with its 95 % interval. split: test, validation, ...
    text: all of it for people."""

    target: str
    metric: str
    split: str
    rows: int
    value: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class Finished:
    """A step that is done. folder: of its model and report. seconds: wall time. interrupted: stopped with Ctrl-C."""

    name: str
    folder: Path
    base: str
    techniques: str
    scores: tuple[Score, ...]
    seconds: float
    interrupted: bool = False

    @property
    def model(self) -> Model:
        """Its model, loaded."""
        return load(self.folder)


@dataclass(frozen=True)
class Recorded:
    """What `sequence.json` keeps of a step that is done. digest: of what the step said."""

    digest: str
    finished: Finished


@claims_out
def run_sequence(
    steps: Sequence[Step] | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str],
    resume: bool = False,
    verbose: bool = True,
    listener: Listener | None = None,
    command: str | None = None,
    allow_code: Sequence[str] = (),
) -> list[Finished]:
    """Run the steps of a list or a YAML file in their order; each leaves its model and report in `out/NAME`.

    out: a folder that is new, empty or of a sequence that failed before its first step began; with `resume=True` the
    one of a sequence that was stopped: steps that are done are not run again, and the one that was stopped goes on from
    its last checkpoint. A step that Ctrl-C stops is the last one.
    verbose: say how the steps go; False is silent. listener: hears it in its place. command: for the reports.
    allow_code: the modules that a file's recipes may import to train.

    Raises UsageError for no steps and for a step that names what there is not, before anything is trained, and for a
    step that was done before and has been changed since; everything that `fit` raises, with the step's name.
    """
    root = Path(out)
    source = "" if isinstance(steps, list | tuple) else str(steps)
    listed = steps if isinstance(steps, list | tuple) else read_steps(steps, allow_code)  # type: ignore[arg-type]
    planned = checked(listed, source)
    record = _opened(root, resume)
    with heard(listener, verbose) as hearing:
        return _run_all(planned, source, root, record, resume, hearing, command)


def _run_all(
    planned: Sequence[Step],
    source: str,
    root: Path,
    record: dict[str, Any],
    resume: bool,
    listener: Listener,
    command: str | None,
) -> list[Finished]:
    done: list[Finished] = []
    for step in planned:
        known = record.get(step.name)
        if known is not None:
            _check_unchanged(step, known)
            done.append(known.finished)
            listener.note(f"{step.name}: done before")
            continue
        listener.note(f"step {len(done) + 1} of {len(planned)}: {step.name}")
        with placed(place(source, step.name)):
            finished = _run(step, root, done, resume, listener, command)
        done.append(finished)
        if finished.interrupted:
            break
        record[step.name] = Recorded(_digest(step), finished)
        _write(root, record, done)
    return done


def summary(done: Sequence[Finished]) -> list[tuple[str, ...]]:
    """A table of the steps, the head first: name, base, techniques, score of each target with its interval, time."""
    rows: list[tuple[str, ...]] = [("step", "base", "techniques", "rows", "score (95 % interval)", "seconds")]
    for one in done:
        for score in one.scores or (None,):
            told = ("", "no rows to score on") if score is None else (f"{score.rows:,} {score.split}", score.text)
            several = f"{score.target}: " if score is not None and len(one.scores) > 1 else ""
            rows.append((one.name, one.base, one.techniques, told[0], several + told[1], f"{one.seconds:.0f}"))
    return rows


def _run(
    step: Step, root: Path, done: Sequence[Finished], resume: bool, listener: Listener, command: str | None
) -> Finished:
    began, folder = time.monotonic(), root / step.name
    if is_model(folder) and not unfinished(folder):  # stopped before the step was written down: it is made anew
        remove(folder)
    data = _data(step, root, done, listener)
    recipe = resolved(step, {one.name: one.folder for one in done})
    model = fit_data(data, recipe, budget=step.budget, out=folder, resume=resume, listener=listener, command=command)
    return Finished(
        step.name,
        folder,
        model.recipe.base_text,
        ", ".join(technique.name for technique in model.recipe.listed) or "plain loop",
        _scores(model),
        time.monotonic() - began,
        model.interrupted,
    )


def _data(step: Step, root: Path, done: Sequence[Finished], listener: Listener) -> DataArguments:
    """The step's tables, with the rows that an earlier step's model labels."""
    pseudo = step.pseudo_labels
    if pseudo is None:
        return step.data
    asked = next(one for one in done if one.name == pseudo.model)
    assert step.data.unlabelled is not None
    kept_in = root / f"{step.name}.pseudo-labels.csv"
    source = step.data.unlabelled
    labelled, note = pseudo_labelled(asked.model, source, pseudo.threshold, pseudo.balance, kept_in)
    listener.note(f"{step.name}: {note}")
    return replace(step.data, unlabelled=None, labelled=labelled)


def _scores(model: Model) -> tuple[Score, ...]:
    found = []
    for result in model.report.results if model.report is not None else ():
        if result.evaluations:
            split, evaluation = result.headline
            score = evaluation.scores[result.primary]
            target = result.target or model.targets[0]
            found.append(
                Score(
                    target,
                    result.primary,
                    split,
                    evaluation.rows,
                    score.value,
                    score.low,
                    score.high,
                    f"{score.display} {score.text}",
                )
            )
    return tuple(found)


def _opened(root: Path, resume: bool) -> dict[str, Recorded]:
    """What is known of the steps that are done. Raises UsageError where `root` holds something else."""
    if root.exists() and not root.is_dir():
        raise UsageError(f"--out {root} is a file. Name a folder.")
    file = root / RECORD
    clean(root)
    if not root.is_dir() or not holds_something(root):
        with storing(root):
            root.mkdir(parents=True, exist_ok=True)
            write_text(file, "{}")
        return {}
    if not file.is_file():
        raise UsageError(f"{root} holds something that is not a sequence of graftwork. Choose another --out.")
    # A step that failed before it began left no folder: there is nothing that a fresh start could lose.
    if not resume and any(one.is_dir() for one in root.iterdir()):
        raise UsageError(f"{root} holds a sequence. Add --resume to go on with it, or choose another --out.")
    return {name: known for name, known in _read(file).items() if is_model(root / name)}


def _read(file: Path) -> dict[str, Recorded]:
    """The steps that are done, by name."""
    try:
        return {name: _recorded(file.parent / plain_name(name, file), plain) for name, plain in _mapping(file).items()}
    except (ValueError, TypeError, KeyError, AttributeError, GraftworkError) as error:
        raise UsageError(f"{file} is damaged ({error}). Choose another --out.") from None


def _mapping(file: Path) -> dict[str, Any]:
    found = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _recorded(folder: Path, plain: dict[str, Any]) -> Recorded:
    """One step, every value of its type."""
    given = {**plain["finished"], "scores": (), "folder": folder, "name": folder.name}
    finished = specs.build(Finished, given, "the step")
    scores = tuple(specs.build(Score, score, "the score") for score in plain["finished"]["scores"])
    return Recorded(str(plain["digest"]), replace(finished, scores=scores))


def _check_unchanged(step: Step, known: Recorded) -> None:
    if known.digest != _digest(step):
        raise UsageError(
            f"The step {step.name} is done, and has been changed since. Change it back, or choose another --out "
            "to run the sequence anew."
        )


def _digest(step: Step) -> str:
    """Of what a step says; of a table in memory only its kind."""
    data = {f.name: getattr(step.data, f.name) for f in fields(DataArguments)}
    plain = {name: _described(value) for name, value in data.items()}
    pseudo = asdict(step.pseudo_labels) if step.pseudo_labels else None
    return digest(json.dumps([plain, step.recipe.to_dict(), pseudo, step.budget], sort_keys=True, default=str))


def _described(value: Any) -> Any:
    if isinstance(value, str | os.PathLike | int | float | None):
        return None if value is None else str(value)
    if isinstance(value, dict):
        return value
    plain = isinstance(value, list | tuple) and all(isinstance(one, str | os.PathLike) for one in value)
    return [str(one) for one in value] if plain else type(value).__name__


def _write(root: Path, record: dict[str, Recorded], done: Sequence[Finished]) -> None:
    plain = {name: {"digest": one.digest, "finished": asdict(one.finished)} for name, one in record.items()}
    head, *rows = summary(done)
    lines = [head, tuple("---" for _ in head), *rows]
    with storing(root):
        write_text(root / RECORD, json.dumps(plain, ensure_ascii=False, indent=1, default=str))
        write_text(root / SUMMARY, "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")

"""How a saved or fitted model stands up to attacks and corruptions, on a table of labelled rows."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from graftwork import specs
from graftwork.data.load import Source, load_like
from graftwork.data.quality.checks import OnBadRows, known_choice
from graftwork.data.table import Table
from graftwork.evidence.robustness.measure import Robustness, class_targets, known_inputs, measure
from graftwork.evidence.robustness.report import write
from graftwork.evidence.robustness.settings import RobustnessSettings
from graftwork.model import Model


def robustness(
    model: Model,
    data: Source,
    settings: RobustnessSettings | str = "",
    *,
    out: str | os.PathLike[str] | None = None,
    on_bad_rows: OnBadRows = "fail",
    watch: Callable[[str], None] | None = None,
) -> Robustness:
    """Accuracy under gradient and black-box attacks of several strengths, and under corruptions of five severities.

    data: a table of labelled rows. settings: `RobustnessSettings`, or as it is written, such as
    "rows=200,epsilons=4/255+8/255". out: folder for robustness.json, robustness.html and the curves. watch: told what
        is being tried.

    Each input is attacked by itself: images and sounds in every pixel and sample (L-inf), texts in their embeddings
    (L2).
    Raises UsageError for a model of numbers and categories alone, or one that predicts no classes.
    """
    given = settings_of(settings) if isinstance(settings, str) else settings
    known_inputs(model.network)
    class_targets(model.tasks)
    table = load_like(data, model.schema, with_target=True, on_bad_rows=known_choice(on_bad_rows)).table
    return robustness_of(model, table, given, out=out, watch=watch)


def robustness_of(
    model: Model,
    table: Table,
    settings: RobustnessSettings,
    *,
    out: str | os.PathLike[str] | None = None,
    watch: Callable[[str], None] | None = None,
) -> Robustness:
    """The same of a table that has been read and checked."""
    known_inputs(model.network)
    class_targets(model.tasks)
    found = measure(model.network, model.tasks, table, settings, model.recipe.listed, model.recipe.text, watch)
    if out is not None:
        write(found, Path(out))
    return found


def settings_of(text: str) -> RobustnessSettings:
    """Settings as they are written: "rows=200,epsilons=4/255+8/255"; empty for the defaults."""
    return specs.parse(f"robust:{text}", {"robust": RobustnessSettings}, "option")

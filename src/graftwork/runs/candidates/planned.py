"""Which recipes `techniques: auto` tries, in the order that a table says for the situation.

Each is an ordinary recipe; `runs/default.py` runs them while the budget lasts and keeps the best one.
"""

from __future__ import annotations

from graftwork.data.columns.joined import as_parts
from graftwork.recipe import Recipe
from graftwork.runs.candidates.orders import EACH_KIND, Kind, Portfolio, Situation, order_of
from graftwork.runs.candidates.other import candidate
from graftwork.runs.candidates.portfolio import PORTFOLIO
from graftwork.runs.candidates.tables import few_validate, reads_columns_alone
from graftwork.runs.candidates.tuned import compares
from graftwork.runs.candidates.usual import KINDS_ALONE, has_probes, usual_recipes
from graftwork.runs.job.base_choice import sampled_texts
from graftwork.runs.job.job import Job
from graftwork.runs.job.language import ENGLISH, spoken
from graftwork.runs.job.text_choice import FEW, LONGEST, MIXED
from graftwork.tasks.registry import USUAL_HEAD


def planned_recipes(
    job: Job, recipe: Recipe, budget: float | None = None, portfolio: Portfolio = PORTFOLIO
) -> list[tuple[str, Recipe]]:
    """The runs in their order. A recipe with its own techniques is one run.

    budget: seconds of the whole call. portfolio: a table of orders in place of the library's own. The usual order stays
    where the recipe names a head, where a base begins from scratch, and where too few rows validate for a choice.
    """
    if recipe.techniques != "auto":
        return [("run", recipe)]
    usual = dict(usual_recipes(job, recipe))
    order = order_of(portfolio, situation_of(job, recipe, budget, portfolio)) if may_be_ordered(job, recipe) else None
    if order is None:
        return list(usual.items())
    planned = dict[str, Recipe]()
    for entry in order:
        for name in [one for one in usual if one in KINDS_ALONE] if entry == EACH_KIND else [entry]:
            made = candidate(job, recipe, name, usual)
            if made is not None and (name in usual or made not in planned.values()):
                planned[name] = made
    if planned and not is_probe(next(iter(planned.values()))):  # the one that stood in front can't be had here
        planned = dict([next(iter(usual.items()))]) | planned
    return list((planned or usual).items())


def is_probe(recipe: Recipe) -> bool:
    """Whether it leaves all bases frozen."""
    return any("trainable_features" in one.drops for one in recipe.listed)


def may_be_ordered(job: Job, recipe: Recipe) -> bool:
    """Whether an order from a table fits: all bases are pretrained, heads are left open and can be solved, and rows
    enough validate to choose."""
    if job.valid is None or recipe.head != USUAL_HEAD or compares(job) or not has_probes(job, recipe):
        return False
    if any(task.usual_head != "linear" or task.holds_out == "classes" for task in job.tasks.values()):
        return False
    return not (reads_columns_alone(job, recipe) and few_validate(job))


def situation_of(job: Job, recipe: Recipe, budget: float | None, portfolio: Portfolio = PORTFOLIO) -> Situation:
    """What the order of a job may depend on. The language is looked at only where the table asks."""
    kinds = {one.modality for one in recipe.read(job.train.schema)}
    kind: Kind = "several" if len(kinds) > 1 else next(iter(kinds))
    return Situation(
        kind,
        len(job.train),
        job.classes,
        _language(job, recipe) if any(line.language for line in portfolio) else "",
        budget,
    )


def _language(job: Job, recipe: Recipe) -> str:
    """English or other, as the choice of a base tells it; empty where no texts are read."""
    read = [one.columns for one in recipe.read(job.train.schema) if one.modality == "text"]
    texts = [text for columns in read for text in sampled_texts(job.train, columns, recipe.text)]
    if not texts:
        return ""
    some = [" ".join(as_parts(text))[:LONGEST] for text in texts[:: -(-len(texts) // FEW)]]
    return "other" if spoken(some).share >= MIXED else ENGLISH

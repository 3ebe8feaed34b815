"""What a model folder holds: a network with all that is needed to use it, or several models as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graftwork.bases.provenance import NOT_KNOWN, Provenance
from graftwork.data.table import Schema
from graftwork.evidence.strange.reference import Reference
from graftwork.evidence.sure.calibration import Calibration
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from graftwork.tasks.averaging import why_not_averaged
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class Saved:
    """What a model folder holds: a network with all that is needed to use it.

    recipe: the resolved recipe that made it. temperature: by target, fitted on validation. provenance: its bases, and
    the tables that it learned from. reference: some of its training rows as it sees them, by which others are unusual;
    None where none were kept. calibration: by target, rows on which sets, intervals and abstention rest.

    members: of an ensemble, the models whose predictions are averaged, heaviest first; else none. Its network is
    `Several`, its recipe that of the first, by whose features its reference goes, and the members are calibrated
    instead of it. Whoever reads rows goes through `each_member`, and need not know whether it is an ensemble.
    """

    recipe: Recipe
    schema: Schema
    network: Network
    tasks: Mapping[str, Task]
    temperature: Mapping[str, float] = field(default_factory=dict)
    provenance: Provenance = NOT_KNOWN
    reference: Reference | None = None
    calibration: Mapping[str, Calibration] = field(default_factory=dict)
    members: tuple[Member, ...] = ()

    @property
    def each_member(self) -> tuple[Member, ...]:
        """The models whose predictions are averaged, heaviest first; itself where it is one network."""
        return self.members or (Member(1.0, self),)

    @property
    def lead(self) -> Saved:
        """The heaviest of them."""
        return self.each_member[0].model


@dataclass(frozen=True)
class Member:
    """A model in an ensemble. weight: its share in the mean; those of all members sum to 1."""

    weight: float
    model: Saved


def recipe_text(model: Saved) -> str:
    """The recipe as YAML; of an ensemble that of its heaviest member, under a comment that says so."""
    said = "# Of the heaviest member of an ensemble; each has its own in its folder.\n" if model.members else ""
    return said + model.recipe.to_yaml()


def why_not_together(model: Saved) -> str:
    """Why the members of an ensemble can't answer for it: the task has no mean, or a member has another task or reads
    other columns. "" where they can."""
    known = {column.name: column for column in model.schema.columns}
    for name, task in model.tasks.items():
        if why := why_not_averaged(task):
            return f"{why}, so that there is no mean of several models' predictions of '{name}'"
    for at, member in enumerate(model.members):
        own = member.model
        if own.tasks.keys() != model.tasks.keys() or any(
            not task.means_the_same(own.tasks[name]) for name, task in model.tasks.items()
        ):
            return f"member {at} has other targets or other classes than the ensemble"
        if any(known.get(column.name) != column for column in own.schema.columns):
            return f"member {at} reads columns that are not those of the ensemble"
    return ""

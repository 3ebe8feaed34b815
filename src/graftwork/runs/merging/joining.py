"""Several models as one: which of their targets are the same, one head for each, and the network around them."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from graftwork.bases.provenance import mixed
from graftwork.data.table import Column, Schema, Table
from graftwork.errors import RefusedError
from graftwork.model import Model
from graftwork.networks.heads.head import Head
from graftwork.networks.merging import average, plain_head, rescaled
from graftwork.networks.network import Network
from graftwork.runs.finished.costs import versions
from graftwork.runs.merging.parents import Parent
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class Joined:
    """A target of the merged model. name: what it is called there; of: what it is called by the parents that have it,
    by their position. task: as the merged model has it. column: as its schema has it."""

    name: str
    of: Mapping[int, str]
    task: Task
    column: Column


def joined_targets(parents: Sequence[Parent]) -> list[Joined]:
    """One for each target; targets of one name and with the same classes are one. Others of one name are told apart by
    the names of the models: `label_amazon`."""
    found: list[tuple[str, dict[int, str], Task, Column]] = []
    for at, parent in enumerate(parents):
        columns = {column.name: column for column in parent.model.schema.targets}
        for name, task in parent.model.tasks.items():
            same = next((of for called, of, other, _ in found if called == name and task.means_the_same(other)), None)
            if same is not None:
                same[at] = name
            else:
                found.append((name, {at: name}, task, columns.get(name, Column(name, "category", "target"))))
    names = [name for name, *_ in found]
    taken = {column.name for parent in parents for column in parent.model.schema.inputs}
    result = []
    for name, of, _, column in found:
        called = name if names.count(name) == 1 else _free(f"{name}_{_word(parents[min(of)].name)}", taken)
        taken.add(called)
        first, *others = [parents[at].model.tasks[name] for at in of]
        shared = first.joined(others)
        result.append(Joined(called, of, shared, replace(column, name=called) if called != name else column))
    return result


def _word(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name).strip("_")


def _free(name: str, taken: set[str]) -> str:
    names = [name, *(f"{name}_{number}" for number in range(2, 1000))]
    return next(one for one in names if one not in taken)


def joined_head(parents: Sequence[Parent], joined: Joined) -> Head:
    """The mean of the parents' heads, each in the same coordinates and units. Raises RefusedError for other kinds."""
    heads = {at: dict(parents[at].model.network.each_head())[name] for at, name in joined.of.items()}
    first = next(iter(heads.values()))
    if len(heads) == 1:
        return copy.deepcopy(first)
    kinds = {parents[at].name: head.spec for at, head in heads.items()}
    if len(set(kinds.values())) > 1:
        said = ", ".join(f"{kind} in {name}" for name, kind in kinds.items())
        raise RefusedError(
            f"The heads of '{joined.name}' differ: {said}. Expected one kind; train with one --set head."
        )
    states = [
        _in_units(head, parents[at].model.tasks[joined.of[at]], joined.task, plain_head(head))
        for at, head in heads.items()
    ]
    made = copy.deepcopy(first)
    made.load_state_dict(average(states))
    return made


def _in_units(head: Head, task: Task, shared: Task, state: dict[str, Tensor]) -> dict[str, Tensor]:
    factor, shift = task.in_units_of(shared)
    return state if (factor, shift) == (1.0, 0.0) else rescaled(head, state, factor, shift)


def joined_model(parents: Sequence[Parent], targets: Sequence[Joined], body: Mapping[str, Tensor]) -> Model:
    """The model with these weights below its heads. Its schema has the first parent's inputs, its probabilities the
    geometric mean of the parents' temperatures."""
    first = parents[0].model
    old = first.network
    encoders = {id(encoder): copy.deepcopy(encoder) for encoder in old.each_encoder()}
    columns = {name: encoders[id(old.encoder(name))] for name in old.columns}
    heads = {joined.name: joined_head(parents, joined) for joined in targets}
    network = Network(columns, heads, copy.deepcopy(old.fusion), old.sources)
    network.missing_inputs = frozenset.intersection(*(parent.model.network.missing_inputs for parent in parents))
    network.autocast = old.autocast
    state = network.state_dict()
    network.load_state_dict({name: body.get(name, value) for name, value in state.items()})
    network.requires_grad_(False)
    listed = [technique for technique in first.recipe.listed if _in_all(technique, parents)]
    names = {joined.name: joined.task.name for joined in targets}
    recipe = replace(first.recipe, techniques=tuple(listed), task=names, metric=None)
    inputs = tuple(column for column in first.schema.columns if column.role is None)
    return Model(
        recipe=recipe,
        schema=Schema((*inputs, *(joined.column for joined in targets if joined.task.target == "column"))),
        network=network.eval(),
        tasks={joined.name: joined.task for joined in targets},
        temperature={joined.name: _temperature(parents, joined) for joined in targets},
        provenance=mixed(((parent.name, parent.model.provenance) for parent in parents), versions()),
    )


def _in_all(technique: object, parents: Sequence[Parent]) -> bool:
    """Techniques act at prediction, too: those that all models have stay."""
    return all(technique in parent.model.recipe.listed for parent in parents)


def _temperature(parents: Sequence[Parent], joined: Joined) -> float:
    given = [parents[at].model.temperature.get(name, 1.0) for at, name in joined.of.items()]
    return math.exp(sum(map(math.log, given)) / len(given))


def in_names_of(table: Table, wanted: Schema, schema: Schema) -> Table:
    """A table of one model with the input names of another one, where a single input is called otherwise."""
    names = {old.name: new.name for old, new in zip(schema.inputs, wanted.inputs, strict=True)}
    if all(old == new for old, new in names.items()):
        return table
    kept = [name for name in table.data.column_names if name in names or name not in names.values()]
    data = table.data.select(kept).rename_columns([names.get(name, name) for name in kept])
    columns = (column for column in table.schema.columns if column.name in kept)
    renamed = tuple(
        replace(
            column,
            name=names.get(column.name, column.name),
            join=tuple(names.get(name, name) for name in column.join),
        )
        for column in columns
    )
    return replace(table, data=data, schema=Schema(renamed))

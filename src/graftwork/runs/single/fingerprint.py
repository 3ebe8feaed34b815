"""What an unfinished run is known by: its recipe, its rows, what it is taught, and the weights that it begins with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from graftwork.core.plan import order
from graftwork.core.run import Run
from graftwork.data.store.cache import digest
from graftwork.data.values import arrays_of
from graftwork.recipe import Recipe


def fingerprint(recipe: Recipe, run: Run) -> str:
    """Of a run: changes with the recipe, the rows and the weights it begins with; not with the order of techniques."""
    plain = replace(recipe, techniques=order(recipe.listed)).to_dict()
    parts: list[str | np.ndarray] = [repr(plain)]
    for examples in (run.train, run.train.first, run.valid):
        if examples is not None:
            known = examples.rollouts
            told = () if known is None else (known.rollout, known.place, known.reward)
            roles = (examples.weight, examples.domain, examples.group, *told)
            parts += [
                *examples.keys.values(),
                *(part for values in examples.targets.values() for part in arrays_of(values)),
                *(role for role in roles if role is not None),
            ]
    parts += [old.key for _, old in sorted(run.train.old_rows.items())]
    parts += [teacher_outputs.key for _, teacher_outputs in sorted(run.teacher_outputs.items())]
    weights = [tensor.detach().cpu().numpy() for tensor in run.network.state_dict().values()]
    return digest(*parts, *weights)

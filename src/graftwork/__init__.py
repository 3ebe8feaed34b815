"""Graftwork adapts a foundation model to your task by combining techniques in one training run.

    import graftwork as gw
    model = gw.fit("train.csv", target="label")
    model.predict(["where is my card?"])

Names are imported when they are first used, so that `import graftwork` and `graft --help` stay quick. Those of the
techniques are found in their files; what type checkers read stands in `__init__.pyi`, which `make docs` writes.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "graftwork.runs.ablation.ablate": ("ablate",),
    "graftwork.runs.ablation.ablation": ("Ablation",),
    "graftwork.core.settings": ("Training",),
    "graftwork.data.columns.text": ("TextSettings",),
    "graftwork.deploy.advise": ("advise",),
    "graftwork.deploy.drift": ("drift",),
    "graftwork.deploy.embed": ("embed",),
    "graftwork.deploy.profile": ("profile",),
    "graftwork.deploy.reference": ("with_reference",),
    "graftwork.devices": ("use_device",),
    "graftwork.deploy.transformers.export": ("export_transformers",),
    "graftwork.errors": ("GraftworkError",),
    "graftwork.estimators": ("Classifier", "Regressor"),
    "graftwork.model": ("Model", "load"),
    "graftwork.recipe": ("Recipe",),
    "graftwork.runs.job.data_arguments": ("DataArguments",),
    "graftwork.runs.fit": ("fit", "plan"),
    "graftwork.runs.sequences.sequence": ("run_sequence",),
    "graftwork.runs.sequences.steps": ("PseudoLabels", "Step"),
    "graftwork.runs.merging.merge": ("merge",),
    "graftwork.runs.pretrain.pretrain": ("pretrain",),
    "graftwork.rl.learning.model_actor": ("play",),
    "graftwork.rl.policies.policy": ("Policy", "load_policy"),
    "graftwork.rl.ablation.ablate": ("RLAblation", "ablate_rl"),
    "graftwork.rl.recipe": ("RLRecipe",),
    "graftwork.rl.rl": ("Learned", "rl"),
    "graftwork.runs.finished.robustness": ("robustness",),
    "graftwork.runs.merging.soup": ("soup",),
    "graftwork.runs.tune.tune": ("tune",),
    "graftwork.runs.tune.choosing.tuned": ("Tuned",),
    "graftwork.uses.gallery": ("Gallery", "load_gallery"),
}
_ROOMS = ("bases",)
"""Packages that are handed out as they are."""
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def _techniques() -> Mapping[str, str]:
    """The module of each technique, by the name of its class."""
    from graftwork.discovery.room import homes

    return homes("graftwork.techniques")


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted([*_HOME_OF, *_ROOMS, *_techniques()])
    if name in _ROOMS:
        return importlib.import_module(f"graftwork.{name}")
    # Modules are asked for here too before they are imported; no look for those, whose names begin otherwise.
    home = _HOME_OF.get(name) or (_techniques().get(name) if name[:1].isupper() else None)
    if home is None:
        raise AttributeError(f"module 'graftwork' has no attribute '{name}'")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*_HOME_OF, *_ROOMS, *_techniques(), "__all__", "__version__"])

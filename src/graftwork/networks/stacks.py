"""Inside a model: its list of layers, and the parameters that an output depends on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from graftwork.errors import ModelError, UsageError


def stack_name(model: Any) -> str:
    """Name of the list of layers: the first as long as the configuration says, or else the longest of one class."""
    lists = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) and len({type(layer) for layer in module}) == 1
    }
    if not lists:
        raise ModelError(f"The architecture '{model.config.model_type}' has no list of layers.")
    told = getattr(model.config, "num_hidden_layers", None)
    longest: str = max(lists, key=lambda name: len(lists[name]))
    return next((name for name, found in lists.items() if len(found) == told), longest)


def shorten(model: Any, depth: int) -> None:
    """Leave out the layers above the lowest `depth`, in the model and in its configuration, so that it is loaded as it
    is. Raises UsageError where it has fewer."""
    stack = model.get_submodule(stack_name(model))
    if depth > len(stack):
        raise UsageError(f"depth is {depth}. This base has 1 to {len(stack)} layers.")
    del stack[depth:]
    model.config.num_hidden_layers = depth
    if isinstance(kinds := getattr(model.config, "layer_types", None), list):
        model.config.layer_types = kinds[:depth]


def around(model: nn.Module, name: str) -> tuple[dict[str, nn.Module], dict[str, nn.Module]]:
    """What stands before the list of layers called `name`, and what behind it, by name, in the order of the model."""
    before: dict[str, nn.Module] = {}
    after: dict[str, nn.Module] = {}
    node, path = model, ""
    for part in name.split("."):
        children = {f"{path}{own}": child for own, child in node.named_children()}
        place = list(children).index(f"{path}{part}")
        before |= dict(list(children.items())[:place])
        after = dict(list(children.items())[place + 1 :]) | after
        node, path = children[f"{path}{part}"], f"{path}{part}."
    return before, after


def reached(output: Tensor) -> set[int]:
    """Ids of the parameters that `output` was computed from."""
    seen: set[Any] = set()
    found: set[int] = set()
    stack: list[Any] = [output.grad_fn]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found.add(id(node.variable))
        stack.extend(below for below, _ in node.next_functions)
    return found


@contextmanager
def steady(module: nn.Module) -> Iterator[None]:
    """In eval mode, each part back in its own mode behind it."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True

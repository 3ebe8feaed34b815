"""Stop in, or start from, the middle of a stack of layers, whatever model the stack belongs to.

The model's own forward is run, so that masks and positions stay its own business; for that one call some layers hand
on what they get. Numbers and order of the layers stay as they are, since models look things up by them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from graftwork.networks.stacks import steady

# One at a time: two threads that change the same layers would restore each other's changes.
_LOCK = threading.RLock()


@contextmanager
def starting(layers: nn.ModuleList, index: int, states: Tensor) -> Iterator[None]:
    """Layers below `index` do nothing, and layer `index` reads `states`."""
    with _LOCK, ExitStack() as stack:
        for layer in layers[:index]:
            stack.enter_context(_idle(layer, layers))
        hook = _mine(lambda args, kwargs: _with_states(args, kwargs, states))
        handle = layers[index].register_forward_pre_hook(hook, with_kwargs=True)
        stack.callback(handle.remove)
        yield


@contextmanager
def stopping(layers: nn.ModuleList, index: int) -> Iterator[dict[int, Tensor]]:
    """Layers from `index` on do nothing; what layer `index` would have read is in the result after the call."""
    with _LOCK, ExitStack() as stack:
        tapped = stack.enter_context(tapping(layers, [index]))
        for layer in layers[index:]:
            stack.enter_context(_idle(layer, layers))
        yield tapped


@contextmanager
def tapping(layers: nn.ModuleList, indices: Iterable[int]) -> Iterator[dict[int, Tensor]]:
    """What each of these layers reads, by index, in the result after the call."""
    tapped: dict[int, Tensor] = {}

    def recorder(index: int) -> Callable[[tuple[Any, ...], dict[str, Any]], None]:
        def record(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            tapped[index] = args[0] if args else kwargs["hidden_states"]

        return record

    with _LOCK, ExitStack() as stack:
        for index in indices:
            handle = layers[index].register_forward_pre_hook(_mine(recorder(index)), with_kwargs=True)
            stack.callback(handle.remove)
        yield tapped


def idles(layer: nn.Module) -> bool:
    """Whether a layer would now hand on what it gets, so that nobody needs its weights."""
    return getattr(vars(layer).get("forward"), "stack", None) in _TUPLES


def _with_states(args: tuple[Any, ...], kwargs: dict[str, Any], states: Tensor) -> tuple[tuple[Any, ...], Any]:
    return ((states, *args[1:]), kwargs) if args else (args, kwargs | {"hidden_states": states})


def _mine(hook: Callable[[tuple[Any, ...], dict[str, Any]], Any]) -> Callable[..., Any]:
    """`hook` as a forward pre-hook that other threads don't feel."""
    owner = threading.get_ident()

    def run(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
        return hook(args, kwargs) if threading.get_ident() == owner else None

    return run


_TUPLES: WeakKeyDictionary[nn.ModuleList, bool] = WeakKeyDictionary()
"""Whether the layers of a stack give a tuple, whose first part are the states, as MPNet's do."""


@contextmanager
def _idle(layer: nn.Module, layers: nn.ModuleList) -> Iterator[None]:
    """`layer`, one of `layers`, hands on its hidden states, in this thread."""
    owner, forward, patched = threading.get_ident(), layer.forward, "forward" in vars(layer)

    def hand_on(*args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != owner:
            return forward(*args, **kwargs)
        if layers not in _TUPLES:  # once for a stack: as the layer itself would
            with steady(layer), torch.no_grad():
                _TUPLES[layers] = isinstance(forward(*args, **kwargs), tuple)
        states = args[0] if args else kwargs["hidden_states"]
        return (states,) if _TUPLES[layers] else states

    vars(hand_on)["stack"] = layers
    vars(layer)["forward"] = hand_on
    try:
        yield
    finally:
        if patched:
            vars(layer)["forward"] = forward
        else:
            del vars(layer)["forward"]

"""What there is of one kind by name: techniques, tasks, bases, heads, metrics. It is imported when it is named."""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from graftwork.discovery.packages import installed, plain, version_of
from graftwork.discovery.places import OWN, Held, Place
from graftwork.errors import MissingPackageError, UsageError

T = TypeVar("T")


@dataclass(frozen=True)
class Listed(Generic[T]):
    """One thing of a registry: what it is, or why it can't be used (`problem`)."""

    name: str
    package: str
    thing: T | None = None
    problem: str = ""


class Registry(MutableMapping[str, T]):
    """What there is of one kind by name: graftwork's own, what installed packages add, what is registered by hand.

    Names are known at once; what a name stands for is imported when it is asked for. A name that two claim is refused,
    and so is what is none of its kind.

    what: the kind in messages. kind: what each is a subclass (or an instance) of, or where that stands. own: finds
    graftwork's own by name: where each stands (`module:attribute`), or what is imported already. group: the entry
    points in which packages add theirs; none for what they can't add. key: the attribute that holds the name.
    """

    def __init__(
        self,
        what: str,
        kind: type | str,
        own: Callable[[], Mapping[str, str | Held]],
        group: str = "",
        key: str = "name",
    ) -> None:
        self.what, self.group, self.key = what, group, key
        self._kind, self._find_own = kind, own
        self._by_hand: dict[str, T] = {}
        self._loaded: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        """Raises KeyError for a name that there is not, UsageError for one that two claim, or that can't be loaded."""
        if name not in self._loaded:
            places = self.places(name)
            if not places:
                raise KeyError(name)
            if len(places) > 1:
                raise UsageError(self._twice(name, places))
            self._loaded[name] = self._by_hand[name] if name in self._by_hand else self._load(name, places[0])
        return self._loaded[name]

    def __setitem__(self, name: str, thing: T) -> None:
        """Register by hand. Raises UsageError for a name that graftwork has, or something of another kind."""
        if name in self._own:
            raise UsageError(f"{self._titled(name)} is there already, in {self.places(name)[0]}. Choose another name.")
        self._check(name, thing, "what was registered")
        self._by_hand[name] = thing
        self._loaded.pop(name, None)

    def __delitem__(self, name: str) -> None:
        del self._by_hand[name]
        self._loaded.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._by_hand or name in self._own or name in installed(self.group))

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._own, *self._by_hand, *installed(self.group))))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def own(self) -> dict[str, T]:
        """Graftwork's own, loaded."""
        return {name: self[name] for name in self._own}

    @property
    def here(self) -> dict[str, T]:
        """Graftwork's own and what was registered by hand, loaded: all but what has to be named to be imported."""
        return self.own | self._by_hand

    @property
    def usable(self) -> dict[str, T]:
        """Everything that can be loaded."""
        return {one.name: one.thing for one in self.listed() if one.thing is not None}

    def of(self, name: str, package: str) -> T:
        """The one that a saved model or a recipe says is of this package.

        Raises MissingPackageError where that is not installed, or has none of this name; UsageError as usual.
        """
        if package == OWN or plain(package) in (plain(place.package) for place in self.places(name)):
            return self[name]
        told = f"{self._titled(name)} comes from the package {package}"
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", package):
            raise UsageError(f"{self._titled(name)} is said to come from {package!r}, which is no name of a package.")
        version = version_of(package)
        if version is None:
            raise MissingPackageError(f"{told}, which is not installed: pip install {package}")
        raise MissingPackageError(f"{told}, but version {version} of it, which is installed, has none of that name.")

    def package(self, name: str) -> str:
        """The package that `name` comes from; graftwork also for what was registered by hand."""
        if name in self._own or name in self._by_hand:
            return OWN
        return next((place.package for place in self.places(name)), OWN)

    def known_elsewhere(self, name: str) -> bool:
        """Whether another process on this machine finds `name`, too: what was registered by hand it does not."""
        return name in self._own or name in installed(self.group)

    def listed(self) -> list[Listed[T]]:
        """Everything there is, each with the package that it comes from; what can't be used with the reason."""
        found = []
        for name in self:
            package = ", ".join(dict.fromkeys(place.package for place in self.places(name))) or OWN
            try:
                found.append(Listed(name, package, self[name]))
            except UsageError as error:
                found.append(Listed(name, package, problem=str(error)))
        return found

    def places(self, name: str) -> list[Place]:
        """Where `name` stands: one place, unless several claim it."""
        found = self._own.get(name)
        own = [] if found is None else [Place(found if isinstance(found, str) else found.where)]
        by_hand = [Place(_where(self._by_hand[name]))] if name in self._by_hand else []
        return [*own, *by_hand, *installed(self.group).get(name, ())]

    @cached_property
    def kind(self) -> type:
        """What each is a subclass of, or an instance."""
        return self._kind if isinstance(self._kind, type) else cast(type, _imported(self._kind))

    @cached_property
    def _own(self) -> Mapping[str, str | Held]:
        return self._find_own()

    def _load(self, name: str, place: Place) -> T:
        found = self._own.get(name)
        try:
            thing = found.thing if isinstance(found, Held) else _imported(place.where)
        except Exception as error:
            if place.package == OWN:
                raise
            told = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'without a message'}"
            raise UsageError(f"{self._titled(name)} of {place} can't be imported: {told}") from error
        self._check(name, thing, str(place))
        return cast(T, thing)

    def _check(self, name: str, thing: object, source: str) -> None:
        fits = issubclass(thing, self.kind) if isinstance(thing, type) else isinstance(thing, self.kind)
        if not fits:
            raise UsageError(f"{self._titled(name)}: {source} is no {self.kind.__name__} ({self.kind.__module__}).")
        if inspect.isabstract(thing):
            lacking = ", ".join(sorted(cast(Any, thing).__abstractmethods__))
            raise UsageError(f"{self._titled(name)}: {source} does not say how to {lacking}.")
        if getattr(thing, self.key, None) != name:
            told = getattr(thing, self.key, None)
            raise UsageError(f"{self._titled(name)}: {source} calls itself {told!r}. Expected the same name.")

    def _titled(self, name: str) -> str:
        return f"The {self.what} '{name}'"

    def _twice(self, name: str, places: list[Place]) -> str:
        told = " and ".join(map(str, places))
        foreign = [place.package for place in places if place.package != OWN]
        return f"{self._titled(name)} is given twice, by {told}. Uninstall one: pip uninstall {foreign[-1]}"


def _where(thing: object) -> str:
    kind = thing if isinstance(thing, type) else type(thing)
    return f"{kind.__module__}:{kind.__qualname__}"


def _imported(where: str) -> Any:
    module, _, attribute = where.partition(":")
    return functools.reduce(getattr, attribute.split("."), importlib.import_module(module))

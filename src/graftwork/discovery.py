"""Finds what there is by name: the classes of a room, and what installed packages add. Nothing is imported until named.

A class is found by the line `name = "..."` of its body, in any module of the room, so that a new one is one new file.
Other packages add theirs by entry points, which are read from their metadata.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.machinery import ModuleSpec
from typing import Any, Generic, NamedTuple, TypeVar, cast

from graftwork.errors import MissingPackageError, UsageError

T = TypeVar("T")

OWN = "graftwork"


class Place(NamedTuple):
    """Where something stands, as `module:attribute`, and the package that brings it."""

    where: str
    package: str = OWN

    def __str__(self) -> str:
        module = self.where.partition(":")[0]
        return f"{module.replace('.', '/')}.py" if self.package == OWN else f"the package {self.package} ({self.where})"


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

    what: the kind in messages. kind: what each is a subclass (or an instance) of, or where that stands. own:
    graftwork's own by name, as things, or as the places where they stand. group: the entry points in which packages add
    theirs. key: the attribute that holds the name.
    """

    def __init__(
        self, what: str, kind: type | str, own: Callable[[], Mapping[str, T | str]], group: str, key: str = "name"
    ) -> None:
        self.what, self.group, self.key = what, group, key
        self._kind = kind
        self._find_own = own
        self._by_hand: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        """Raises KeyError for a name that there is not, UsageError for one that two claim, or that can't be loaded."""
        if name in self._by_hand:
            return self._by_hand[name]
        places = self.places(name)
        if not places:
            raise KeyError(name)
        if len(places) > 1:
            raise UsageError(self._twice(name, places))
        own = self._own.get(name)
        return own if own is not None and not isinstance(own, str) else self._load(name, places[0])

    def __setitem__(self, name: str, thing: T) -> None:
        """Register by hand. Raises UsageError for a name that is taken, or something of another kind."""
        places = self.places(name)
        if places and self[name] is not thing:
            raise UsageError(f"{self._titled(name)} is there already, in {places[0]}. Choose another name.")
        self._check(name, thing, "what was registered")
        self._by_hand[name] = thing

    def __delitem__(self, name: str) -> None:
        del self._by_hand[name]

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
    def usable(self) -> dict[str, T]:
        """Everything that can be loaded."""
        return {one.name: one.thing for one in self.listed() if one.thing is not None}

    def of(self, name: str, package: str) -> T:
        """The one that a saved model or a recipe says is of this package.

        Raises MissingPackageError where that is not installed, or has none of this name; UsageError as usual.
        """
        if package == OWN or _plain(package) in (_plain(place.package) for place in self.places(name)):
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
        places = self.places(name)
        return places[0].package if places else OWN

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
        own = self._own.get(name)
        where = own if isinstance(own, str) else f"{self.kind.__module__}:{name}"
        return [*([] if own is None else [Place(where)]), *installed(self.group).get(name, ())]

    @cached_property
    def kind(self) -> type:
        """What each is a subclass of, or an instance."""
        return self._kind if isinstance(self._kind, type) else cast(type, _imported(self._kind))

    @cached_property
    def _own(self) -> Mapping[str, T | str]:
        return self._find_own()

    def _load(self, name: str, place: Place) -> T:
        try:
            thing = _imported(place.where)
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


@cache
def classes(room: str, key: str = "name", without: tuple[str, ...] = ()) -> Mapping[str, str]:
    """Where the classes of a package stand whose body says `key = "..."`: `{"mixup": "package.module:Mixup"}`, in the
    order of the modules. Found by the lines of their sources, without importing them, also in a zip.

    without: packages in it that hold something else. Raises UsageError for a name that two classes have.
    """
    found: dict[str, str] = {}
    apart = tuple(f"{room}.{each}." for each in without)
    for module, cls, name in _named_classes(room, key):
        if module.startswith(apart):
            continue
        if name in found:
            told = f"{Place(found[name])} and {Place(module)}"
            raise UsageError(f"'{name}' is the name of two classes, in {told}. Rename one of them.")
        found[name] = f"{module}:{cls}"
    return found


@cache
def homes(room: str, key: str = "name") -> Mapping[str, str]:
    """By the name of each class that `classes` finds, its module. Raises UsageError for one that two modules have."""
    found: dict[str, str] = {}
    for where in classes(room, key).values():
        module, _, cls = where.partition(":")
        if cls in found:
            raise UsageError(f"There are two classes {cls}, in {Place(found[cls])} and {Place(module)}. Rename one.")
        found[cls] = module
    return found


def modules(room: str) -> Iterator[ModuleSpec]:
    """The modules of a package and of those in it, by name, without importing any."""
    top = importlib.util.find_spec(room)
    return _below(room, top.submodule_search_locations or () if top else ())


def _below(room: str, folders: Iterable[str]) -> Iterator[ModuleSpec]:
    for info in pkgutil.iter_modules(folders, f"{room}."):
        spec = cast(Any, info.module_finder).find_spec(info.name)
        yield spec
        if info.ispkg:
            yield from _below(info.name, spec.submodule_search_locations)


def collected(room: str, name: str) -> list[Any]:
    """What the modules of a package hold in the tuples of this name, in the order of the modules. Imports them all."""
    found = [vars(importlib.import_module(spec.name)).get(name, ()) for spec in modules(room)]
    return [one for each in found if isinstance(each, tuple) for one in each]


def _named_classes(room: str, key: str) -> Iterator[tuple[str, str, str]]:
    """Module, class and name of each."""
    # A class at the margin, the line in its body, or whatever else at the margin ends the class.
    line = re.compile(rf"""^(?:class (\w+)|    {key}\b[^=\n]*=\s*(["'])([^"'\n]+)\2\s*(?:#|$)|(?=[^\s)\]#]))""", re.M)
    for spec in modules(room):
        source = cast(Any, spec.loader).get_source(spec.name) if hasattr(spec.loader, "get_source") else None
        if source is None:  # installed without its sources
            own = (c for c in vars(importlib.import_module(spec.name)).values() if inspect.isclass(c))
            yield from ((spec.name, c.__name__, vars(c)[key]) for c in own if isinstance(vars(c).get(key), str))
            continue
        cls = None
        for match in line.finditer(source):
            if match[3] is None:
                cls = match[1]
            elif cls is not None:
                yield spec.name, cls, match[3]


@cache
def installed(group: str) -> Mapping[str, tuple[Place, ...]]:
    """What installed packages register in a group of entry points, by name, read from their metadata alone."""
    from importlib.metadata import entry_points

    found: dict[str, list[Place]] = {}
    for point in entry_points(group=group):
        package = point.dist.name if point.dist else "unknown"
        found.setdefault(point.name, []).append(Place(point.value.split("[")[0].strip(), package))
    return {name: tuple(found[name]) for name in sorted(found)}


def _imported(where: str) -> Any:
    module, _, attribute = where.partition(":")
    return functools.reduce(getattr, attribute.split("."), importlib.import_module(module))


def _plain(package: str) -> str:
    """The name of a package as every index writes it."""
    return re.sub(r"[-_.]+", "-", package).lower()


def version_of(package: str) -> str | None:
    """The version of an installed package; None where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None

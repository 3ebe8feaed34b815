"""What installed packages add: seen in their metadata, imported when named, and refused in words where it can't be."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from command import graft
from graftwork.discovery.packages import installed
from graftwork.discovery.places import Held
from graftwork.discovery.registry import Registry
from graftwork.discovery.room import classes
from graftwork.errors import MissingPackageError, UsageError
from graftwork.techniques import TECHNIQUES
from graftwork.techniques.augment.mixup import Mixup

GROUP = "graftwork.tests"
Install = Callable[..., Path]


class Thing:
    name = "thing"


class Other(Thing):
    name = "other"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a package: its metadata, and a module with the source that is given."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(package: str, entries: dict[str, str], source: str = "", group: str = GROUP) -> Path:
        about = tmp_path / f"{package.replace('-', '_')}-1.2.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        lines = [f"{name} = {value}" for name, value in entries.items()]
        (about / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
        (tmp_path / f"{package.replace('-', '_')}.py").write_text(source)
        installed.cache_clear()
        return about

    yield install
    installed.cache_clear()


@pytest.fixture
def known() -> Registry[type[Thing]]:
    return Registry("thing", Thing, lambda: {"thing": f"{__name__}:Thing"}, GROUP)


SOURCE = "from test_packages import Thing\nclass Far(Thing):\n    name = 'far'\n"


def test_a_package_adds_a_name_that_is_imported_when_it_is_asked_for(known: Registry, install: Install) -> None:
    install("far-things", {"far": "far_things:Far"}, SOURCE)
    assert list(known) == ["thing", "far"]
    assert "far" in known
    assert known.package("far") == "far-things"
    assert "far_things" not in sys.modules
    assert known["far"].__module__ == "far_things"
    assert known.of("far", "Far_Things") is known["far"]
    assert list(known.own) == ["thing"]
    assert list(known.usable) == ["thing", "far"]
    assert known["thing"] is Thing
    sys.modules.pop("far_things")


@pytest.mark.parametrize(
    ("entry", "source", "why"),
    [
        ("absent_module:Far", "", r"can't be imported: ModuleNotFoundError: No module named 'absent_module'"),
        ("bad_things:Far", "", r"can't be imported: AttributeError"),
        ("bad_things:Far", "1 / 0", r"can't be imported: ZeroDivisionError: division by zero"),
        ("bad_things:Far", "class Far:\n    name = 'far'", r"is no Thing \(.*test_packages\)"),
        ("bad_things:Far", SOURCE.replace("'far'", "'near'"), r"calls itself 'near'\. Expected the same name"),
        ("bad_things:Far", "Far = 3", r"is no Thing"),
        ("not an entry", "", r"can't be imported"),
    ],
)
def test_what_is_broken_is_an_error_where_it_is_named(
    known: Registry, install: Install, entry: str, source: str, why: str
) -> None:
    install("bad-things", {"far": entry}, source)
    assert known["thing"] is Thing
    with pytest.raises(UsageError, match=rf"The thing 'far'.* the package bad-things .*{why}"):
        known["far"]
    broken = next(one for one in known.listed() if one.name == "far")
    assert (broken.thing, broken.package) == (None, "bad-things")
    assert "bad-things" in broken.problem
    assert list(known.usable) == ["thing"]
    sys.modules.pop("bad_things", None)


def test_abstract_things_are_broken(known: Registry, install: Install) -> None:
    source = "import abc\nfrom test_packages import Thing\nclass Far(Thing, abc.ABC):\n    name = 'far'\n"
    install("odd-things", {"far": "odd_things:Far"}, f"{source}    @abc.abstractmethod\n    def build(self): ...\n")
    with pytest.raises(UsageError, match=r"the package odd-things .*does not say how to build"):
        known["far"]
    sys.modules.pop("odd_things")


def test_a_name_of_ours_is_refused_naming_both(known: Registry, install: Install) -> None:
    install("far-things", {"thing": "far_things:Far"}, SOURCE)
    with pytest.raises(
        UsageError, match=r"'thing' is given twice, by .*test_packages.* and the package far-things"
    ) as e:
        known["thing"]
    assert "pip uninstall far-things" in str(e.value)
    (one,) = known.listed()
    assert "given twice" in one.problem
    assert "far_things" not in sys.modules


def test_a_name_of_two_packages_is_refused_naming_both(known: Registry, install: Install) -> None:
    for package in ("far-things", "more-things"):
        install(package, {"far": f"{package.replace('-', '_')}:Far"}, SOURCE)
    with pytest.raises(UsageError, match=r"by the package (far|more)-things .* and the package (far|more)-things "):
        known["far"]
    assert not {"far_things", "more_things"} & sys.modules.keys()


def test_what_a_saved_model_says_of_packages(known: Registry, install: Install) -> None:
    missing = r"^The thing 'far' comes from the package lost-things, which is not installed: pip install lost-things$"
    with pytest.raises(MissingPackageError, match=missing):
        known.of("far", "lost-things")
    install("far-things", {"far": "far_things:Far"}, SOURCE)
    with pytest.raises(MissingPackageError, match=missing):
        known.of("far", "lost-things")  # another package of that name is not taken for it
    with pytest.raises(
        MissingPackageError, match=r"'near' comes from .* far-things, but version 1\.2 .* has none of tha"
    ):
        known.of("near", "far-things")
    with pytest.raises(UsageError, match=r"'far' is said to come from 'x; rm -rf \.', which is no name of a package"):
        known.of("far", "x; rm -rf .")
    assert "far_things" not in sys.modules
    assert known.of("thing", "graftwork") is Thing


def test_registering_by_hand(known: Registry, install: Install) -> None:
    with pytest.raises(UsageError, match=r"The thing 'thing' is there already, in .*test_packages\.py"):
        known["thing"] = Other
    with pytest.raises(UsageError, match="what was registered calls itself 'other'"):
        known["thong"] = Other
    with pytest.raises(UsageError, match="is no Thing"):
        known["int"] = int
    known["other"] = Other
    assert known["other"] is Other
    assert list(known) == ["thing", "other"]
    assert known.package("other") == "graftwork"
    install("far-things", {"other": "far_things:Far"}, SOURCE)
    known["other"] = Other
    with pytest.raises(UsageError, match=r"'other' is given twice, by .*test_packages\.py and the package far-things"):
        known["other"]
    del known["other"]
    assert known.pop("none", None) is None
    assert len(known) == 2


def test_things_that_are_there_already() -> None:
    known = Registry("number", int, lambda: {"real": Held("here:NUMBERS", 3)}, GROUP, key="missing")
    with pytest.raises(UsageError, match="calls itself None"):
        known["real"]
    with pytest.raises(KeyError):
        known["none"]


def test_techniques_are_a_registry(install: Install) -> None:
    """That of the techniques, with a package that takes the name of one."""
    known = Registry("technique", TECHNIQUES.kind, partial(classes, "graftwork.techniques"), TECHNIQUES.group)
    assert known["mixup"] is Mixup
    install("rogue", {"sam": "rogue:SAM"}, group=TECHNIQUES.group)
    with pytest.raises(
        UsageError, match=r"'sam' is given twice, by graftwork/techniques/optimize/sam\.py and .* rogue"
    ):
        known["sam"]


@pytest.mark.parametrize("what", ["bases", "techniques", "tasks", "heads", "metrics"])
def test_the_list_shows_packages_and_what_is_broken(what: str, install: Install, tmp_path: Path) -> None:
    rows = json.loads(graft("list", what, "--json").works().out)
    kind = next(iter(rows[0]))
    assert {row["package"] for row in rows} == {"graftwork"}
    assert rows[0][kind]
    assert "package:" not in graft("list", what).works().out
    install("broken-things", {"broken": "nowhere:Thing"}, group=f"graftwork.{what}")
    code = f"import sys; sys.argv = ['graft', 'list', '{what}', '--json']; from graftwork.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    shown = {row[kind]: row for row in json.loads(done.stdout)}
    assert shown.keys() == {row[kind] for row in rows} | {"broken"}
    assert shown["broken"]["package"] == "broken-things"
    assert any("No module named 'nowhere'" in str(cell) for cell in shown["broken"].values())
    assert "Traceback" not in done.stderr


def test_there_is_no_such_list() -> None:
    graft("list", "basis").fails(2, "no list of 'basis'. Did you mean 'bases'")

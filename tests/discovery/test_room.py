"""What the files of a room hold is found by its name, without importing it: in a folder, in a zip, without sources."""

from __future__ import annotations

import compileall
import importlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import graftwork as gw
from graftwork.core.technique import Technique
from graftwork.discovery.room import classes, collected, homes, modules
from graftwork.errors import UsageError
from graftwork.networks.base_settings import BaseSettings
from graftwork.networks.bases.architectures import ARCHITECTURES
from graftwork.networks.bases.registry import BASES
from graftwork.networks.encoder import Encoder
from graftwork.networks.fusion.fusion import Fusion
from graftwork.networks.fusion.registry import FUSIONS
from graftwork.networks.heads.registry import HEADS
from graftwork.tasks.metrics.registry import METRICS
from graftwork.tasks.registry import TASKS
from graftwork.tasks.task import Task
from graftwork.techniques import TECHNIQUES

SOURCE = Path(gw.__file__).parent

FILE = '''"""A file with a class or two."""


class Plain:
    """A class whose docstring says name = "no"."""

    name = "plain"
    other = "not-this"


def helper():
    name = "a-local-name"
    return name


class Annotated(
    Plain,
):
    rank: int = 8

    name: ClassVar[str] = "annotated"  # with a comment
    name_of_something = "neither"

    def method(self):
        name = "within"


class Computed:
    name = "a" + "b"


class Unnamed:
    name: str
'''


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package on the path, which nobody has imported: room/ with a file, and a folder in it with another."""
    folder = tmp_path / "site" / f"room_{abs(hash(tmp_path))}"
    (folder / "inner").mkdir(parents=True)
    for path in (folder, folder / "inner"):
        (path / "__init__.py").touch()
    (folder / "first.py").write_text(FILE)
    (folder / "inner" / "second.py").write_text('assert not "imported"\nclass Second:\n    name = "second"\n')
    monkeypatch.syspath_prepend(folder.parent)
    return folder


def found(room: Path) -> dict[str, str]:
    return {name: where.removeprefix(f"{room.name}.") for name, where in classes(room.name).items()}


EXPECTED = {"plain": "first:Plain", "annotated": "first:Annotated", "second": "inner.second:Second"}


def test_classes_are_found_by_the_name_in_their_body(room: Path) -> None:
    assert found(room) == EXPECTED
    assert not any(name.startswith(f"{room.name}.") for name in sys.modules), "nothing is imported"
    assert homes(room.name)["Second"] == f"{room.name}.inner.second"


def test_in_a_zip(room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "room.zip", "w") as archive:
        for path in sorted(room.rglob("*")):
            archive.write(path, path.relative_to(room.parent))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "room.zip"), *(p for p in sys.path if p != str(room.parent))])
    importlib.invalidate_caches()
    assert found(room) == EXPECTED


def test_without_sources_modules_are_imported(room: Path) -> None:
    (room / "inner" / "second.py").write_text('class Second:\n    name = "second"\n')
    (room / "first.py").write_text('class Plain:\n    name = "plain"\n')
    compileall.compile_dir(room, quiet=1, legacy=True)
    for path in room.rglob("*.py"):
        path.unlink()
    importlib.invalidate_caches()
    assert found(room) == {"plain": "first:Plain", "second": "inner.second:Second"}


def test_a_name_twice_names_both_files(room: Path) -> None:
    (room / "inner" / "third.py").write_text('class Third:\n    name = "plain"\n')
    with pytest.raises(UsageError, match=r"'plain' is there twice, in .*/first\.py and in .*/inner/third\.py"):
        classes(room.name)


def test_a_class_twice_names_both_files(room: Path) -> None:
    (room / "inner" / "third.py").write_text('class Plain:\n    name = "third"\n')
    with pytest.raises(UsageError, match=r"'Plain' is there twice, in .*/first\.py and in .*/inner/third\.py"):
        homes(room.name)


def test_things_in_tuples_are_collected(room: Path) -> None:
    (room / "inner" / "second.py").write_text("from pathlib import Path\nTHINGS = (Path('a'), Path('b'))\n")
    (room / "first.py").write_text("THINGS = ['no tuple']\n")
    assert list(collected(room.name, "THINGS", "stem")) == ["a", "b"]
    (room / "third.py").write_text("from pathlib import Path\nTHINGS = (Path('x/a'),)\n")
    importlib.invalidate_caches()
    with pytest.raises(UsageError, match=r"'a' is there twice, in .*/inner/second\.py and in .*/third\.py"):
        collected(room.name, "THINGS", "stem")


@pytest.mark.parametrize(
    ("known", "kind", "key", "within"),
    [
        (TECHNIQUES, Technique, "name", "graftwork.techniques"),
        (TASKS, Task, "name", "graftwork.tasks"),
        (BASES, BaseSettings, "name", "graftwork.networks"),
        (ARCHITECTURES, Encoder, "architecture", "graftwork.networks"),
        (FUSIONS, Fusion, "architecture", "graftwork.networks"),
        (HEADS, HEADS.kind, "name", "graftwork.networks"),
    ],
)
def test_nothing_that_has_a_name_escapes(known: dict, kind: type, key: str, within: str) -> None:
    """What the lines of the sources say is what the classes say: a name that is computed, say, would not be found."""
    for spec in modules(within):
        importlib.import_module(spec.name)
    own = {cls for cls in subclasses(kind) if cls.__module__.startswith(f"{within}.")}
    assert {getattr(cls, key): cls for cls in own if isinstance(vars(cls).get(key), str)} == known.own  # type: ignore[attr-defined]


def subclasses(kind: type) -> set[type]:
    return {kind}.union(*map(subclasses, kind.__subclasses__()))


def test_every_metric_is_of_some_task() -> None:
    """One whose facts no task has would never be seen."""
    assert set(METRICS.own) <= {name for task in TASKS.own.values() for name in task().metrics()}


def test_every_module_is_seen() -> None:
    files = {path.relative_to(SOURCE / "techniques").with_suffix("") for path in (SOURCE / "techniques").rglob("*.py")}
    expected = {".".join(("graftwork.techniques", *file.parts)).removesuffix(".__init__") for file in files}
    assert {spec.name for spec in modules("graftwork.techniques")} == expected - {"graftwork.techniques"}


def test_names_of_the_package_cost_no_torch() -> None:
    code = "import sys, graftwork as gw\nassert 'Mixup' in dir(gw) and 'Mixup' in gw.__all__ and 'fit' in gw.__all__\n"
    code += "print('torch' in sys.modules, 'importlib.metadata' in sys.modules)\n"
    code += "from graftwork import Mixup, Classifier\nassert gw.Mixup is Mixup and Mixup.name == 'mixup'\n"
    code += "from graftwork.techniques import Mixup as same, TECHNIQUES\nassert same is Mixup is TECHNIQUES['mixup']\n"
    code += "print(sorted(name for name in sys.modules if name.startswith('graftwork.techniques.augment.')))\n"
    code += "names = {}; exec('from graftwork import *', names); assert names['LoRA'] is gw.LoRA\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "False False"
    assert "graftwork.techniques.augment.mixup" in done.stdout
    assert "graftwork.techniques.augment.flip" not in done.stdout, "only what is named is imported"


def test_modules_are_imported_without_a_look_for_techniques() -> None:
    code = "import sys\nfrom graftwork import errors, specs\nprint('graftwork.discovery.room' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_what_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Mixdown'"):
        _ = gw.Mixdown  # type: ignore[attr-defined]
    with pytest.raises(ImportError, match="Mixdown"):
        exec("from graftwork.techniques import Mixdown")

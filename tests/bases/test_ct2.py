"""Files of CTranslate2: read whole and in parts, and refused where they are laid out otherwise."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from ctranslate2 import packed
from graftwork.bases.ct2 import read
from graftwork.errors import ModelError

HELD = {
    "side/weight": np.arange(6, dtype=np.float16).reshape(2, 3),
    "side/bias": np.array([0.5, -2.0], np.float32),
    "side/heads": np.array(4, np.int16),
}


def written(folder: Path, *parts: bytes) -> list[Path]:
    paths = [folder / f"model.bin.part{at}" for at in range(len(parts))]
    for path, part in zip(paths, parts, strict=True):
        path.write_bytes(part)
    return paths


@pytest.mark.parametrize("cut", [(), (40,), (3, 60)], ids=str)
def test_arrays_come_back_from_any_parts(tmp_path: Path, cut: tuple[int, ...]) -> None:
    whole = packed(HELD)
    ends = [0, *cut, len(whole)]
    found = read(written(tmp_path, *(whole[a:b] for a, b in itertools.pairwise(ends))), "WhisperSpec")
    assert found.keys() == HELD.keys()
    for name, array in HELD.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_another_kind_or_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"layout of model[.]bin[.]part0 changed: expected version 6, found version 7"):
        read(written(tmp_path, packed(HELD, version=7)), "WhisperSpec")
    with pytest.raises(ModelError, match="expected WhisperSpec, found TransformerSpec"):
        read(written(tmp_path, packed(HELD, spec="TransformerSpec")), "WhisperSpec")


def test_every_cut_is_met(tmp_path: Path) -> None:
    whole = packed(HELD)
    for end in range(len(whole)):
        with pytest.raises(ModelError, match=r"layout of model[.]bin[.]part0 changed"):
            read(written(tmp_path, whole[:end]), "WhisperSpec")
    with pytest.raises(ModelError, match=f"expected {len(whole)} bytes, found {len(whole) + 1} bytes"):
        read(written(tmp_path, whole + b"\0"), "WhisperSpec")


def test_sizes_that_disagree_and_unknown_types(tmp_path: Path) -> None:
    whole = packed(HELD)
    at = whole.index(b"side/weight\0") + len(b"side/weight\0") + 1
    with pytest.raises(ModelError, match="expected 18 bytes of an array, found 12"):
        read(written(tmp_path, whole[:at] + b"\3" + whole[at + 1 :]), "WhisperSpec")
    with pytest.raises(ModelError, match="expected a type below 5, found 9"):
        read(written(tmp_path, whole[: at + 8] + b"\x09" + whole[at + 9 :]), "WhisperSpec")
    with pytest.raises(ModelError, match="expected a name in letters"):
        read(written(tmp_path, whole.replace(b"side/bias", b"side/\xffias")), "WhisperSpec")


def test_any_damage_is_met_or_gives_other_arrays(tmp_path: Path) -> None:
    whole, random = packed(HELD), np.random.default_rng(0)
    for _ in range(300):
        held = bytearray(whole)
        held[random.integers(len(held))] = random.integers(256)
        try:
            read(written(tmp_path, bytes(held)), "WhisperSpec")
        except ModelError as error:
            assert "layout of" in str(error)  # noqa: PT017

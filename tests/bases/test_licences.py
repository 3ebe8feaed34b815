"""Licences: by the names that cards give them, and by their text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graftwork.bases import licences

ROOT = Path(__file__).parents[2]


def test_every_identifier_is_one_of_spdx() -> None:
    schema = pytest.importorskip("cyclonedx.schema")
    known = json.loads((Path(schema.__file__).parent / "_res" / "spdx.SNAPSHOT.schema.json").read_text("utf-8"))["enum"]
    assert set(licences.COMMERCIAL) <= set(known)
    assert all(("-NC" in name) != allowed for name, allowed in licences.COMMERCIAL.items())


def test_our_own_licence_is_known_by_its_text() -> None:
    assert licences.of_text((ROOT / "LICENSE").read_text(encoding="utf-8")) == "Apache-2.0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "MIT License\n\nCopyright (c) 2022 OpenAI\n\nPermission is hereby granted, free of\ncharge, to any person",
            "MIT",
        ),
        ("Redistribution and use in source and binary forms, with or without. Neither the name of", "BSD-3-Clause"),
        ("Redistribution and use in source and binary forms, with or without modification", "BSD-2-Clause"),
        ("Attribution-NonCommercial 4.0 International", "CC-BY-NC-4.0"),
        ("Attribution-NonCommercial-ShareAlike 4.0 International", "CC-BY-NC-SA-4.0"),
        ("Creative Commons Attribution 4.0 International", "CC-BY-4.0"),
        ("All rights reserved.", "unknown"),
        ("", "unknown"),
    ],
)
def test_texts(text: str, expected: str) -> None:
    assert licences.of_text(text) == expected


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("---\nlanguage: en\nlicense: apache-2.0\n---\n# A model", "Apache-2.0"),
        ("---\nlicense: other\nlicense_name: my-terms\n---\n", "my-terms"),
        ("---\nlicense: [mit, apache-2.0]\n---\n", "mit and apache-2.0"),
        ("---\nlicense: 3\n---\n", "unknown"),
        ("---\nlicense: [\n---\n", "unknown"),
        ("---\n- a list\n---\n", "unknown"),
        ("license: mit\n", "unknown"),
        ("", "unknown"),
    ],
)
def test_cards(card: str, expected: str) -> None:
    assert licences.of_card(card) == expected


def test_what_is_not_known_allows_nothing() -> None:
    assert licences.allows_commercial_use("MIT")
    for name in ("CC-BY-NC-4.0", "unknown", "my-terms", "mit and apache-2.0"):
        assert not licences.allows_commercial_use(name)
    assert licences.spdx("a\x1b[2Jb") == "unknown", "nothing that acts on a terminal"


def test_the_card_counts_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text((ROOT / "LICENSE").read_text(encoding="utf-8"), encoding="utf-8")
    assert licences.stated_in(tmp_path) == "Apache-2.0"
    (tmp_path / "README.md").write_bytes(b"---\nlicense: cc-by-nc-4.0\n---\n\xff")
    assert licences.stated_in(tmp_path) == "CC-BY-NC-4.0"
    (tmp_path / "README.md").unlink()
    (tmp_path / "LICENSE").unlink()
    (tmp_path / "LICENSE").mkdir()
    assert licences.stated_in(tmp_path) == "unknown"
    (tmp_path / "inner").mkdir()
    (tmp_path / "secret").write_text("---\nlicense: mit\n---\n", encoding="utf-8")
    (tmp_path / "inner" / "README.md").symlink_to(tmp_path / "secret")
    assert licences.stated_in(tmp_path / "inner") == "unknown", "a link that leads out is not read"

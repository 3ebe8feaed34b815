"""graftwork.evidence.strange: how unusual rows are, and the file that keeps the reference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from graftwork.errors import ModelError, UsageError
from graftwork.evidence.strange.distance import Neighbourhood
from graftwork.evidence.strange.other import Other
from graftwork.evidence.strange.reference import Reference, known_reference, reference_of
from graftwork.evidence.strange.stored import REFERENCE, read_reference, write_reference


def features(rows: int, seed: int, moved: float = 0.0) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(rows, 5)) * [1, 10, 0.1, 1, 1] + moved).astype(np.float32)


@pytest.fixture(name="reference")
def _reference() -> Reference:
    found = reference_of(features(200, 0), features(99, 1))
    assert found is not None
    return found


def test_the_distance_is_that_to_the_nearest_row() -> None:
    rows, others = features(40, 0), features(7, 1)
    near = Neighbourhood.of(rows)
    ways = [
        lambda part: part / np.linalg.norm(part, axis=1, keepdims=True),
        lambda part: (part - rows.mean(0)) / rows.std(0),
    ]
    expected, itself = np.zeros(len(others)), np.zeros(len(rows))
    for way in ways:
        among = np.linalg.norm(way(rows)[:, None] - way(rows), axis=2)
        np.fill_diagonal(among, np.inf)
        unit = np.quantile(among.min(axis=1), 0.99)
        itself = np.maximum(itself, among.min(axis=1) / unit)
        expected = np.maximum(expected, np.linalg.norm(way(others)[:, None] - way(rows), axis=2).min(axis=1) / unit)
    assert near.distances(others) == pytest.approx(expected, rel=0.02)
    assert near.distances(rows) == pytest.approx(0, abs=0.01)
    assert near.own_distances() == pytest.approx(itself, rel=0.02)


def test_either_way_of_measuring_is_enough() -> None:
    """A number far beyond all others points in a known direction; a small feature points in one of its own."""
    rows = np.abs(features(200, 0)) + 1
    near = Neighbourhood.of(rows)
    assert near.distances(rows[:5] * 30).min() > 1.5
    assert near.distances(np.eye(5, dtype=np.float32)[:3] * 0.01 + 1e-4).min() > 1.5


def test_a_feature_that_never_varies_is_no_division_by_zero() -> None:
    rows = np.concatenate([features(40, 0), np.full((40, 1), 7.0, np.float32)], axis=1)
    found = Neighbourhood.of(rows).distances(rows + np.eye(6, dtype=np.float32)[5])
    assert np.isfinite(found).all()
    assert found.min() > 0


def test_of_ordinary_rows_few_are_unusual(reference: Reference) -> None:
    """A conformal p-value: of rows like the held-out ones at most a share of a has more than 1 - a."""
    shares = []
    for seed in range(40):
        made = reference_of(features(100, 3 * seed), features(99, 3 * seed + 1))
        assert made is not None
        shares.append(np.mean(made.unusual(features(200, 3 * seed + 2)) >= 0.9))
    assert np.mean(shares) == pytest.approx(0.1, abs=0.02)
    assert reference.unusual(features(50, 2, moved=20.0)).min() == pytest.approx(0.99)
    assert reference.most == pytest.approx(0.99)


def test_a_row_that_was_not_read_is_not_a_number(reference: Reference) -> None:
    rows = features(3, 2)
    rows[1] = np.nan
    assert np.isnan(reference.unusual(rows)).tolist() == [False, True, False]


def test_few_rows_make_no_reference_and_few_held_out_ones_are_not_asked() -> None:
    assert reference_of(features(19, 0), features(99, 1)) is None
    alone = reference_of(features(50, 0), features(5, 1))
    assert alone is not None
    assert not alone.held_out
    assert len(alone.ordinary) == 50
    assert reference_of(np.full((50, 2), np.nan), None) is None


def test_without_a_reference_it_says_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"graft reference runs/x TABLE"):
        known_reference(None, "runs/x")


def test_the_file_gives_back_what_was_written(reference: Reference, tmp_path: Path) -> None:
    write_reference(reference, tmp_path)
    found = read_reference(tmp_path)
    assert found.held_out
    rows = features(30, 5)
    assert (found.unusual(rows) == reference.unusual(rows)).all()


@pytest.mark.parametrize(
    "change",
    [
        lambda given: given | {"near": given["near"][0]},
        lambda given: given | {"near": given["near"].astype(np.float32)},
        lambda given: given | {"shift": given["shift"][:2]},
        lambda given: given | {"scale": -given["scale"]},
        lambda given: given | {"ordinary": given["ordinary"][::-1].copy()},
        lambda given: given | {"ordinary": np.zeros(0)},
        lambda given: given | {"units": np.zeros(2)},
        lambda given: given | {"units": np.ones(3)},
        lambda given: given | {"near": np.full_like(given["near"], np.nan)},
        lambda given: {name: values for name, values in given.items() if name != "near"},
    ],
)
def test_a_file_that_contradicts_itself_is_damaged(reference: Reference, tmp_path: Path, change) -> None:  # type: ignore[no-untyped-def]
    write_reference(reference, tmp_path)
    path = tmp_path / REFERENCE
    save_file(change(load_file(path)), path, {"graftwork": '{"held_out": true, "aspects": [], "other": null}'})
    with pytest.raises(ModelError, match="damaged"):
        read_reference(tmp_path)


def test_bytes_that_are_none_of_ours_are_damaged(tmp_path: Path) -> None:
    (tmp_path / REFERENCE).write_bytes(b"\x00" * 100)
    with pytest.raises(ModelError, match="damaged"):
        read_reference(tmp_path)


def test_the_other_label_goes_to_what_is_beyond(reference: Reference) -> None:
    assert Other("none", 0.5).chosen(np.array([0.4, 0.6, np.nan]), reference.most).tolist() == [False, True, False]
    few = replace(reference, ordinary=reference.ordinary[:20])
    assert Other("none").chosen(np.array([few.most, 0.9]), few.most).tolist() == [True, False]
    with pytest.raises(UsageError, match="no row is more unusual"):
        Other("none", 0.99).check(few.most)


@pytest.mark.parametrize(("label", "beyond"), [("", 0.5), (" ", None), ("none", 0.0), ("none", 1.0)])
def test_an_empty_label_and_a_threshold_out_of_range_are_wrong_use(label: str, beyond: float | None) -> None:
    with pytest.raises(UsageError):
        Other(label, beyond)


def test_the_file_holds_no_text_and_no_row(reference: Reference, tmp_path: Path) -> None:
    """Of a column of numbers they are sorted, of categories counts; of texts lengths."""
    import pyarrow as pa

    from graftwork.data.table import Column, Schema, Table
    from graftwork.evidence.strange.aspects import column_aspects
    from graftwork.networks.base_settings import TrainingRows
    from graftwork.networks.bases.registry import parse_base
    from graftwork.networks.network import Network

    texts = [f"secret{at} word" for at in range(30)]
    sizes = np.random.default_rng(0).permutation(30).astype(float)
    columns = (Column("text", "text"), Column("size", "number"), Column("shop", "category"))
    data = pa.table({"text": texts, "size": sizes, "shop": ["a", "b", "c"] * 10})
    table = Table(data, Schema(columns), "t.csv", np.arange(1, 31))
    encoder = parse_base("gru:width=8").build(TrainingRows(lambda: texts), 0)
    network = Network({"text": encoder}, {}, sources={"text": ("text", "size", "shop")})
    aspects = tuple(column_aspects(table, network, None, np.arange(30)))  # type: ignore[arg-type]
    write_reference(replace(reference, aspects=aspects), tmp_path)
    assert b"secret" not in (tmp_path / REFERENCE).read_bytes()
    kept = {one.name: one for one in read_reference(tmp_path).aspects}
    assert kept["size"].numbers.tolist() == sorted(sizes)
    assert kept["shop"].counts == {"a": 10, "b": 10, "c": 10}
    assert set(kept["text"].numbers) == {12.0, 13.0}

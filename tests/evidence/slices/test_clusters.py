"""graftwork.evidence.slices.clusters: kinds of rows that no column names."""

from __future__ import annotations

import numpy as np

from graftwork.evidence.slices.clusters import clusters

KINDS = ("the parcel from the post is late", "my card does not work", "which loan has low interest")


def test_kinds_of_texts_are_told_apart_and_called_by_their_words() -> None:
    rng = np.random.default_rng(0)
    kind = rng.integers(3, size=300)
    texts = [f"{KINDS[at]} {rng.choice(['today', 'again', 'please'])}" for at in kind]
    found = clusters("text", None, texts)
    assert found is not None
    for code in range(len(found.groups)):  # no cluster mixes two kinds
        assert len(set(kind[found.codes == code])) == 1
        said = KINDS[int(kind[found.codes == code][0])]
        assert any(word in said for word in found.groups[code].split(", "))
    assert len(set(found.groups)) == len(found.groups)


def test_features_are_divided_without_words() -> None:
    rng = np.random.default_rng(0)
    kind = rng.integers(2, size=200)
    features = rng.normal(size=(200, 8)) * 0.1 + np.where(kind[:, None] == 0, 1.0, -1.0) * np.ones(8)
    found = clusters("photo", features, None)
    assert found is not None
    assert found.groups == tuple(str(at + 1) for at in range(len(found.groups)))
    for code in range(len(found.groups)):
        assert len(set(kind[found.codes == code])) == 1


def test_the_same_rows_give_the_same_clusters() -> None:
    texts = [KINDS[at % 3] + f" {at % 7}" for at in range(200)]
    first, second = clusters("text", None, texts), clusters("text", None, texts)
    assert first is not None
    assert second is not None
    assert np.array_equal(first.codes, second.codes)


def test_rows_that_are_few_or_alike_make_none() -> None:
    assert clusters("text", None, ["one text"] * 100) is None
    assert clusters("text", None, ["one text", "another one"] * 200) is not None
    assert clusters("photo", np.ones((500, 4)), None) is None
    assert clusters("photo", np.eye(40), None) is None
    assert clusters("text", None, [""] * 500) is None

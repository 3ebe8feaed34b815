"""Prepared rows and features of parts of a table that is known whole: put where runs on the parts look for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from graftwork.core.frozen.cache import keep_features
from graftwork.core.frozen.weights import weights_digest
from graftwork.core.rows.examples import CHUNKS, Cached, Examples, prepared_key
from graftwork.data.columns.text import TextSettings
from graftwork.data.store import ragged
from graftwork.data.store.cache import entry
from graftwork.data.store.ragged import Ragged
from graftwork.data.table import Table
from graftwork.networks.network import Network


def reads_alike(one: Network, other: Network, name: str) -> bool:
    """Whether an input is prepared and read alike by two networks that nothing has trained yet."""
    first, second = one.encoder(name), other.encoder(name)
    return first.fingerprint == second.fingerprint and weights_digest(first, first.depth) == weights_digest(
        second, second.depth
    )


def keep_part(
    network: Network,
    text: TextSettings,
    whole: Examples,
    features: Mapping[str, Cached],
    part: Table,
    places: np.ndarray,
) -> None:
    """Keep what is known of the rows of a part. whole: all rows, prepared. features: theirs, by input; of these inputs
    alone something is kept. places: where the rows of the part stand among all (P,)."""
    keys = {}
    for name in features:
        encoder = network.encoder(name)
        keys[name] = prepared_key(part, encoder, network.sources[name], text)
        chunks = _chunks(whole.inputs[name], places, CHUNKS[encoder.modality])
        ragged.write(entry("prepared", keys[name]), chunks, encoder.prepared_dtype)
    known = {name: np.asarray(store.states[places]) for name, store in features.items()}
    keep_features(network, Examples({}, keys, part.rows), known)


def _chunks(rows: Ragged, places: np.ndarray, size: int) -> Iterator[list[np.ndarray]]:
    for start in range(0, len(places), size):
        yield rows.rows(places[start : start + size])

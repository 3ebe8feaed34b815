"""What a base reads of an observation: a text, a picture, or all numbers and categories together.

A frozen base is computed once for each distinct text or picture: its features are what the algorithm stores. One that
is trained is computed by the algorithm's own networks, from token ids, pixels or numbers.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graftwork.data.batch import Inputs
from graftwork.data.columns.text import TextSettings, normalise
from graftwork.errors import DataError
from graftwork.networks.encoder import Encoder
from graftwork.networks.image.encoder import ImageEncoder
from graftwork.networks.text.encoder import TextEncoder
from graftwork.rl.sight.places import Places, learn_places, map_of
from graftwork.rl.world.looked_at import picture, values_of
from graftwork.rl.world.observations import Part

CACHED_BYTES = 2**28
"""Features that are kept of texts and pictures that were met before, at most."""
CHUNK = 32
"""Pictures that are computed together, at most."""
TEXT = TextSettings()


class FeatureCache:
    """Features by content, the last ones that were asked for."""

    def __init__(self, most: int = CACHED_BYTES) -> None:
        self.most, self.held = most, 0
        self.known: OrderedDict[Any, np.ndarray] = OrderedDict()

    def get(self, key: Any) -> np.ndarray | None:
        found = self.known.get(key)
        if found is not None:
            self.known.move_to_end(key)
        return found

    def put(self, key: Any, features: np.ndarray) -> None:
        self.known[key] = features
        self.held += features.nbytes
        while self.held > self.most and len(self.known) > 1:
            self.held -= self.known.popitem(last=False)[1].nbytes


@dataclass(eq=False)
class BaseInput:
    """What one encoder reads.

    name: the part's, or `table` for numbers and categories. trained: whether the algorithm trains it; else it is frozen
    and its features are stored. cache: of a frozen one. places: of a frozen one for pictures, that tell where things
    are, too.
    """

    name: str
    parts: tuple[Part, ...]
    encoder: Encoder
    trained: bool
    cache: FeatureCache = field(default_factory=FeatureCache)
    places: Places | None = None

    def __deepcopy__(self, memo: Any) -> BaseInput:
        """Itself: copies of a network share what is frozen, and what was computed of it."""
        return self

    @property
    def kind(self) -> str:
        """text, image or table."""
        return self.encoder.modality

    @property
    def width(self) -> int:
        """Features that it gives."""
        return self.encoder.width + (self.places.width if self.places else 0)

    @property
    def tokens(self) -> int:
        """Token ids of a text that are stored, at most."""
        assert isinstance(self.encoder, TextEncoder)
        tokenizer = self.encoder.tokenizer
        return tokenizer.max_length * tokenizer.windows

    # --- on the environment's side ----------------------------------------------------------------------------------
    def handed(self) -> tuple[int, type[np.generic]]:
        """Length and type of what an environment hands on."""
        if self.kind == "image":
            return self.parts[0].length, np.uint8
        if self.kind == "text":
            return (1 + self.tokens, np.int32) if self.trained else (self.width, np.float32)
        return len(self.row_of_table()), np.float32

    def stored(self) -> tuple[int, type[np.generic]]:
        """Length and type of what the algorithm stores."""
        return (self.width, np.float32) if not self.trained and self.kind == "image" else self.handed()

    def row(self, observation: Any) -> np.ndarray:
        """What is handed on of one observation."""
        if self.kind == "image":
            pixels: np.ndarray = self.parts[0].read(observation)
            return pixels
        if self.kind == "table":
            return self.row_of_table(observation)
        text = normalise(self.parts[0].read(observation), TEXT)
        return self._ids(text) if self.trained else self._features_of_text(text)

    def row_of_table(self, observation: Any = None) -> np.ndarray:
        """Numbers and categories as the encoder prepares them; of a row without values where there is none."""
        if observation is None:
            count = sum(len(part.sizes) if part.kind == "category" else part.length for part in self.parts)
            return self.encoder.prepare([(None,) * count])[0]
        values = tuple(value for part in self.parts for value in values_of(part, observation))
        return self.encoder.prepare([values])[0]

    def _ids(self, text: str) -> np.ndarray:
        ids = self.encoder.prepare([text])[0]
        found = np.zeros(1 + self.tokens, np.int32)
        if len(ids) > self.tokens:
            raise DataError(f"'{self.name}' has {len(ids)} tokens. Expected {self.tokens} at most.")
        found[0] = len(ids)
        found[1 : 1 + len(ids)] = ids
        return found

    def _features_of_text(self, text: str) -> np.ndarray:
        found = self.cache.get(text)
        if found is None:
            found = self._computed(self.encoder.collate(self.encoder.prepare([text])))[0]
            self.cache.put(text, found)
        return found

    def seen(self, rows: np.ndarray) -> np.ndarray:
        """Rows of several observations (B, handed) as they are stored (B, stored)."""
        if self.trained or self.kind != "image":
            return rows
        keys = [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in rows]
        found = {key: self.cache.get(key) for key in keys}
        new = {key: at for at, key in enumerate(keys) if found[key] is None}
        if new:
            picked = np.array_split(rows[list(new.values())], -(-len(new) // CHUNK))
            computed = np.concatenate([self._computed(self.pixels(part)) for part in picked])
            for key, features in zip(new, computed, strict=True):
                found[key] = features
                self.cache.put(key, features)
        return np.stack([found[key] for key in keys])  # type: ignore[misc]  # none is missing by now

    def place(self, observations: Sequence[Any]) -> None:
        """Find what tells where things are, from pictures that were looked at; nothing for a base without a map."""
        rows = np.stack([self.row(one) for one in observations])
        pooled, maps = list[Tensor](), list[Tensor]()
        with torch.no_grad():
            for part in np.array_split(rows, -(-len(rows) // CHUNK)):
                features, tokens = self.encoder.features_and_tokens(self.pixels(part))
                found = map_of(tokens)
                if found is None or found.shape[1] < 2:
                    return
                pooled.append(features.float())
                maps.append(found)
        self.places = learn_places(torch.cat(maps), torch.cat(pooled))

    def pixels(self, rows: np.ndarray) -> Inputs:
        """Stored pictures (B, H * W * C) as the encoder sees those of a table."""
        assert isinstance(self.encoder, ImageEncoder)
        view = self.encoder.view
        return self.encoder.collate([view.pack(picture(self.parts[0], row)) for row in rows])

    def _computed(self, inputs: Inputs) -> np.ndarray:
        device = next((one.device for one in self.encoder.parameters()), torch.device("cpu"))
        moved = {name: tensor.to(device) for name, tensor in inputs.items()}
        with torch.no_grad():
            if self.places is None:
                features = self.encoder(moved)
            else:
                pooled, tokens = self.encoder.features_and_tokens(moved)
                features = torch.cat([pooled.float(), self.places.of(tokens)], dim=1)
        found: np.ndarray = features.float().cpu().numpy()
        return found


def features_of(encoder: Encoder, like: BaseInput, stored: Tensor) -> Tensor:
    """What an algorithm's network reads with its own copy of the encoder (B, width). like: what it was copied for.
    stored: (B, stored length); a text that stands there several times is computed once."""
    if not like.trained and like.kind != "table":
        return stored.float()
    if like.kind == "table":
        return _of(encoder, encoder.collate(list(stored.cpu().numpy().astype(np.float32))), stored)
    if like.kind == "image":
        return _of(encoder, like.pixels(stored.to(torch.uint8).cpu().numpy()), stored)
    rows, places = torch.unique(stored.long(), dim=0, return_inverse=True)
    ids = [row[1 : 1 + int(row[0])].astype(np.int32) for row in rows.cpu().numpy()]
    return _of(encoder, encoder.collate(ids), stored)[places]


def _of(encoder: Encoder, inputs: Inputs, like: Tensor) -> Tensor:
    features: Tensor = encoder({name: tensor.to(like.device) for name, tensor in inputs.items()})
    return features.float()

"""graftwork.networks.text.windows: a long text's features are those of its windows, computed one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from graftwork.data.batch import Hidden
from graftwork.errors import UsageError
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.hub.tokenizer import LongTexts
from graftwork.networks.text.transformer import TransformerEncoder
from tiny import tiny_model, tiny_texts

LONG = " ".join(tiny_texts(20))
SHORT = "the cat is here"
LENGTH = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("windows") / "bert")


def encoder(folder: Path, kind: str = "mean", layers: int = 1, windows: int = 50) -> TransformerEncoder:
    return TransformerEncoder.from_pretrained(folder, kind, layers, LENGTH, long=LongTexts(windows)).eval()  # type: ignore[arg-type]


def by_hand(made: TransformerEncoder, text: str) -> torch.Tensor:
    """Each window by itself through an encoder without windows, averaged over its tokens."""
    plain = replace(made.tokenizer, windows=1)
    words, room = made.tokenizer.uncut.encode(text, add_special_tokens=False), LENGTH - 2
    parts = [words.offsets[start : start + room] for start in range(0, len(words.ids), room)]
    features, sizes = [], []
    for part in parts:
        inputs = plain.collate(plain.encode([text[part[0][0] : part[-1][1]]]))
        features.append(made(inputs)[0])
        sizes.append(inputs["attention_mask"].sum())
    each, shares = torch.stack(features), torch.stack(sizes) / sum(sizes)
    return each.amax(0) if made.pooling.how == "max" else (each * shares.unsqueeze(1)).sum(0)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", ["mean", "cls", "max", "last"])
@torch.no_grad()
def test_features_are_those_of_the_windows(kind: str, layers: int, folder: Path) -> None:
    made = encoder(folder, kind, layers)
    batch = made.collate(made.prepare([LONG, SHORT, "the dog " * 9]))
    assert batch["input_ids"].shape[1] > 3 * LENGTH
    features = made(batch)
    assert torch.allclose(features[0], by_hand(made, LONG), atol=1e-5)
    assert torch.allclose(features[1], made(made.collate(made.prepare([SHORT])))[0], atol=1e-5)
    assert torch.allclose(features[2], by_hand(made, "the dog " * 9), atol=1e-5)


@torch.no_grad()
def test_it_goes_on_from_the_states_of_every_depth(folder: Path) -> None:
    made = encoder(folder)
    inputs = made.collate(made.prepare([LONG, SHORT]))
    whole, found = made(inputs), made.tokens_of(inputs)
    tokens, mask = found.states, found.counts
    assert tokens.shape[:2] == mask.shape == inputs["input_ids"].shape
    for depth in range(1, made.deepest_start + 1):
        states = made.states(inputs, depth)
        assert states.shape == (*inputs["input_ids"].shape, made.hidden_width)
        assert torch.allclose(made(inputs, Hidden(depth, states)), whole, atol=1e-5)
        assert torch.allclose(made.tokens_of(inputs, Hidden(depth, states)).states[mask], tokens[mask], atol=1e-5)


def test_gradients_reach_every_window(folder: Path) -> None:
    made = encoder(folder)
    inputs = made.collate(made.prepare([LONG]))
    states = made.states(inputs, 1).detach().requires_grad_()
    made(inputs, Hidden(1, states)).sum().backward()
    assert states.grad is not None
    assert bool((states.grad.abs().sum(2) > 0).all())


@torch.no_grad()
def test_scaled_features_keep_their_length_and_short_rows_their_bits(folder: Path) -> None:
    made = encoder(folder)
    made.pooling = replace(made.pooling, normalise=True)
    assert torch.allclose(made(made.collate(made.prepare([LONG]))).norm(dim=1), torch.ones(1))
    plain = TransformerEncoder.from_pretrained(folder, "mean", 1, LENGTH).eval()
    plain.pooling = replace(plain.pooling, normalise=True)
    batch = plain.collate(plain.prepare(tiny_texts(10)))
    assert torch.equal(made(batch), plain(batch))


def test_windows_have_a_limit_and_the_two_ends_are_kept(folder: Path) -> None:
    two = encoder(folder, windows=2)
    [ids] = two.prepare([LONG])
    assert len(ids) == 2 * LENGTH
    whole = two.tokenizer.uncut.encode(LONG).ids
    ends = TransformerEncoder.from_pretrained(folder, "mean", 1, LENGTH, long=LongTexts(keep="head+tail"))
    [kept] = ends.prepare([LONG])
    assert kept.tolist() == whole[:3] + whole[-9:]
    [short] = ends.prepare([SHORT])
    assert short.tolist() == two.prepare([SHORT])[0].tolist()
    tail = TransformerEncoder.from_pretrained(folder, "mean", 1, LENGTH, long=LongTexts(keep="tail"))
    assert tail.prepare([LONG])[0].tolist() == [whole[0], *whole[1 - LENGTH :]]
    prints = {one.fingerprint for one in (two, ends, tail, encoder(folder), encoder(folder, windows=1))}
    assert len(prints) == 5


def test_it_is_saved_and_comes_back(folder: Path, tmp_path: Path) -> None:
    made = encoder(folder, windows=3)
    made.save_files(tmp_path)
    again = TransformerEncoder.from_config(made.config(), tmp_path)
    assert again.tokenizer.windows == 3
    again.load_state_dict(made.state_dict())
    inputs = made.collate(made.prepare([LONG]))
    assert np.array_equal(again.prepare([LONG])[0], made.prepare([LONG])[0])
    assert torch.equal(again.eval()(inputs), made(inputs))
    assert functional.cosine_similarity(made(inputs), made(made.collate(made.prepare([SHORT])))).item() < 1


def test_settings_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        parse_base("minilm:windows=2,keep=tail")
    with pytest.raises(UsageError, match="windows is 0"):
        parse_base("minilm:windows=0")
    assert parse_base("minilm:windows=3").spec == "minilm:windows=3"
    assert parse_base("minilm:keep=head+tail").spec == "minilm:keep=head+tail"

"""What masked language modelling hides, what it asks for, and its loss, each counted in another way."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

import tiny
from graftwork.core.rows.corruption import corruption
from graftwork.core.rows.examples import make_batch, prepare
from graftwork.data.batch import Batch
from graftwork.data.columns.text import TextSettings
from graftwork.data.table import Column, Schema, Table
from graftwork.errors import DataError, UsageError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.heads.hidden_tokens import NOTHING
from graftwork.networks.network import Network
from graftwork.networks.text.encoder import TextEncoder
from graftwork.networks.text.marks import marks_of
from graftwork.tasks.pretext.masked_language import MaskedLanguage

WORDS = [f"word{at}" for at in range(50)]


def table_of(texts: list[str | None]) -> Table:
    return Table(pa.table({"text": texts}), Schema((Column("text", "text"),)), "tiny", np.arange(1, len(texts) + 1))


@cache
def made(
    base: str = "bert-small:layers=1,width=8,heads=2", rows: int = 400, rate: float = 0.15
) -> tuple[Network, Batch, Batch]:
    """A network, many rows as they are, and with tokens hidden."""
    draw = np.random.default_rng(0)
    texts = [" ".join(draw.choice(WORDS, 20)) for _ in range(rows)]
    table = table_of(texts)
    task = MaskedLanguage(rate=rate).learn_rows(table, "pretext")
    encoder = parse_base(base).build(TrainingRows(lambda: texts), 0)
    network = Network({"text": encoder}, {})
    plain = make_batch(prepare(table, network, {"pretext": task}, TextSettings()), network, np.arange(rows))
    hiding = corruption({"pretext": task}, network, seed=1)
    assert hiding is not None
    return network, plain, hiding(plain)


def hidden_of(batch: Batch) -> torch.Tensor:
    """Which places (B, L) are asked for."""
    target, ids = batch.targets["pretext"], batch.inputs["text"]["input_ids"]
    assert not isinstance(target, torch.Tensor)
    found = torch.zeros_like(ids, dtype=torch.bool)
    rows, columns = torch.nonzero(target["tokens"] != NOTHING, as_tuple=True)
    found[rows, target["places"][rows, columns]] = True
    return found


def test_the_shares_are_those_of_bert() -> None:
    """15 % are hidden: of those 80 % are the mask, 10 % another token and 10 % as they were."""
    network, plain, changed = made()
    before, after, hidden = plain.inputs["text"]["input_ids"], changed.inputs["text"]["input_ids"], hidden_of(changed)
    marks = marks_of(network.encoder("text"))
    text = ~torch.isin(before, torch.tensor(sorted(marks.special)))
    assert float(hidden.sum() / text.sum()) == pytest.approx(0.15, abs=0.01)
    masked, same = (after[hidden] == marks.blank), (after[hidden] == before[hidden])
    assert float(masked.float().mean()) == pytest.approx(0.8, abs=0.03)
    assert float((~masked & ~same).float().mean()) == pytest.approx(0.1, abs=0.02)
    assert float(same.float().mean()) == pytest.approx(0.1, abs=0.02)


def test_what_is_not_hidden_stays_and_marks_are_never_hidden() -> None:
    network, plain, changed = made()
    before, after, hidden = plain.inputs["text"]["input_ids"], changed.inputs["text"]["input_ids"], hidden_of(changed)
    assert torch.equal(before[~hidden], after[~hidden])
    marks = marks_of(network.encoder("text"))
    special = torch.tensor(sorted(marks.special - {marks.blank}))
    assert not torch.isin(before[hidden], special).any()
    assert not torch.isin(after[hidden & (after != marks.blank)], special).any()


def test_the_targets_are_the_tokens_that_stood_there() -> None:
    _, plain, changed = made()
    target = changed.targets["pretext"]
    assert not isinstance(target, torch.Tensor)
    ids = plain.inputs["text"]["input_ids"]
    for row in range(20):
        asked = target["tokens"][row] != NOTHING
        places = target["places"][row][asked]
        assert len(set(places.tolist())) == len(places)
        assert torch.equal(ids[row, places], target["tokens"][row][asked])


def test_every_row_has_one_hidden_at_least_and_is_counted_by_how_many() -> None:
    _, _, changed = made(rate=0.001)
    hidden = hidden_of(changed).sum(1)
    assert (hidden >= 1).all()
    assert changed.labelled_size["pretext"] == float(hidden.sum())


def test_a_base_without_a_mask_hides_behind_its_unknown_token() -> None:
    network, _, changed = made("gru:width=8")
    encoder = network.encoder("text")
    assert isinstance(encoder, TextEncoder)
    unknown = encoder.tokenizer.backend.token_to_id("[UNK]")
    hidden = hidden_of(changed)
    share = (changed.inputs["text"]["input_ids"][hidden] == unknown).float().mean()
    assert float(share) == pytest.approx(0.8, abs=0.03)


def test_the_loss_is_the_cross_entropy_of_what_was_hidden() -> None:
    _, _, changed = made()
    target = changed.targets["pretext"]
    assert not isinstance(target, torch.Tensor)
    logits = torch.randn(*target["tokens"].shape, 80, generator=torch.Generator().manual_seed(0))
    loss = MaskedLanguage().loss({"logits": logits}, target)
    for row in (0, 7, 90):
        shares = torch.softmax(logits[row].double(), 1)
        asked = [(at, int(token)) for at, token in enumerate(target["tokens"][row]) if token != NOTHING]
        assert float(loss[row]) == pytest.approx(-sum(float(shares[at, token].log()) for at, token in asked), rel=1e-4)
    kept = MaskedLanguage().keep({"logits": logits, "tokens": target["tokens"]})
    right = (logits.argmax(2) == target["tokens"]).sum()
    assert kept[:, 1].sum() == right
    np.testing.assert_allclose(kept[:, 0], loss, rtol=1e-4)
    scores = {name: metric(kept, kept) for name, metric in MaskedLanguage().metrics().items()}
    assert scores["masked_loss"] == pytest.approx(float(loss.sum() / changed.labelled_size["pretext"]), rel=1e-4)
    assert scores["masked_accuracy"] == pytest.approx(float(right) / changed.labelled_size["pretext"], rel=1e-4)


def test_held_out_rows_hide_the_same_each_time() -> None:
    network, plain, _ = made()
    task = MaskedLanguage().learn_rows(table_of(tiny.tiny_texts(60)), "pretext")
    first, second = (corruption({"pretext": task}, network) for _ in range(2))
    assert first is not None
    assert second is not None
    one, other = first(plain).inputs["text"]["input_ids"], second(plain).inputs["text"]["input_ids"]
    assert torch.equal(one, other)
    assert not torch.equal(one, first(plain).inputs["text"]["input_ids"])  # the stream goes on


def test_a_corpus_that_is_too_small_says_the_least() -> None:
    texts: list[str | None] = [*tiny.tiny_texts(10), *[None] * 60]
    with pytest.raises(DataError, match=r"10 rows hold something in 'text'.*needs at least 50"):
        MaskedLanguage().learn_rows(table_of(texts), "pretext")


def test_it_reads_one_column_of_texts() -> None:
    table = Table(pa.table({"size": [1.0] * 30}), Schema((Column("size", "number"),)), "tiny", np.arange(1, 31))
    with pytest.raises(UsageError, match=r"reads one column of texts, and tiny has table \(table\)"):
        MaskedLanguage().learn_rows(table, "pretext")


def test_a_tokenizer_with_nothing_to_hide_behind_is_refused(tmp_path: Path) -> None:
    folder = tiny.tiny_model(tmp_path / "gpt2", "gpt2")
    network = Network({"text": parse_base(str(folder)).build(TrainingRows(), 0)}, {})
    with pytest.raises(UsageError, match=r"has neither\. Use a base such as minilm"):
        MaskedLanguage().make_head(network, "hidden-tokens")


def test_a_share_out_of_range_is_refused() -> None:
    for rate in (0.0, 1.0):
        with pytest.raises(UsageError, match="Expected more than 0, and less than 1"):
            MaskedLanguage(rate=rate)

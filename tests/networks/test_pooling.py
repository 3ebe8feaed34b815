"""graftwork.networks.pooling: against loops, and what sentence-transformers' files say."""

from __future__ import annotations

import json

import pytest
import torch

from graftwork.errors import ModelError
from graftwork.networks.pooling import Pooling, as_trained, pool

STATES = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
LENGTHS = (5, 1, 3)
MASK = torch.tensor([[1] * n + [0] * (5 - n) for n in LENGTHS])


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("mean", lambda row: row.mean(0)),
        ("max", lambda row: row.max(0).values),
        ("cls", lambda row: row[0]),
        ("last", lambda row: row[-1]),
    ],
)
def test_each_row_alone(how, expected):
    rows = torch.stack([expected(row[:length]) for row, length in zip(STATES, LENGTHS, strict=True)])
    torch.testing.assert_close(pool(STATES, MASK, how), rows)
    poisoned = STATES.masked_fill(MASK.unsqueeze(-1) == 0, 1e4)
    torch.testing.assert_close(pool(poisoned, MASK, how), rows)


def test_normalised_rows_have_length_one_and_are_float32():
    pooled = Pooling("mean", normalise=True)(STATES.bfloat16(), MASK)
    assert pooled.dtype == torch.float32
    torch.testing.assert_close(pooled.norm(dim=1), torch.ones(3))


def layout(folder, pooling: dict, *behind: str) -> None:
    modules = [{"path": "", "type": "sentence_transformers.models.Transformer"}]
    modules.append({"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"})
    modules += [{"path": f"{i}", "type": f"sentence_transformers.models.{kind}"} for i, kind in enumerate(behind)]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))


@pytest.mark.parametrize(
    ("config", "how"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode_mean_tokens": True}, "mean"),
        ({"pooling_mode_max_tokens": True}, "max"),
        ({"pooling_mode_lasttoken": True}, "last"),
        ({"pooling_mode": "lasttoken", "embedding_dimension": 3}, "last"),
        ({"pooling_mode": ["cls"]}, "cls"),
    ],
)
def test_old_and_new_files_of_sentence_transformers(tmp_path, config, how):
    layout(tmp_path, config)
    assert as_trained(tmp_path).pooling == Pooling(how, normalise=False)


def test_normalise_length_and_what_is_left_out(tmp_path):
    layout(tmp_path, {"pooling_mode": "mean"}, "Dense", "Normalize")
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 77}')
    trained = as_trained(tmp_path)
    assert (trained.pooling, trained.max_length, trained.left_out) == (Pooling("mean", True), 77, ("Dense",))


def test_a_folder_without_them_says_nothing(tmp_path):
    assert as_trained(tmp_path).pooling is None


def test_pooling_that_is_not_supported_is_refused(tmp_path):
    layout(tmp_path, {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True})
    with pytest.raises(ModelError, match=r"pooling_mode_mean_tokens \+ pooling_mode_cls_token, which is not supported"):
        as_trained(tmp_path)
    (tmp_path / "modules.json").write_text("[")
    with pytest.raises(ModelError, match=r"modules\.json can't be read"):
        as_trained(tmp_path)

"""graftwork.networks.hub.transformers: every way a base can be wrong gets a message that names it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from graftwork.errors import ModelError, UsageError
from graftwork.networks.pooling import Pooling
from graftwork.networks.text.transformer import TransformerEncoder
from tiny import tiny_model, tiny_texts

load = TransformerEncoder.from_pretrained


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("bert"))


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "base")


def change(file: Path, **settings) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))


def test_missing_config(folder):
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match=r"it has no config\.json"):
        load(folder)


def test_broken_config_and_unknown_architecture(folder):
    change(folder / "config.json", model_type="abacus")
    with pytest.raises(ModelError, match=r"has an architecture that transformers .* does not know: 'abacus'"):
        load(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"configuration in .* can't be used"):
        load(folder)


def test_code_of_a_repository_is_never_run(folder):
    (folder / "code.py").write_text("raise SystemExit('this must not run')")
    change(folder / "config.json", model_type="own", auto_map={"AutoConfig": "code.C", "AutoModel": "code.M"})
    with pytest.raises(ModelError, match=r"which is never run here"):
        load(folder)


def test_pickled_weights_only(folder):
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"only as pytorch_model\.bin, .* convert it once"):
        load(folder)
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(ModelError, match=r"has no weights: there is no \*\.safetensors"):
        load(folder)


def test_corrupt_weights(folder):
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match=r"weights in .* can't be loaded"):
        load(folder)


def test_missing_weights_are_not_drawn_at_random(folder):
    weights = load_file(folder / "model.safetensors")
    weights.pop("encoder.layer.1.output.dense.weight")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"encoder\.layer\.1\.output\.dense\.weight are missing"):
        load(folder)


def test_weights_of_another_shape(folder):
    change(folder / "config.json", intermediate_size=40)
    with pytest.raises(ModelError, match=r"weights in"):
        load(folder)


def test_layers_that_the_config_does_not_name_are_reported(folder):
    change(folder / "config.json", num_hidden_layers=2)
    with pytest.warns(UserWarning, match=r"left out: encoder\.layer\.2\.attention"):
        assert load(folder).depth == 3


def test_heads_in_the_file_are_left_out_in_silence(folder, capfd):
    from transformers import AutoConfig, BertForMaskedLM

    BertForMaskedLM(AutoConfig.from_pretrained(folder)).save_pretrained(folder)
    capfd.readouterr()
    encoder = load(folder)
    assert not [name for name, _ in encoder.named_parameters() if "pooler" in name or "cls" in name]
    assert capfd.readouterr() == ("", "")


def test_missing_tokenizer(folder):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(ModelError, match=r"tokenizer"):
        load(folder)


def test_a_tokenizer_of_another_model(folder, tmp_path):
    other = tiny_model(tmp_path / "gpt2", "gpt2")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(other / name, folder / name)
    with pytest.raises(ModelError, match=r"don't belong together"):
        load(folder)


def test_a_tokenizer_that_transformers_would_rebuild(folder, tmp_path):
    """AutoTokenizer makes a byte-pair tokenizer for Qwen2, whatever tokenizer.json holds."""
    qwen = tiny_model(tmp_path / "qwen2", "qwen2")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(folder / name, qwen / name)
    with pytest.raises(ModelError, match=r"is of the kind WordLevel, but transformers loads a BPE"):
        load(qwen)


def test_what_is_no_folder(tmp_path):
    file = tmp_path / "model.safetensors"
    file.touch()
    with pytest.raises(ModelError, match=r"is a file. A base is a folder"):
        load(file)
    with pytest.raises(ModelError, match=r"There is no folder"):
        load(tmp_path / "nothing" / "here")


def test_a_hub_id_without_network():
    with pytest.raises(ModelError, match=r"'org/nothing-like-it' is no folder here .* HF_HUB_OFFLINE"):
        load("org/nothing-like-it")


def test_a_model_that_is_no_text_model(tmp_path, folder):
    from transformers import ViTConfig, ViTModel

    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    ViTModel(ViTConfig(**sizes, image_size=8, patch_size=4)).save_pretrained(tmp_path / "vit")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(folder / name, tmp_path / "vit" / name)
    with pytest.raises(ModelError, match=r"not a text model"):
        load(tmp_path / "vit")


def test_pooling_and_length_are_as_trained_unless_told(folder):
    assert load(folder).pooling == Pooling("mean", False)
    assert load(folder).tokenizer.max_length == 64  # the tokenizer's own
    modules = [{"path": "1_Pooling", "type": "a.Pooling"}, {"path": "2_Normalize", "type": "a.Normalize"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 12}')
    trained = load(folder)
    assert trained.pooling == Pooling("cls", True)
    assert trained.tokenizer.max_length == 12
    assert load(folder, pooling="max").pooling.how == "max"
    assert load(folder, max_length=20).tokenizer.max_length == 20
    with pytest.raises(UsageError, match=r"takes 2 to 64 tokens"):
        load(folder, max_length=65)


def test_roberta_has_fewer_positions_than_its_config_says(tmp_path):
    encoder = load(tiny_model(tmp_path, "roberta"), layers=1)
    assert encoder.tokenizer.max_length == 63  # it counts from behind the padding index, 0 here
    long = encoder.collate(encoder.prepare([" ".join(tiny_texts(40))]))
    assert encoder(long).isfinite().all()


def test_causal_models_are_pooled_at_the_last_token(tmp_path):
    assert load(tiny_model(tmp_path, "gpt2")).pooling == Pooling("last", False)

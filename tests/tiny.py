"""Tiny random models and texts that tests of all parts share; nothing is downloaded.

`tiny_model(folder, "bert")` writes a folder as `save_pretrained` would: config.json, model.safetensors, tokenizer.
Three layers, 32 wide; the tokenizer knows the words of `tiny_texts()`. The same call always writes the same weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

KINDS = ("bert", "roberta", "distilbert", "modernbert", "mpnet", "gpt2", "qwen2", "t5")
LAYERS, WIDTH = 3, 32
_TOPICS = {
    "animals": "cat dog bird fish cow",
    "weather": "rain sun snow wind storm",
    "food": "bread soup rice cake tea",
}
_FRAMES = (
    "the {} is here",
    "i like the {} and the {}",
    "no {} today , only {}",
    "{} , {} and {} !",
    "where is my {} ?",
)


def tiny_rows(rows: int = 60) -> list[tuple[str, str]]:
    """(text, topic) pairs that a small model can learn; three topics in turn, lengths of 2 to 8 words."""
    pairs = []
    for row in range(rows):
        topic = list(_TOPICS)[row % len(_TOPICS)]
        words = _TOPICS[topic].split()
        frame = _FRAMES[(row // 3) % len(_FRAMES)]
        picked = [words[(row + 2 * place) % len(words)] for place in range(frame.count("{}"))]
        pairs.append((frame.format(*picked), topic))
    return pairs


def tiny_texts(rows: int = 60) -> list[str]:
    return [text for text, _ in tiny_rows(rows)]


def tiny_model(folder: Path, kind: str = "bert", **changes: Any) -> Path:
    """Write a random model of `kind` (one of KINDS) into `folder`; `changes` are settings of its configuration."""
    import torch
    from transformers import AutoModel

    tokenizer = _bytes() if kind in ("gpt2", "qwen2") else _words(typed=kind == "bert")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModel.from_config(_config(kind, len(tokenizer), changes))
        for parameter in model.parameters():  # zeros and ones of a fresh model would hide mistakes
            torch.nn.init.normal_(parameter, mean=float(parameter.dim() == 1), std=0.2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_bert(folder: Path, **changes: Any) -> Path:
    return tiny_model(folder, "bert", **changes)


def _words(typed: bool) -> Any:
    """Whole words between [CLS] and [SEP], as BERT and T5 frame their texts. typed: token types are given, too."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    words = sorted({word for text in tiny_texts(300) for word in text.split()})
    vocabulary = {word: index for index, word in enumerate([*special.values(), *words])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    names = ["input_ids", *(["token_type_ids"] if typed else []), "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=64, model_input_names=names, **special)


def _bytes() -> Any:
    """Byte-level pairs without any frame, as GPT-2 and Qwen2 read."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    end = "<|endoftext|>"
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=[end],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(tiny_texts(300), trainer)
    return PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=64, pad_token=end, eos_token=end)


def _config(kind: str, vocabulary: int, changes: dict[str, Any]) -> Any:
    import transformers as t

    common = {"vocab_size": vocabulary, "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    sizes = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": 4, "intermediate_size": 48}
    places = {"max_position_embeddings": 64}
    settings: dict[str, tuple[Any, dict[str, Any]]] = {
        "bert": (t.BertConfig, sizes | places),
        "roberta": (t.RobertaConfig, sizes | places),
        "distilbert": (t.DistilBertConfig, {"dim": WIDTH, "n_layers": LAYERS, "n_heads": 4, "hidden_dim": 48} | places),
        "modernbert": (
            t.ModernBertConfig,
            sizes | places | {"cls_token_id": 2, "sep_token_id": 3, "local_attention": 4, "mlp_dropout": 0.1},
        ),
        "mpnet": (t.MPNetConfig, sizes | places),
        "gpt2": (t.GPT2Config, {"n_embd": WIDTH, "n_layer": LAYERS, "n_head": 4, "n_positions": 64}),
        "qwen2": (t.Qwen2Config, sizes | places | {"num_key_value_heads": 2}),
        "t5": (t.T5Config, {"d_model": WIDTH, "num_layers": LAYERS, "num_heads": 4, "d_ff": 48, "d_kv": 8}),
    }
    cls, own = settings[kind]
    return cls(**(common | own | changes))

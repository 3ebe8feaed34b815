"""A BERT of any size with random weights and the tokenizer of another base, written as a transformers folder.

Settings: out (folder), tokenizer (folder), layers, width, heads.
"""

from __future__ import annotations

import json

import torch
from transformers import AutoTokenizer, BertConfig, BertModel

from harness.measure import settings_and_answer


def main() -> None:
    settings, answer = settings_and_answer()
    tokenizer = AutoTokenizer.from_pretrained(settings["tokenizer"])
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings["width"],
        num_hidden_layers=settings["layers"],
        num_attention_heads=settings["heads"],
        intermediate_size=4 * settings["width"],
    )
    model = BertModel(config)
    model.save_pretrained(settings["out"])
    tokenizer.save_pretrained(settings["out"])
    answer.write_text(json.dumps({"parameters": sum(one.numel() for one in model.parameters())}))


if __name__ == "__main__":
    main()

"""Tiny folders under the names of fetched bases, in a home of the test's own: what a default chooses among."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

NAME_OF_SOURCE = "source.json"


def tiny_mpnet(home: Path) -> Path:
    """A BERT of two layers x 16 with random weights and MiniLM's tokenizer, in the place of `mpnet`."""
    import torch
    from transformers import BertConfig, BertModel

    from graftwork.networks.text.bases import MiniLM

    folder = home / "bases" / "mpnet"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = BertModel(
            BertConfig(
                vocab_size=30522, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
            )
        )
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        shutil.copyfile(Path(MiniLM().folder()) / name, folder / name)
    return fetched(folder)


def fetched(folder: Path) -> Path:
    """The folder as one that was fetched."""
    (folder / NAME_OF_SOURCE).write_text(json.dumps({"name": folder.name}))
    return folder

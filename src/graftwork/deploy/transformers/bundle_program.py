"""Predict with the model in this folder. Needs torch, transformers and safetensors, and runs offline.

    python predict.py "first text" "second text"

or in Python, from this folder:

    from predict import Model
    model = Model(".")
    model.predict(["first text", "second text"])         # one label (or number, or list of labels) a text
    model.probabilities(["first text", "second text"])   # (texts, labels)

A model that reads several columns takes one tuple of texts a row, in the order of `model.settings["columns"]`; on the
command line the texts are those of one row then.
"""

import json
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file


class Model:
    """The base, the tokenizer and the head of a folder."""

    def __init__(self, folder: str | Path) -> None:
        path = Path(folder)
        self.settings = json.loads((path / "head.json").read_text(encoding="utf-8"))
        # The base has no pooler, and transformers would report at length that it made one that nobody asks.
        log: Any = transformers.logging
        log.set_verbosity_error()
        log.disable_progress_bar()
        own: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(path, **own)
        loader: Any = {
            "AutoModel": transformers.AutoModel,
            "AutoModelForTextEncoding": transformers.AutoModelForTextEncoding,
        }[self.settings["loader"]]
        self.base = loader.from_pretrained(path, dtype=torch.float32, use_safetensors=True, **own).eval()
        self.tensors = load_file(path / "head.safetensors")

    @torch.inference_mode()
    def probabilities(self, rows: Sequence[Any], batch: int = 32) -> torch.Tensor:
        """(N, labels); of a regression the numbers (N, 1)."""
        parts = [self._batch(rows[start : start + batch]) for start in range(0, len(rows), batch)]
        return torch.cat(parts)

    def predict(self, rows: Sequence[Any], threshold: float = 0.5) -> list[Any]:
        found, labels = self.probabilities(rows), self.settings["labels"]
        if self.settings["task"] == "regression":
            return [float(value) for value in found[:, 0]]
        if self.settings["task"] == "multilabel":
            return [[label for label, p in zip(labels, row, strict=True) if p >= threshold] for row in found.tolist()]
        return [labels[index] for index in found.argmax(1).tolist()]

    def _batch(self, rows: Sequence[Any]) -> torch.Tensor:
        columns = [rows] if len(self.settings["columns"]) == 1 else list(zip(*rows, strict=True))
        texts = dict(zip(self.settings["columns"], columns, strict=True))
        features = torch.cat(
            [self._features([texts[name] for name in read]) for read in self.settings["inputs"]], dim=1
        )
        logits: torch.Tensor = self._head(features) * self.settings["factor"] + self.settings["shift"]
        task = self.settings["task"]
        return logits if task == "regression" else logits.sigmoid() if task == "multilabel" else logits.softmax(1)

    def _features(self, columns: list[Sequence[str]]) -> torch.Tensor:
        """Token states of each row, pooled: of the last layer, or of the last few side by side. The texts of several
        columns are read in one sequence; from the third on they stand behind the second one."""
        first, *others = [[_clean(text, **self.settings["text"]) for text in texts] for texts in columns]
        pairs = [[self.settings["separator"].join(texts) for texts in zip(*others, strict=True)]] if others else []
        inputs = self.tokenizer(first, *pairs, padding=True, truncation=True, return_tensors="pt", padding_side="right")
        names = ["input_ids", "attention_mask", *(["token_type_ids"] if self.settings["segments"] else [])]
        inputs = {name: inputs[name] for name in names}
        how, layers = self.settings["pooling"]["how"], self.settings["pooling"]["layers"]
        outputs = self.base(**inputs, output_hidden_states=layers > 1)
        if layers == 1:
            pooled = _pool(outputs.last_hidden_state, inputs["attention_mask"], how)
            normalised: torch.Tensor = torch.nn.functional.normalize(pooled, dim=1)
            return normalised if self.settings["pooling"]["normalise"] else pooled
        states = [*outputs.hidden_states[-layers:-1], outputs.last_hidden_state]
        return torch.cat([_pool(state, inputs["attention_mask"], how) for state in states], dim=1)

    def _head(self, x: torch.Tensor) -> torch.Tensor:
        x = (x - self.tensors["shift"]) * self.tensors["scale"]
        for index, layer in enumerate(self.settings["head"]):
            own = {name.partition(".")[2]: t for name, t in self.tensors.items() if name.startswith(f"{index}.")}
            if layer["kind"] == "linear":
                x = torch.nn.functional.linear(x, own["weight"], own["bias"])
            elif layer["kind"] == "gelu":
                x = torch.nn.functional.gelu(x)
            else:  # similarity to landmarks
                marks = own["landmarks"]
                distances = x.square().sum(1, keepdim=True) + marks.square().sum(1) - 2 * x @ marks.T
                x = torch.exp(-layer["gamma"] / own["spread"] * distances.clamp_min(0)) @ own["weight"] + own["bias"]
        return x


def _clean(text: str, unicode: str, lowercase: bool, whitespace: bool) -> str:
    """The text as the model was trained to see it."""
    text = text if unicode == "none" else unicodedata.normalize(unicode, text)  # type: ignore[arg-type]
    text = text.lower() if lowercase else text
    return " ".join(text.translate(dict.fromkeys((0x200B, 0x2060, 0xFEFF))).split()) if whitespace else text


def _pool(states: torch.Tensor, mask: torch.Tensor, how: str) -> torch.Tensor:
    if how == "cls":
        return states[:, 0]
    if how == "last":
        return states[torch.arange(len(states)), mask.sum(1) - 1]
    if how == "max":
        return states.masked_fill(mask[..., None] == 0, float("-inf")).amax(1)
    return (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


if __name__ == "__main__":
    texts, model = sys.argv[1:], Model(Path(__file__).parent)
    rows: list[Any] = texts if len(model.settings["columns"]) == 1 else [tuple(texts)]
    for row, answer in zip(rows, model.predict(rows), strict=True):
        print(f"{answer}\t{row}")  # noqa: T201

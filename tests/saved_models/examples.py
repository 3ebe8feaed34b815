"""The small models of a row: one function each, which trains it on made-up rows or the digits of scikit-learn.

Each is called in an empty folder of its own, where it writes the files that its rows name into `inputs/`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import graftwork as gw
from graftwork.runs.tune.choosing.combining import mean_of
from pictures import tiny_image_model
from tiny import tiny_bert, tiny_rows
from tinysound import encoded, tiny_sound_model, tone

Row = dict[str, Any]

PREDICTED = 8
"""Rows of each model whose predictions are kept."""


@dataclass(frozen=True)
class Example:
    """A model; rows to predict, that name their files below the folder it is made in; rows of new classes to learn."""

    model: gw.Model
    rows: list[Row]
    support: list[Row] = field(default_factory=list)


def recipe(
    base: Any, techniques: Sequence[str] = (), *, steps: int = 60, lr: float = 2e-2, **changes: Any
) -> gw.Recipe:
    training = gw.Training(steps=steps, batch=16, evaluations=2, lr=lr, precision="fp32")
    return gw.Recipe(base=base, techniques=tuple(techniques), training=training, **changes)


def fitted(rows: Sequence[Row], target: Any, how: gw.Recipe, **changes: Any) -> gw.Model:
    return gw.fit(pd.DataFrame(rows), target=target, recipe=how, verbose=False, **changes)


def without(rows: Sequence[Row], *columns: str) -> list[Row]:
    return [{name: value for name, value in row.items() if name not in columns} for row in rows[:PREDICTED]]


def bert() -> str:
    """A random Transformer as a base."""
    tiny_bert(Path("bert"))
    return "./bert"


def texts(rows: int = 90) -> list[Row]:
    return [{"text": text, "topic": topic} for text, topic in tiny_rows(rows)]


def digits(classes: range, rows: int = 12) -> list[Row]:
    """So many pictures of each digit, 8 x 8, with what it is called."""
    from PIL import Image
    from sklearn.datasets import load_digits

    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    known = load_digits()
    (Path("inputs")).mkdir(exist_ok=True)
    found: list[Row] = []
    for digit in classes:
        for row in np.flatnonzero(known.target == digit)[:rows]:
            name = f"inputs/{names[digit]}-{row}.png"
            Image.fromarray((known.images[row] * 15.9).astype(np.uint8)).save(name)
            found.append({"image": name, "digit": names[digit]})
    return [found[at] for at in np.random.default_rng(0).permutation(len(found))]


def sounds(rows: int = 36) -> list[Row]:
    (Path("inputs")).mkdir(exist_ok=True)
    found = []
    for row in range(rows):
        kind, hertz = (("low", 150.0), ("middle", 500.0), ("high", 1400.0))[row % 3]
        name = f"inputs/{kind}-{row}.wav"
        samples = tone(hertz * (1 + 0.02 * (row % 7)), 0.15 + 0.05 * (row % 3), seed=row)
        Path(name).write_bytes(encoded(samples, subtype="PCM_16"))
        found.append({"sound": name, "pitch": kind})
    return found


def sales(rows: int = 120) -> list[Row]:
    """Numbers, a category, dates and what is sold, some of them missing; prices of several magnitudes."""
    draw = np.random.default_rng(0)
    found: list[Row] = []
    for row in range(rows):
        size, shop = float(draw.uniform(1, 9)), ("old", "new", "far")[int(draw.integers(3))]
        price = float(np.exp(size / 2 + ("old", "new", "far").index(shop)))
        found.append(
            {
                "size": None if row % 11 == 5 else round(size, 2),
                "shop": shop,
                "day": f"2024-{1 + row % 12:02d}-{1 + row % 28:02d}",
                "price": round(price, 2),
                "dear": "yes" if price > 30 else "no",
            }
        )
    return found


def text_gru() -> Example:
    rows = texts()
    return Example(fitted(rows, "topic", recipe("gru:width=8,vocabulary=200")), without(rows, "topic"))


def text_lora() -> Example:
    """A Transformer whose adapters were folded into its weights, its averaged weights kept."""
    rows, base = texts(), bert()
    return Example(
        fitted(rows, "topic", recipe(base, ["warm-start", "lora:rank=4", "ema:decay=0.9"], lr=3e-3)),
        without(rows, "topic"),
    )


def text_kernel() -> Example:
    """A frozen Transformer with a kernel head that was solved on its features."""
    rows = texts()
    base, head = f"{bert()}:pooling=mean", "kernel:landmarks=40"
    return Example(fitted(rows, "topic", recipe(base, ["probe"], head=head)), without(rows, "topic"))


def text_windows() -> Example:
    """Texts that are longer than the base reads at once."""
    rows = [row | {"text": " ".join([row["text"]] * (1 + at % 5))} for at, row in enumerate(texts(60))]
    base = f"{bert()}:max_length=16,windows=3"
    return Example(
        fitted(rows, "topic", recipe(base, ["warm-start", "partial:blocks=1"], lr=1e-3)), without(rows, "topic")
    )


def text_pairs() -> Example:
    """Two texts that are read in one sequence."""
    rows = [
        {"first": row["text"], "second": other["text"], "same": "yes" if row["topic"] == other["topic"] else "no"}
        for at, row in enumerate(texts(60))
        for other in [texts(60)[(7 * at + at // 3) % 60]]
    ]
    how = recipe(bert(), ["warm-start", "partial:blocks=1"], lr=1e-3)
    return Example(fitted(rows, "same", how, join="first+second"), without(rows, "same"))


def text_multilabel() -> Example:
    rows = [row | {"tags": f"{row['topic']};{'long' if len(row['text']) > 20 else 'short'}"} for row in texts()]
    how = recipe("cnn:width=8,vocabulary=200", ["label-smoothing"], task="multilabel")
    return Example(
        fitted([{"text": row["text"], "tags": row["tags"]} for row in rows], "tags", how),
        without(rows, "topic", "tags"),
    )


def text_domains() -> Example:
    """Features scaled by the row's domain, and norm layers that adapt to the rows that are predicted."""
    rows = [row | {"place": ("here", "there", "far")[at % 3]} for at, row in enumerate(texts())]
    how = recipe(bert(), ["film", "full"], lr=2e-3)
    return Example(fitted(rows, "topic", how, roles={"domain": "place"}), without(rows, "topic"))


def image_small_cnn() -> Example:
    """Averaged over views at prediction."""
    rows = digits(range(3))
    how = recipe("small-cnn:width=8,size=16", ["tta:views=2"], head="mlp:width=16")
    return Example(fitted(rows, "digit", how), without(rows, "digit"))


def image_model() -> Example:
    rows, base = digits(range(3)), tiny_image_model(Path("resnet"), "resnet")
    return Example(fitted(rows, "digit", recipe(f"image-model:path={base}")), without(rows, "digit"))


def audio_mel_cnn() -> Example:
    rows = sounds()
    how = recipe("mel-cnn:width=4,layers=3,rate=4000,mels=16")
    return Example(fitted(rows, "pitch", how), without(rows, "pitch"))


def audio_model() -> Example:
    rows, base = sounds(), tiny_sound_model(Path("wave"), "wav2vec2")
    how = recipe(f"audio-model:path={base}", ["warm-start", "full"], lr=1e-3)
    return Example(fitted(rows, "pitch", how), without(rows, "pitch"))


def table_transformer() -> Example:
    rows = [{name: value for name, value in row.items() if name != "price"} for row in sales()]
    how = recipe("ft-transformer:width=8,layers=1,heads=2")
    return Example(fitted(rows, "dear", how), without(rows, "dear"))


def regression_log() -> Example:
    """The logarithm of the target is learned, from plain columns."""
    rows = [{name: value for name, value in row.items() if name != "dear"} for row in sales()]
    how = recipe("columns", task="regression:log=true")
    return Example(fitted(rows, "price", how), without(rows, "price"))


def regression_quantiles() -> Example:
    """Several columns are predicted of one target."""
    rows = [{name: value for name, value in row.items() if name != "dear"} for row in sales()]
    how = recipe("table-mlp:width=8,layers=1", task="quantile-regression")
    return Example(fitted(rows, "price", how), without(rows, "price"))


def several_targets() -> Example:
    """Targets of three kinds, each of which some rows lack."""
    rows = [
        {
            "text": row["text"],
            "topic": row["topic"] if at % 5 != 1 else None,
            "tags": f"{row['topic']};{'long' if len(row['text']) > 20 else 'short'}" if at % 7 != 2 else None,
            "length": float(len(row["text"])) if at % 3 != 2 else None,
        }
        for at, row in enumerate(texts(60))
    ]
    targets = ["topic", "tags", "length"]
    how = recipe("lstm:width=8,vocabulary=200", ["uncertainty"], task={"tags": "multilabel"})
    return Example(fitted(rows, targets, how), without(rows, *targets))


def mixed() -> list[Row]:
    """Texts, pictures that some rows lack, and numbers beside them."""
    pictures = digits(range(3), 20)
    by_name = {name: [row["image"] for row in pictures if row["digit"] == name] for name in ("zero", "one", "two")}
    found: list[Row] = []
    for at, row in enumerate(texts(60)):
        at_topic = ("animals", "weather", "food").index(row["topic"])
        image = list(by_name.values())[at_topic][at // 3]
        found.append(
            {
                "text": None if at % 7 == 3 else row["text"],
                "image": None if at % 4 == 1 else image,
                "size": round(at_topic + 0.37 * (at % 5), 2),
                "topic": row["topic"],
            }
        )
    return found


INPUTS = {
    "text": "cnn:width=8,vocabulary=200",
    "image": "small-cnn:width=8,size=16",
    "table": "table-mlp:width=8,layers=1",
}


def fusion_transformer() -> Example:
    how = recipe(INPUTS, ["fusion-transformer:width=16,layers=1,heads=2", "modality-dropout"])
    rows = mixed()
    return Example(fitted(rows, "topic", how), without(rows, "topic"))


def fusion_late() -> Example:
    rows = mixed()
    return Example(fitted(rows, "topic", recipe(INPUTS, ["late"])), without(rows, "topic"))


def fusion_gated() -> Example:
    rows = mixed()
    return Example(fitted(rows, "topic", recipe(INPUTS, ["gated:width=16"])), without(rows, "topic"))


def retrieval() -> Example:
    """Pictures of digits and what is said of them, each found by the other."""
    rows = [{"image": row["image"], "said": f"this is a {row['digit']}"} for row in digits(range(6))]
    bases = {"image": "small-cnn:width=8,size=16", "said": "cnn:width=8,vocabulary=200"}
    how = recipe(bases, task="retrieval:width=8")
    model = gw.fit(pd.DataFrame(rows), inputs=["image", "said"], kinds={"said": "text"}, recipe=how, verbose=False)
    return Example(model, rows[:PREDICTED])


def identity() -> Example:
    rows = digits(range(7))
    how = recipe("conv4:width=8,size=16,blocks=2", ["arcface"], task="identity")
    return Example(fitted(rows, "digit", how), without(rows, "digit"))


def few_shot() -> Example:
    rows, new = digits(range(7)), digits(range(7, 10), 6)
    how = recipe(
        "conv4:width=8,size=16,blocks=2",
        ["protonet:way=3,shot=2,query=4"],
        task="few-shot:way=3,shot=2,query=4,episodes=20",
    )
    return Example(fitted(rows, "digit", how), without(new[9:], "digit"), new[:9])


def few_shot_inner_steps() -> Example:
    """New classes are learned by steps on the head."""
    rows, new = digits(range(7)), digits(range(7, 10), 6)
    task = "few-shot:way=3,shot=2,query=4,episodes=20"
    how = recipe("conv4:width=8,size=16,blocks=2", ["anil:way=3,shot=2,query=4,episodes=1"], task=task)
    return Example(fitted(rows, "digit", how), without(new[9:], "digit"), new[:9])


def merged() -> Example:
    """Two targets of two models of one base."""
    rows, base = texts(60), bert()
    long = [{"text": row["text"], "length": "long" if len(row["text"]) > 20 else "short"} for row in rows]
    how = recipe(base, ["warm-start", "partial:blocks=1"], lr=1e-3)
    models = [fitted(rows, "topic", how), fitted(long, "length", how)]
    return Example(gw.merge(models, method="average").model, without(rows, "topic"))


def soup() -> Example:
    rows, base = texts(60), bert()
    models = [
        fitted(rows, "topic", recipe(base, ["warm-start", "partial:blocks=1"], lr=1e-3, seed=seed)) for seed in (0, 1)
    ]
    return Example(gw.soup(models, method="uniform").model, without(rows, "topic"))


def ensemble() -> Example:
    """Of two bases, whose tokenizers differ."""
    rows = texts(60)
    models = [
        fitted(rows, "topic", recipe("gru:width=16")),
        fitted(rows, "topic", recipe(bert(), ["partial:blocks=1"], steps=10)),
    ]
    return Example(mean_of(models, [0.7, 0.3]), without(rows, "topic"))


EXAMPLES: dict[str, Callable[[], Example]] = {
    make.__name__.replace("_", "-"): make
    for make in (
        *(text_gru, text_lora, text_kernel, text_windows, text_pairs, text_multilabel, text_domains),
        *(
            image_small_cnn,
            image_model,
            audio_mel_cnn,
            audio_model,
            table_transformer,
            regression_log,
            regression_quantiles,
        ),
        *(several_targets, fusion_transformer, fusion_late, fusion_gated),
        *(retrieval, identity, few_shot, few_shot_inner_steps, merged, soup, ensemble),
    )
}
"""By the name of its folder."""

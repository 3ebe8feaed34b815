"""One method on one table of numbers and categories, in a process of its own.

Settings: set (a table of scikit-learn's, or fashion-COLUMN for a column of fashion_products to predict), method (LR,
HGB, or a base of the project; "auto" is its default), seed (of the split and the model), quick (fewer rows).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from harness import data
from harness.clock import Clock
from harness.measure import settings_and_answer

FASHION = ["gender", "articleType", "baseColour", "season", "year", "usage"]
TARGET = "to_predict"


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)
    train, test = tables(settings["set"], settings["seed"])
    if settings["quick"]:
        train, test = train.head(120), test.head(60)
    rows = test.drop(columns=TARGET)
    if settings["method"] in ("LR", "HGB"):
        fitted = peer(settings["method"], settings["seed"], train)
    else:
        fitted = ours(settings["method"], settings["seed"], train)
    spent = clock.read()
    answer.write_text(json.dumps({**spent, "score": score(test[TARGET], np.asarray(fitted.predict(rows)))}))


def tables(name: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training rows and test rows: the set's own split where it has one, else 30 % held out by the seed."""
    if name.startswith("fashion-"):
        parts = [pd.read_parquet(data.table("fashion_products", part), columns=FASHION) for part in ("train", "test")]
        return tuple(part.rename(columns={name.removeprefix("fashion-"): TARGET}) for part in parts)
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    loaded = getattr(datasets, f"load_{name}")(as_frame=True)
    classes = name != "diabetes"
    target = loaded.target.map(lambda code: f"class {code}") if classes else loaded.target
    frame = loaded.data.assign(**{TARGET: target})
    return train_test_split(frame, test_size=0.3, random_state=seed, stratify=target if classes else None)


def ours(base: str, seed: int, train: pd.DataFrame) -> Any:
    import graftwork as gw

    techniques = "auto" if base == "auto" else []
    return gw.fit(train, target=TARGET, recipe=gw.Recipe(base=base, techniques=techniques, seed=seed))


def peer(method: str, seed: int, train: pd.DataFrame) -> Any:
    """Scaled numbers and one-hot categories into a linear model; or gradient boosting with its own categories."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    rows, target = train.drop(columns=TARGET), train[TARGET]
    numbers, words = make_column_selector(dtype_include="number"), make_column_selector(dtype_exclude="number")
    regression = pd.api.types.is_float_dtype(target)
    if method == "LR":
        model: Any = RidgeCV(np.logspace(-2, 3, 12)) if regression else LogisticRegression(max_iter=2000)
        columns = make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore"), words))
    else:
        cls = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
        names = words(rows)
        places = list(range(len(names)))
        model = cls(categorical_features=places or None, random_state=seed)
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
        columns = make_column_transformer((encoder, names), remainder="passthrough")
    return make_pipeline(columns, model).fit(rows, target)


def score(truth: pd.Series, predicted: np.ndarray) -> float:
    """Accuracy; for numbers the share of the variance that is explained (R2)."""
    if pd.api.types.is_float_dtype(truth):
        from sklearn.metrics import r2_score

        return float(r2_score(truth, predicted.astype(float)))
    return float((truth.to_numpy() == predicted).mean())


if __name__ == "__main__":
    main()

"""Classifier and Regressor in scikit-learn's tools: cross-validation, a pipeline, a grid search. Needs scikit-learn.

python examples/scikit_learn.py
"""

from sklearn.datasets import load_diabetes, load_wine
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer

import graftwork as gw


def main() -> None:
    wine, cultivar = load_wine(return_X_y=True, as_frame=True)
    probe = gw.Classifier(base="columns", techniques=["probe"])
    scores = cross_val_score(make_pipeline(PowerTransformer(), probe), wine, cultivar, cv=3)
    print(f"wine, cross-validated: {scores.mean():.3f}")

    grid = {"base": ["columns", "columns:numbers=quantile"], "head": ["linear", "kernel"]}
    search = GridSearchCV(probe, grid, cv=3).fit(wine, cultivar)
    print(f"best of the grid: {search.best_params_} with {search.best_score_:.3f}")

    body, progression = load_diabetes(return_X_y=True)
    scores = cross_val_score(gw.Regressor(base="columns", techniques=["probe"]), body, progression, cv=3)
    print(f"diabetes, R2: {scores.mean():.3f}")

    texts = ["where is my parcel?", "it never arrived", "I want my money back", "refund me please"] * 5
    topics = ["delivery", "delivery", "refund", "refund"] * 5
    reader = gw.Classifier(base="gru:width=32", techniques=[], epochs=10, batch=8).fit(texts, topics)
    print(f"texts: {reader.predict(['please refund my money'])[0]}")


if __name__ == "__main__":
    main()

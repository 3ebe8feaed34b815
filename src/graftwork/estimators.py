"""`Classifier` and `Regressor`: a fit as scikit-learn knows it, for pipelines, cross-validation and searches.

scikit-learn and pandas are needed for these only, and imported only when one of them is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graftwork.core.settings import Training
from graftwork.core.technique import Technique
from graftwork.data.table import Kind
from graftwork.errors import GraftworkError, UsageError
from graftwork.networks.bases.registry import Named
from graftwork.recipe import Auto, Recipe
from graftwork.runs.fit import fit

try:
    import pandas as pd
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
except ImportError:
    raise UsageError(
        "Classifier and Regressor need scikit-learn 1.6 or newer, and pandas. Run: pip install graftwork[sklearn]"
    ) from None

if TYPE_CHECKING:
    from graftwork.model import Model

TEXT = "text"
"""Name of the column that a list of texts becomes."""


class _Estimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn is not typed
    """What both have in common. The constructor stores its arguments unchanged; everything is checked in `fit`."""

    task: str
    model_: Model

    def __init__(
        self,
        *,
        base: Named = "auto",
        head: str = "auto",
        techniques: Sequence[str | Technique] | Auto = "auto",
        metric: str | None = None,
        budget: float | None = None,
        lr: float | None = None,
        epochs: float | None = None,
        batch: int = 32,
        valid_share: float = 0.12,
        seed: int = 0,
        verbose: bool = False,
    ) -> None:
        self.base = base
        self.head = head
        self.techniques = techniques
        self.metric = metric
        self.budget = budget
        self.lr = lr
        self.epochs = epochs
        self.batch = batch
        self.valid_share = valid_share
        self.seed = seed
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    @property
    def recipe(self) -> Recipe:
        """The settings as a recipe. Raises UsageError for a name or value that is wrong."""
        return Recipe(
            base=self.base,
            task=self.task,
            head=self.head,
            techniques=self.techniques,  # type: ignore[arg-type]  # written techniques are parsed there
            training=Training(lr=self.lr, epochs=self.epochs, batch=self.batch),
            metric=self.metric,
            valid_share=self.valid_share,
            seed=self.seed,
        )

    def _fit(self, frame: pd.DataFrame, kinds: dict[str, Kind], target: np.ndarray) -> None:
        name = "target"
        while name in frame.columns:
            name += "_"
        try:
            table = frame.assign(**{name: target})
            self.model_ = fit(
                table, target=name, kinds=kinds, recipe=self.recipe, budget=self.budget, verbose=self.verbose
            )
        except GraftworkError as error:
            raise ValueError(str(error)) from error

    def _predicted(self, X: Any) -> tuple[list[Any], np.ndarray]:
        """Values and probabilities of every row. Raises ValueError where a row can't be read."""
        check_is_fitted(self)
        frame, _ = _frame(self, X, reset=False)
        try:
            found = self.model_.predict_rows(frame)
        except GraftworkError as error:
            raise ValueError(str(error)) from error
        if found.bad:
            listed = "; ".join(map(str, found.bad[:5]))
            raise ValueError(f"X has {len(found.bad):,} rows that can't be read (row 1 is the first): {listed}")
        return found.values, found.probabilities


class Classifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A classifier with scikit-learn's interface: `clone`, `cross_val_score`, `GridSearchCV`, `Pipeline`.

    base, head, techniques, metric, valid_share, seed: as in `Recipe`; techniques may be written ("lora:rank=8"). lr,
    epochs, batch: as in `Training`. budget: wall seconds of a fit. verbose: say how each fit goes. All are
    checked in `fit`.

    X: an array of numbers (rows, columns), a list, array or Series of texts, or a frame with columns of any kind; NaN
    is a missing value. y: one class a row.
    Learned: `model_` (a `Model`), `classes_`, `n_features_in_`, and `feature_names_in_` for frames.

    Errors are ValueError, as scikit-learn expects.
    """

    task = "classification"

    def fit(self, X: Any, y: Any) -> Classifier:
        """Train on rows X and their classes y. Raises ValueError for what can't be learned from."""
        frame, kinds = _frame(self, X, y)
        y = _targets(y, frame)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class, {self.classes_.tolist()}. Expected two or more.")
        self._fit(frame, kinds, np.array([f"class {code}" for code in codes]))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The class of each row (N,)."""
        values, _ = self._predicted(X)
        classes: np.ndarray = self.classes_[[_code(value) for value in values]]
        return classes

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities (N, classes), in the order of `classes_`, calibrated on validation."""
        _, found = self._predicted(X)
        probabilities = np.zeros((len(found), len(self.classes_)))
        probabilities[:, [_code(name) for name in self.model_.columns]] = found
        return probabilities


class Regressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """A regressor with scikit-learn's interface. Settings and X as those of `Classifier`; y: one number a row."""

    task = "regression"

    def fit(self, X: Any, y: Any) -> Regressor:
        """Train on rows X and their numbers y. Raises ValueError for what can't be learned from."""
        frame, kinds = _frame(self, X, y)
        self._fit(frame, kinds, _targets(y, frame).astype(np.float64))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The number of each row (N,)."""
        values, _ = self._predicted(X)
        return np.array(values, np.float64)


def _code(name: Any) -> int:
    return int(str(name).removeprefix("class "))


def _targets(y: Any, frame: pd.DataFrame) -> np.ndarray:
    """y as an array (N,), checked against the rows."""
    found: np.ndarray = column_or_1d(y, warn=True)
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise ValueError("Input y contains NaN or infinity. Expected a value in every row.")
    if len(frame) == 1:
        raise ValueError("n_samples = 1. Expected at least two rows.")
    if len(frame) != len(found):
        raise ValueError(f"Found input variables with inconsistent numbers of samples: {[len(frame), len(found)]}")
    return found


def _frame(estimator: _Estimator, X: Any, y: Any = "no_validation", *, reset: bool = True) -> tuple[Any, Any]:
    """X as a frame, and the kinds of its columns where they are known."""
    if y is None:
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, but the target y is None.")
    if isinstance(X, pd.DataFrame):
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        return X.rename(columns=str).reset_index(drop=True), {}
    if _are_texts(X):
        values = [str(value) if isinstance(value, str) else None for value in X]
        if reset:
            estimator.n_features_in_ = 1
        elif estimator.n_features_in_ != 1:
            raise ValueError(f"X is texts, but {type(estimator).__name__} was fitted on a table.")
        return pd.DataFrame({TEXT: values}), {TEXT: "text"}
    numbers = validate_data(estimator, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")
    names = [f"x{index}" for index in range(numbers.shape[1])]
    return pd.DataFrame(numbers, columns=names), dict.fromkeys(names, "number")


def _are_texts(X: Any) -> bool:
    """Whether X is one text a row, some of which may be missing."""
    if hasattr(X, "shape") and len(X.shape) != 1:
        return False
    if not isinstance(X, list | tuple) and not hasattr(X, "shape"):
        return False
    first = next((value for value in X if not (value is None or value != value)), None) if len(X) else None
    return isinstance(first, str)

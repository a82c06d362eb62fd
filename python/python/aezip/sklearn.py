"""Estimators for scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    OneToOneFeatureMixin,
    OutlierMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _aezip
from ._arrays import as_rows
from ._codec import Codec
from ._uses import LEAST_ROWS, anomalies, denoise, impute

Array = NDArray[Any]

#: From so many robust deviations above the median of the scores' logarithms, rows are outliers
#: (Iglewicz and Hoaglin 1993).
FAR = 3.5
#: A robust deviation is a standard one where values are normally distributed.
NORMAL = 1.4826
#: Seeds are drawn from below it.
SEEDS = 2**31
#: Residuals of a column count as at least such a share of its spread.
LEAST_RESIDUAL = 1e-6


class _Components:
    """Principal components, which stand for a network where rows are few or do not differ."""

    def __init__(self, x: Array, count: int) -> None:
        self.mean = x.mean(axis=0)
        vectors = np.linalg.svd(x - self.mean, full_matrices=False)[2][:count]
        # Which way a vector points is chosen by its largest entry, so that it does not depend on
        # the order of rows.
        signs = np.sign(vectors[np.arange(len(vectors)), np.abs(vectors).argmax(axis=1)])
        self.vectors = np.zeros((count, x.shape[1]))
        self.vectors[: len(vectors)] = vectors * np.where(signs == 0, 1, signs)[:, None]

    def embed(self, x: Array) -> Array:
        return np.asarray((x - self.mean) @ self.vectors.T, dtype=np.float32)

    def decode(self, latents: Array) -> Array:
        return np.asarray(latents @ self.vectors + self.mean)


def _learned(x: Array, count: int, options: dict[str, Any]) -> Codec | _Components:
    """Learn ``count`` latents of rows."""
    if len(x) >= LEAST_ROWS and np.ptp(x, axis=0).max() > 0:
        asked = {"latent": count, "loss": "mse", **options}
        return Codec(_aezip.Codec.train(as_rows(x), asked, True, None))
    return _Components(x, count)


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Describe rows by a few numbers, and rows by these.

    Of fewer than 64 rows, principal components are taken.

    Parameters
    ----------
    n_components : int, default 2
        Latents of a row; at most as many as there are columns.
    kind : dict, optional
        The kind of network, as keyword arguments of :func:`aezip.train`: ``{"sparse": 0.1}``,
        ``{"linear": True}``, ``{"hidden": [64, 32]}``, …
    level : int, default 5
        Effort.
    epochs : int, optional
        Passes over the rows, most.
    random_state : int, RandomState or None, default 0
        What the training is seeded with.

    Attributes
    ----------
    codec_ : aezip.Codec
        What was learned, unless rows were too few.

    Examples
    --------
    >>> import numpy as np
    >>> from aezip.sklearn import Autoencoder
    >>> x = np.random.default_rng(0).normal(size=(50, 3)) @ np.ones((3, 8))
    >>> Autoencoder(n_components=1).fit_transform(x).shape
    (50, 1)
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        kind: dict[str, Any] | None = None,
        level: int = 5,
        epochs: int | None = None,
        random_state: Any = 0,
    ) -> None:
        self.n_components = n_components
        self.kind = kind
        self.level = level
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Autoencoder:
        """Learn from rows."""
        X = validate_data(self, X, dtype=[np.float64, np.float32])
        if self.n_components < 1:
            raise ValueError(f"n_components={self.n_components} is not 1 or more")
        self.n_components_ = min(self.n_components, X.shape[1])
        seed = int(check_random_state(self.random_state).randint(SEEDS))
        options = {"level": self.level, "epochs": self.epochs, "seed": seed, **(self.kind or {})}
        learned = _learned(X, self.n_components_, options)
        self._learned = learned
        if isinstance(learned, Codec):
            self.codec_ = learned
        return self

    def transform(self, X: Any) -> Array:
        """Return the latents of rows."""
        check_is_fitted(self, "n_components_")
        return self._learned.embed(validate_data(self, X, reset=False, dtype=[np.float64, np.float32]))

    def inverse_transform(self, X: Any) -> Array:
        """Return the rows that latents stand for."""
        check_is_fitted(self, "n_components_")
        return self._learned.decode(np.asarray(X, dtype=np.float32))

    @property
    def _n_features_out(self) -> int:
        return self.n_components_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


class AnomalyDetector(OutlierMixin, BaseEstimator):
    """Find rows that are not like the others.

    A codec is learned from rows without their oddest, and a row is scored by how far it is from what
    the codec makes of it, in units of what ordinary rows are off in each column.

    Parameters
    ----------
    contamination : "auto" or float, default "auto"
        The share of rows that are outliers; "auto" takes those whose score is far above the median.
    n_components : int, optional
        Latents of a row; a third of the columns if not given.
    level : int, default 5
        Effort.
    epochs : int, optional
        Passes over the rows, most.
    random_state : int, RandomState or None, default 0
        What the training is seeded with.

    Attributes
    ----------
    offset_ : float
        Rows whose :meth:`score_samples` lie below it are outliers.
    """

    def __init__(
        self,
        contamination: float | str = "auto",
        *,
        n_components: int | None = None,
        level: int = 5,
        epochs: int | None = None,
        random_state: Any = 0,
    ) -> None:
        self.contamination = contamination
        self.n_components = n_components
        self.level = level
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> AnomalyDetector:
        """Learn what ordinary rows are."""
        X = validate_data(self, X, dtype=np.float64)
        share = None if self.contamination == "auto" else float(self.contamination)
        if share is not None and not 0 < share < 0.5:
            raise ValueError(f"contamination={share} is not above 0 and below 0.5")
        self.center_ = np.median(X, axis=0)
        spread = NORMAL * np.median(np.abs(X - self.center_), axis=0)
        deviation = X.std(axis=0)
        spread = np.where(spread > 0, spread, deviation)
        self.scale_ = np.where(spread > 0, spread, 1.0)
        rows = (X - self.center_) / self.scale_
        seed = int(check_random_state(self.random_state).randint(SEEDS))
        options = {"level": self.level, "epochs": self.epochs, "seed": seed}
        ordinary = rows[~self._odd(rows, share, options)]
        count = self.n_components or max(X.shape[1] // 3, 1)
        self._learned = _learned(ordinary, min(count, X.shape[1]), options)
        residuals = np.abs(ordinary - self._learned.decode(self._learned.embed(ordinary)))
        self.residual_ = np.maximum(np.sqrt((residuals**2).mean(axis=0)), LEAST_RESIDUAL)
        scores = self._scores(rows)
        self.offset_ = -self._threshold(scores, share)
        return self

    def _odd(self, rows: Array, share: float | None, options: dict[str, Any]) -> Array:
        """Say which rows not to learn from."""
        if len(rows) < LEAST_ROWS or np.ptp(rows, axis=0).max() == 0:
            far = np.sqrt((rows**2).mean(axis=1))
            return np.asarray(far > np.quantile(far, 1 - (share or 0.1)))
        return anomalies(rows, contamination=share, **options).flagged  # type: ignore[arg-type]

    def _scores(self, rows: Array) -> Array:
        off = rows - self._learned.decode(self._learned.embed(rows))
        return np.asarray(np.sqrt(((off / self.residual_) ** 2).mean(axis=1)))

    def _threshold(self, scores: Array, share: float | None) -> float:
        if share is not None:
            return float(np.quantile(scores, 1 - share))
        logs = np.log(np.maximum(scores, 1e-300))
        middle = np.median(logs)
        return float(np.exp(middle + FAR * NORMAL * np.median(np.abs(logs - middle))))

    def score_samples(self, X: Any) -> Array:
        """Return how ordinary rows are: the lower, the odder."""
        check_is_fitted(self, "offset_")
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return -self._scores((X - self.center_) / self.scale_)

    def decision_function(self, X: Any) -> Array:
        """Return the same, negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> Array:
        """Return -1 for outliers and 1 for all others."""
        return np.where(self.decision_function(X) < 0, -1, 1)


class Imputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Fill in missing values (NaN) from what rows have in common.

    The rows of :meth:`fit` are kept; those to fill are filled together with them. A column without any
    value stays as it is.

    Parameters
    ----------
    random_state : int, RandomState or None, default 0
        What the networks that are tried are seeded with.
    """

    def __init__(self, *, random_state: Any = 0) -> None:
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Imputer:
        """Keep rows to learn from."""
        self.rows_ = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        self.seed_ = int(check_random_state(self.random_state).randint(SEEDS))
        return self

    def transform(self, X: Any) -> Array:
        """Return rows without missing values."""
        check_is_fitted(self, "rows_")
        X = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan", copy=True)
        if not np.isnan(X).any():
            return X
        same = X.shape == self.rows_.shape and np.array_equal(X, self.rows_, equal_nan=True)
        rows = X if same else np.concatenate([self.rows_, X])
        return impute(rows, seed=self.seed_)[len(rows) - len(X) :]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64"]
        return tags


class Denoiser(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Take noise out of rows: keep what they have in common.

    Noise is measured on the rows of :meth:`fit`, and principal components are shrunk by the share of
    noise in them. Where no noise can be told, rows stay as they are.

    Attributes
    ----------
    noise_ : float or None
        Standard deviation of the noise.
    n_components_ : int
        Components that are more than noise.
    """

    def fit(self, X: Any, y: Any = None) -> Denoiser:
        """Measure the noise."""
        X = validate_data(self, X, dtype=np.float64)
        found = denoise(X)
        self.noise_, self.n_components_ = found.noise, found.components
        self.mean_ = X.mean(axis=0)
        if found.noise is None or found.components == 0:
            self.n_components_, self._shrunk = X.shape[1], None
            return self
        clean, noisy = found.rows - self.mean_, X - self.mean_
        vectors = np.linalg.svd(clean, full_matrices=False)[2][: found.components]
        of_clean, of_noisy = clean @ vectors.T, noisy @ vectors.T
        power = (of_noisy**2).sum(axis=0)
        shares = np.clip((of_clean * of_noisy).sum(axis=0) / np.where(power > 0, power, 1), 0, 1)
        self._shrunk = (vectors.T * shares) @ vectors
        return self

    def transform(self, X: Any) -> Array:
        """Return rows without their noise."""
        check_is_fitted(self, "noise_")
        X = validate_data(self, X, reset=False, dtype=np.float64)
        if self._shrunk is None:
            return np.array(X)
        return np.asarray(self.mean_ + (X - self.mean_) @ self._shrunk)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64"]
        return tags

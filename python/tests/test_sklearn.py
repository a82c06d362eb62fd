"""scikit-learn's own checks, and what estimators are for."""

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6")
from aezip.sklearn import AnomalyDetector, Autoencoder, Denoiser, Imputer
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks


NONE_FOUND = "the rows of this check are normally distributed: none is far from all others, so none is found"


def expected_failures(estimator):
    if getattr(estimator, "contamination", None) != "auto":
        return {}
    return {"check_outliers_train": NONE_FOUND, "check_outliers_fit_predict": NONE_FOUND}


@parametrize_with_checks(
    [
        Autoencoder(level=1, epochs=3),
        AnomalyDetector(level=1, epochs=3),
        AnomalyDetector(contamination=0.1, level=1, epochs=3),
        Imputer(),
        Denoiser(),
    ],
    expected_failed_checks=expected_failures,
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_autoencoder(waves):
    coder = Autoencoder(n_components=3, level=1, epochs=30)
    z = make_pipeline(StandardScaler(), coder).fit_transform(waves)
    assert z.shape == (1000, 3) and coder.codec_.latents == 3
    back = coder.inverse_transform(z)
    scaled = StandardScaler().fit_transform(waves)
    assert ((back - scaled) ** 2).mean() < 0.1
    assert coder.get_feature_names_out().tolist() == ["autoencoder0", "autoencoder1", "autoencoder2"]
    assert (clone(coder).fit(scaled).transform(scaled) == coder.transform(scaled)).all()
    assert Autoencoder(kind={"linear": True}, epochs=3).fit_transform(waves).shape == (1000, 2)


def test_anomaly_detector():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3)) @ rng.normal(size=(3, 10)) + 0.1 * rng.normal(size=(400, 10))
    odd = rng.choice(400, 8, replace=False)
    x[odd] = rng.permuted(x[odd], axis=1) * 1.5
    found = AnomalyDetector(contamination=0.02, epochs=20).fit_predict(x)
    assert (found[odd] == -1).sum() >= 6 and (found == -1).sum() == 8


def test_imputer_and_denoiser(waves):
    gaps = waves.astype("f8").copy()
    gaps[::7, 5] = np.nan
    filled = Imputer().fit(gaps[:500]).transform(gaps[500:])
    assert abs(filled - waves[500:]).max() < 0.2
    noisy = waves + np.random.default_rng(0).normal(size=waves.shape) * 0.1
    denoiser = Denoiser().fit(noisy[:500])
    clean = denoiser.transform(noisy[500:])
    assert 0.08 < denoiser.noise_ < 0.12
    assert ((clean - waves[500:]) ** 2).mean() < 0.2 * 0.01

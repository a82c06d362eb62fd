import numpy as np
import pytest


@pytest.fixture(scope="session")
def waves():
    """1,000 smooth rows of 32 numbers."""
    t = np.arange(1000)[:, None] * 0.01
    return np.sin(t + np.arange(32) * 0.2).astype("f4")


@pytest.fixture(scope="session")
def cube():
    """An array of three axes."""
    i, j, k = np.ogrid[:40, :20, :30]
    return (np.sin(i / 9) + np.cos(j / 7) * np.sin(k / 5)).astype("f4")


@pytest.fixture(scope="session")
def slow():
    """Rows that a network is trained on for minutes."""
    rng = np.random.default_rng(0)
    return (rng.normal(size=(20_000, 8)) @ rng.normal(size=(8, 200)) + rng.normal(size=(20_000, 200))).astype("f4")

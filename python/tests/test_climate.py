"""The compressor class for ClimateBenchPress, and bounds as its users check them."""

import importlib.util
import pathlib

import numpy as np
import pytest

import aezip

pytest.importorskip("numcodecs")
EXAMPLE = pathlib.Path(__file__).parents[1] / "examples" / "climatebenchpress.py"


@pytest.fixture(scope="module")
def compressor():
    if not EXAMPLE.exists():
        pytest.skip("the examples are not part of a package")
    spec = importlib.util.spec_from_file_location("climatebenchpress_example", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.AezipCompressor


def fields():
    rng = np.random.default_rng(5)
    z = np.cumsum(rng.standard_normal((4, 30, 40)), axis=2)
    rain = np.where(z > 0, np.exp(z - 20), 0).astype("f4")
    wind = (3 * z).astype("f4")
    masked = wind.copy()
    masked[:, 5:12, 8:30] = np.nan
    masked[0, 0, :3] = np.inf, -np.inf, -0.0
    return {"rain": rain, "wind": wind, "masked": masked, "double": np.exp(z).astype("f8"), "tiny": rain * np.float32(1e-38)}


def violations(x, y, bound, relative):
    """Count numbers beyond their bound, computed as the benchmark does, in the type of the numbers."""
    with np.errstate(all="ignore"):
        error = np.abs(x - y)
        size = np.abs(x) if relative else np.ones_like(x)
        kept = (error <= bound * size) & (np.isnan(x) == np.isnan(y))
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    return int((~(kept | same)).sum())


@pytest.mark.parametrize("name", list(fields()))
def test_bounds_of_the_benchmark_hold(compressor, name):
    x = fields()[name]
    finite = np.abs(x[np.isfinite(x)])
    for bound in (1e-2, 1e-3):
        codec = compressor.rel_bound_codec(dtype=x.dtype, error_bound=bound)
        y = codec.decode(codec.encode(x)).reshape(x.shape)
        assert y.dtype == x.dtype and violations(x, y, bound, True) == 0
        assert (np.signbit(x) == np.signbit(y)).all() and (y[x == 0] == 0).all()
        wide = x.astype("f8"), y.astype("f8")
        assert violations(*wide, bound, True) == 0
        absolute = bound * float(finite.max())
        codec = compressor.abs_bound_codec(dtype=x.dtype, error_bound=absolute)
        y = codec.decode(codec.encode(x)).reshape(x.shape)
        assert violations(x, y, absolute, False) == 0


def test_what_is_reported_is_the_largest_share():
    x = np.exp(np.random.default_rng(1).standard_normal((500, 8)) * 5)
    data = aezip.dumps(x, max_error_pointwise_rel=0.01, level=1)
    y = aezip.loads(data)
    assert aezip.open(data).promise == {"max_error_pointwise_rel": "0.01"}
    share = (np.abs(x - y) / x).max()
    assert 0.005 < share <= 0.01
    codec = aezip.train(x, max_error_pointwise_rel=0.01, level=1)
    again = aezip.loads(codec.dumps(x[::-1].copy(), max_error_pointwise_rel=0.002))
    assert (np.abs(again - x[::-1]) <= 0.002 * x[::-1]).all()
    with pytest.raises(ValueError, match="below 1"):
        aezip.dumps(x, max_error_pointwise_rel=1)


def test_a_report_has_it(tmp_path):
    x = np.exp(np.random.default_rng(1).standard_normal((500, 8)) * 5)
    report = aezip.compress(x, tmp_path / "x.aez", max_error_pointwise_rel=0.01, level=1)
    y = np.asarray(aezip.open(tmp_path / "x.aez"))
    assert report.max_error_pointwise_rel == pytest.approx((np.abs(x - y) / x).max())
    assert aezip.compress(x, tmp_path / "y.aez", nmse=0.1, level=1).max_error_pointwise_rel is None

"""Indexing a file is indexing the array in it."""

import aezip
import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

SHAPES = [(200,), (90, 7), (30, 6, 5), (12, 5, 4, 3)]


def opened(shape, **options):
    x = np.arange(np.prod(shape), dtype="i4").reshape(shape)
    return x, aezip.open(aezip.dumps(x, lossless=True, level=1, **options))


PAIRS = [opened(shape) for shape in SHAPES] + [
    opened((30, 6, 5), tile="rows")
]
TILED = np.round(100 * np.sin(np.arange(3600) / 50)).reshape(30, 12, 10).astype("f4")
PAIRS.append((TILED, aezip.open(aezip.dumps(TILED, max_error=0, level=1, tile=(4, 3, 5)))))


@pytest.mark.parametrize(("x", "f"), PAIRS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_basic_indices(x, f, data):
    key = data.draw(hnp.basic_indices(x.shape, allow_newaxis=True, allow_ellipsis=True))
    np.testing.assert_array_equal(f[key], x[key])
    assert np.shape(f[key]) == np.shape(x[key])


@pytest.mark.parametrize(("x", "f"), PAIRS)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_arrays_of_indices(x, f, data):
    key = data.draw(hnp.integer_array_indices(x.shape))
    np.testing.assert_array_equal(f[key], x[key])


@pytest.mark.parametrize(("x", "f"), PAIRS)
def test_masks_and_mixtures(x, f):
    rows = np.arange(len(x)) % 7 == 3
    np.testing.assert_array_equal(f[rows], x[rows])
    np.testing.assert_array_equal(f[x % 11 == 0], x[x % 11 == 0])
    np.testing.assert_array_equal(f[[5, -1, 5]], x[[5, -1, 5]])
    np.testing.assert_array_equal(f[[]], x[[]])
    np.testing.assert_array_equal(f[::-9], x[::-9])
    np.testing.assert_array_equal(f[np.array([[0, 9], [-2, 1]])], x[np.array([[0, 9], [-2, 1]])])
    if x.ndim > 2:
        np.testing.assert_array_equal(f[[1, 8], :, 2], x[[1, 8], :, 2])
        np.testing.assert_array_equal(f[3, [1, 2]], x[3, [1, 2]])
        np.testing.assert_array_equal(f[[0, 9], 1:3, [2, 0]], x[[0, 9], 1:3, [2, 0]])
        np.testing.assert_array_equal(f[None, [0, 9], ..., ::2], x[None, [0, 9], ..., ::2])
        np.testing.assert_array_equal(f[2, x[2] > 5], x[2, x[2] > 5])


@pytest.mark.parametrize(("x", "f"), PAIRS)
def test_take_iterate_and_whole(x, f):
    ids = np.random.default_rng(0).integers(-len(x), len(x), 40)
    np.testing.assert_array_equal(f.take(ids), x.take(ids, axis=0))
    np.testing.assert_array_equal(f.take([1, 0], axis=-1), x.take([1, 0], axis=-1))
    np.testing.assert_array_equal(f.take(3), x.take(3, axis=0))
    np.testing.assert_array_equal(f.take([]), x[[]])
    out = np.empty((40, *x.shape[1:]), x.dtype)
    assert f.take(ids, out=out) is out
    np.testing.assert_array_equal(out, x[ids])
    np.testing.assert_array_equal(np.array(list(f)), x)
    np.testing.assert_array_equal(np.asarray(f), x)
    out = np.empty_like(x)
    assert f.read(out) is out
    np.testing.assert_array_equal(out, x)
    np.testing.assert_array_equal(np.asarray(f, dtype="f8"), x)
    assert (len(f), f.shape, f.ndim, f.dtype, f.size) == (len(x), x.shape, x.ndim, x.dtype, x.size)


def test_what_is_not_there():
    x, f = PAIRS[1]
    for key in [90, -91, (0, 7), (0, 0, 0), [90], [-91], (..., ...), "a", 1.5, True, np.zeros(3, bool)]:
        with pytest.raises(IndexError):
            f[key]
    with pytest.raises(IndexError):
        f.take([90])
    with pytest.raises(IndexError):
        f.take([0], axis=2)
    with pytest.raises(TypeError):
        f.take([0.5])
    with pytest.raises(ValueError):
        f.read(np.empty((2, 2)))
    with pytest.raises(ValueError):
        np.asarray(f, copy=False)

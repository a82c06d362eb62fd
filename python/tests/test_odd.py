"""Arguments that nobody thought of are taken for what they mean, or refused in a sentence."""

import os
import pathlib
import stat

import aezip
import aezip.dataset
import numpy as np
import pytest

FAST = {"level": 1}


@pytest.fixture(scope="module")
def x():
    return np.sin(np.arange(6000.0)).reshape(60, 10, 10).astype("f4")


@pytest.fixture(scope="module", params=["file", "flat file", "data set", "flat data set"])
def pair(request, x, tmp_path_factory):
    """An array, and what it was stored as."""
    own = x.reshape(-1) if "flat" in request.param else x
    if "file" in request.param:
        return own, aezip.open(aezip.dumps(own, lossless=True, **FAST))
    place = tmp_path_factory.mktemp("set")
    return own, aezip.dataset.write([own[:20], own[20:]], place, lossless=True, **FAST)


@pytest.mark.parametrize(
    "key",
    [
        5, -1, 60, 2**70, -(2**70), ..., (), (...,), (..., 0), (0, ...), (..., 0, 0), (0, 0, 0), (0, 0, 0, 0), None, (None, 5), (None, ..., None),
        np.int8(-3), np.uint64(3), np.array(3), 1.0, "a", b"a", [], [1, 2], [-1, 0, -60], [[1, 2], [0, 1]], range(3), [5, 5, 5],
        np.array([2**63], "u8"), np.array([-61]), np.array([], int), np.array([1.0]), np.array([1, 2], object),
        slice(None, None, -1), slice(50, None, -7), slice(3, 3), slice(100, 200), slice(-1000, 5), slice(2**70), slice(0, 5, 0), slice("a"),
        slice(np.int64(1), np.int8(4)), [True, False], (slice(None), None, 3), (3, [1, 2], [3, 4]), ([1, 2], slice(None), [3, 4]), (..., ...),
    ],
    ids=str,
)  # fmt: skip
def test_indices_are_those_of_numpy(pair, key):
    array, stored = pair
    try:
        expected = array[key]
    except Exception as error:  # noqa: BLE001
        with pytest.raises(type(error)):
            stored[key]
        return
    found = stored[key]
    assert type(found) is type(expected) and np.shape(found) == np.shape(expected)
    np.testing.assert_array_equal(found, expected)


def test_what_is_filled_is_an_array(pair):
    array, stored = pair
    for work in [stored.read, lambda out: stored.take([1], out=out)]:
        with pytest.raises(TypeError, match="out is list"):
            work(out=[1.0])
    locked = np.empty(array.shape, "f4")
    locked.flags.writeable = False
    with pytest.raises((TypeError, ValueError)):
        stored.read(out=locked)


@pytest.mark.parametrize(
    ("work", "error", "says"),
    [
        (lambda c: c.sample(-1), ValueError, "count=-1"),
        (lambda c: c.sample(2.5), TypeError, "count=2.5"),
        (lambda c: c.sample(3, seed=-1), ValueError, "seed=-1"),
        (lambda c: aezip.plot(np.zeros((70, 2)), most=-1), ValueError, "most=-1"),
        (lambda c: aezip.anomalies(np.zeros((70, 2)), c, rounds=-1), ValueError, "rounds=-1"),
        (lambda c: c.finetune(np.zeros((70, 2)), np.zeros(70), epochs=-1), ValueError, "epochs=-1"),
        (lambda c: c.finetune(np.zeros((70, 2)), np.zeros(70), task=5), TypeError, "task=5"),
        (lambda c: aezip.load_codec(1), TypeError, "not int"),
        (lambda c: aezip.SharedCodec.load(1), TypeError, "not int"),
        (lambda c: aezip.open(1), TypeError, "not int"),
    ],
)
def test_numbers_that_make_no_sense(work, error, says):
    codec = aezip.train(np.sin(np.arange(140.0)).reshape(70, 2), level=1)
    with pytest.raises(error, match=says):
        work(codec)


def test_masked_arrays_without_a_mask_are_arrays(x):
    # As netCDF4 gives them.
    assert (aezip.loads(aezip.dumps(np.ma.array(x), lossless=True, **FAST)) == x).all()
    assert (aezip.loads(aezip.dumps(np.ma.array(x, mask=False), lossless=True, **FAST)) == x).all()
    with pytest.raises(ValueError, match="filled"):
        aezip.dumps(np.ma.array(x, mask=x > 0.9))


def test_errors_name_the_file(x, tmp_path):
    path = tmp_path / "x.aez"
    aezip.compress(x, path, lossless=True, **FAST)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x55
    path.write_bytes(data)
    for work in [lambda: aezip.open(path).verify(), lambda: aezip.open(path)[...], lambda: aezip.open(path).take([0, 59])]:
        with pytest.raises(aezip.CorruptError, match=r"x\.aez: "):
            work()
    path.write_bytes(data[:50])
    with pytest.raises(aezip.CorruptError, match=r"x\.aez: "):
        aezip.open(path)
    with pytest.raises(OSError, match=str(tmp_path)):
        aezip.open(tmp_path)
    with pytest.raises(IndexError, match="row 99 asked for"):
        aezip.open(aezip.dumps(x, **FAST))[99]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_pipes_are_written_to_and_not_replaced(x, tmp_path):
    import threading

    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    aezip.compress(x, pipe, lossless=True, **FAST)
    reader.join(60)
    assert stat.S_ISFIFO(pipe.stat().st_mode) and (aezip.loads(got[0]) == x).all()
    aezip.compress(x.reshape(60, -1), tmp_path / "x.aez", **FAST)
    if pytest.importorskip("pyarrow"):
        with pytest.raises(FileExistsError, match="no regular file"):
            aezip.decompress(tmp_path / "x.aez", pipe, format="parquet")
    assert stat.S_ISFIFO(pipe.stat().st_mode) and len(os.listdir(tmp_path)) == 2


def test_tables_are_written_through_links(x, tmp_path):
    pytest.importorskip("pyarrow")
    aezip.compress(x.reshape(60, -1), tmp_path / "x.aez", **FAST)
    (tmp_path / "there").mkdir()
    (tmp_path / "link.parquet").symlink_to(tmp_path / "there" / "x.parquet")
    (tmp_path / "there" / "x.parquet").write_bytes(b"old")
    aezip.decompress(tmp_path / "x.aez", tmp_path / "link.parquet")
    assert (tmp_path / "link.parquet").is_symlink() and (tmp_path / "there" / "x.parquet").stat().st_size > 3


def test_one_array_is_one_batch_of_a_data_set(x, tmp_path):
    assert aezip.dataset.write(x, tmp_path / "a", max_error=0.01, **FAST).shape == x.shape
    named = {"a": np.arange(50.0), "b": np.ones(50)}
    assert aezip.dataset.write(named, tmp_path / "b", max_error=0.01, **FAST).columns == ["a", "b"]
    path = aezip.dataset.write(x, tmp_path / "ä b#?%20&", max_error=0.01, rows_per_part=7, **FAST)._parts.store.url
    for place in [path, path + "/", os.fsencode(path), pathlib.Path(path)]:
        d = aezip.dataset.open(place)
        assert len(d.parts) == 9 and abs(d.take([59, 0]) - x[[59, 0]]).max() <= 0.01
    for wrong, error in [(0, ValueError), (-1, ValueError), (1.5, TypeError), (10**30, ValueError)]:
        with pytest.raises(error, match="rows_per_part="):
            aezip.dataset.write([x], tmp_path / "c", rows_per_part=wrong, **FAST)
    with pytest.raises(TypeError, match="codec=5 is no aezip.Codec"):
        aezip.dataset.write([x], tmp_path / "c", codec=5, **FAST)
    assert not (tmp_path / "c").exists()

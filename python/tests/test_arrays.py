"""What is written comes back within its promise, whatever it is."""

import decimal
import os
import pickle
import warnings

import aezip
import numpy as np
import pytest

FAST = {"level": 1}


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"])
def test_every_type_comes_back_bit_for_bit(dtype):
    x = (np.arange(400).reshape(50, 8) % 100).astype(dtype)
    back = aezip.loads(aezip.dumps(x, lossless=True, **FAST))
    assert back.dtype == x.dtype and back.tobytes() == x.tobytes()


@pytest.mark.parametrize("shape", [(7,), (40, 5), (6, 5, 4), (3, 4, 5, 6), (1, 1), (2, 3, 2, 3, 2)])
def test_every_shape_comes_back(shape):
    x = np.arange(np.prod(shape), dtype="f4").reshape(shape)
    back = aezip.loads(aezip.dumps(x, max_error=0.5, **FAST))
    assert back.shape == shape and abs(back - x).max() <= 0.5


def test_arrays_that_are_not_contiguous_or_native(waves):
    for x in [waves[::2, ::3], waves.T, np.asfortranarray(waves), waves.astype(">f4"), waves[::-1]]:
        back = aezip.loads(aezip.dumps(x, max_error=0.01, **FAST))
        assert back.shape == x.shape and abs(back - x).max() <= 0.01
        assert back.dtype.isnative


def test_contiguous_arrays_are_not_copied(waves):
    from aezip._arrays import as_rows

    assert np.shares_memory(as_rows(waves)[0], waves)


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (np.array([True, False]), "astype('u1')"),
        (np.array([1j]), "x.real"),
        (np.array(["a"]), "astype"),
        (np.array([None]), "astype('f8')"),
        (np.array(1.5), "reshape(1)"),
        (np.zeros((0, 3)), "nothing to store"),
        (np.zeros((3, 0)), "nothing to store"),
        (np.array(["2020"], "M8[D]"), "astype('i8')"),
        (np.ma.masked_equal([1.0, 2.0], 2), "filled"),
    ],
)
def test_what_no_file_holds_is_refused_with_a_remedy(x, says):
    with pytest.raises(ValueError, match=".") as error:
        aezip.dumps(x)
    assert says in str(error.value)


def test_lists_and_arrow_and_frames():
    assert aezip.loads(aezip.dumps([[1, 2], [3, 4]], lossless=True)).tolist() == [[1, 2], [3, 4]]
    pa = pytest.importorskip("pyarrow")
    column = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(12.0)), 3)
    assert aezip.loads(aezip.dumps(column, lossless=True)).shape == (4, 3)
    table = pa.table({"a": [1.5, None, 2.0], "b": [1.0, 2.0, 3.0]})
    back = aezip.loads(aezip.dumps(table, lossless=True, **FAST))
    assert back.shape == (3, 2) and np.isnan(back[1, 0])
    with pytest.raises(ValueError, match="leave it out"):
        aezip.dumps(pa.table({"a": ["x"]}))
    pd = pytest.importorskip("pandas")
    assert aezip.loads(aezip.dumps(pd.DataFrame({"a": [1.0, 2.0]}), lossless=True)).shape == (2, 1)
    nullable = pd.DataFrame({"a": [1, None]}, index=[7, 9]).convert_dtypes()
    back = aezip.loads(aezip.dumps(nullable, lossless=True))
    assert back.shape == (2, 1) and back[0, 0] == 1 and np.isnan(back[1, 0])


class Stream:
    """Whatever has the C interface for streams, and nothing else."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


def test_streams_of_arrow():
    pa = pytest.importorskip("pyarrow")
    x = np.arange(24.0).reshape(8, 3)
    table = pa.table({name: x[:, j] for j, name in enumerate("abc")})
    cut = pa.concat_tables([table[:3], table[3:3], table[3:]])
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(x.reshape(-1)), 3)
    lists = pa.chunked_array([pa.array(x[:5].tolist()), pa.array(x[5:].tolist())])
    tensors = pa.FixedShapeTensorArray.from_numpy_ndarray(x.reshape(8, 3))
    for kind in [
        cut, Stream(cut), pa.RecordBatchReader.from_batches(cut.schema, cut.to_batches()), table.to_batches()[0],
        pa.StructArray.from_arrays([table["a"].chunk(0), table["b"].chunk(0), table["c"].chunk(0)], "abc"),
        vectors, lists, Stream(lists), Stream(pa.table({"v": lists})), pa.table({"v": vectors}), pa.chunked_array([vectors[:2], vectors[2:]]),
        tensors, pa.table({"v": tensors}), pa.chunked_array([tensors]),
    ]:  # fmt: skip
        np.testing.assert_array_equal(aezip.loads(aezip.dumps(kind, lossless=True)), x, str(type(kind)))
    deep = pa.FixedSizeListArray.from_arrays(pa.FixedSizeListArray.from_arrays(pa.array(x.reshape(-1)), 3), 4)
    np.testing.assert_array_equal(aezip.loads(aezip.dumps(deep, lossless=True)), x.reshape(2, 4, 3))
    for wrong, says in [
        (pa.table({"a": [1, 2], "v": [[1.0], [2.0]]}), "holds rows: give it alone"),
        (pa.table({"v": [[1.0], [2.0, 3.0]]}), "different lengths, such as 1 and 2"),
        (pa.array([[1.0], None]), "1 vectors that are null"),
        (pa.table({"a": [2**60 + 1, 2], "b": [0.5, 1.0]}), "beyond 2\\^53"),
        (pa.array([2**60 + 1, None]), "beyond 2\\^53"),
        (Stream(pa.table({"a": ["x"]})), "leave it out"),
        (Stream(pa.table({})), "without columns"),
        (pa.array([{"a": 1}, None]), "1 rows that are null"),
    ]:
        with pytest.raises(ValueError, match=says):
            aezip.dumps(wrong, lossless=True)


def test_frames_of_polars():
    pl = pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    x = np.arange(24.0).reshape(8, 3)
    for frame in [pl.DataFrame(x), pl.DataFrame({"v": x}), pl.DataFrame({"v": x.tolist()}), pl.Series(x), pl.Series(x.tolist())]:
        np.testing.assert_array_equal(aezip.loads(aezip.dumps(frame, lossless=True)), x)
    back = aezip.loads(aezip.dumps(pl.DataFrame({"a": [1, None], "b": [2.5, 3.0]}), lossless=True))
    assert np.isnan(back[1, 0]) and back[0].tolist() == [1, 2.5]


def test_narrow_floats_of_others_are_floats_of_32_bits():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    for dtype in [ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn]:
        x = np.sin(np.arange(600.0)).reshape(100, 6).astype(dtype)
        f = aezip.open(aezip.dumps(x, lossless=True))
        assert f.dtype == np.float32
        back = np.asarray(f, dtype=dtype)
        assert back.dtype == x.dtype and (back == x).all()


@pytest.mark.parametrize(
    "promise",
    [
        {"max_error": 0.01}, {"max_error": "1e-2"}, {"max_error": decimal.Decimal("0.01")},
        {"max_error": np.float64(0.01)}, {"max_error": {"3": 0.1, "*": 0.01}}, {"max_error_rel": 0.001},
        {"nmse": 0.01}, {"psnr": 30}, {"cosine": 0.99}, {"row_nmse": 0.1}, {"row_cosine": 0.9}, {"row_l2": 3.0},
        {"max_error_pointwise_rel": 0.01},
        {"ratio": 4}, {"bytes_per_row": 20}, {"lossless": True}, {},
    ],
)  # fmt: skip
def test_every_promise_is_kept_and_told(waves, promise, tmp_path):
    report = aezip.compress(waves, tmp_path / "a.aez", **promise, **FAST)
    f = aezip.open(tmp_path / "a.aez")
    expected = next(iter(promise), "max_error_rel")
    assert list(f.promise) == list(report.promise) == [expected]
    assert report.bytes_out == os.path.getsize(tmp_path / "a.aez")
    assert abs(np.asarray(f) - waves).max() <= report.max_error * 1.000001
    again = aezip.dumps(waves, **f.promise, **FAST)
    assert again == (tmp_path / "a.aez").read_bytes()


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"max_error": 1, "nmse": 0.1}, ValueError, "one promise"),
        ({"max_error": -1}, ValueError, "0 or more"),
        ({"nmse": "much"}, ValueError, "much"),
        ({"level": 0}, ValueError, "level 0"),
        ({"level": "high"}, TypeError, "level='high'"),
        ({"max_eror": 1}, TypeError, "max_eror"),
        ({"hidden": [0]}, ValueError, "hidden layer"),
        ({"tile": "small"}, ValueError, "auto"),
        ({"activation": "sin"}, ValueError, "gelu"),
        ({"denoise": "salt"}, ValueError, "gaussian:0.1"),
        ({"mask_patches": "4"}, ValueError, "4x4:0.75"),
        ({"transformer": True}, ValueError, "patches"),
        ({"mask_patches": "8:0.5", "transformer": {"width": 8}}, ValueError, "heads"),
        ({"tile": (2, 2, 2)}, ValueError, "leave out the tile"),
        ({"shape": (3, 3), "max_error": 0.1}, ValueError, "shape"),
        ({"threads": 5000}, ValueError, "threads"),
    ],
)
def test_options_that_make_no_sense_are_refused(waves, options, error, says):
    with pytest.raises(error) as raised:
        aezip.dumps(waves, **options)
    assert says in str(raised.value)


def test_options_reach_the_library(waves, cube):
    codec = aezip.train(waves, hidden=[16], latent=3, epochs=2, batch=64, lr=0.01, activation="gelu", seed=7)
    assert codec.latents == 3
    kinds = [{"linear": True}, {"sparse": 0.1}, {"denoise": ["gaussian:0.1", "zero:0.2"]}, {"loss": "mse"},
             {"variational": 1.0}, {"contractive": 0.1}, {"mask_patches": "8:0.5"}]  # fmt: skip
    for kind in kinds:
        assert aezip.train(waves, latent=2, epochs=1, **kind).has_network
    masked = aezip.train(waves, epochs=1, mask_patches="8:0.5", transformer={"dim": 8, "heads": 2})
    assert masked.embed(waves).shape == (len(waves), 8)
    f = aezip.open(aezip.dumps(cube, max_error=0.01, tile=(4, 5, 6), **FAST))
    assert f.info["tile"] == [4, 5, 6]
    assert aezip.dumps(waves, level=None, hidden=None, max_error=0.1) == aezip.dumps(waves, max_error=0.1)


def test_fill_values_are_warned_of(waves):
    x = waves.copy()
    x[::50, 3] = 1e20
    with pytest.warns(aezip.FillValueWarning, match="1e\\+20"):
        data = aezip.dumps(x, max_error=0.01, **FAST)
    assert (aezip.loads(data)[::50, 3] == np.float32(1e20)).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        aezip.dumps(x, max_error=0.01, fill_value=1e20, **FAST)


def test_errors_are_of_their_kinds(waves, tmp_path):
    with pytest.raises(FileNotFoundError, match="cannot open"):
        aezip.open(tmp_path / "none.aez")
    with pytest.raises(FileNotFoundError, match="cannot create"):
        aezip.compress(waves, tmp_path / "no" / "a.aez", **FAST)
    with pytest.raises(aezip.CorruptError):
        aezip.open(b"not a file of numbers" * 10)
    data = bytearray(aezip.dumps(waves, **FAST))
    for at in range(0, len(data), max(len(data) // 30, 1)):
        broken = data.copy()
        broken[at] ^= 0x55
        with pytest.raises((aezip.CorruptError, ValueError)):
            aezip.open(broken).verify()
    for length in range(0, len(data), max(len(data) // 30, 1)):
        with pytest.raises(aezip.CorruptError):
            aezip.open(data[:length]).verify()


def test_a_file_is_replaced_and_nothing_else_is_left(waves, tmp_path):
    path = tmp_path / "a.aez"
    path.write_bytes(b"old")
    path.chmod(0o640)
    aezip.compress(waves, path, **FAST)
    assert [p.name for p in tmp_path.iterdir()] == ["a.aez"]
    assert path.stat().st_mode & 0o777 == 0o640
    with pytest.raises(ValueError):
        aezip.compress(waves, path, nmse=5)
    assert aezip.open(path).shape == waves.shape
    assert [p.name for p in tmp_path.iterdir()] == ["a.aez"]


def test_files_are_those_of_the_program(waves):
    assert aezip.dumps(waves, nmse=0.01, threads=1, **FAST) == aezip.dumps(waves, nmse=0.01, threads=3, **FAST)


def test_files_and_codecs_are_pickled(waves, tmp_path):
    aezip.compress(waves, tmp_path / "a.aez", **FAST)
    for f in [aezip.open(tmp_path / "a.aez"), aezip.open((tmp_path / "a.aez").read_bytes())]:
        assert (pickle.loads(pickle.dumps(f))[5] == f[5]).all()
    codec = aezip.train(waves, **FAST)
    assert (pickle.loads(pickle.dumps(codec)).embed(waves) == codec.embed(waves)).all()


def test_views_of_notebooks(waves):
    f = aezip.open(aezip.dumps(waves, max_error=0.01, **FAST))
    assert "max_error=0.01" in repr(f) and "times smaller" in f._repr_html_()
    codec = aezip.train(waves, **FAST)
    assert "latents" in repr(codec) and "linear" in codec._repr_html_()

"""Chunks of numcodecs and zarr come back, whatever they are."""

import array

import aezip
import numpy as np
import pytest

numcodecs = pytest.importorskip("numcodecs")
DTYPES = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16", "M8[s]", "m8[ms]"]


def numbers(shape, dtype):
    x = np.sin(np.arange(np.prod(shape)) * 0.1).reshape(shape)
    kind = np.dtype(dtype).kind
    if kind == "c":
        return (x + 1j * x[::-1]).astype(dtype)
    return (x * 100).astype("i8").astype(dtype) if kind in "iumM" else (x > 0 if kind == "b" else x).astype(dtype)


@pytest.mark.parametrize("dtype", [*DTYPES, ">f4", ">i2", "S5", "U3"])
@pytest.mark.parametrize("order", "CF")
def test_numcodecs_gives_the_same_bytes(dtype, order):
    x = np.array(numbers((20, 30), "f4") * 1000, order=order)
    x = np.asarray(x.astype("i4") if np.dtype(dtype).kind in "mM" else x, order=order).astype(dtype, order=order)
    codec = numcodecs.get_codec({"id": "aezip"})
    data = codec.encode(x)
    back = codec.decode(data)
    native = x.astype(x.dtype.newbyteorder("="), order="K")
    expected = native if x.dtype.kind not in "SU" else x
    assert back.tobytes() == expected.tobytes("A" if order == "F" else "C") or back.tobytes() == expected.T.tobytes()
    out = np.empty_like(expected, order=order)
    if x.dtype.kind not in "SU":
        codec.decode(data, out=out)
        np.testing.assert_array_equal(out, expected)


def test_numcodecs_takes_whatever_has_bytes():
    codec = numcodecs.get_codec({"id": "aezip"})
    for buf in [b"some bytes" * 9, bytearray(b"more" * 30), array.array("i", range(100)), memoryview(b"abcd" * 20)]:
        assert bytes(np.asarray(codec.decode(codec.encode(buf))).tobytes()) == bytes(memoryview(buf).cast("B"))
    assert codec.decode(codec.encode(np.empty(0))).size == 0


def test_numcodecs_configuration():
    codec = numcodecs.get_codec({"id": "aezip", "max_error": 0.5, "level": 2})
    assert numcodecs.get_codec(codec.get_config()) == codec
    assert eval(repr(codec), {"Aezip": type(codec)}) == codec
    x = numbers((50, 40), "f8")
    assert abs(codec.decode(codec.encode(x)) - x).max() <= 0.5
    with pytest.raises(TypeError, match="max_eror"):
        numcodecs.get_codec({"id": "aezip", "max_eror": 0.5})


zarr = pytest.importorskip("zarr", minversion="3")
CASES = [((97,), (40,)), ((60, 50), (25, 20)), ((60, 50), (60, 50)), ((20, 9, 8), (7, 9, 3)), ((6, 5, 4, 3), (3, 5, 2, 3))]


@pytest.mark.filterwarnings("ignore:.*does not have a Zarr V3 specification")
@pytest.mark.parametrize("dtype", [*DTYPES, "S5", "U3"])
@pytest.mark.parametrize(("shape", "chunks"), CASES)
def test_zarr_gives_the_same_array_and_parts(dtype, shape, chunks):
    from aezip.zarr import AezipCodec

    x = numbers(shape, "i4" if np.dtype(dtype).kind in "SU" else dtype).astype(dtype)
    store = zarr.storage.MemoryStore()
    zarr.create_array(store, data=x, chunks=chunks, serializer=AezipCodec(), compressors=None)
    z = zarr.open_array(store, mode="r")
    np.testing.assert_array_equal(z[...], x)
    for key in [np.s_[5], np.s_[3:5], np.s_[-4:], np.s_[1:6:2], np.s_[...]]:
        np.testing.assert_array_equal(z[key], x[key])
    if x.ndim > 1:
        np.testing.assert_array_equal(z[2:5, 3], x[2:5, 3])
        np.testing.assert_array_equal(z.oindex[[1, 4]], x[[1, 4]])
    if x.ndim == 2:
        np.testing.assert_array_equal(z.vindex[[1, 4], [0, 3]], x[[1, 4], [0, 3]])


def test_zarr_keeps_promises_and_decodes_parts():
    from aezip.zarr import AezipCodec

    x = numbers((400, 300), "f4")
    z = zarr.create_array({}, data=x, chunks=(200, 300), serializer=AezipCodec(max_error=0.01), compressors=None)
    assert abs(z[...] - x).max() <= 0.01 and z.nbytes_stored() < x.nbytes / 4
    assert z.metadata.to_dict()["codecs"][0]["configuration"]["max_error"] == 0.01
    z[5, 7] = 40
    assert abs(z[5, 7] - 40) <= 0.01
    single = zarr.create_array({}, data=np.array(2.5), serializer=AezipCodec(), compressors=None)
    assert single[()] == 2.5


def test_xarray_goes_through_zarr(tmp_path):
    xr = pytest.importorskip("xarray")
    from aezip.zarr import AezipCodec

    x = numbers((24, 10, 12), "f4")
    ds = xr.Dataset({"t": (("time", "lat", "lon"), x)}, {"time": np.arange(24), "lat": np.arange(10.0)})
    encoding = {"t": {"serializer": AezipCodec(max_error=0.01), "compressors": None, "chunks": (12, 10, 12)}}
    ds.to_zarr(tmp_path / "x.zarr", encoding=encoding, zarr_format=3, consolidated=False)
    back = xr.open_zarr(tmp_path / "x.zarr", consolidated=False)
    assert abs(back.t.values - x).max() <= 0.01 and (back.lat == ds.lat).all()


def test_what_a_chunk_is_not():
    from aezip import _chunks

    with pytest.raises(ValueError, match="expected"):
        _chunks.decode(_chunks.encode(np.zeros((3, 4)), {"lossless": True}), np.dtype("f8"), (4, 3))
    with pytest.raises(ValueError, match="objects"):
        _chunks.encode(np.array([None]), {})
    with pytest.raises(aezip.CorruptError):
        _chunks.decode(b"nothing at all", np.dtype("f8"), (4, 3))

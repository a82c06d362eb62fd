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


def test_numcodecs_with_a_shared_codec(tmp_path):
    from aezip import _shared
    from aezip.numcodecs import Aezip

    t = np.arange(6000).reshape(60, 100)[:, :, None]
    x = np.sin(t * 0.002 + np.arange(24) * 0.3).astype("f4")
    learned = aezip.train(x[:30].reshape(-1, 24), max_error=0.01, level=1)
    codec = Aezip(codec=learned, max_error=0.01)
    own = numcodecs.get_codec({"id": "aezip", "max_error": 0.01})
    chunks = [codec.encode(chunk) for chunk in x]
    assert sum(map(len, chunks)) < 0.9 * sum(len(own.encode(chunk)) for chunk in x)
    assert all(abs(codec.decode(data) - chunk).max() <= 0.01 for data, chunk in zip(chunks, x))
    assert numcodecs.get_codec(codec.get_config()) == codec and codec.get_config()["codec"] == codec.codec
    # Other numbers than the codec was learned for have a model of their own.
    for other in [x[0].astype("f8"), x[0, :, :5], np.arange(10) > 3]:
        data = codec.encode(other)
        assert _shared.reference(data) is None and abs(codec.decode(data).astype("f8") - other).max() <= 0.01
    # Elsewhere the codec is not known until it is loaded.
    path = _shared.known(codec.codec).save(tmp_path)
    assert path.endswith(f"codec-{codec.codec}.aez")
    _shared.forget()
    codec = numcodecs.get_codec(codec.get_config())
    for work in [lambda: codec.decode(chunks[0]), lambda: codec.encode(x[0])]:
        with pytest.raises(ValueError, match="SharedCodec.load"):
            work()
    aezip.SharedCodec.load(path)
    assert abs(codec.decode(chunks[0]) - x[0]).max() <= 0.01
    for wrong in [chunks[0][:30], chunks[0][:60], chunks[0][:44] + b"\xff" * 4 + chunks[0][48:], chunks[0][:-1]]:
        with pytest.raises(aezip.CorruptError):
            codec.decode(wrong)


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


@pytest.mark.filterwarnings("ignore:.*does not have a Zarr V3 specification")
@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"])
@pytest.mark.parametrize(("shape", "chunks"), CASES)
def test_zarr_chunks_share_a_codec_beside_the_array(dtype, shape, chunks):
    from aezip import _shared
    from aezip.zarr import AezipCodec, SharedAezipCodec

    x = numbers(shape, dtype)
    exact = np.dtype(dtype).kind in "iu"
    codec = SharedAezipCodec.train(x, chunks, level=1, **({} if exact else {"max_error": 0.01}))
    assert AezipCodec.from_dict(codec.to_dict()) == codec
    store = zarr.storage.MemoryStore()
    group = zarr.open_group(store, mode="w")
    group.create_array("a/b", data=x, chunks=chunks, serializer=codec, compressors=None)
    assert f"a/b/codec-{codec.codec}.aez" in store._store_dict
    data = next(v for k, v in store._store_dict.items() if k.startswith("a/b/c/")).to_bytes()
    assert _shared.reference(data) == codec.codec
    _shared.forget()
    z = zarr.open_array(store, path="a/b", mode="r")
    np.testing.assert_allclose(z[...], x, atol=0 if exact else 0.0151, rtol=0)
    for key in [np.s_[5], np.s_[3:5], np.s_[-4:], np.s_[1:6:2]]:
        np.testing.assert_array_equal(z[key], z[...][key])
    if x.ndim > 1:
        np.testing.assert_array_equal(z[2:5, 3], z[...][2:5, 3])
        np.testing.assert_array_equal(z.oindex[[1, 4]], z[...][[1, 4]])
    w = zarr.open_array(store, path="a/b")
    w[5], w[1:3] = 7, x[4:6]
    back = x.copy()
    back[5], back[1:3] = 7, x[4:6]
    np.testing.assert_allclose(w[...], back, atol=0 if exact else 0.0301, rtol=0)


def test_zarr_says_when_a_shared_codec_is_missing_or_another(tmp_path):
    from aezip import _shared
    from aezip.zarr import SharedAezipCodec

    x = numbers((400, 30), "f4")
    codec = SharedAezipCodec.train(x, (50, 30), max_error=0.01, level=1)
    assert zarr.open_array({}, mode="w", shape=4, dtype="f4") is not None
    z = zarr.create_array(tmp_path / "a", data=x, chunks=(50, 30), serializer=codec, compressors=None)
    file = tmp_path / "a" / f"codec-{codec.codec}.aez"
    assert abs(z[...] - x).max() <= 0.01
    stored = file.read_bytes()
    for wrong, what in [(None, "neither beside the array"), (stored[:-9], "another file"), (b"", "another file")]:
        _shared.forget()
        file.unlink(missing_ok=True)
        if wrong is not None:
            file.write_bytes(wrong)
        with pytest.raises(ValueError, match=what):
            zarr.open_array(tmp_path / "a")[0]
    file.write_bytes(stored)
    assert abs(zarr.open_array(tmp_path / "a", mode="r")[7] - x[7]).max() <= 0.01
    # An empty chunk is none, and what cannot be kept beside the array is refused.
    z[:50] = 0
    assert (z[:50] == 0).all() and not (tmp_path / "a" / "c" / "0" / "0").exists()
    with pytest.raises(ValueError, match="no shards"):
        zarr.create_array({}, data=x, chunks=(50, 30), shards=(100, 30), serializer=codec, compressors=None)
    with pytest.raises(ValueError, match="compressors=None"):
        zarr.create_array({}, data=x, chunks=(50, 30), serializer=codec)
    with pytest.raises(ValueError, match="numbers"):
        SharedAezipCodec.train(x > 0, (50, 30))
    with pytest.raises(ValueError, match="chunks of shape"):
        SharedAezipCodec.train(x, (50,))


def test_xarray_shares_a_codec(tmp_path):
    xr = pytest.importorskip("xarray")
    from aezip import _shared
    from aezip.zarr import SharedAezipCodec

    x = numbers((48, 10, 12), "f4")
    ds = xr.Dataset({"t": (("time", "lat", "lon"), x)}, {"time": np.arange(48), "lat": np.arange(10.0)})
    codec = SharedAezipCodec.train(ds.t, (12, 10, 12), max_error=0.01, level=1)
    encoding = {"t": {"serializer": codec, "compressors": None, "chunks": (12, 10, 12)}}
    ds.to_zarr(tmp_path / "x.zarr", encoding=encoding, zarr_format=3, consolidated=False)
    _shared.forget()
    back = xr.open_zarr(tmp_path / "x.zarr", consolidated=False)
    assert abs(back.t.values - x).max() <= 0.01 and abs(back.t[30, 4].values - x[30, 4]).max() <= 0.01


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


def test_options_of_chunks_are_checked_at_once_and_go_into_metadata():
    import decimal
    import json

    from aezip.numcodecs import Aezip
    from aezip.zarr import AezipCodec, SharedAezipCodec

    x = numbers((60, 50), "f8")
    for options in [
        {"max_error": np.float32(0.01)}, {"max_error": np.float64(0.01)}, {"max_error": decimal.Decimal("0.01")}, {"max_error": np.array(0.01)},
        {"max_error": {"*": np.float32(0.01), 0: 0.01}}, {"max_error": 0.01, "level": np.int64(1)}, {"max_error": 0.01, "fill_value": np.array([7.0, 8.0])},
        {"max_error": 0.01, "tile": (5, 5)}, {"max_error": 0.01, "hidden": np.array([4]), "epochs": 1},
    ]:  # fmt: skip
        codec = AezipCodec(**options)
        again = AezipCodec.from_dict(json.loads(json.dumps(codec.to_dict())))
        assert again == codec and hash(again) == hash(codec)
        z = zarr.create_array({}, data=x, chunks=(30, 50), serializer=codec, compressors=None)
        assert abs(z[...] - x).max() <= 0.01
        other = Aezip(**options)
        assert numcodecs.get_codec(json.loads(json.dumps(other.get_config()))) == other
    shared = SharedAezipCodec.train(x.tolist(), (30, 50), max_error={"*": 0.01}, level=1)
    assert len({shared, SharedAezipCodec(shared.codec, max_error={"*": 0.01})}) == 1
    for wrong, says in [({"level": 77}, "level 77"), ({"max_error": "x"}, "decimal"), ({"max_error": 1, "nmse": 0.1}, "one promise"), ({"lr": -1}, "rate")]:
        for make in [AezipCodec, Aezip]:
            with pytest.raises(ValueError, match=says):
                make(**wrong)
    with pytest.raises(ValueError, match="chunks of shape"):
        SharedAezipCodec.train(x, 30, max_error=0.01)

"""Codecs that chunks share stay with those who hold them: in threads, among many, in other processes."""

import gc
import multiprocessing
import pickle
import threading

import aezip
import numpy as np
import pytest
from aezip import _shared

numcodecs = pytest.importorskip("numcodecs")
zarr = pytest.importorskip("zarr", minversion="3")

BOUND = 0.01


def waves(number=0, rows=300, width=12):
    t = np.arange(rows)[:, None] * 0.01 + number
    return (np.sin(t + np.arange(width)) * (1 + number)).astype("f4")


def learned(number=0):
    return aezip.train(waves(number), max_error=BOUND, level=1)


def write_first_chunk(array, x):
    """What another process does: it was handed the array, and nothing is beside it yet."""
    array[:50] = x[:50]


def encode_elsewhere(codec, x, out):
    out.put(codec.encode(x))


def in_another_process(work, *args):
    process = multiprocessing.get_context("spawn").Process(target=work, args=args)
    process.start()
    process.join(120)
    assert process.exitcode == 0


def test_another_process_writes_the_first_chunk(tmp_path):
    from aezip.zarr import SharedAezipCodec

    x = waves()
    codec = SharedAezipCodec(learned(), max_error=BOUND)
    z = zarr.create_array(tmp_path / "z", shape=x.shape, chunks=(50, 12), dtype="f4", serializer=codec, compressors=None)
    assert not list((tmp_path / "z").glob("codec-*"))
    in_another_process(write_first_chunk, z, x)
    assert (tmp_path / "z" / codec.shared.name).read_bytes() == codec.shared.data
    assert codec.codec in (tmp_path / "z" / "zarr.json").read_text()
    assert len((tmp_path / "z" / "zarr.json").read_text()) < 4000
    _shared.forget()
    assert abs(zarr.open_array(tmp_path / "z", mode="r")[:50] - x[:50]).max() <= BOUND


def test_dask_processes_write_the_first_chunks(tmp_path):
    da = pytest.importorskip("dask.array")
    from aezip.zarr import SharedAezipCodec

    x = waves()
    codec = SharedAezipCodec(learned(), max_error=BOUND)
    z = zarr.create_array(tmp_path / "z", shape=x.shape, chunks=(50, 12), dtype="f4", serializer=codec, compressors=None)
    da.store(da.from_array(x, chunks=(50, 12)), z, lock=False, scheduler="processes", num_workers=2)
    assert abs(zarr.open_array(tmp_path / "z", mode="r")[...] - x).max() <= BOUND


def test_numcodecs_codec_goes_to_another_process_with_its_model():
    from aezip.numcodecs import Aezip

    codec, x = Aezip(codec=learned(), max_error=BOUND), waves(rows=40)
    out = multiprocessing.get_context("spawn").SimpleQueue()
    in_another_process(encode_elsewhere, codec, x, out)
    chunk = out.get()
    assert _shared.reference(chunk) == codec.codec and abs(codec.decode(chunk) - x).max() <= BOUND
    assert set(codec.get_config()) == {"id", "codec", "max_error", "level"}


def test_pickles_hold_the_codec_and_find_one_that_is_there():
    from aezip.numcodecs import Aezip
    from aezip.zarr import SharedAezipCodec

    shared = aezip.SharedCodec(learned())
    assert pickle.loads(pickle.dumps(shared)) is shared
    stored = pickle.dumps([shared, Aezip(codec=shared, max_error=BOUND), SharedAezipCodec(shared, max_error=BOUND)])
    data = shared.data
    _shared.forget()
    again, codec, serializer = pickle.loads(stored)
    assert again is not shared and again.data == data and again is codec.shared is serializer.shared
    assert serializer == SharedAezipCodec(again, max_error=BOUND) and hash(serializer) == hash(serializer)


def test_a_hundred_codecs_are_alive():
    from aezip.numcodecs import Aezip
    from aezip.zarr import SharedAezipCodec

    codecs = [Aezip(codec=learned(n), max_error=BOUND) for n in range(100)]
    assert len({codec.codec for codec in codecs}) == 100
    chunks = [codec.encode(waves(n, rows=20)) for n, codec in enumerate(codecs)]
    assert all(_shared.reference(chunk) == codec.codec for chunk, codec in zip(chunks, codecs))
    # Known while someone holds them, by whoever has the configuration or nothing at all.
    anyone = numcodecs.get_codec({"id": "aezip"})
    for n, (codec, chunk) in enumerate(zip(codecs, chunks)):
        for reader in [codec, anyone, numcodecs.get_codec(codec.get_config())]:
            assert abs(reader.decode(chunk) - waves(n, rows=20)).max() <= BOUND
    arrays = []
    for n, codec in enumerate(codecs):
        z = zarr.create_array(
            {}, shape=(20, 12), chunks=(20, 12), dtype="f4", compressors=None,
            serializer=SharedAezipCodec(codec.codec, max_error=BOUND),
        )  # fmt: skip
        arrays.append(z)
    del codec, codecs, anyone, reader
    gc.collect()
    for n, z in enumerate(arrays):
        z[...] = waves(n, rows=20)
        assert abs(z[...] - waves(n, rows=20)).max() <= BOUND


def test_codecs_that_were_loaded_stay_and_others_make_room(tmp_path):
    first = aezip.SharedCodec(learned())
    chunk, path = first.encode(waves(rows=20), {"max_error": BOUND}), first.save(tmp_path)
    hash = first.hash
    del first
    for n in range(1, 70):
        aezip.SharedCodec(learned(n))
    gc.collect()
    assert _shared.known(hash) is None
    with pytest.raises(ValueError, match="SharedCodec.load"):
        _shared.whole(chunk)
    aezip.SharedCodec.load(path)
    for n in range(1, 70):
        aezip.SharedCodec(learned(n))
    gc.collect()
    assert abs(aezip.loads(_shared.whole(chunk)) - waves(rows=20)).max() <= BOUND


def test_threads_make_and_read_codecs_at_the_same_time():
    from aezip.numcodecs import Aezip

    models = [learned(n).to_bytes() for n in range(8)]
    failed = []

    def work(first):
        try:
            for n in range(first, first + 200):
                codec = Aezip(codec=aezip.SharedCodec.from_bytes(models[n % 8]), max_error=BOUND)
                if n % 5 == 0:
                    _shared.forget()
                if n % 20 == 0:
                    x = waves(n % 8, rows=5)
                    assert abs(codec.decode(codec.encode(x)) - x).max() <= BOUND
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed[0]


@pytest.mark.parametrize("promise", ["nmse", "psnr", "cosine", "ratio", "bytes_per_row", "row_l2", "max_error_pointwise_rel"])
def test_promises_that_a_shared_model_cannot_keep_are_refused_before_learning(promise, monkeypatch):
    from aezip import zarr as codecs
    from aezip.numcodecs import Aezip

    shared = aezip.SharedCodec(learned())
    monkeypatch.setattr(codecs, "train", lambda *_, **__: pytest.fail("it learned"))
    for work in [
        lambda: codecs.SharedAezipCodec.train(waves(), (50, 12), **{promise: 0.5}),
        lambda: codecs.SharedAezipCodec(shared, **{promise: 0.5}),
        lambda: Aezip(codec=shared, **{promise: 0.5}),
    ]:
        with pytest.raises(ValueError, match=f"{promise} is kept by a model fitted to each chunk"):
            work()


def test_what_is_no_codec_is_refused():
    from aezip.numcodecs import Aezip
    from aezip.zarr import AezipCodec, SharedAezipCodec

    hash = aezip.SharedCodec(learned()).hash
    for make in [SharedAezipCodec, lambda codec: Aezip(codec=codec), aezip.SharedCodec]:
        for wrong in [5, object(), b"a" * 64, ["a" * 64], np.zeros(3)]:
            with pytest.raises(TypeError, match="no aezip.Codec|neither a Codec"):
                make(wrong)
    for make in [SharedAezipCodec, lambda codec: Aezip(codec=codec)]:
        for wrong in ["", "abc", "g" * 64, hash + "\n", hash[:-1], "٣" * 64]:
            with pytest.raises(ValueError, match="64 digits"):
                make(wrong)
        assert make(hash.upper()).codec == hash
    with pytest.raises(TypeError, match="neither a Codec"):
        SharedAezipCodec(None)
    with pytest.raises(TypeError, match="neither a Codec"):
        AezipCodec.from_dict({"name": "aezip", "configuration": {"codec": None}})
    assert Aezip(codec=None).codec is None


def test_shared_codecs_take_whatever_has_bytes(tmp_path):
    shared = aezip.SharedCodec(learned())
    x = waves(rows=10)
    assert shared.takes(x[:0]) and shared.takes(x) and not shared.takes(x[:0, :5]) and not shared.takes(x[0, 0])
    chunk = shared.encode(x, {"max_error": BOUND})
    for kind in [bytes, bytearray, memoryview]:
        assert (aezip.loads(shared.whole(kind(chunk))) == aezip.loads(_shared.whole(kind(chunk)))).all()
        assert _shared.reference(kind(chunk)) == shared.hash
        assert aezip.SharedCodec.from_bytes(kind(shared.data)).hash == shared.hash
        assert aezip.load_codec(kind(shared.data)).latents == shared.codec.latents
    for wrong, what in [(b"", "is empty"), (aezip.dumps(x), "a model of its own"), (chunk[:8] + bytes(40), "refers to codec-0")]:
        with pytest.raises(ValueError, match=what):
            shared.whole(wrong)
    for wrong in [5, "text", None]:
        with pytest.raises(TypeError):
            shared.whole(wrong)

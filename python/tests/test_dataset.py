"""Data sets: parts as one array, here and far away; what a manifest may not say."""

import contextlib
import http.server
import json
import os
import pathlib
import pickle
import threading

import aezip
import aezip.dataset
import numpy as np
import pytest
from aezip.dataset import remote, writer
from aezip.dataset.manifest import Manifest
from aezip.dataset.rows import rows_of

BOUND = 0.01
CUTS = [0, 300, 301, 700, 1000]


@pytest.fixture(scope="module")
def place(waves, tmp_path_factory):
    """A data set of 4 parts, one of them of a single row."""
    folder = tmp_path_factory.mktemp("dataset")
    pieces = (waves[a:b] for a, b in zip(CUTS, CUTS[1:]))
    aezip.dataset.write(pieces, folder, sample=waves, max_error=BOUND, level=1)
    return folder


INDICES = [
    5, -1, slice(None), slice(295, 305), slice(999, 1), slice(None, None, -3), slice(0, 1000, 97), (slice(290, 710), 3),
    (..., slice(3, 5)), [999, 0, 300, 300, 301], np.arange(1000) % 7 == 0, (None, 300), ([1, 2, 999], [0, 1, 2]),
]  # fmt: skip


@pytest.mark.parametrize("key", INDICES, ids=str)
def test_parts_are_indexed_like_one_array(place, key):
    d = aezip.dataset.open(place)
    whole = np.asarray(d)
    np.testing.assert_array_equal(d[key], whole[key])


def test_all_is_within_the_promise(place, waves):
    d = aezip.dataset.open(place)
    assert (d.shape, d.dtype, d.promise, d.columns) == (waves.shape, waves.dtype, {"max_error": "0.01"}, None)
    assert d.chunks == ((300, 1, 399, 300), (32,))
    assert abs(np.asarray(d) - waves).max() <= BOUND
    d.verify()
    assert abs(np.array(list(d)) - waves).max() <= BOUND
    out = np.empty_like(waves)
    assert d.read(out) is out and (out == np.asarray(d)).all()
    turned = np.empty(waves.shape, waves.dtype, order="F")
    assert (d.read(turned) == out).all()
    with pytest.raises(ValueError, match="to be filled"):
        d.read(np.empty(3))
    copy = pickle.loads(pickle.dumps(d))
    assert (copy[300] == d[300]).all() and "4 parts" in repr(copy)


def test_take_has_the_order_that_was_asked_for(place):
    d = aezip.dataset.open(place)
    whole, rng = np.asarray(d), np.random.default_rng(0)
    for shape in [(0,), (1,), (500,), (3, 4)]:
        ids = rng.integers(-1000, 1000, shape)
        np.testing.assert_array_equal(d.take(ids), whole[ids])
    with pytest.raises(IndexError, match="row 1000 asked for"):
        d.take([1000])
    with pytest.raises(TypeError, match="integers"):
        d.take([0.5])
    out = np.empty((2, 32), "f4")
    assert (d.take([300, 299], out=out) == whole[[300, 299]]).all()


def test_arrays_of_more_axes_and_no_more_parts_open_than_allowed(cube, tmp_path, monkeypatch):
    monkeypatch.setattr(aezip.dataset.parts, "MOST_OPEN", 2)
    d = aezip.dataset.write(np.array_split(cube, 5), tmp_path, sample=cube, max_error=BOUND, level=1)
    assert d.shape == cube.shape
    for _ in range(2):
        assert abs(d[3:37, ..., 7] - cube[3:37, ..., 7]).max() <= BOUND
    assert len(d._parts._open) <= 2


def test_many_threads_read(place):
    d = aezip.dataset.open(place)
    whole, wrong = np.asarray(d), []

    def read(seed):
        ids = np.random.default_rng(seed).integers(0, 1000, 50)
        wrong.extend([] if (d.take(ids) == whole[ids]).all() else [seed])

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# Far away


def test_a_data_set_in_memory_of_fsspec(place, waves):
    pytest.importorskip("fsspec")
    url = "memory://there/waves"
    pieces = [waves[:450], waves[450:]]
    d = aezip.dataset.write(pieces, url, sample=waves, max_error=BOUND, level=1, rows_per_part=400)
    assert [part.rows for part in d.parts] == [400, 50, 400, 150]
    assert abs(np.asarray(d) - waves).max() <= BOUND
    ids = np.random.default_rng(1).integers(0, 1000, 300)
    again = pickle.loads(pickle.dumps(d))
    np.testing.assert_array_equal(again.take(ids), np.asarray(d)[ids])
    again.verify()
    with pytest.raises(FileExistsError, match="overwrite=True"):
        aezip.dataset.write(pieces, url, sample=waves, max_error=BOUND, level=1)


class Server(http.server.BaseHTTPRequestHandler):
    """Gives files, or ranges of them, and notes what was asked for."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.answer(with_body=True)

    def answer(self, with_body):
        file = self.server.root / self.path.removeprefix("/set/")
        if not file.is_file():
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data, asked = file.read_bytes(), self.headers.get("Range")
        first, last = 0, len(data) - 1
        if asked and self.server.has_ranges:
            first, last = (int(n) for n in asked.removeprefix("bytes=").split("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        else:
            self.send_response(200)
        body = data[first : last + 1]
        self.server.log.append((self.path, len(body)))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served(root):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.root, server.log, server.has_ranges = pathlib.Path(root), [], True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_address[1]}/set"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """A data set whose parts are much larger than what is fetched of them."""
    x = np.random.default_rng(0).normal(size=(12_000, 64)).astype("f4")
    folder = tmp_path_factory.mktemp("noise")
    return aezip.dataset.write(np.array_split(x, 3), folder, sample=x, max_error=1e-3, level=1), folder


def test_ranges_are_fetched_together(noise, monkeypatch):
    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")
    monkeypatch.setattr(remote, "ENDS", 4096)
    monkeypatch.setattr(remote, "GAP", 4096)
    here, folder = noise
    whole = np.asarray(here)
    with served(folder) as (server, url):
        d = aezip.dataset.open(url)
        assert [path for path, _ in server.log] == ["/set/_manifest.json"]
        np.testing.assert_array_equal(d[5000], whole[5000])
        # Both ends, the model where it is long, and the block: nothing of other parts.
        asked = server.log[1:]
        assert len({path for path, _ in asked}) == 1 and len(asked) <= 6
        assert sum(n for _, n in asked) < here.parts[1].bytes // 4
        server.log.clear()
        np.testing.assert_array_equal(d[4100:4400], whole[4100:4400])
        assert len(server.log) == 1
        server.log.clear()
        ids = np.random.default_rng(0).integers(0, 12_000, 2000)
        np.testing.assert_array_equal(d.take(ids), whole[ids])
        np.testing.assert_array_equal(np.asarray(d), whole)
        # Neighbouring blocks come together: far fewer requests than blocks.
        assert len(server.log) < 30
        d.verify()


def test_what_far_away_places_do_wrong_is_said(noise):
    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")
    _, folder = noise
    with served(folder) as (server, url):
        with pytest.raises(FileNotFoundError, match="there is no manifest"):
            aezip.dataset.open(url + "/data")
        server.has_ranges = False
        with pytest.raises(OSError, match="does not give parts of files"):
            aezip.dataset.open(url)[5]


def test_ranges_near_each_other_are_one():
    assert remote.coalesced([(0, 10), (5, 20), (30, 40)]) == [(0, 40)]
    far = remote.GAP + 50
    assert remote.coalesced([(far, far + 1), (0, 10)]) == [(0, 10), (far, far + 1)]
    long = [(i * remote.MOST, (i + 1) * remote.MOST) for i in range(3)]
    assert remote.coalesced(long) == long


# Writing


def test_a_repeated_task_leaves_one_part_and_a_failed_one_nothing(waves, tmp_path):
    w = aezip.dataset.begin(tmp_path / "d", waves, max_error=BOUND, level=1)
    w = pickle.loads(pickle.dumps(w))
    first, again = w.write(0, [waves[:500]]), w.write(0, [waves[:500]])
    assert first == again
    second = w.write(1, [waves[500:600], waves[600:]])
    w.write(2, [waves[:100]])  # Its answer gets lost.
    (tmp_path / "d" / "data" / ".aezip-half.tmp").write_bytes(b"half")
    with pytest.raises(FileNotFoundError, match="there is no manifest"):
        aezip.dataset.open(tmp_path / "d")
    d = aezip.dataset.commit(w, [*second, *again, *first])
    assert [part.rows for part in d.parts] == [500, 500]
    assert abs(np.asarray(d) - waves).max() <= BOUND
    assert len(os.listdir(tmp_path / "d" / "data")) == 2

    other = aezip.dataset.begin(tmp_path / "e", waves, max_error=BOUND, level=1)
    other.write(0, [waves])
    aezip.dataset.abort(other)
    with pytest.raises(ValueError, match="has ended"):
        other.write(1, [waves])
    assert not (tmp_path / "e").exists()


def test_what_is_replaced_stays_until_the_new_is_complete(waves, tmp_path):
    d = aezip.dataset.write([waves], tmp_path, max_error=BOUND, level=1)

    def failing():
        yield waves[:500]
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        aezip.dataset.write(failing(), tmp_path, overwrite=True, max_error=0.1, level=1)
    d.verify()
    assert len(os.listdir(tmp_path)) == 3
    new = aezip.dataset.write([waves[:400]], tmp_path, overwrite=True, max_error=0.1, level=1)
    assert len(aezip.dataset.open(tmp_path)) == 400 and new.promise == {"max_error": "0.1"}
    assert len(os.listdir(tmp_path)) == 3 and len(os.listdir(tmp_path / "data")) == 1


def test_tables_of_every_kind(waves, tmp_path):
    pa, pd = pytest.importorskip("pyarrow"), pytest.importorskip("pandas")
    x = waves[:300, :3].astype("f8")
    named = {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2]}
    lists = [list(map(float, row)) for row in x]
    one = {
        "dict": {"v": x},
        "lists": pa.table({"v": lists}),
        "fixed": pa.table({"v": pa.FixedSizeListArray.from_arrays(x.reshape(-1), 3)}),
        "rows": [{"v": row} for row in x],
        "arrays": list(x),
        "objects": pd.DataFrame({"v": list(x)}),
        "batch": pa.RecordBatch.from_pydict({"v": lists}),
    }
    for name, batch in one.items():
        assert (rows_of(batch) == x).all() and rows_of(batch).shape == x.shape, name
    for batch in (named, pa.table(named), pd.DataFrame(named)):
        d = aezip.dataset.write([batch], tmp_path, overwrite=True, columns=["c", "a"], max_error=BOUND, level=1)
        assert d.columns == ["c", "a"] and abs(np.asarray(d) - x[:, [2, 0]]).max() <= BOUND
    for batch, message in [
        (pa.table({"v": [[1.0], [1.0, 2.0]]}), "different lengths"),
        (pa.table({"v": [[1.0], None]}), "null"),
        (pa.table({"v": ["a"]}), "not of numbers"),
        ({"v": x, "w": x}, "name it alone"),
    ]:
        with pytest.raises(ValueError, match=message):
            rows_of(batch)
    with pytest.raises(ValueError, match="no column"):
        rows_of(named, ["d"])


def test_parts_of_another_kind_are_refused(waves, tmp_path):
    w = aezip.dataset.begin(tmp_path, waves, max_error=BOUND, level=1)
    with pytest.raises(ValueError, match="all are of one shape"):
        w.write(0, [waves[:, :5]])
    with pytest.raises(ValueError, match="give all one type"):
        w.write(0, [waves.astype("f8")])
    assert w.write(0, [waves.astype("f2")])[0].rows == 1000
    assert w.write(1, [waves[:0], []]) == []
    with pytest.raises(ValueError, match="no rows"):
        aezip.dataset.commit(w, [])


# Manifests of strangers

HUGE = 10**40
WRONG = [
    (lambda m: m.update(aezip_dataset=2), "newer"),
    (lambda m: m.pop("aezip_dataset"), "newer"),
    (lambda m: m.update(dtype="f128"), "dtype"),
    (lambda m: m.update(dtype=["f32"]), "dtype"),
    (lambda m: m.update(row_shape=[0]), "row_shape"),
    (lambda m: m.update(row_shape=[HUGE]), "row_shape"),
    (lambda m: m.update(row_shape=[1] * 1000), "1000 axes"),
    (lambda m: m.update(columns=[]), "columns"),
    (lambda m: m.update(row_shape=[2**40, 2**40]), "more than can be counted"),
    (lambda m: m.update(row_shape=[16, 2]), "shape"),
    (lambda m: m.update(columns="abc"), "columns"),
    (lambda m: m.update(promise=None), "promise"),
    (lambda m: m.update(promise={"kind": "max-error", "value": "0.001"}), "promise"),
    (lambda m: m.update(rows=1001), "together"),
    (lambda m: m.update(rows=-1), "rows"),
    (lambda m: m.update(rows=True), "rows"),
    (lambda m: m.update(parts={}), "parts"),
    (lambda m: m.update(parts=[]), "rows"),
    (lambda m: m["parts"].append(m["parts"][0]), "together"),
    (lambda m: m["parts"].__setitem__(3, m["parts"][0]), "twice"),
    (lambda m: m["parts"].__setitem__(0, 5), "object"),
    (lambda m: m["parts"][0].update(path="../x.aez"), "path"),
    (lambda m: m["parts"][0].update(path="data/../../x.aez"), "path"),
    (lambda m: m["parts"][0].update(path="/etc/passwd"), "path"),
    (lambda m: m["parts"][0].update(path="data/part\n.aez"), "path"),
    (lambda m: m["parts"][0].update(path="data/absent.aez"), "absent"),
    (lambda m: m["parts"][0].update(rows=HUGE), "rows"),
    (lambda m: (m["parts"][0].update(rows=299), m["parts"][2].update(rows=400)), "shape"),
    (lambda m: m["parts"][0].update(bytes=1), "bytes"),
    (lambda m: m["parts"][0].update(bytes=0.5), "bytes"),
    (lambda m: m["parts"][0].update(sha256="0" * 64), "hash"),
    (lambda m: m["parts"][0].update(sha256="xyz"), "hash"),
    (lambda m: m["codec"].update(path="../codec-00000000.aez"), "path"),
    (lambda m: m["codec"].update(sha256="0" * 64), "hash"),
]


@pytest.mark.parametrize("spoil, message", WRONG)
def test_wrong_manifests_are_refused_in_one_line(place, tmp_path, spoil, message):
    manifest = json.loads((place / "_manifest.json").read_text())
    spoil(manifest)
    for entry in place.iterdir():
        if entry.name != "_manifest.json":
            (tmp_path / entry.name).symlink_to(entry)
    (tmp_path / "_manifest.json").write_text(json.dumps(manifest))
    with pytest.raises((aezip.CorruptError, OSError)) as raised:
        d = aezip.dataset.open(tmp_path)
        np.asarray(d)
        d.verify()
    assert message in str(raised.value) and "\n" not in str(raised.value) and len(str(raised.value)) < 500


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"rows": ' + b"9" * 5000 + b"}"])
def test_what_is_no_manifest(tmp_path, text):
    (tmp_path / "_manifest.json").write_bytes(text)
    with pytest.raises(aezip.CorruptError):
        aezip.dataset.open(tmp_path)


def test_damaged_manifests_are_read_or_refused(place):
    text, rng = (place / "_manifest.json").read_bytes(), np.random.default_rng(0)
    for _ in range(3000):
        spoilt = bytearray(text)
        for at in rng.integers(0, len(text), rng.integers(1, 4)):
            spoilt[at : at + rng.integers(0, 3)] = rng.choice([b"", b"9", b"-", b'"', b"[", b"}", b"null", b"\xff", b"."])
        with contextlib.suppress(aezip.CorruptError):
            Manifest.from_json(bytes(spoilt), "here")


def test_the_sweep_leaves_other_files(waves, tmp_path):
    (tmp_path / "data").mkdir()
    for name in ["README", "data/notes.txt"]:
        (tmp_path / name).write_text("mine")
    d = aezip.dataset.write([waves], tmp_path, max_error=BOUND, level=1)
    writer.sweep(d._parts.store, None)
    assert sorted(os.listdir(tmp_path)) == ["README", "_manifest.json", "data"]
    assert os.listdir(tmp_path / "data") == ["notes.txt"]

"""The programs that are compared: each makes bytes of an array and an array of bytes, on one thread.

All but aezip work in memory, within this process. aezip is started anew each time, reads a `.npy` file and writes another, so that its times
have all of that in them.
"""

import io
import os
import subprocess
from pathlib import Path

# One thread each; said before these are loaded.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import faiss
import h5py
import hdf5plugin
import numpy as np
import zstandard
from pcodec import ChunkConfig, standalone

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "target" / "release" / "aezip"


class Aezip:
    """The program, with a promise in its own words (`--max-error 0.1`, `--nmse 0.13`)."""

    def __init__(self, level, promise, folder):
        self.name = self.family = f"aezip -{level}"
        self.level, self.promise, self.folder = level, promise, Path(folder)
        self.npy, self.archive, self.out = (self.folder / n for n in ("a.npy", "a.aez", "b.npy"))

    def run(self, *words):
        subprocess.run([PROGRAM, *words, "-q", "-f"], check=True, env=dict(os.environ, RAYON_NUM_THREADS="1"))

    def prepare(self, array):
        np.save(self.npy, array)

    def encode(self, array):
        self.run("compress", self.npy, "-o", self.archive, f"-{self.level}", "--threads", "1", *self.promise)

    def size(self):
        return self.archive.stat().st_size

    def decode(self):
        self.run("decompress", self.archive, "-o", self.out)
        return None

    def decoded(self):
        self.decode()
        return np.load(self.out)


class InMemory:
    """A codec that keeps its bytes."""

    def prepare(self, array):
        self.bytes = None

    def size(self):
        return len(self.bytes)

    def decoded(self):
        return self.decode()


class Hdf5(InMemory):
    """A filter of hdf5plugin: the array as one chunk, in its own shape or as rows, whichever is smaller. HDF5's own bytes are not counted, nor that
    integers are given as `f32`."""

    def __init__(self, name, options, bound):
        self.name, self.options, self.shape = name, options(bound), None

    def prepare(self, array):
        self.own_shape = array.shape
        narrow = array.dtype.kind in "iu" and array.dtype.itemsize <= 2
        self.array = array.astype(np.float32) if narrow else array
        if self.shape is None:
            sizes = {}
            for shape in {array.shape, (len(array), array.size // len(array))}:
                self.array = self.array.reshape(shape)
                self.encode(array)
                sizes[shape] = self.stored
            self.shape = min(sizes, key=sizes.get)
        self.array = self.array.reshape(self.shape)

    def encode(self, array):
        out = io.BytesIO()
        with h5py.File(out, "w") as file:
            data = file.create_dataset("x", data=self.array, chunks=self.array.shape, **self.options)
            self.stored = data.id.get_storage_size()
        self.bytes = out.getvalue()

    def size(self):
        return self.stored

    def decode(self):
        with h5py.File(io.BytesIO(self.bytes), "r") as file:
            return file["x"][...].reshape(self.own_shape)


class Quantised(InMemory):
    """Values as multiples of twice the bound (integers of once more than twice), coded without loss."""

    def __init__(self, bound):
        self.bound = bound

    def prepare(self, array):
        self.shape, self.dtype = array.shape, array.dtype

    def integers(self, array):
        whole = array.dtype.kind in "iu"
        self.step = 2 * int(self.bound) + 1 if whole else 2 * self.bound
        rows = np.rint(array.reshape(len(array), -1).astype(np.float64) / self.step)
        return np.ascontiguousarray(rows.T.astype(np.int32))

    def values(self, columns):
        return (columns.T * self.step).astype(self.dtype).reshape(self.shape)


class Pcodec(Quantised):
    """The columns of a quantised array one by one in pcodec."""

    name = "quantised, pcodec"

    def encode(self, array):
        self.parts = [standalone.simple_compress(column, ChunkConfig()) for column in self.integers(array)]

    def size(self):
        return sum(map(len, self.parts))

    def decode(self):
        return self.values(np.stack([standalone.simple_decompress(part) for part in self.parts]))


class Zstd(Quantised):
    """The columns of a quantised array one after another, their bytes shuffled, in zstd at level 19."""

    name = "quantised, zstd -19"

    def encode(self, array):
        columns = self.integers(array)
        self.columns = columns.shape
        shuffled = columns.view(np.uint8).reshape(-1, 4).T.tobytes()
        self.bytes = zstandard.ZstdCompressor(level=19).compress(shuffled)

    def decode(self):
        shuffled = np.frombuffer(zstandard.ZstdDecompressor().decompress(self.bytes), np.uint8)
        columns = np.ascontiguousarray(shuffled.reshape(4, -1).T).view(np.int32)
        return self.values(columns.reshape(self.columns))


class Faiss(InMemory):
    """A codec of FAISS, trained on the rows themselves; its size is that of the codes and of what was trained."""

    def __init__(self, factory):
        self.name = f"FAISS {factory}"
        # Those of one kind are one line of a picture.
        self.family = "FAISS " + factory.split(",")[0].rstrip("x0123456789")
        self.factory = factory

    def encode(self, array):
        faiss.omp_set_num_threads(1)
        self.index = faiss.index_factory(array.shape[1], self.factory)
        self.index.train(array)
        self.codes = self.index.sa_encode(array)

    def size(self):
        return self.codes.nbytes + len(faiss.serialize_index(self.index))

    def decode(self):
        return self.index.sa_decode(self.codes)


def bounded(array, bound, levels, folder):
    """Returns the codecs that can promise `bound` for each value of an array of such a shape."""
    words = ["--max-error", f"{bound:.9g}"]
    own = [Aezip(level, words, folder) for level in levels]
    filters = [Hdf5("SZ3", lambda b: hdf5plugin.SZ3(absolute=b), bound)]
    if array.ndim <= 3:
        filters.append(Hdf5("ZFP", lambda b: hdf5plugin.Zfp(accuracy=b), bound))
    if array.ndim in (2, 3) and min(array.shape) > 1:
        filters.append(Hdf5("SPERR", lambda b: hdf5plugin.Sperr(absolute=b), bound))
    return own + filters + [Pcodec(bound), Zstd(bound)]


def of_vectors(levels, sums, factories, folder):
    """Returns the codecs that are tried on vectors: aezip with each of some sums of squared errors, and those of FAISS."""
    own = [Aezip(level, ["--nmse", str(nmse)], folder) for level in levels for nmse in sums]
    return own + [Faiss(factory) for factory in factories]

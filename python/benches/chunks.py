"""Chunks with models of their own, against such that share one: bytes and seconds of both.

    python benches/chunks.py ARRAY.npy CHUNK BOUND        # python benches/chunks.py minilm.npy 100,384 0.01
"""

import sys
import time

import numpy as np
from aezip import _chunks
from aezip.zarr import SharedAezipCodec

#: Chunks that are measured, from all parts of the array.
CHUNKS = 20


def chunks_of(x, shape):
    """Return whole chunks."""
    grid = [size // chunk for size, chunk in zip(x.shape, shape)]
    for place in np.unique(np.linspace(0, np.prod(grid) - 1, CHUNKS).round().astype(int)):
        starts = [at * chunk for at, chunk in zip(np.unravel_index(place, grid), shape)]
        yield x[tuple(slice(start, start + chunk) for start, chunk in zip(starts, shape))]


def encoded(chunks, options, shared=None):
    """Return bytes and seconds of the CPU that chunks take."""
    begin = time.process_time()
    size = sum(len(_chunks.encode(chunk, options, shared)) for chunk in chunks)
    return size, time.process_time() - begin


def main():
    x, shape, bound = np.load(sys.argv[1]), tuple(map(int, sys.argv[2].split(","))), sys.argv[3]
    begin = time.process_time()
    codec = SharedAezipCodec.train(x, shape, max_error=bound)
    print(f"learned in {time.process_time() - begin:.1f} s of CPU, {len(codec.shared.data)} bytes")
    chunks, options = list(chunks_of(x, shape)), dict(codec.options)
    own, shared = encoded(chunks, options), encoded(chunks, options, codec.shared)
    print(f"{len(chunks)} chunks of {shape}, {chunks[0].nbytes} bytes each")
    print(f"own models {own[0]} bytes in {own[1]:.2f} s, a shared one {shared[0]} in {shared[1]:.2f} s: {100 * (shared[0] / own[0] - 1):+.1f} %")


if __name__ == "__main__":
    main()

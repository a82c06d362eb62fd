"""What a call from Python takes: run after `pip install .`, on a quiet machine.

    python benches/calls.py [ARRAY.npy]
"""

import sys
import threading
import time
import tracemalloc

import aezip
import numpy as np

ROWS = 24_000


def best(work, repeat=7, number=1):
    """Return the seconds of the fastest of some runs."""
    runs = []
    for _ in range(repeat):
        started = time.perf_counter()
        for _ in range(number):
            work()
        runs.append((time.perf_counter() - started) / number)
    return min(runs)


def main():
    rng = np.random.default_rng(0)
    x = np.load(sys.argv[1]) if len(sys.argv) > 1 else rng.normal(size=(ROWS, 8)) @ rng.normal(size=(8, 384))
    x = x.astype("f4")
    f = aezip.open(aezip.dumps(x, nmse=0.13, level=1))
    row = f[7]
    print(f"f[7], warm: {1e6 * best(lambda: f[7], number=2000):.2f} us")
    print(f"an empty array and a copy: {1e6 * best(lambda: np.zeros(len(row), 'f4').__setitem__(..., row), number=2000):.2f} us")
    ids = rng.integers(0, len(x), 1000)
    flat = ids.astype("u8")
    inner, outer = best(lambda: f._reader.take(flat)), best(lambda: f.take(ids))
    print(f"take of 1,000: {1e3 * outer:.2f} ms, {100 * (outer / inner - 1):.1f} % above the library's call")
    out = np.empty_like(x)
    into, whole = best(lambda: f.read(out)), best(lambda: np.asarray(f))
    print(f"np.asarray: {1e3 * whole:.1f} ms, into an array that is there: {1e3 * into:.1f} ms")
    tracemalloc.start()
    np.asarray(f)
    peak = tracemalloc.get_traced_memory()[1]
    print(f"np.asarray allocates {peak / x.nbytes:.3f} of the array")

    # Rows that were not read lately, and so have to be decoded.
    order = rng.permutation(len(x))[:4000]

    def read(rows):
        for i in rows:
            f[int(i)]

    def both():
        threads = [threading.Thread(target=read, args=(half,)) for half in np.split(order, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    print(f"rows in 2 threads against 1: {best(lambda: read(order), 3) / best(both, 3):.2f} x")


if __name__ == "__main__":
    main()
